"""`hedgerow samples`: fetch the sensor data that a node has logged. Parses, calls, prints."""

import asyncio
import csv
import json
import sys
from collections.abc import AsyncIterator, Sequence
from typing import Annotated, Any

import typer
from rich.table import Table

from hedgerow.cli import node_time
from hedgerow.cli.keyring import credentials_of
from hedgerow.cli.main import run
from hedgerow.cli.options import FleetOption, JsonOption, PortOption, console, error_console, new_app, print_json
from hedgerow.errors import UsageError
from hedgerow.plans import reach
from hedgerow.session import Credentials, Session

app = new_app("Fetch the sensor data that a node has logged.")

EXAMPLES = """[bold]Examples[/bold]

[cyan]hedgerow samples beech[/cyan]: the latest readings as a table.

[cyan]hedgerow samples beech --all --csv > beech.csv[/cyan]: everything it holds.

[cyan]hedgerow samples -p u0 --follow[/cyan]: each new reading as it comes.
"""
PAGE = 64
SHOWN = 20
FOLLOW_EVERY_S = 2.0

# channel -> (heading, divisor, digits); a channel that is not here is shown as the node names it
CHANNELS = {
    "temperature_c100": ("°C", 100, 2),
    "humidity_pc100": ("% humidity", 100, 1),
    "pressure_pa": ("hPa", 100, 1),
    "panel_mv": ("panel V", 1000, 2),
    "panel_ma10": ("panel mA", 10, 1),
    "battery_mv": ("battery V", 1000, 2),
}


@app.command(epilog=EXAMPLES)
def samples(
    node: Annotated[str | None, typer.Argument(metavar="[NODE]", help="Name, short number or id.")] = None,
    port: PortOption = None,
    after: Annotated[int, typer.Option("--after", help="Only readings after this number.")] = 0,
    everything: Annotated[bool, typer.Option("--all", help=f"Not the latest {SHOWN} alone.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Comma-separated values, as the node stores them.")] = False,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with each new reading, until Ctrl-C.")] = False,
    fleet: FleetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show a node's readings, oldest first. Nothing is removed from the node."""
    if as_csv and as_json:
        raise UsageError("--csv and --json exclude each other", next_step="Give one of them.")
    keys = credentials_of(fleet)
    if follow:
        run(_follow(node, port, keys, after, as_csv, as_json))
        return
    rows = run(_fetch(node, port, keys, after))
    if not everything and not after:
        rows = rows[-SHOWN:]
    if as_json:
        print_json([as_dict(row) for row in rows])
    elif as_csv:
        _write_csv(rows)
    elif rows:
        console.print(table(rows))
    else:
        console.print("No readings yet." if not after else f"No readings after {after}.")


async def _fetch(who: str | None, port: list[str] | None, keys: Credentials | None, after: int) -> list[list[Any]]:
    async with reach.one_node(who, port, credentials=keys) as reached:
        return [row async for row in pages(reached.session, after)]


async def pages(session: Session, after: int) -> AsyncIterator[list[Any]]:
    """Every reading after that number, fetched a page at a time, so that neither side holds all at once."""
    while rows := await session.ask("samples", {"after": after, "limit": PAGE}):
        for row in rows:
            yield row
        after = rows[-1][0]


async def _follow(
    who: str | None, port: list[str] | None, keys: Credentials | None, after: int, as_csv: bool, as_json: bool
) -> None:
    columns: list[str] = []
    async with reach.one_node(who, port, credentials=keys) as reached:
        if not after:  # begin with the latest one, not with a year of them
            after = max(0, (await reached.session.ask("status"))["samples"] - 1)
        error_console.print(f"Readings of {reached.name}; Ctrl-C ends.", style="dim")
        while True:
            async for row in pages(reached.session, after):
                after = row[0]
                if as_json:
                    print(json.dumps(as_dict(row)), flush=True)
                elif as_csv:
                    columns = columns or _begin_csv(sorted(row[4]))
                    _csv_line(row, columns)
                else:
                    console.print(f"{row[0]:>6}  {when(row)}  " + "  ".join(_said(one, row[4][one]) for one in row[4]))
            await asyncio.sleep(FOLLOW_EVERY_S)


def table(rows: Sequence[list[Any]]) -> Table:
    """Readings for people: one line each, in units that people use."""
    channels = channels_of(rows)
    made = Table(box=None, pad_edge=False)
    for heading in ("number", "time", *(CHANNELS.get(one, (one,))[0] for one in channels)):
        made.add_column(heading, justify="left" if heading == "time" else "right")
    for row in rows:
        made.add_row(str(row[0]), when(row), *(shown(one, row[4].get(one)) for one in channels))
    return made


def channels_of(rows: Sequence[list[Any]]) -> list[str]:
    """Every channel that occurs: those we know in our order, then the others by name."""
    present = {channel for row in rows for channel in row[4]}
    return [one for one in CHANNELS if one in present] + sorted(str(one) for one in present - CHANNELS.keys())


def shown(channel: str, value: int | None) -> str:
    """A value in the unit of its heading; `-` where the sensor gave none."""
    if value is None:
        return "-"
    if channel not in CHANNELS:
        return str(value)
    _, divisor, digits = CHANNELS[channel]
    return f"{value / divisor:.{digits}f}"


def when(row: list[Any]) -> str:
    """Time of day where the node had one; else how long it had been running since which start."""
    _, time_s, uptime_ms, boot, _ = row
    return node_time.text(time_s) or f"start {boot} + {uptime_ms // 1000} s"


def as_dict(row: list[Any]) -> dict[str, Any]:
    """One reading for programs: the node's own channels and units."""
    seq, time_s, uptime_ms, boot, values = row
    moment = node_time.iso(time_s)
    return {"seq": seq, "time_s": time_s, "time": moment, "uptime_ms": uptime_ms, "boot": boot, "values": values}


def _said(channel: str, value: int) -> str:
    return f"{shown(channel, value)} {CHANNELS.get(channel, (channel,))[0]}"


def _write_csv(rows: Sequence[list[Any]]) -> None:
    columns = _begin_csv(channels_of(rows))
    for row in rows:
        _csv_line(row, columns)


def _begin_csv(columns: list[str]) -> list[str]:
    csv.writer(sys.stdout).writerow(["seq", "time", "time_s", "uptime_ms", "boot", *columns])
    return columns


def _csv_line(row: list[Any], columns: Sequence[str]) -> None:
    csv.writer(sys.stdout).writerow(
        [row[0], node_time.iso(row[1]), *row[1:4], *(row[4].get(one, "") for one in columns)]
    )
    sys.stdout.flush()
