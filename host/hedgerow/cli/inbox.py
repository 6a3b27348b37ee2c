"""`hedgerow inbox`: read what has arrived at a node, least-heard authors first. Parses, calls, prints."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from hedgerow.cli.main import run
from hedgerow.cli.names import names_of_fleet
from hedgerow.cli.options import FleetOption, JsonOption, PortOption, console, new_app, print_json
from hedgerow.plans import reach
from hedgerow.plans.inbox import in_order

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
    """Show the messages for a node and for everyone. Reading removes nothing."""
    names = names_of_fleet(fleet)
    rows = in_order(run(_fetch(node, port, after)))
    if as_json:
        print_json([as_dict(row, names) for row in rows])
    elif not rows:
        console.print("No messages.")
    for row in rows if not as_json else ():
        message = as_dict(row, names)
        author = message["from_name"] or message["from"]
        console.print(f"{author}, {age(message['age_ms'])}, {message['layer']}:", style="bold", markup=False)
        console.print(f"  {message['text']}", markup=False)


async def _fetch(who: str | None, port: list[str] | None, after: int) -> list[list[Any]]:
    async with reach.one_node(who, port) as reached:
        return await reached.session.ask("inbox", {"after": after})


def as_dict(row: list[Any], names: Mapping[int, str]) -> dict[str, Any]:
    seq, bundle_id, source, age_ms, layer, text = row
    said = text if isinstance(text, str) else bytes(text).decode(errors="replace")
    return {
        "seq": seq,
        "id": bundle_id,
        "from": source,
        "from_name": names.get(source),
        "age_ms": age_ms,
        "layer": LAYERS.get(layer, f"layer {layer}"),
        "text": said,
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
