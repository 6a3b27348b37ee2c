"""`hedgerow fleet`: found a fleet, show it."""

import time
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from hedgerow.cli.options import FleetOption, JsonOption, console, fleet_folder, new_app, print_json
from hedgerow.fleet import folder as folders
from hedgerow.fleet.folder import FleetFolder

app = new_app("Found a fleet, show it.")

NEW_EXAMPLES = """[bold]Examples[/bold]

[cyan]hedgerow fleet new river[/cyan]: a fleet in the folder river, with you as its only steward.

[cyan]hedgerow fleet new river --stewards Ana,Ben,Cy[/cyan]: any two of the three decide.
"""
SHOW_EXAMPLE = "[bold]Example[/bold]: [cyan]hedgerow fleet show --fleet river[/cyan]"


@app.command("new", epilog=NEW_EXAMPLES)
def new(
    name: Annotated[str, typer.Argument(help="What people call the fleet.")],
    directory: Annotated[
        Path | None, typer.Option("--dir", metavar="DIR", help="Where to make it. Default: a folder of its name.")
    ] = None,
    stewards: Annotated[
        str,
        typer.Option(
            "--stewards",
            metavar="NAMES",
            help="Who decides together, separated by commas; NAME=HEX brings a public key along. Default: you alone.",
        ),
    ] = "",
    threshold: Annotated[
        int | None, typer.Option("--threshold", metavar="K", help="How many of them decide. Default: more than half.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Make a new fleet: fleet.toml, keys, first charter, registry."""
    path = directory or Path(name.strip().replace(" ", "-").replace("/", "-") or "fleet")
    names = [part for part in (part.strip() for part in stewards.split(",")) if part]
    with folders.found(path, name, names, threshold) as fleet:
        if as_json:
            print_json(_facts(fleet))
            return
        charter = fleet.charter
        console.print(f"Fleet [bold]{charter.name}[/bold] ({charter.fleet_id.hex()}) is in {path}.", soft_wrap=True)
        council = ", ".join(steward.name for steward in charter.stewards)
        console.print(f"Stewards: {council}; {charter.threshold} of {len(charter.stewards)} decide.", soft_wrap=True)
        console.print(
            f"Keys are in {path / 'secrets.toml'}: they exist nowhere else, so keep a copy on paper or a stick."
        )
        console.print(
            f"Next: name its nodes in {path / 'fleet.toml'}, then `hedgerow provision -p PORT`.", soft_wrap=True
        )


@app.command("show", epilog=SHOW_EXAMPLE)
def show(as_json: JsonOption = False, fleet: FleetOption = None) -> None:
    """Show stewards, this laptop's certificate, nodes and conflicts."""
    with FleetFolder(fleet_folder(fleet)) as opened:
        if as_json:
            print_json(_facts(opened))
        else:
            _print(opened)


def _print(fleet: FleetFolder) -> None:
    charter = fleet.charter
    console.print(
        f"Fleet [bold]{charter.name}[/bold] ({charter.fleet_id.hex()}), charter {charter.version}", soft_wrap=True
    )
    council = ", ".join(steward.name for steward in charter.stewards)
    console.print(f"Stewards: {council}; {charter.threshold} of {len(charter.stewards)} decide", soft_wrap=True)
    facts = _facts(fleet)
    if facts["laptop"] is None:
        console.print("This laptop has no certificate: it can look, but not enrol")
    else:
        laptop = facts["laptop"]
        console.print(
            f"This laptop: {laptop['name']}, {laptop['used']} of {laptop['enrolments']} enrolments used,"
            f" short ids {laptop['first_short']} to {laptop['last_short']}"
        )
    table = Table(box=None, pad_edge=False)
    for column in ("node", "short", "id", "board", "custodian", "last seen"):
        table.add_column(column)
    for node in facts["nodes"]:
        table.add_row(
            node["name"],
            str(node["short"] or "–"),
            node["id"] or "not enrolled yet",
            node["board"],
            node["custodian"] or "–",
            _ago(node["last_seen_s"]),
        )
    if facts["nodes"]:
        console.print()
        console.print(table)
    else:
        console.print("fleet.toml names no nodes yet")
    for conflict in facts["conflicts"]:
        console.print(f"Conflict: {conflict}", soft_wrap=True)
    for path in facts["damaged_documents"]:
        console.print(f"Damaged document, left alone: {path}", soft_wrap=True)


def _facts(fleet: FleetFolder) -> dict:
    charter, inventory = fleet.charter, fleet.inventory
    certified = [item for item in inventory.roster.certificates if item.laptop == fleet.secrets.laptop]
    mine = fleet.certificate if certified else None
    last_seen = {
        node: seen.time_s for kind in ("provisioned", "audit") for node, seen in fleet.registry.latest(kind).items()
    }
    nodes = []
    for spec in inventory.nodes:
        known = spec.enrolment
        nodes.append(
            {
                "name": spec.name,
                "board": spec.board.id,
                "custodian": spec.custodian_name,
                "short": known.short if known else None,
                "id": known.node_id.hex() if known else None,
                "last_seen_s": last_seen.get(known.node_id) if known else None,
            }
        )
    return {
        "name": charter.name,
        "id": charter.fleet_id.hex(),
        "folder": str(fleet.path.resolve()),
        "charter": {
            "version": charter.version,
            "threshold": charter.threshold,
            "stewards": [{"name": steward.name, "public": steward.public.hex()} for steward in charter.stewards],
        },
        "laptop": None
        if mine is None
        else {
            "name": mine.name,
            "enrolments": mine.enrolments,
            "used": sum(1 for claim in inventory.roster.claims if claim.certificate == mine.digest),
            "first_short": mine.first_short,
            "last_short": mine.first_short + mine.short_count - 1,
        },
        "nodes": nodes,
        "not_in_fleet_toml": [enrolment.name for enrolment in inventory.unproposed],
        "conflicts": [str(conflict) for conflict in inventory.conflicts],
        "damaged_documents": [str(path) for path, _ in fleet.damaged],
    }


def _ago(time_s: int | None) -> str:
    if time_s is None:
        return "never"
    passed_s = max(0, int(time.time()) - time_s)
    for size_s, name in ((86400, "days"), (3600, "hours"), (60, "minutes")):
        if passed_s >= 2 * size_s:
            return f"{passed_s // size_s} {name} ago"
    return "just now"
