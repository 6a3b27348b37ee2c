"""`hedgerow plan`: what provisioning would change, without changing it."""

from typing import Annotated

import typer

from hedgerow.cli.main import run
from hedgerow.cli.options import FleetOption, JsonOption, PortOption, console, fleet_folder, new_app, print_json
from hedgerow.cli.provision import ReplaceOption, TakeOverOption, exit_code
from hedgerow.fleet.folder import FleetFolder
from hedgerow.plans.parallel import Bench, PortResult
from hedgerow.plans.provision import Consent

app = new_app("Show what provisioning would change, and change nothing.")

EXAMPLE = "[bold]Example[/bold]: [cyan]hedgerow plan -p /dev/ttyACM0[/cyan]"


@app.command(epilog=EXAMPLE)
def plan(
    nodes: Annotated[list[str] | None, typer.Argument(metavar="[NODE]...", help="Names in fleet.toml.")] = None,
    port: PortOption = None,
    take_over: TakeOverOption = False,
    replace: ReplaceOption = False,
    as_json: JsonOption = False,
    fleet: FleetOption = None,
) -> None:
    """Look at the boards on these ports and say what `provision` would do to each.

    A running node is asked and goes on running. A board with another program is stopped for the look, then restarted.
    """
    with FleetFolder(fleet_folder(fleet)) as opened:
        bench = Bench(opened, consent=Consent(take_over=take_over, replace=replace))
        results = run(bench.plan(port or [], nodes or []))
    if as_json:
        print_json([result.as_dict() for result in results])
    else:
        for result in results:
            _print(result)
    if code := exit_code(results):
        raise typer.Exit(code)


def _print(result: PortResult) -> None:
    console.print(f"[bold]{result.port}[/bold] → {result.node or 'nobody'}", soft_wrap=True)
    if result.error is not None:
        console.print(f"  ✘ {result.error}", markup=False, soft_wrap=True)
    elif not result.changes:
        console.print("  ✔ nothing to change")
    for change in result.changes:
        console.print(f"  • {change}", markup=False, soft_wrap=True)
