"""The page of a simulation: what arrived when, and what it cost. Knows rows of figures; runs nothing.

A row is what `hedgerow sim --json` prints for a run, and `latencies_s`: how long each delivered message took, shortest
first.
"""

from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

from hedgerow.report.svg import Series, line_chart

Row = Mapping[str, Any]

_POINTS = 160
_COLUMNS = (
    ("router", "router", "{}"),
    ("delivered", "delivered", "{}"),
    ("delivery_ratio", "share", "{:.1%}"),
    ("relayed", "transfers", "{}"),
    ("overhead_ratio", "overhead", "{:,.1f}"),
    ("latency_mean_s", "mean", "{}"),
    ("latency_median_s", "median", "{}"),
    ("expired", "expired", "{}"),
    ("dropped", "no room", "{}"),
    ("held", "on the way", "{}"),
)


def render(rows: Sequence[Row]) -> str:
    """One self-contained page about runs of one trace or world."""
    first = rows[0]
    runs = "1 run" if len(rows) == 1 else f"{len(rows)} runs"
    style = files("hedgerow.report").joinpath("style.css").read_text("utf-8")
    title = f"Hedgerow: messages on {Path(str(first['source'])).name}"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{style}</style></head>\n<body><main>\n"
        f"<h1>{escape(Path(str(first['source'])).name)}</h1>"
        f'<p class="quiet">{runs}, {first["nodes"]} nodes, {_duration(first["until_s"])} simulated, '
        f"{first['created']} messages each.</p>\n"
        "<h2>What has arrived, by the age of the message</h2>\n"
        f"<figure>{_arrivals(rows)}<figcaption>Share of all messages that reached their reader within that time. A "
        "curve ends with its last arrival.</figcaption></figure>\n"
        "<h2>What it cost</h2>\n"
        f"{_table(rows)}\n"
        '<p class="quiet">Overhead: transfers that were not a delivery, for each delivery. Each costs air and battery.'
        "</p>\n</main></body></html>\n"
    )


def write(rows: Sequence[Row], path: Path) -> Path:
    """Write the page and return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(render(rows), "utf-8")
    return path


def _arrivals(rows: Sequence[Row]) -> str:
    last_s = max((row["latencies_s"][-1] for row in rows if row["latencies_s"]), default=0.0)
    unit_s, unit = (86400.0, "d") if last_s > 3 * 86400 else (3600.0, "h") if last_s > 7200 else (60.0, "min")
    several = len({row["seed"] for row in rows}) > 1
    curves = []
    for row in rows:
        name = f"{row['router']} {row['seed']}" if several else str(row["router"])
        curves.append(Series(name, _curve(row["latencies_s"], row["created"], unit_s)))
    return line_chart(
        curves, title="Share of messages delivered, by age", y_unit="%", x_text=lambda x: f"{x:g} {unit}", height=320
    )


def _curve(latencies_s: Sequence[float], created: int, unit_s: float) -> list[tuple[float, float]]:
    count = len(latencies_s)
    if not count:
        return []
    steps = sorted({round(i * count / _POINTS) for i in range(1, _POINTS + 1)} - {0})
    return [(0.0, 0.0)] + [(latencies_s[n - 1] / unit_s, 100 * n / created) for n in steps]


def _table(rows: Sequence[Row]) -> str:
    several = len({row["seed"] for row in rows}) > 1
    heads = ["<th>seed</th>"] if several else []
    heads += [f"<th{_number(key)}>{head}</th>" for key, head, _ in _COLUMNS]
    lines = []
    for row in rows:
        cells = [f'<td data-head="seed">{row["seed"]}</td>'] if several else []
        cells += [
            f'<td{_number(key)} data-head="{head}">{escape(_cell(key, form, row[key]))}</td>'
            for key, head, form in _COLUMNS
        ]
        lines.append(f"<tr>{''.join(cells)}</tr>")
    table = f"<table><thead><tr>{''.join(heads)}</tr></thead><tbody>{''.join(lines)}</tbody></table>"
    return f'<div class="scroll">{table}</div>'


def _number(key: str) -> str:
    return "" if key == "router" else ' class="number"'


def _cell(key: str, form: str, value: Any) -> str:
    if value is None:
        return "–"
    return _duration(value) if key.startswith("latency") else form.format(value)


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 3 * 86400 else f"{seconds / 86400:.1f} d"
