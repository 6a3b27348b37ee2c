"""`hedgerow carry`: be a mule, with a laptop, a stick or a telephone. Parses, calls, prints."""

import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from hedgerow.cli.inbox import age
from hedgerow.cli.keyring import credentials_of
from hedgerow.cli.main import run
from hedgerow.cli.names import ipn_base_of, names_of_fleet
from hedgerow.cli.options import (
    FleetOption,
    JsonOption,
    PortOption,
    console,
    error_console,
    fleet_folder,
    json_wanted,
    new_app,
    print_json,
)
from hedgerow.errors import EXIT_FINDINGS, EXIT_GOOD, FleetError, UsageError
from hedgerow.fleet.carried import MOST_BYTES, Carried, CarriedFolder, from_zip, to_zip
from hedgerow.plans import carry as plan
from hedgerow.plans import reach
from hedgerow.plans.carry import Visit
from hedgerow.session import Credentials

app = new_app("Carry messages between nodes that never meet, by laptop, stick or telephone.")

EXAMPLES = """[bold]Examples[/bold]

[cyan]hedgerow carry[/cyan]: take what waits on the nodes that are plugged in, and hand them what this laptop brings.

[cyan]hedgerow carry /media/stick[/cyan]: the same with a stick: each gets what the other has.

[cyan]hedgerow carry --out trip.zip[/cyan]: everything in one file, for a telephone.

[cyan]hedgerow carry trip.zip[/cyan]: take in what somebody sent.

Sealed and group messages stay closed. Exit codes: 0 good, 1 something was damaged, others as in the manual.
"""
FOLDER = "carry"
_SIZE = re.compile(r"(\d{1,9})\s*([kMG]?)B?", re.IGNORECASE)
_UNITS = {"": 1, "k": 1000, "m": 1_000_000, "g": 1_000_000_000}

FolderOption = Annotated[
    Path | None,
    typer.Option(
        "--folder", metavar="DIR", help="Where this laptop keeps what it carries. Default: carry/ of the fleet."
    ),
]
MostOption = Annotated[
    str, typer.Option("--most", metavar="SIZE", help="How much of it at most, as 64MB. What matters least goes first.")
]
MOST = f"{MOST_BYTES // 1_000_000}MB"


@app.command(epilog=EXAMPLES)
def carry(
    others: Annotated[
        list[Path] | None, typer.Argument(metavar="[DIR|ZIP]...", help="Sticks and files, instead of nodes.")
    ] = None,
    port: PortOption = None,
    folder: FolderOption = None,
    most: MostOption = MOST,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="ZIP", help="Write all that is carried into a file.")
    ] = None,
    listed: Annotated[bool, typer.Option("--list", help="Show what is carried, and go nowhere.")] = False,
    fleet: FleetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take bundles from nodes, sticks or files, and hand on those that they lack. Nothing is removed from a node."""
    carried = open_folder(folder, fleet, most)
    if listed:
        base = ipn_base_of(fleet)
        _show(
            carried,
            {base + short: name for short, name in names_of_fleet(fleet).items()}
            | {base + reach.EVERYONE: "everybody"},
        )
        return
    visits = [take_in(carried, path) for path in others or ()]
    errors: list[FleetError] = []
    if port or not (others or out):
        met, errors = run(visit_nodes(carried, port, credentials_of(fleet)))
        visits += met
    if out is not None:
        count = to_zip(out, carried)
        error_console.print(f"{_count(count)} in {out}.", markup=False) if not as_json else None
    finish(carried, visits, errors)


async def visit_nodes(
    carried: CarriedFolder, port: Sequence[str] | None, keys: Credentials | None
) -> tuple[list[Visit], list[FleetError]]:
    """Take from and bring to every node on these ports, one after another; what came of it, and what went wrong."""
    visits: list[Visit] = []
    async with reach.all_nodes(port, credentials=keys) as (nodes, errors):
        failed = list(errors.values())
        for node in nodes:
            visit = Visit(node.name)
            visits.append(visit)
            try:
                meeting = await plan.meet(node.session, dict(node.hello))
                await plan.take(meeting, carried, visit, tell)
                await plan.bring(meeting, carried, visit, tell, copies=plan.COPIES)
            except FleetError as error:  # the others are visited all the same
                failed.append(error)
    return visits, failed


# ---- for gather, too


def open_folder(folder: Path | None, fleet: Path | None, most: str) -> CarriedFolder:
    """The folder that is meant, opened. Raises UsageError where there is none or the size is no size."""
    said = _SIZE.fullmatch(most.strip())
    if said is None or not int(said[1]):
        raise UsageError(f"{most} is no size", next_step="Say it as 500kB, 64MB or 1GB.")
    path = folder if folder is not None else fleet_folder(fleet) / FOLDER
    if path.exists() and not path.is_dir():
        raise UsageError(f"{path} is no folder")
    return CarriedFolder(path, int(said[1]) * _UNITS[said[2].lower()], ipn_base_of(fleet) + reach.EVERYONE)


def take_in(carried: CarriedFolder, path: Path) -> Visit:
    """Exchange with a stick's folder, or take in a file. Raises UsageError where there is neither."""
    if path.is_dir():
        return plan.exchange(carried, CarriedFolder(path))
    if not path.exists():
        raise UsageError(f"there is no {path}", next_step="Make the folder first, or give the file that you were sent.")
    found, damaged = from_zip(path)
    visit = Visit(str(path), damaged=len(damaged))
    for one in found:
        if one.id not in carried:
            kept = carried.keep(one)
            visit.taken += kept
            visit.no_room_here += not kept and not one.is_over(time.time()) and one.id not in carried.arrived
    return visit


def tell(text: str) -> None:
    """Say what begins now."""
    if not json_wanted.get():
        error_console.print(text, style="dim", markup=False)


def finish(carried: CarriedFolder, visits: Sequence[Visit], errors: Sequence[FleetError]) -> None:
    """Print what came of it, and end with the exit code that says so."""
    damaged = len(carried.damaged) + sum(visit.damaged for visit in visits)
    if json_wanted.get():
        print_json(
            {
                "folder": carried.path,
                "carried": len(carried),
                "carried_bytes": carried.used_bytes,
                "visits": [visit.as_dict() for visit in visits],
                "damaged": [{"file": path, "reason": reason} for path, reason in carried.damaged],
                "errors": [str(error) for error in errors],
            }
        )
    else:
        for visit in visits:
            console.print(sentence(visit), markup=False, soft_wrap=True)
        for path, reason in carried.damaged:
            console.print(f"{path} is no bundle and was left alone: {reason}.", markup=False, soft_wrap=True)
        for error in errors:
            error_console.print(f"Error: {error}", markup=False, soft_wrap=True)
        console.print(f"This laptop carries {_count(len(carried))}, {_size(carried.used_bytes)}.", markup=False)
    code = max((error.exit_code for error in errors), default=EXIT_FINDINGS if damaged else EXIT_GOOD)
    if code:
        raise typer.Exit(code)


def sentence(visit: Visit) -> str:
    """One visit in words."""
    parts = [f"took {_count(visit.taken)}", f"brought {visit.brought}"]
    if visit.for_it:
        parts[1] += f", {visit.for_it} of them for it"
    if visit.not_wanted:
        parts.append(f"{visit.not_wanted} not wanted there")
    if visit.no_room_here:
        parts.append(f"no room here for {visit.no_room_here}")
    if visit.damaged:
        parts.append(f"{visit.damaged} damaged")
    return f"{visit.name}: {'; '.join(parts) if visit.moved or len(parts) > 2 else 'nothing new either way'}."


def _show(carried: CarriedFolder, names: Mapping[int, str]) -> None:
    now_s = time.time()
    held = sorted(carried, key=lambda one: one.age_ms(now_s))
    if json_wanted.get():
        print_json([_facts(one, carried, now_s) for one in held])
        return
    if not held:
        console.print("Nothing is carried.")
        return
    table = Table("id", "from", "to", "bytes", "age", "nodes that have it", box=None, pad_edge=False)
    for one in held:
        table.add_row(
            one.id.hex(),
            names.get(one.source, str(one.source)),
            names.get(one.destination, str(one.destination)),
            str(len(one.data)),
            age(one.age_ms(now_s)),
            str(len(carried.has_got(one.id))),
        )
    console.print(table)


def _facts(one: Carried, carried: CarriedFolder, now_s: float) -> dict[str, Any]:
    return {
        "id": one.id,
        "source": one.source,
        "destination": one.destination,
        "bytes": len(one.data),
        "age_ms": one.age_ms(now_s),
        "lifetime_ms": one.bundle.lifetime_ms,
        "nodes": sorted(carried.has_got(one.id)),
    }


def _count(number: int) -> str:
    return f"{number} message{'s' * (number != 1)}"


def _size(size_bytes: int) -> str:
    return f"{size_bytes} bytes" if size_bytes < 10_000 else f"{size_bytes / 1000:,.0f} kB"
