"""`hedgerow secede`: leave a fleet with some of its nodes. Parses, calls, prints."""

from pathlib import Path
from typing import Annotated, Any

import typer

from hedgerow.cli import leaving
from hedgerow.cli.main import run
from hedgerow.cli.options import (
    FLEET_FILE,
    FleetOption,
    JsonOption,
    PortOption,
    console,
    fleet_folder,
    new_app,
    print_json,
)
from hedgerow.errors import RefusedError, UsageError
from hedgerow.fleet.folder import FleetFolder
from hedgerow.fleet.roster import Enrolment
from hedgerow.plans import credentials, moving, parting
from hedgerow.plans.moving import Carrier
from hedgerow.plans.parting import Journey

app = new_app("Leave a fleet with some of its nodes, and begin one of your own.")

EXAMPLES = """[bold]Examples[/bold]

[cyan]hedgerow secede brook --mine --dry-run[/cyan]: what would happen if your household left with its nodes.

[cyan]hedgerow secede brook --mine -p /dev/ttyACM0[/cyan]: do it; the node on that port goes now.

[cyan]hedgerow secede brook --nodes oak,elm --stewards Ana,Ben[/cyan]: leave with two nodes, and decide as two.
"""


@app.command(epilog=EXAMPLES)
def secede(
    name: Annotated[str, typer.Argument(help="What people will call the new fleet.")],
    nodes: Annotated[str, typer.Option("--nodes", metavar="NAMES", help="Nodes that go, separated by commas.")] = "",
    mine: Annotated[
        bool, typer.Option("--mine", help="The nodes of the households whose keys lie on this laptop go.")
    ] = False,
    directory: Annotated[
        Path | None,
        typer.Option("--dir", metavar="DIR", help="The new fleet's folder. Default: one of its name beside the old."),
    ] = None,
    stewards: Annotated[
        str,
        typer.Option("--stewards", metavar="NAMES", help="Who decides there; NAME=HEX brings a key. Default: you."),
    ] = "",
    threshold: Annotated[
        int | None, typer.Option("--threshold", metavar="K", help="How many of them decide. Default: more than half.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would happen, and change nothing.")] = False,
    port: PortOption = None,
    as_json: JsonOption = False,
    fleet: FleetOption = None,
) -> None:
    """Found a fleet that comes out of yours, and move nodes to it: each wholly, or not at all.

    A household needs nobody's leave for its own node, and nobody can take that node along without it. Whatever
    interrupts this, run the same command again: it does what is left.
    """
    path = fleet_folder(fleet)
    with FleetFolder(path) as origin:
        target = directory or path.parent / (name.strip().replace(" ", "-").replace("/", "-") or "fleet")
        names = [part for part in (part.strip() for part in nodes.split(",")) if part]
        going = _going(origin, target, names, mine=mine)
        if dry_run:
            _dry_run(origin, name, going, port, as_json=as_json)
            return
        council = [part for part in (part.strip() for part in stewards.split(",")) if part]
        with parting.found_for(target, name, [origin], [going], council, threshold) as made:
            lacks = parting.lacks_to_begin(made, [origin])
            if lacks is not None:
                raise RefusedError(
                    lacks,
                    state=f"The new fleet's folder is {target}; no node was touched",
                    next_step=f"Have it signed (`hedgerow charter sign --fleet {target}`), then run this again",
                )
            parting.prepare(origin, made, going)
            outcome = leaving.bring_over([origin], made, port, quiet=as_json)
    if as_json:
        print_json(outcome)
    else:
        leaving.show(outcome)
    if outcome.exit_code:
        raise typer.Exit(outcome.exit_code)


def _going(origin: FleetFolder, target: Path, names: list[str], *, mine: bool) -> list[Enrolment]:
    """Whom the words mean; maybe nobody, where all of them have been sent on their way before."""
    roster = origin.roster
    leaving_already = {claim.name for claim in roster.claims if claim.digest in roster.left}
    named = [one for one in names if one not in leaving_already or roster.named(one) is not None]
    try:
        return parting.chosen(origin, named, mine=mine)
    except UsageError:
        if (target / FLEET_FILE).exists() and leaving_already and not named:
            return []
        raise


def _dry_run(origin: FleetFolder, name: str, going: list[Enrolment], port: list[str] | None, *, as_json: bool) -> None:
    """Whose word is missing, what is under way to those who go, what each side loses and keeps."""
    asked = [Journey(node.name, node, b"", ()) for node in going]
    report = run(Carrier(moving.ports_of(port), credentials=credentials.of(origin)).look(asked))
    rows: list[dict[str, Any]] = [
        {
            "node": node.name,
            "may_go": parting.may_decide(origin, node),
            "messages_under_way": report.under_way.get(node.node_id, 0),
        }
        for node in going
    ]
    if as_json:
        print_json({"name": name, "nodes": rows, "failed": {port: str(error) for port, error in report.failed.items()}})
        return
    console.print(f"{name} would begin with {len(going)} of the {len(origin.roster.nodes)} nodes of this fleet.")
    for row in rows:
        lost = row["messages_under_way"]
        told = f"; {lost} messages under way to it would not arrive" if lost else ""
        word = "can go" if row["may_go"] is None else f"would stay: {row['may_go']}"
        console.print(f"  {row['node']} {word}{told}", soft_wrap=True)
    for where, error in report.failed.items():
        console.print(f"  {where}: {error}", soft_wrap=True)
    console.print(
        "Each keeps its messages, samples and ledger, and goes on exchanging what is public with both fleets."
    )
    console.print("Nothing was changed.")
