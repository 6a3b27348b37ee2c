"""`hedgerow inbox`: read what has arrived at a node, least-heard authors first. Parses, calls, prints."""

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from hedgerow.cli.keyring import credentials_of, keyring_of
from hedgerow.cli.main import run
from hedgerow.cli.options import FleetOption, JsonOption, PortOption, console, fleet_folder, new_app, print_json
from hedgerow.errors import FleetError, UsageError
from hedgerow.fleet.keyring import Keyring
from hedgerow.plans import inbox as plan
from hedgerow.plans import reach
from hedgerow.plans.inbox import SIGNED, UNSIGNED, Received
from hedgerow.session import Credentials

app = new_app("Read what has arrived at a node; least-heard authors first.")

EXAMPLES = """[bold]Example[/bold]

[cyan]hedgerow inbox beech[/cyan]: whoever has written least stands first, so that nobody is drowned out.
"""
LAYERS = {0: "public", 1: "group", 2: "sealed"}
_UNITS = ((86_400_000, "day"), (3_600_000, "hour"), (60_000, "minute"))


@app.command(epilog=EXAMPLES)
def inbox(
    node: Annotated[str | None, typer.Argument(metavar="[NODE]", help="Name, short number or id.")] = None,
    port: PortOption = None,
    after: Annotated[int, typer.Option("--after", help="Only messages after this number.")] = 0,
    fleet: FleetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the messages for a node and for everyone, opened with the keys on this laptop. Reading removes nothing."""
    keyring = keyring_of(fleet)
    node_id, found = run(_fetch(node, port, credentials_of(fleet), keyring, after))
    _note_read(fleet, node_id, max((one.seq for one in found), default=0))
    if as_json:
        print_json([as_dict(one, keyring.names) for one in found])
        return
    opened = [one for one in found if one.is_open]
    for one in opened:
        console.print(heading(one, keyring.names), style="bold", markup=False)
        console.print(f"  {one.text}", markup=False)
    closed = closed_line(*plan.closed_count(found))
    if closed:
        console.print(closed, markup=False)
    elif not opened:
        console.print("No messages.")


async def _fetch(
    who: str | None, port: list[str] | None, keys: Credentials | None, keyring: Keyring, after: int
) -> tuple[bytes, list[Received]]:
    async with reach.one_node(who, port, credentials=keys) as reached:
        return bytes(reached.hello["id"]), await plan.read(reached.session, keyring, after)


def _note_read(chosen: Path | None, node_id: bytes, highest: int) -> None:
    """So that `hedgerow leave` knows what this laptop has not seen. Without a fleet at hand nothing is noted."""
    try:
        folder = fleet_folder(chosen)
    except UsageError:
        return
    from hedgerow.fleet.folder import FleetFolder  # it brings a database with it
    from hedgerow.plans.leave import note_read

    with contextlib.suppress(FleetError), FleetFolder(folder) as opened:
        note_read(opened, node_id, highest)


def heading(one: Received, names: Mapping[int, str]) -> str:
    """Who, how old, which layer, and what is proved: one line above the text."""
    author = names.get(one.source, one.source)
    return f"{author}, {age(one.age_ms)}, {layer_words(one)}, {proof_words(one)}:"


def layer_words(one: Received) -> str:
    """`public`, `group bakers`, `sealed to Ana`: who can read it."""
    if one.group is not None:
        return f"group {one.group}"
    if one.reader is not None:
        lent = f" with the key that node {one.reader.lent_by} lends" if one.reader.lent_by else ""
        return f"sealed to {one.reader}{lent}"
    return LAYERS.get(one.layer, f"layer {one.layer}")


def proof_words(one: Received) -> str:
    """What is proved about the author."""
    if one.proof == SIGNED:
        return f"signed by {one.author_name}"
    if one.proof == UNSIGNED:
        return "from a member, unsigned" if one.group is not None else UNSIGNED
    return one.proof + (f" ({one.author.hex()[:8]})" if one.author else "")


def closed_line(in_groups: int, sealed: int) -> str | None:
    """What is there and cannot be opened here, so that nobody takes silence for nothing."""
    parts = [f"{count} {what}" for count, what in ((in_groups, "to groups"), (sealed, "sealed to others")) if count]
    if not parts:
        return None
    return f"Carried here and closed to this laptop: {', '.join(parts)}."


def as_dict(one: Received, names: Mapping[int, str]) -> dict[str, Any]:
    return {
        "seq": one.seq,
        "id": one.id,
        "from": one.source,
        "from_name": names.get(one.source),
        "age_ms": one.age_ms,
        "layer": LAYERS.get(one.layer, f"layer {one.layer}"),
        "text": one.text,
        "proof": one.proof,
        "author": one.author,
        "author_name": one.author_name,
        "group": one.group,
        "sealed_to": one.reader.name if one.reader else None,
        "opened_by": one.opened_by,
    }


def age(age_ms: int | None) -> str:
    """How old, in the unit in which the number stays small."""
    if age_ms is None:
        return "of unknown age"
    for unit_ms, word in _UNITS:
        if age_ms >= unit_ms:
            count = age_ms // unit_ms
            return f"{count} {word}{'s' if count > 1 else ''} old"
    return "just now"
