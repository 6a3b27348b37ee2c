"""`hedgerow leave`: end a visit to a node: GO, or STAY and why. Parses, calls, prints."""

from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

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
from hedgerow.errors import EXIT_FINDINGS
from hedgerow.fleet.folder import FleetFolder
from hedgerow.plans import estimate
from hedgerow.plans import leave as plan
from hedgerow.plans.leave import Leave

app = new_app("End a visit: check everything, note it, and say GO or STAY and why.")

EXAMPLES = """[bold]Example[/bold]

[cyan]hedgerow leave spring -p /dev/ttyACM0[/cyan]: before you close the box.

Exit codes: 0 GO, 1 STAY, others as in the manual.
"""


@app.command(epilog=EXAMPLES)
def leave(
    node: Annotated[str | None, typer.Argument(metavar="[NODE]", help="Name, short number or id.")] = None,
    port: PortOption = None,
    fleet: FleetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check sensors, radio, battery, clock, stores, software and messages, audit the node, and say GO or STAY.

    Nothing is changed on the node but a wrong clock. The visit is noted in the fleet's registry.
    """
    if not as_json:
        about = estimate.words(estimate.REPORT_S) + estimate.slower(port or ())
        error_console.print(f"Looking at everything takes {about}.", style="dim", soft_wrap=True)
    with FleetFolder(fleet_folder(fleet)) as opened:
        outcome, seen = run(plan.leave(opened, node, port))
    if as_json:
        print_json(plan.facts(outcome, seen))
    else:
        _print(outcome)
    if not outcome.go:
        raise typer.Exit(EXIT_FINDINGS)


def _print(outcome: Leave) -> None:
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for check in outcome.checks:
        table.add_row(f"{'✔' if check.good else '✘'} {check.name}", Text(check.seen))
    console.print(table)
    if outcome.go:
        console.print(f"GO: {outcome.node} is well. You may close the box.", style="bold")
        return
    console.print(f"STAY at {outcome.node}:", style="bold")
    for check in outcome.checks:
        if check.next_step is not None:
            console.print(f"  {check.name}: {check.seen}. {check.next_step}.", markup=False)
