"""`hedgerow identify`: blink nodes, so that a person finds them among others. Parses, calls, prints."""

from typing import Annotated, Any

import typer

from hedgerow.cli.keyring import credentials_of
from hedgerow.cli.main import run
from hedgerow.cli.options import FleetOption, JsonOption, PortOption, console, error_console, new_app, print_json
from hedgerow.errors import EXIT_GOOD, FleetError
from hedgerow.plans import reach
from hedgerow.session import Credentials

app = new_app("Blink a node, so that you find it among others.")

EXAMPLES = """[bold]Examples[/bold]

[cyan]hedgerow identify beech -p /dev/ttyACM0[/cyan]: its lamp blinks, four times in a second.

[cyan]hedgerow identify --for 60[/cyan]: every node on a port of this machine, for a minute.
"""
USUAL_S = 10
LONGEST_S = 60
_ANSWER_S = 3.0


@app.command(epilog=EXAMPLES)
def identify(
    nodes: Annotated[list[str] | None, typer.Argument(metavar="[NODE]...", help="Names, short numbers or ids.")] = None,
    port: PortOption = None,
    for_s: Annotated[
        int, typer.Option("--for", metavar="S", min=1, max=LONGEST_S, help="For so many seconds.")
    ] = USUAL_S,
    as_json: JsonOption = False,
    fleet: FleetOption = None,
) -> None:
    """Let the lamps of nodes blink. A board without a lamp says so; the others blink all the same."""
    blinking, errors = run(_ask(nodes or [], port, for_s, credentials_of(fleet)))
    if as_json:
        print_json({"for_s": for_s, "blinking": blinking, "errors": errors})
    else:
        for one in blinking:
            console.print(f"{one['node']} ({one['board']} on {one['port']}) blinks for {for_s} s.", soft_wrap=True)
        for error in errors:
            error_console.print(f"Error: {error}", markup=False, soft_wrap=True)
    if code := max((error.exit_code for error in errors), default=EXIT_GOOD):
        raise typer.Exit(code)


async def _ask(
    names: list[str], port: list[str] | None, for_s: int, keys: Credentials | None
) -> tuple[list[dict[str, Any]], list[FleetError]]:
    """The nodes that have said that they blink, and what is wrong with the others."""
    blinking: list[dict[str, Any]] = []
    async with reach.all_nodes(port, names, credentials=keys) as (reached, silent):
        errors = list(silent.values())
        for node in reached:
            try:
                await node.session.ask("identify", {"for_ms": for_s * 1000}, _ANSWER_S)
            except FleetError as error:
                errors.append(error)
            else:
                blinking.append({"node": node.name, "board": node.hello["board"], "port": node.port})
    return blinking, errors
