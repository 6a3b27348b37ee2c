"""The report as one HTML page. Knows the facts it is given and how to show them; asks no node and no registry.

`facts` is the dictionary that `hedgerow demo --json` prints: fleet, weather, nodes, message, contacts, audit, claims.
"""

from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

from hedgerow.report.svg import Held, MessagePath, Series, line_chart, message_path

Facts = Mapping[str, Any]

# channel, heading, unit on the axis, factor from the integer on the wire
_CHANNELS = (
    ("battery_mv", "Battery", "V", 0.001),
    ("panel_ma10", "Current from the panel", "mA", 0.1),
    ("temperature_c100", "Temperature", "°C", 0.01),
    ("humidity_pc100", "Relative humidity", "%", 0.01),
    ("pressure_pa", "Air pressure", "hPa", 0.01),
)


def render(facts: Facts) -> str:
    """One self-contained page: styles and pictures are in it, nothing is fetched."""
    parts = [
        _head(facts),
        _proof(facts["claims"]) if "claims" in facts else _verdict(not _grave(facts), _findings_in_words(facts)),
        _message(facts),
        _curves(facts),
        _audit(facts),
        _seizures(facts.get("seizures", ())),
        _nodes(facts["nodes"]),
        _sources(facts),
    ]
    style = files("hedgerow.report").joinpath("style.css").read_text("utf-8")
    title = escape(f"Hedgerow: {facts['fleet']['name']}")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{style}</style></head>\n<body><main>\n"
        + "\n".join(parts)
        + "\n</main></body></html>\n"
    )


def write(facts: Facts, path: Path) -> Path:
    """Write the page and return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(render(facts), "utf-8")
    return path


def _head(facts: Facts) -> str:
    fleet = facts["fleet"]
    return (
        f"<h1>{escape(fleet['name'])}</h1>"
        f'<p class="quiet">Fleet <code>{escape(fleet["id"])}</code>, {len(facts["nodes"])} nodes, '
        f"{escape(facts['made_at'])}</p>"
    )


def _mark(good: bool, yes: str = "✓ PASS", no: str = "✗ FAIL") -> str:
    return f'<span class="mark{"" if good else " bad"}">{yes if good else no}</span>'


def _verdict(good: bool, words: str) -> str:
    return f'<div class="verdict{"" if good else " bad"}">{_mark(good)} {escape(words)}</div>'


def _grave(facts: Facts) -> int:
    """How many findings are more than a note."""
    return sum(1 for f in facts["audit"] if f["severity"] != "note")


def _findings_in_words(facts: Facts) -> str:
    count, audited = _grave(facts), facts.get("audited", len(facts["nodes"]))
    found = "nothing to do" if not count else "1 finding" if count == 1 else f"{count} findings"
    notes = len(facts["audit"]) - count
    beside = "" if not notes else ", 1 note" if notes == 1 else f", {notes} notes"
    return f"{audited} {'node' if audited == 1 else 'nodes'} audited, {found}{beside}."


def _proof(claims: Sequence[Facts]) -> str:
    """What was claimed and how it was checked, one line each."""
    failed = sum(1 for c in claims if not c["ok"])
    words = f"{failed} of {len(claims)} checks failed." if failed else "Everything below was verified."
    rows = "".join(
        f"<li>{_mark(c['ok'])} {escape(c['claim'])} <span class='quiet'>{escape(c['how'])}</span></li>" for c in claims
    )
    return f'{_verdict(not failed, words)}<ol class="claims">{rows}</ol>'


def _message(facts: Facts) -> str:
    message = facts.get("message")
    if not message:
        return ""
    names = [n["name"] for n in facts["nodes"]]
    row = {n["short"]: i for i, n in enumerate(facts["nodes"])}
    path = MessagePath(
        rows=names,
        contacts=[(c["from_s"], c["until_s"], row[c["a"]], row[c["b"]]) for c in facts["contacts"]],
        held=[
            Held(row[h["node"]], h["from_s"], message["delivered_s"] if h["until_s"] is None else h["until_s"])
            for h in message["held"]
        ],
        handed=[(h["at_s"], row[h["from"]], row[h["to"]]) for h in message["handed"]],
        off=[(o["from_s"], o["until_s"], row[o["node"]]) for o in message["power_cuts"]],
        delivered_s=message["delivered_s"],
        end_s=facts["contacts_end_s"],
    )
    picture = message_path(path, "The path of the message over time")
    return (
        "<h2>The path of the message</h2>"
        f"<p>“{escape(message['text'])}”, from {escape(message['from'])} to {escape(message['to'])}. "
        "The two were never in reach of each other, and no chain of links ever joined them at one moment.</p>"
        f"<figure>{picture}<figcaption>Pale bars: two nodes in reach. Dark line: who held the only copy. "
        "Circle: handed over and acknowledged. Dashed box: without power. Diamond: delivered.</figcaption></figure>"
    )


def _curves(facts: Facts) -> str:
    if not any(n["samples"] for n in facts["nodes"]):
        return ""
    out = ["<h2>Battery and sensors</h2>"]
    if "weather" in facts:
        out.append(
            '<p class="quiet">Each node logged its samples in its own flash; one second of the run was '
            f"{facts['weather']['speed_up'] / 60:g} minutes of weather.</p>"
        )
    start = min((s["time_s"] for n in facts["nodes"] for s in n["samples"]), default=0)
    for channel, heading, unit, factor in _CHANNELS:
        series = [
            Series(
                n["name"],
                [
                    ((s["time_s"] - start) / 3600, s["values"][channel] * factor)
                    for s in n["samples"]
                    if s["values"].get(channel) is not None
                ],
            )
            for n in facts["nodes"]
        ]
        if any(s.points for s in series):
            hours = max(x for s in series for x, _ in s.points)
            step = next((s for s in (1, 3, 6, 12, 24, 48) if hours / s <= 10), 96)
            marks = [float(h) for h in range(0, int(hours) + 1, step)]
            chart = line_chart(series, title=heading, y_unit=unit, x_text=lambda h: f"{h:g} h", x_steps=marks)
            out.append(f"<figure>{chart}<figcaption>{heading}, hours since the first sample</figcaption></figure>")
    return "\n".join(out)


def _audit(facts: Facts) -> str:
    findings = facts["audit"]
    out = ["<h2>Audit</h2>"]
    if facts.get("tampered"):
        t = facts["tampered"]
        out.append(
            f"<p>Behind the node's back, one byte was added to <code>{escape(t['path'])}</code> on "
            f"{escape(t['node'])}. The audit of all {len(facts['nodes'])} nodes found:</p>"
        )
    if not findings:
        out.append(f"<p>{_mark(True)} No findings.</p>")
        return "\n".join(out)
    out.append(
        _table(
            ("Node", "Finding", "Where", "What to do", "When"),
            [(escape(f["node"]), _kind(f), _where(f), escape(f["next_step"]), escape(f["waits"])) for f in findings],
        )
    )
    out.append(
        '<p class="quiet">A node reports on itself: what took it over can also lie. A deep audit reads the flash.</p>'
    )
    return "\n".join(out)


def _seizures(seizures: Sequence[Facts]) -> str:
    """What was put out: who has the new keys, and what the captor can still read."""
    out = ["<h2>Captured, and put out</h2>"] if seizures else []
    for one in seizures:
        gone = one["revoked"]
        out.append(f"<h3>{escape(gone['kind'])} {escape(gone['name'])}</h3>")
        if one["needs"]:
            out.append(f"<p>{_mark(False, no='✗ not in force')} It needs {escape('; '.join(one['needs']))}.</p>")
        rows = [(escape(n["name"]), escape(n["state"]), escape(", ".join(n["lacks"]))) for n in one["nodes"]]
        if one["groups"] and rows:
            out.append(_table(("Node", "New keys", "Lacks that of"), rows))
        out.append("<p>Whoever has it can read:</p><ul>")
        out += [f"<li>{escape(line)}</li>" for line in one["holder"]["in_words"]]
        out.append("</ul>")
    return "\n".join(out)


def _kind(finding: Facts) -> str:
    name = escape(finding["class"])
    return f'<span class="quiet">· {name}</span>' if finding["severity"] == "note" else _mark(False, no=f"✗ {name}")


def _where(finding: Facts) -> str:
    """What was found, with the path marked wherever the sentence names it."""
    what, path = escape(finding["what"]), escape(finding.get("path") or "")
    return what.replace(path, f"<code>{path}</code>") if path else what


def _nodes(nodes: Sequence[Facts]) -> str:
    if not nodes:
        return ""
    rows = []
    for n in nodes:
        s = n["status"]
        battery = "" if s.get("battery_mv") is None else f"{s['battery_mv'] / 1000:.2f} V"
        rows.append(
            (
                escape(n["name"]),
                f'<code class="whole">{escape(n["id"])}</code>',
                escape(n["board"]),
                len(n["samples"]),
                s["bundles"],
                battery,
                f"{s['free_bytes'] // 1024} KiB",
                f"{s['heap_free'] // 1024} KiB",
                n["boots"],
            )
        )
    heads = ("Name", "Identity", "Board", "Samples", "Bundles", "Battery", "Flash free", "Heap free", "Boots")
    return "<h2>Nodes</h2>" + _table(heads, rows, numbers_from=3)


def _table(heads: Sequence[str], rows: Sequence[Sequence[object]], numbers_from: int = 99) -> str:
    """Cells are HTML. Each knows the head of its column, which stands before it where the screen is narrow."""
    out = ["<tr>", *(f"<th{_number(i >= numbers_from)}>{head}</th>" for i, head in enumerate(heads)), "</tr>"]
    for row in rows:
        cells = enumerate(zip(heads, row, strict=True))
        out.append("<tr>")
        out += [
            f'<td data-head="{head}"{_number(i >= numbers_from)}><span>{cell}</span></td>' for i, (head, cell) in cells
        ]
        out.append("</tr>")
    return f'<div class="scroll"><table>{"".join(out)}</table></div>'


def _number(is_one: bool) -> str:
    return ' class="number"' if is_one else ""


def _sources(facts: Facts) -> str:
    w = facts.get("weather")
    if not w:
        return ""
    return f'<h2>Sources</h2><p class="quiet">Weather: {escape(w["source"])} ({escape(w["licence"])}).</p>'
