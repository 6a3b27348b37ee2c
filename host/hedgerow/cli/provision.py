"""`hedgerow provision`: make boards into nodes, several at once; run it again to resume."""

from collections.abc import Sequence
from typing import Annotated, Protocol

import typer
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Column

from hedgerow.cli.main import run
from hedgerow.cli.options import (
    FleetOption,
    JsonOption,
    PortOption,
    console,
    error_console,
    fleet_folder,
    new_app,
    print_json,
)
from hedgerow.errors import EXIT_GOOD, FleetError, UsageError
from hedgerow.fleet.folder import FleetFolder
from hedgerow.plans import adopt, estimate, executor, labels
from hedgerow.plans.parallel import Bench, PortResult
from hedgerow.plans.provision import Consent

app = new_app("Make boards into nodes of your fleet; run it again to resume.")

_PORT_CHARACTERS = 20

EXAMPLES = """[bold]Examples[/bold]

[cyan]hedgerow provision -p /dev/ttyACM0[/cyan]: the board becomes the next free node of fleet.toml.

[cyan]hedgerow provision oak elm -p /dev/ttyACM0 -p /dev/ttyACM1[/cyan]: which board becomes which node.

[cyan]hedgerow provision oak --label HEDGEROW-WAITING:1:…[/cyan]: without a cable, a node that belongs to nobody yet.
"""

TakeOverOption = Annotated[
    bool,
    typer.Option(
        "--take-over",
        help="Also take a node that belongs to another fleet or has another name. Its key and messages stay.",
    ),
]
ReplaceOption = Annotated[
    bool, typer.Option("--replace", help="The board takes the name of a node whose board is lost or was erased.")
]


@app.command(epilog=EXAMPLES)
def provision(
    nodes: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NODE]...", help="Names in fleet.toml, one a port, in the order of the ports."),
    ] = None,
    port: PortOption = None,
    take_over: TakeOverOption = False,
    replace: ReplaceOption = False,
    label: Annotated[
        str | None,
        typer.Option(
            "--label",
            metavar="TEXT",
            help="What the code on the box of a waiting node says, or a file with it. Without -p: over Bluetooth.",
        ),
    ] = None,
    as_json: JsonOption = False,
    fleet: FleetOption = None,
) -> None:
    """Install firmware, identity, name and configuration on the boards at these ports, all at once, and verify them.

    Whatever interrupts it, run the same command again: it does what is left.
    """
    with FleetFolder(fleet_folder(fleet)) as opened:
        consent = Consent(take_over=take_over, replace=replace)
        if label is not None:
            results = _take_in(opened, label, port or [adopt.BY_AIR], nodes or [], consent, quiet=as_json)
        else:
            bench = Bench(opened, consent=consent)
            if port and not as_json:
                error_console.print(_forecast(), style="dim", soft_wrap=True)
            with Bars(port or [], quiet=as_json) as bars:
                bench.tell, bench.finished = bars.tell, bars.finished
                results = run(bench.provision(port or [], nodes or []))
    if as_json:
        print_json({"passed": sum(result.passed for result in results), "ports": [one.as_dict() for one in results]})
    else:
        _print(results)
    if code := exit_code(results):
        raise typer.Exit(code)


def _take_in(
    fleet: FleetFolder, label: str, ports: list[str], nodes: list[str], consent: Consent, *, quiet: bool
) -> list[PortResult]:
    """One node by its label."""
    if len(ports) > 1 or len(nodes) > 1:
        raise UsageError("a label is that of one node", next_step="Name one port and one node at most with --label.")
    adoption = adopt.Adoption(fleet, labels.read(label), ports[0], nodes[0] if nodes else None, consent)
    if not quiet:
        error_console.print("This takes about half a minute.", markup=False)
    with Bars(ports, quiet=quiet) as bars:
        adoption.tell = bars.tell
        result = run(adoption.run())
        bars.finished(result)
    return [result]


def _forecast() -> str:
    """How long it may take, before it starts."""
    seconds = estimate.install_s(estimate.firmware_bytes())
    return f"A bare board takes {estimate.words(seconds)} by cable; what is there already does not travel again."


class Ended(Protocol):
    """How the work on one port ended, whatever the work was. `node` is what a bar calls it."""

    @property
    def port(self) -> str: ...
    @property
    def node(self) -> str | None: ...
    @property
    def passed(self) -> bool: ...
    @property
    def error(self) -> FleetError | None: ...


def exit_code(results: Sequence[Ended]) -> int:
    """That of the gravest failure, which is the highest; 0 if every port passed."""
    return max((result.error.exit_code for result in results if result.error), default=EXIT_GOOD)


class Bars:
    """One progress bar a port, on stderr; a line at each end where stderr is no terminal."""

    def __init__(self, port_names: Sequence[str], *, quiet: bool) -> None:
        self._draws = error_console.is_terminal and not quiet
        self._quiet = quiet
        self._progress = Progress(
            TextColumn("{task.fields[port]}"),
            TextColumn("[bold]{task.fields[node]}"),
            BarColumn(bar_width=16),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeElapsedColumn(),
            TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True, overflow="ellipsis")),
            console=error_console,
            disable=not self._draws,
        )
        self._tasks: dict[str, TaskID] = {
            port: self._progress.add_task("waiting", total=1.0, port=short_port(port), node="") for port in port_names
        }

    def __enter__(self) -> "Bars":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def tell(self, now: executor.Progress) -> None:
        self._progress.update(self._tasks[now.port], completed=now.fraction, description=now.doing, node=now.node)

    def finished(self, result: Ended) -> None:
        task, doing = self._tasks[result.port], "✔ PASS" if result.passed else "✘ FAIL"
        if result.passed:
            self._progress.update(task, completed=1.0)
        self._progress.update(task, description=doing, node=result.node or "")
        self._progress.stop_task(task)
        if not self._draws and not self._quiet:
            error_console.print(f"{result.port} {result.node or ''} {doing}", markup=False)


def short_port(port: str) -> str:
    """The end of a long path: what tells the ports of one bench apart, with room left for the bar."""
    return port if len(port) <= _PORT_CHARACTERS or "://" in port else "/".join(("…", *port.split("/")[-2:]))


def _print(results: Sequence[PortResult]) -> None:
    for result in results:
        name = result.node or "no node"
        if result.error is not None:
            console.print(f"✘ FAIL  {name}  {result.error}", markup=False, soft_wrap=True)
            continue
        identity = f"short {result.short}, id {result.node_id.hex() if result.node_id else '–'}"
        done = f"{len(result.changes)} changes, verified" if result.changes else "nothing to change"
        console.print(f"✔ PASS  {name}  {result.port}  {identity}, {done}", markup=False, soft_wrap=True)
    passed = sum(result.passed for result in results)
    console.print(f"{passed} of {len(results)} ports passed.")
