"""`hedgerow status`: one screen of all that somebody beside a node wants to know. Parses, calls, prints."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from hedgerow.cli import node_time
from hedgerow.cli.keyring import credentials_of
from hedgerow.cli.main import run
from hedgerow.cli.names import names_of_fleet
from hedgerow.cli.options import FleetOption, JsonOption, PortOption, console, error_console, new_app, print_json
from hedgerow.cli.samples import CHANNELS, channels_of
from hedgerow.cli.samples import shown as shown_value
from hedgerow.errors import EXIT_FINDINGS
from hedgerow.plans import condition, reach, status, ways
from hedgerow.plans.condition import Seen
from hedgerow.plans.findings import Severity, is_bad
from hedgerow.session import Credentials

app = new_app("One screen: who a node is, how it is, and what is wrong with it now.")

EXAMPLES = """[bold]Examples[/bold]

[cyan]hedgerow status -p /dev/ttyACM0[/cyan]: the node on this cable. Nothing is changed but a wrong clock.

[cyan]hedgerow status spring -p ble:[/cyan], [cyan]-p mesh:spring@/dev/ttyACM0[/cyan]: without a cable, or from afar.

Exit codes: 0 nothing is wrong, 1 something is, others as in the manual.
"""
_SHAPES = {Severity.NOTE: "·", Severity.WARNING: "▲", Severity.ERROR: "✘"}
_SHOWN_NEIGHBOURS = 4
_CAUSES = {
    "power": "its power came back",
    "reset": "its reset button",
    "watchdog": "its watchdog, because it hung",
    "sleep": "deep sleep",
    "restart": "a restart on request",
    "reset or watchdog": "a reset, or its watchdog",
}


@app.command(epilog=EXAMPLES)
def show(
    node: Annotated[str | None, typer.Argument(metavar="[NODE]", help="Name, short number or id.")] = None,
    port: PortOption = None,
    fleet: FleetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tell within five seconds who a node is, how it is, whom it hears, and what is wrong now."""
    names = names_of_fleet(fleet)
    if not as_json and any(one.startswith(ways.MESH) for one in port or ()):
        error_console.print("Through the mesh this takes some seconds for each hop, two minutes at most.", style="dim")
    seen = run(_look(node, port, credentials_of(fleet)))
    found = condition.wrong(seen)
    if as_json:
        print_json(facts(seen, names))
    else:
        console.print(screen(seen, names))
    if is_bad(found):
        raise typer.Exit(EXIT_FINDINGS)


async def _look(who: str | None, port: list[str] | None, keys: Credentials | None) -> Seen:
    async with reach.one_node(who, port, credentials=keys) as reached:
        return await status.look(reached)


def facts(seen: Seen, names: Mapping[int, str]) -> dict[str, Any]:
    """The same for programs: the node's own numbers and units."""
    hello = seen.hello
    return {
        **{key: hello.get(key) for key in ("name", "short", "id", "board", "app", "mp", "uptime_ms", "boots")},
        "port": seen.port,
        "slot": seen.slots,
        "time": node_time.iso(seen.status.get("time_s")),
        "clock_was_set": seen.clock_was_set,
        "status": dict(seen.status),
        "readings": dict(seen.readings),
        "neighbours": None if seen.neighbours is None else [neighbour_facts(row, names) for row in seen.neighbours],
        "wrong": [finding.as_dict() for finding in condition.wrong(seen)],
        "not_answered": seen.silent,
    }


def neighbour_facts(row: Any, names: Mapping[int, str]) -> dict[str, Any]:
    """A row of the node's table of neighbours with names for its places."""
    short, ago_ms, rssi_dbm, utility = row[:4]
    name = names.get(short)
    return {"short": short, "name": name, "last_heard_ms_ago": ago_ms, "rssi_dbm": rssi_dbm, "utility": utility}


def screen(seen: Seen, names: Mapping[int, str]) -> Table:
    """One screen for people, at most 80 columns wide and 24 lines high with few neighbours."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for heading, text in _lines(seen, names):
        table.add_row(heading, Text(text))
    return table


def _lines(seen: Seen, names: Mapping[int, str]) -> list[tuple[str, str]]:
    hello, said = seen.hello, seen.status
    lines = [
        ("node", f"{seen.name}, number {seen.hello['short']}, id {bytes(hello['id']).hex()}"),
        ("board", f"{hello['board']}, MicroPython {hello['mp']}, on {seen.port}"),
        ("firmware", _firmware(seen)),
        ("runs", f"{span(hello['uptime_ms'])}; start {hello['boots']}, by {_cause(said.get('reset_cause'))}"),
        ("clock", _clock(seen)),
        ("power", condition.battery_words(said.get("battery_mv"))),
        ("", condition.panel_words(said)),
        ("room", _room(said)),
        ("holds", _holds(said)),
        ("radio", _radio(said)),
    ]
    lines += _listed("neighbours", _neighbours(seen, names))
    lines += [("sensors", _readings(seen))]
    return [*lines, *_listed("wrong now", _wrong(seen))]


def _listed(heading: str, texts: list[str]) -> list[tuple[str, str]]:
    return [(heading if number == 0 else "", text) for number, text in enumerate(texts)]


def _firmware(seen: Seen) -> str:
    version = f"version {seen.hello['app']}"
    if seen.slots is None:
        return version
    sequence, tries = seen.slots["sequence"], seen.slots["tries"]
    release = f"release {sequence}" if sequence else "as provisioned"
    trial = "" if tries is None else f", on trial with {tries} starts left"
    return f"{version}, {release}, slot {seen.slots['running']}{trial}"


def _cause(cause: Any) -> str:
    return _CAUSES.get(str(cause), "an unknown cause")


def _clock(seen: Seen) -> str:
    if seen.clock_off_s is None:
        return "not set"
    shown = node_time.text(seen.status.get("time_s")) or "not set"
    return f"{shown}, {'set just now by this command' if seen.clock_was_set else 'right'}"


def _room(said: Mapping[str, Any]) -> str:
    free, total = (int(said.get(key) or 0) // 1024 for key in ("free_bytes", "total_bytes"))
    return f"{free:,} of {total:,} kB flash free, {int(said.get('heap_free') or 0) // 1024:,} kB heap free"


def _holds(said: Mapping[str, Any]) -> str:
    store = said.get("store") or {}
    used = [f" ({int(store.get(key) or 0) / 1024:,.1f} kB)" for key in ("bundle_bytes", "sample_bytes")]
    return f"{said.get('bundles', 0):,} messages{used[0]}, {said.get('samples', 0):,} samples taken{used[1]}"


def _radio(said: Mapping[str, Any]) -> str:
    radio = said.get("radio")
    if radio is None:
        return "none"
    return f"{radio['sent']:,} frames sent, {radio['received']:,} received, {radio['lost']:,} lost"


def _neighbours(seen: Seen, names: Mapping[int, str]) -> list[str]:
    if seen.neighbours is None:
        return ["not told"]
    rows = sorted(seen.neighbours, key=lambda row: row[1])
    lines = [neighbour_words(row, names) for row in rows[:_SHOWN_NEIGHBOURS]]
    if len(rows) > len(lines):
        lines.append(f"and {len(rows) - len(lines)} more: `hedgerow neighbours`")
    return lines or ["none heard in the last 20 minutes"]


def neighbour_words(row: Any, names: Mapping[int, str]) -> str:
    """`elm, 4 s ago, -71 dBm`."""
    who = names.get(row[0], f"number {row[0]}")
    return f"{who}, {span(row[1])} ago" + ("" if row[2] is None else f", {row[2]} dBm")


def _readings(seen: Seen) -> str:
    if seen.sample is None:
        return "no reading yet"
    told = [
        f"{shown_value(one, seen.readings.get(one))} {CHANNELS.get(one, (one,))[0]}"
        for one in channels_of([list(seen.sample)])
    ]
    ago_ms = int(seen.hello["uptime_ms"]) - int(seen.sample[2])
    same_run = seen.sample[3] == seen.hello["boots"] and ago_ms >= 0
    return f"{', '.join(told) or 'none answers'} ({span(ago_ms) + ' ago' if same_run else f'number {seen.sample[0]}'})"


def _wrong(seen: Seen) -> list[str]:
    lines = [f"{_SHAPES[one.severity]} {one.what}. {one.next_step}." for one in condition.wrong(seen)]
    if not is_bad(condition.wrong(seen)):
        lines.insert(0, "✔ nothing, as far as it can tell")
    if seen.silent:
        lines.append(f"· not answered in time: {', '.join(seen.silent)}")
    return lines


def span(ms: int) -> str:
    """A length of time in the two units that matter: `3 h 12 min`."""
    seconds = max(0, int(ms)) // 1000
    for size_s, word, smaller_s, smaller in ((86400, "days", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if seconds >= size_s:
            rest = seconds % size_s // smaller_s
            return f"{seconds // size_s} {word}" + (f" {rest} {smaller}" if rest else "")
    return f"{seconds} s"
