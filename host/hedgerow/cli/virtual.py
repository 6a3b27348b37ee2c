"""`hedgerow virtual`: start, list and stop virtual boards. Parses, calls, prints."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from hedgerow.cli import options
from hedgerow.cli.options import JsonOption, console, error_console
from hedgerow.errors import EnvironmentProblem, FleetError, UsageError

ENVIRONMENT = "HEDGEROW_VIRTUAL"
_READY_WITHIN_S = 60.0
_DOWN_WITHIN_S = 10.0

app = options.new_app(
    "Start, list and stop virtual boards: real MicroPython processes with a serial port, a radio and weather.\n\n"
    "Example: [bold]hedgerow virtual up -n 3 --detach[/bold], then [bold]hedgerow virtual list[/bold]."
)

DirectoryOption = Annotated[
    Path,
    typer.Option("--dir", envvar=ENVIRONMENT, help="Where their flash images and port links live.", show_default=True),
]
_DEFAULT_DIRECTORY = Path(".hedgerow/virtual")


def _control() -> Any:
    """The control module; on a system without Unix terminals the sentence that says so."""
    if not sys.platform.startswith("linux"):
        raise EnvironmentProblem(
            f"virtual boards run on Linux only, and this is {sys.platform}",
            next_step="Use a Linux machine (a container does), or a real board.",
        )
    from hedgerow.virtual import control

    return control


@app.command()
def up(
    count: Annotated[int | None, typer.Option("-n", "--count", min=1, max=250, help="How many boards.")] = None,
    board: Annotated[
        list[str] | None, typer.Option("--board", help="Board id; repeat it for a mixture. Default: VIRTUAL.")
    ] = None,
    speed_up: Annotated[
        float, typer.Option("--speed-up", min=0.1, max=100_000, help="Weather and calendar run this much faster.")
    ] = 1.0,
    contacts: Annotated[
        Path | None,
        typer.Option("--contacts", help="Contact plan: lines `SECONDS CONN A B up|down`. Default: all in reach."),
    ] = None,
    weather: Annotated[
        Path | None, typer.Option("--weather", help="A TMY3 weather file, .csv or .csv.gz. Default: five days of May.")
    ] = None,
    loss: Annotated[float, typer.Option("--loss", min=0, max=1, help="Share of radio frames that get lost.")] = 0.0,
    seed: Annotated[int, typer.Option("--seed", help="Start of the random numbers that decide losses.")] = 1,
    detach: Annotated[bool, typer.Option("--detach", "-d", help="Leave them running in the background.")] = False,
    directory: DirectoryOption = _DEFAULT_DIRECTORY,
    as_json: JsonOption = False,
) -> None:
    """Start virtual boards. Example: hedgerow virtual up -n 6 --speed-up 3600 --detach"""
    control = _control()
    if control.find(directory):
        raise UsageError(
            f"virtual boards of {directory} are up already", next_step="Stop them with `hedgerow virtual down` first."
        )
    from hedgerow.virtual import interpreter

    interpreter.ensure(lambda step: error_console.print(f"MicroPython: {step}"))
    if count is None and not board:
        count = 1
    command = [sys.executable, "-m", "hedgerow.virtual.fleet", str(directory), f"--speed-up={speed_up}"]
    command += [f"--loss={loss}", f"--seed={seed}"]
    command += [f"--count={count}"] if count is not None else []
    command += [f"--board={board_id}" for board_id in board or []]
    command += [f"--contacts={contacts}"] if contacts else []
    command += [f"--weather={weather}"] if weather else []
    process = _start(control, directory, command)
    _show(control.ask(control.find(directory), {"do": "list"}), as_json)
    if not detach:
        _stay(control, directory, process)


def _start(control: Any, directory: Path, command: list[str]) -> subprocess.Popen[bytes]:
    """Start the keeper of the boards and wait until it answers."""
    directory.mkdir(parents=True, exist_ok=True)
    problem = control.problem_file(directory)
    problem.unlink(missing_ok=True)
    with (directory / "log").open("ab") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
    deadline = time.monotonic() + _READY_WITHIN_S
    while time.monotonic() < deadline:
        if control.find(directory):
            return process
        if process.poll() is not None:
            if problem.exists():
                raise UsageError(problem.read_text(encoding="utf-8"))
            raise FleetError("the virtual boards did not start", next_step=f"Read {directory / 'log'}.")
        time.sleep(0.02)
    process.terminate()
    raise FleetError(f"the virtual boards did not start in {_READY_WITHIN_S:.0f} s")


def _stay(control: Any, directory: Path, process: subprocess.Popen[bytes]) -> None:
    error_console.print("Ctrl-C stops them.")
    try:
        process.wait()
    except KeyboardInterrupt:
        _stop(control, directory)


def _show(facts: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        options.print_json(facts)
        return
    table = Table(box=None)
    for heading in ("name", "board", "port", "pid", "up"):
        table.add_column(heading, no_wrap=True)
    for fact in facts:
        uptime = f"{fact['uptime_s']:.0f} s" if fact["pid"] else "off"
        table.add_row(fact["name"], fact["board"], fact["port"] or "unplugged", str(fact["pid"] or "-"), uptime)
    console.print(table)


@app.command(name="list")
def list_boards(directory: DirectoryOption = _DEFAULT_DIRECTORY, as_json: JsonOption = False) -> None:
    """List the virtual boards that are up. Example: hedgerow virtual list --json"""
    control = _control()
    running = control.find(directory)
    if running:
        _show(control.ask(running, {"do": "list"}), as_json)
    elif as_json:
        options.print_json([])
    else:
        console.print(f"No virtual boards are up in {directory}. Start some with `hedgerow virtual up -n 3 --detach`.")


@app.command()
def down(directory: DirectoryOption = _DEFAULT_DIRECTORY, as_json: JsonOption = False) -> None:
    """Stop the virtual boards; what is on their flash stays. Example: hedgerow virtual down"""
    stopped = _stop(_control(), directory)
    if as_json:
        options.print_json({"stopped": stopped})
    else:
        console.print("Stopped." if stopped else f"No virtual boards are up in {directory}.")


def _stop(control: Any, directory: Path) -> bool:
    """Ask the keeper to stop; one that does not is ended by its number, if that is still its own."""
    running = control.find(directory)
    if not running:
        return False
    try:
        control.ask(running, {"do": "stop"}, timeout_s=3)
    except FleetError:
        if running.alive:
            os.kill(running.pid, signal.SIGTERM)
    deadline = time.monotonic() + _DOWN_WITHIN_S
    while running.alive:
        if time.monotonic() > deadline:
            os.kill(running.pid, signal.SIGKILL)
            break
        time.sleep(0.02)
    control.find(directory)  # removes what a killed one left
    return True
