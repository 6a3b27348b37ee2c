"""Pictures as SVG text: curves over time and the path of a message. Knows no fleet, no file and no page.

Every picture works without colour (dashes and direct labels) and without a network (no font, script or link).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from html import escape

# Okabe and Ito's palette, told apart by colour-blind people too; the dashes tell the rest apart in print.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#8a6d00", "#3b3b98")
DASHES = ("", "7 3", "2 3", "9 3 2 3", "5 5", "1 4")

_WIDTH = 860
_LEFT = 58
_RIGHT = 112
_TOP = 14
_BOTTOM = 34


@dataclass(frozen=True)
class Series:
    """One curve: points are (x, y) in the units of the axes, x ascending."""

    name: str
    points: Sequence[tuple[float, float]]


def nice_steps(low: float, high: float, about: int = 5) -> list[float]:
    """Round numbers from at most `low` to at least `high`, some `about` of them."""
    span = high - low or 1.0
    raw = span / about
    power = 10.0
    while power > raw:
        power /= 10
    while power * 10 <= raw:
        power *= 10
    step = next(power * m for m in (1, 2, 2.5, 5, 10) if power * m >= raw)
    first = int(low // step)
    steps = [first * step]
    while steps[-1] < high:
        first += 1
        steps.append(first * step)
    return steps


def line_chart(
    series: Sequence[Series],
    *,
    title: str,
    y_unit: str,
    x_text: Callable[[float], str],
    height: int = 220,
    x_steps: Sequence[float] | None = None,
) -> str:
    """Curves on one pair of axes, each named at its right end. Empty series give an axis and a sentence."""
    drawn = [s for s in series if s.points]
    if not drawn:
        return f'<p class="quiet">{escape(title)}: no samples.</p>'
    xs = [x for s in drawn for x, _ in s.points]
    ys = [y for s in drawn for _, y in s.points]
    x_low, x_high = min(xs), max(max(xs), min(xs) + 1e-9)
    steps = nice_steps(min(ys), max(ys))
    y_low, y_high = steps[0], steps[-1]

    def px(x: float) -> float:
        return _LEFT + (x - x_low) / (x_high - x_low) * (_WIDTH - _LEFT - _RIGHT)

    def py(y: float) -> float:
        return height - _BOTTOM - (y - y_low) / (y_high - y_low or 1) * (height - _TOP - _BOTTOM)

    out = [_open(title, _WIDTH, height)]
    for y in steps:
        out.append(f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{py(y):.1f}" y2="{py(y):.1f}"/>')
        out.append(f'<text class="tick" x="{_LEFT - 7}" y="{py(y) + 4:.1f}" text-anchor="end">{y:g}</text>')
    out.append(f'<text class="tick" x="{_LEFT - 7}" y="{_TOP - 3}" text-anchor="end">{escape(y_unit)}</text>')
    for x in x_steps or nice_steps(x_low, x_high, 6):
        if x_low <= x <= x_high:
            out.append(f'<text class="tick" x="{px(x):.1f}" y="{height - 12}" text-anchor="middle">{x_text(x)}</text>')
    labels = _spread([(py(s.points[-1][1]), i) for i, s in enumerate(drawn)], 14, height - _BOTTOM)
    for i, s in enumerate(drawn):
        path = " ".join(f"{px(x):.1f},{py(y):.1f}" for x, y in s.points)
        style = f'stroke="{COLOURS[i % 6]}" stroke-dasharray="{DASHES[i % 6]}"'
        out.append(f'<polyline class="curve" points="{path}" {style}/>')
        x_end, y_label = px(s.points[-1][0]), labels[i]
        out.append(
            f'<text class="name" x="{x_end + 8:.1f}" y="{y_label + 4:.1f}" fill="{COLOURS[i % 6]}">{escape(s.name)}</text>'
        )
    out.append("</svg>")
    return "\n".join(out)


def _spread(wanted: list[tuple[float, int]], gap: float, bottom: float) -> dict[int, float]:
    """Vertical places for labels, near where they are wanted and at least `gap` apart."""
    placed: dict[int, float] = {}
    last = float("-inf")
    for y, i in sorted(wanted):
        last = max(y, last + gap)
        placed[i] = last
    overflow = max(placed.values()) - bottom
    return {i: y - overflow if overflow > 0 else y for i, y in placed.items()}


@dataclass(frozen=True)
class Held:
    """A node (row) held the message from one moment to another; None: to the end."""

    row: int
    from_s: float
    until_s: float | None


@dataclass(frozen=True)
class MessagePath:
    """Rows from top to bottom; contacts (from_s, until_s, row, row); power cuts (from_s, until_s, row)."""

    rows: Sequence[str]
    contacts: Sequence[tuple[float, float, int, int]]
    held: Sequence[Held]
    handed: Sequence[tuple[float, int, int]]
    off: Sequence[tuple[float, float, int]]
    delivered_s: float | None
    end_s: float
    notes: Sequence[tuple[float, int, str]] = field(default_factory=tuple)


def message_path(path: MessagePath, title: str) -> str:
    """Time to the right, nodes from top to bottom: who could hear whom, who held the message, who was off."""
    gap = 46
    height = _TOP + gap * len(path.rows) + _BOTTOM
    left, right = 96, 40

    def px(t: float) -> float:
        return left + t / (path.end_s or 1) * (_WIDTH - left - right)

    def py(row: int) -> float:
        return _TOP + gap * row + gap / 2

    out = [_open(title, _WIDTH, height)]
    for from_s, until_s, a, b in path.contacts:
        x, width = px(from_s), max(2.0, px(until_s) - px(from_s))
        top = py(min(a, b))
        out.append(
            f'<rect class="contact" x="{x:.1f}" y="{top:.1f}" width="{width:.1f}" height="{abs(py(a) - py(b)):.1f}"/>'
        )
    for row, name in enumerate(path.rows):
        y = py(row)
        out.append(f'<line class="row" x1="{left}" x2="{_WIDTH - right}" y1="{y:.1f}" y2="{y:.1f}"/>')
        out.append(f'<text class="name" x="{left - 10}" y="{y + 4:.1f}" text-anchor="end">{escape(name)}</text>')
    for held in path.held:
        until = path.end_s if held.until_s is None else held.until_s
        y = py(held.row)
        out.append(f'<line class="held" x1="{px(held.from_s):.1f}" x2="{px(until):.1f}" y1="{y:.1f}" y2="{y:.1f}"/>')
    for t, a, b in path.handed:
        out.append(f'<line class="held" x1="{px(t):.1f}" x2="{px(t):.1f}" y1="{py(a):.1f}" y2="{py(b):.1f}"/>')
        out.append(f'<circle class="hand" cx="{px(t):.1f}" cy="{py(b):.1f}" r="4"/>')
    for from_s, until_s, row in path.off:
        x, y = px(from_s), py(row)
        out.append(f'<rect class="off" x="{x:.1f}" y="{y - 9:.1f}" width="{px(until_s) - x:.1f}" height="18"/>')
        out.append(
            f'<text class="cut" x="{x + (px(until_s) - x) / 2:.1f}" y="{y - 13:.1f}" text-anchor="middle">power cut</text>'
        )
    for t, row, text in path.notes:
        out.append(
            f'<text class="cut" x="{px(t):.1f}" y="{py(row) - 13:.1f}" text-anchor="middle">{escape(text)}</text>'
        )
    if path.delivered_s is not None:
        x, y = px(path.delivered_s), py(len(path.rows) - 1)
        out.append(f'<path class="star" d="M{x:.1f} {y - 9:.1f} l9 9 l-9 9 l-9 -9 z"/>')
        out.append(f'<text class="cut" x="{x:.1f}" y="{y + 24:.1f}" text-anchor="middle">delivered</text>')
    for t in nice_steps(0, path.end_s, 8):
        if t <= path.end_s:
            out.append(f'<text class="tick" x="{px(t):.1f}" y="{height - 8}" text-anchor="middle">{t:g} s</text>')
    out.append("</svg>")
    return "\n".join(out)


def _open(title: str, width: int, height: int) -> str:
    label = escape(title, quote=True)
    return f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{label}" xmlns="http://www.w3.org/2000/svg">'
