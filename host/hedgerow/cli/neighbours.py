"""`hedgerow neighbours`: whom a node hears, and with --probe who hears it. Parses, calls, prints."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer
from rich.table import Table

from hedgerow.cli.keyring import credentials_of
from hedgerow.cli.main import run
from hedgerow.cli.names import names_of_fleet
from hedgerow.cli.options import FleetOption, JsonOption, PortOption, console, error_console, new_app, print_json
from hedgerow.cli.status import neighbour_facts, span
from hedgerow.errors import EXIT_FINDINGS
from hedgerow.plans import reach
from hedgerow.session import Credentials

app = new_app("List whom a node hears on its radio, and with --probe who hears it.")

EXAMPLES = """[bold]Examples[/bold]

[cyan]hedgerow neighbours beech[/cyan]: whom beech has heard in the last 20 minutes.

[cyan]hedgerow neighbours beech --probe[/cyan]: it asks on the air, and those in reach answer; both directions.

Exit codes: 0 good, 1 nobody is in reach, others as in the manual.
"""
ROUNDS = 3
ROUND_S = 2.5
_ANSWER_S = 5.0


@app.command(epilog=EXAMPLES)
def neighbours(
    node: Annotated[str | None, typer.Argument(metavar="[NODE]", help="Name, short number or id.")] = None,
    port: PortOption = None,
    probe: Annotated[bool, typer.Option("--probe", help="Let the node ask on its radio who hears it.")] = False,
    rounds: Annotated[int, typer.Option("--rounds", min=1, max=5, help="How often it asks.")] = ROUNDS,
    fleet: FleetOption = None,
    as_json: JsonOption = False,
) -> None:
    """List whom a node hears, the latest first; with --probe who answers it, and how strong each hears the other."""
    names = names_of_fleet(fleet)
    if probe and not as_json:
        error_console.print(f"The node asks {rounds} times; this takes about {rounds * ROUND_S:.0f} s.", style="dim")
    rows = run(_fetch(node, port, credentials_of(fleet), rounds if probe else 0))
    if as_json:
        print_json([(probe_facts if probe else neighbour_facts)(row, names) for row in rows])
    elif rows:
        console.print(probed(rows, names, rounds) if probe else heard(rows, names))
    else:
        console.print("Nobody answers." if probe else "It has heard nobody in the last 20 minutes.")
    if not rows:
        raise typer.Exit(EXIT_FINDINGS)


async def _fetch(who: str | None, port: list[str] | None, keys: Credentials | None, rounds: int) -> list[list[Any]]:
    async with reach.one_node(who, port, credentials=keys) as reached:
        if rounds:
            # It says meanwhile that it is at work, but not through the mesh.
            return await reached.session.ask("probe", {"rounds": rounds}, rounds * ROUND_S + _ANSWER_S)
        return await reached.session.ask("neighbours")


def heard(rows: Sequence[Sequence[Any]], names: Mapping[int, str]) -> Table:
    """Whom it heard, the latest first."""
    table = _table("node", "last heard", "RSSI dBm", "meets, of 255")
    for short, ago_ms, rssi_dbm, utility in sorted(rows, key=lambda row: row[1]):
        table.add_row(_name(short, names), f"{span(ago_ms)} ago", _number(rssi_dbm), str(utility))
    return table


def probed(rows: Sequence[Sequence[Any]], names: Mapping[int, str], rounds: int) -> Table:
    """Who answered, the one that is heard best first."""
    table = _table("node", "answers", "it hears", "SNR dB", "is heard", "SNR dB")
    for short, answers, *levels in sorted(rows, key=lambda row: -(row[2] or -256)):
        rssi_dbm, snr_db4, their_rssi_dbm, their_snr_db4 = levels
        here = _number(rssi_dbm), _quarters(snr_db4)
        there = _number(their_rssi_dbm), _quarters(their_snr_db4)
        table.add_row(_name(short, names), f"{answers} of {rounds}", *here, *there)
    return table


def probe_facts(row: Sequence[Any], names: Mapping[int, str]) -> dict[str, Any]:
    """One who answered, for programs; null where a radio does not tell."""
    short, answers, rssi_dbm, snr_db4, their_rssi_dbm, their_snr_db4 = row
    return {
        "short": short,
        "name": names.get(short),
        "answers": answers,
        "rssi_dbm": rssi_dbm,
        "snr_db": None if snr_db4 is None else snr_db4 / 4,
        "their_rssi_dbm": their_rssi_dbm,
        "their_snr_db": None if their_snr_db4 is None else their_snr_db4 / 4,
    }


def _table(first: str, *others: str) -> Table:
    made = Table(box=None, pad_edge=False)
    made.add_column(first)
    for heading in others:
        made.add_column(heading, justify="right")
    return made


def _name(short: int, names: Mapping[int, str]) -> str:
    return names.get(short, f"number {short}")


def _number(value: int | None) -> str:
    return "-" if value is None else str(value)


def _quarters(value: int | None) -> str:
    return "-" if value is None else f"{value / 4:.1f}"
