"""`hedgerow devices`: list the serial ports and what is behind them. Parses, calls, prints."""

from typing import Annotated, Any

import typer
from rich.table import Table

from hedgerow.cli.main import run
from hedgerow.cli.options import JsonOption, PortOption, console, new_app, print_json
from hedgerow.plans import devices as plan
from hedgerow.plans.devices import Device

app = new_app("List the serial ports and what is behind them.")

EXAMPLES = """[bold]Examples[/bold]

[cyan]hedgerow devices[/cyan]: what is plugged in; opens no port.

[cyan]hedgerow devices --probe[/cyan]: also ask what answers there. A program that runs goes on running.
"""
_WORDS = {
    "hedgerow": "▲ a Hedgerow node that does not answer",
    "prompt": "○ MicroPython prompt",
    "program": "▲ another program",
    "nothing": "✘ nothing",
}


@app.command(epilog=EXAMPLES)
def devices(
    port: PortOption = None,
    probe: Annotated[bool, typer.Option("--probe", help="Open each port and ask what is there.")] = False,
    as_json: JsonOption = False,
) -> None:
    """List ports: path, the board as its USB id suggests, serial number, and with --probe what answers."""
    found = run(plan.devices(port, probe=probe))
    if as_json:
        print_json(found)
    elif found:
        console.print(_table(found, probe))
    else:
        console.print(f"{plan.nothing_there()}. `hedgerow doctor` looks for the reason.")


def _table(found: list[Device], probe: bool) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in ("port", "board", "serial number", *(["what answers"] if probe else [])):
        table.add_column(column, overflow="fold", no_wrap=column == "port")  # a port is there to be copied
    for device in found:
        facts = device.facts
        board = " or ".join(device.board_ids) or facts.description or "unknown"
        table.add_row(facts.path, board, facts.serial_number or "-", *([answer(device.as_dict())] if probe else []))
    return table


def answer(row: dict[str, Any]) -> str:
    """What is behind a port, in words and a shape."""
    if row["error"] is not None:
        return f"✘ {row['error'].what}"
    if node := row["node"]:
        fleet = bytes(node["fleet"]).hex()[:8] if node["fleet"] else "none"
        return f"✔ node {node['name']} ({node['short']}), fleet {fleet}"
    return _WORDS[row["answering"]] + (f", {row['banner']}" if row["banner"] else "")
