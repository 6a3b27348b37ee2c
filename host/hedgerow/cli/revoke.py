"""`hedgerow revoke`: put out a captured node, a stolen laptop or a steward's key. Parses, calls, prints."""

from typing import Annotated

import typer

from hedgerow.cli import drilling
from hedgerow.cli.options import FleetOption, JsonOption, PortOption, console, fleet_folder, new_app, print_json
from hedgerow.fleet import revoking
from hedgerow.fleet.folder import FleetFolder
from hedgerow.plans import seizure

app = new_app("Put out a captured node, a stolen laptop or a steward's key.")

EXAMPLES = """[bold]Examples[/bold]

[cyan]hedgerow revoke oak[/cyan]: the node oak was taken; what it signs counts no more.

[cyan]hedgerow revoke laptop:cafe --keep[/cyan]: the laptop cafe was stolen; this laptop vouches for the nodes that it
had taken in.

[cyan]hedgerow revoke oak --status -p /dev/ttyACM0[/cyan]: who has the new keys by now, and what the captor can read.
"""


@app.command(epilog=EXAMPLES)
def revoke(
    who: Annotated[str, typer.Argument(metavar="NODE|LAPTOP|STEWARD", help="Its name, or KIND:NAME.")],
    keep: Annotated[
        bool | None,
        typer.Option("--keep/--drop", help="Whether this laptop vouches for the nodes of a revoked one. Default: ask."),
    ] = None,
    status: Annotated[bool, typer.Option("--status", help="Make nothing new; say what it has come to by now.")] = False,
    port: PortOption = None,
    as_json: JsonOption = False,
    fleet: FleetOption = None,
) -> None:
    """Say that a key counts no more, and give every group that it could read a new one, which it does not get.

    It holds wherever the papers arrive, once enough stewards have signed them. Nodes on these ports get them now and
    pass them on. Whatever interrupts this, run the same command again: it does what is left.
    """
    with FleetFolder(fleet_folder(fleet)) as opened:
        gone = revoking.target(opened, who)
        falling = revoking.taken_in_by(opened, gone)
        names = [node.name for node in falling]
        if falling and not status:
            keep = _decide_on(gone, names, keep, as_json=as_json)
            if keep:
                revoking.vouch(opened, falling)
        if not status:
            seizure.begin(opened, gone)
        facts = drilling.tell(opened, gone, port)
    facts["kept_nodes"] = names if keep else []
    facts["fallen_nodes"] = [] if keep else names
    if as_json:
        print_json(facts)
        return
    console.print(
        f"The {gone.kind} {gone.name} is revoked on this laptop." if facts["in_force"] else "Not in force yet."
    )
    drilling.show(facts)
    if names:
        console.print(("Kept: " if keep else "Fallen with it: ") + ", ".join(names), soft_wrap=True)
    if not facts["told"]:
        console.print("Tell the nodes: the same command with -p PORT, or `hedgerow fleet give NODE`; they pass it on.")


def _decide_on(gone: revoking.Target, names: list[str], keep: bool | None, *, as_json: bool) -> bool:
    if keep is None and not as_json:
        console.print(f"Nodes that only {gone.name} has taken in: {', '.join(names)}.", soft_wrap=True)
        return typer.confirm("Do you know them all, and does this laptop vouch for them?")
    return bool(keep)
