"""`hedgerow revoke`: put out a captured node, a stolen laptop or a steward's key. Parses, calls, prints."""

from typing import Annotated

import typer

from hedgerow.cli.options import FleetOption, JsonOption, console, fleet_folder, new_app, print_json
from hedgerow.fleet import council, revoking, standing
from hedgerow.fleet.folder import FleetFolder

app = new_app("Put out a captured node, a stolen laptop or a steward's key.")

EXAMPLES = """[bold]Examples[/bold]

[cyan]hedgerow revoke oak[/cyan]: the node oak was taken; what it signs counts no more.

[cyan]hedgerow revoke laptop:cafe --keep[/cyan]: the laptop cafe was stolen; this laptop vouches for the nodes that it
had taken in.
"""


@app.command(epilog=EXAMPLES)
def revoke(
    who: Annotated[str, typer.Argument(metavar="NODE|LAPTOP|STEWARD", help="Its name, or KIND:NAME.")],
    keep: Annotated[
        bool | None,
        typer.Option("--keep/--drop", help="Whether this laptop vouches for the nodes of a revoked one. Default: ask."),
    ] = None,
    as_json: JsonOption = False,
    fleet: FleetOption = None,
) -> None:
    """Say that a key counts no more. It holds wherever the paper arrives, once enough stewards have signed it."""
    with FleetFolder(fleet_folder(fleet)) as opened:
        gone = revoking.target(opened, who)
        falling = revoking.taken_in_by(opened, gone)
        names = [node.name for node in falling]
        if falling and keep is None and not as_json:
            console.print(f"Nodes that only {gone.name} has taken in: {', '.join(names)}.", soft_wrap=True)
            keep = typer.confirm("Do you know them all, and does this laptop vouch for them?")
        if falling and keep:
            revoking.vouch(opened, falling)
        papers = revoking.revoke(opened, gone)
        judged = opened.standing
        waiting = [one for one in papers if one.digest in {paper.digest for paper in judged.pending}]
        needs = [standing.lacks(paper, judged) for paper in waiting]
        facts = {
            "revoked": {"kind": gone.kind, "name": gone.name, "public": gone.public},
            "papers": [council.describe(paper, judged) for paper in papers],
            "in_force": not waiting,
            "needs": needs,
            "kept_nodes": names if keep else [],
            "fallen_nodes": [] if keep else names,
        }
    if as_json:
        print_json(facts)
        return
    console.print(f"The {gone.kind} {gone.name} is revoked on this laptop." if not waiting else "Not in force yet.")
    for need in needs:
        console.print(f"It needs {need}. Next: `hedgerow charter sign`.", soft_wrap=True)
    if names:
        console.print(("Kept: " if keep else "Fallen with it: ") + ", ".join(names), soft_wrap=True)
    console.print("Tell the nodes: `hedgerow fleet give NODE`; they pass it on.")
