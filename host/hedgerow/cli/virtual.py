"""`hedgerow virtual`: start, list and stop virtual boards. Parses, calls, prints."""

import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from hedgerow.cli import options
from hedgerow.cli.options import JsonOption, console, error_console
from hedgerow.errors import EnvironmentProblem, UsageError

ENVIRONMENT = "HEDGEROW_VIRTUAL"

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
    from hedgerow.virtual import interpreter, keeper

    interpreter.ensure(lambda step: error_console.print(f"MicroPython: {step}"))
    if count is None and not board:
        count = 1
    command = [f"--speed-up={speed_up}", f"--loss={loss}", f"--seed={seed}"]
    command += [f"--count={count}"] if count is not None else []
    command += [f"--board={board_id}" for board_id in board or []]
    command += [f"--contacts={contacts}"] if contacts else []
    command += [f"--weather={weather}"] if weather else []
    process = keeper.start(directory, command)
    _show(control.ask(control.find(directory), {"do": "list"}), as_json)
    if not detach:
        _stay(directory, process)


def _stay(directory: Path, process: subprocess.Popen[bytes]) -> None:
    error_console.print("Ctrl-C stops them.")
    try:
        process.wait()
    except KeyboardInterrupt:
        from hedgerow.virtual import keeper

        keeper.stop(directory)


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
    _control()
    from hedgerow.virtual import keeper

    stopped = keeper.stop(directory)
    if as_json:
        options.print_json({"stopped": stopped})
    else:
        console.print("Stopped." if stopped else f"No virtual boards are up in {directory}.")
