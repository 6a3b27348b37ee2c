"""`hedgerow devices`: list the serial ports and what is behind them. Parses, calls, prints."""

from typing import Annotated, Any

import typer
from rich.table import Table

from hedgerow.cli.main import run
from hedgerow.cli.options import JsonOption, PortOption, console, new_app, print_json
from hedgerow.fleet import boards
from hedgerow.plans import reach
from hedgerow.plans.reach import Behind
from hedgerow.session import Answering
from hedgerow.transports import ports
from hedgerow.transports.ports import PortFacts

app = new_app("List the serial ports and what is behind them.")

EXAMPLES = """[bold]Examples[/bold]

[cyan]hedgerow devices[/cyan]: what is plugged in; opens no port.

[cyan]hedgerow devices --probe[/cyan]: also ask what answers there. A program that runs goes on running.
"""
_WORDS = {
    Answering.HEDGEROW: "✔ a Hedgerow node that does not answer",
    Answering.PROMPT: "○ MicroPython prompt",
    Answering.PROGRAM: "▲ another program",
    Answering.NOTHING: "✘ nothing",
}


@app.command(epilog=EXAMPLES)
def devices(
    port: PortOption = None,
    probe: Annotated[bool, typer.Option("--probe", help="Open each port and ask what is there.")] = False,
    as_json: JsonOption = False,
) -> None:
    """List ports: path, the board as its USB id suggests, serial number, and with --probe what answers."""
    facts = _wanted(port)
    found = run(reach.behind([one.path for one in facts])) if probe else [None] * len(facts)
    rows = [_row(one, behind) for one, behind in zip(facts, found, strict=True)]
    if as_json:
        print_json(rows)
    elif rows:
        console.print(_table(rows, probe))
    else:
        console.print(f"{ports.describe_ports([])}. [cyan]hedgerow doctor[/cyan] looks for the reason.")


def _wanted(names: list[str] | None) -> list[PortFacts]:
    """The ports named, or all; one that the system does not list (a pty, a URL) has nothing but its name."""
    here = ports.here()
    if not names:
        return here
    known = {facts.path: facts for facts in here}
    paths = [ports.resolve(name, here) for name in names]
    return [known.get(path, PortFacts(path)) for path in paths]


def _row(facts: PortFacts, behind: Behind | None) -> dict[str, Any]:
    known = [board for board in boards.all_boards() if board.stand_in is None]
    row: dict[str, Any] = {
        "port": facts.path,
        "boards": [board.id for board in ports.guess_boards(facts, known)],
        "serial_number": facts.serial_number,
        "usb_id": facts.usb_id,
        "description": facts.description,
    }
    if behind is not None:
        hello = behind.found.hello if behind.found else None
        row["answering"] = behind.found.answering.value if behind.found else None
        row["node"] = _node(hello) if hello else None
        row["banner"] = behind.found.banner if behind.found else None
        row["error"] = behind.error.as_dict() if behind.error else None
    return row


def _node(hello: dict[str, Any]) -> dict[str, Any]:
    return {key: hello.get(key) for key in ("name", "short", "id", "fleet", "board", "app", "mp")}


def _table(rows: list[dict[str, Any]], probe: bool) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in ("port", "board", "serial number", *(["what answers"] if probe else [])):
        table.add_column(column, overflow="fold")
    for row in rows:
        board = " or ".join(row["boards"]) or row["description"] or "unknown"
        table.add_row(row["port"], board, row["serial_number"] or "-", *([_answer(row)] if probe else []))
    return table


def _answer(row: dict[str, Any]) -> str:
    if row["error"]:
        return f"✘ {row['error']['what']}"
    if node := row["node"]:
        fleet = bytes(node["fleet"]).hex()[:8] if node["fleet"] else "none"
        return f"✔ node {node['name']} ({node['short']}), fleet {fleet}"
    return _WORDS[Answering(row["answering"])] + (f", {row['banner']}" if row["banner"] else "")
