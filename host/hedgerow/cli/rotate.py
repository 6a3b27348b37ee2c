"""`hedgerow rotate`: give every group a new key, with nobody put out. Parses, calls, prints."""

from typing import Annotated

import typer

from hedgerow.cli import drilling
from hedgerow.cli.options import FleetOption, JsonOption, PortOption, console, fleet_folder, new_app, print_json
from hedgerow.fleet.folder import FleetFolder
from hedgerow.plans import seizure

app = new_app("Give every group a new key, with nobody put out.")

EXAMPLES = """[bold]Examples[/bold]

[cyan]hedgerow rotate -p /dev/ttyACM0[/cyan]: new keys for all groups; the node on that port passes them on.

[cyan]hedgerow rotate --status[/cyan]: which nodes have confirmed them.
"""


@app.command(epilog=EXAMPLES)
def rotate(
    again: Annotated[bool, typer.Option("--again", help="Begin anew, even if nodes have not confirmed yet.")] = False,
    status: Annotated[bool, typer.Option("--status", help="Make nothing new; say who has confirmed.")] = False,
    port: PortOption = None,
    as_json: JsonOption = False,
    fleet: FleetOption = None,
) -> None:
    """Make new keys for all groups and bring them to the nodes on these ports; the mesh carries them on.

    Whatever interrupts this, run the same command again: it does what is left.
    """
    with FleetFolder(fleet_folder(fleet)) as opened:
        if not status:
            seizure.begin(opened, None, again=again)
        facts = drilling.tell(opened, None, port)
    if as_json:
        print_json(facts)
        return
    if not facts["groups"]:
        console.print(
            "No group of this fleet has a key yet that could be renewed; `hedgerow provision` gives the first."
        )
    drilling.show(facts)
