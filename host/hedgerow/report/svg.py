"""Pictures as SVG text: curves over time and the path of a message. Knows no fleet, no file and no page.

Every picture works without colour (dashes and direct labels) and without a network (no font, script or link).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from html import escape

# Okabe and Ito's palette, told apart by colour-blind people too; the dashes tell the rest apart in print.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#8a6d00", "#3b3b98")
DASHES = ("", "7 3", "2 3", "9 3 2 3", "5 5", "1 4")

_WIDTH = 860
_LEFT = 58
_RIGHT = 112
_TOP = 26
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


class _Axes:
    """Where a value stands in the picture."""

    def __init__(self, series: Sequence[Series], height: int) -> None:
        xs = [x for s in series for x, _ in s.points]
        ys = [y for s in series for _, y in s.points]
        self.height = height
        self.x_low, self.x_high = min(xs), max(xs)
        self.y_steps = nice_steps(min(ys), max(ys))

    def x(self, value: float) -> float:
        span = self.x_high - self.x_low or 1.0
        return _LEFT + (value - self.x_low) / span * (_WIDTH - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        low, high = self.y_steps[0], self.y_steps[-1]
        return self.height - _BOTTOM - (value - low) / (high - low or 1) * (self.height - _TOP - _BOTTOM)

    def grid(self, y_unit: str, x_steps: Iterable[float], x_text: Callable[[float], str]) -> list[str]:
        out = [f'<text class="tick" x="{_LEFT - 7}" y="{_TOP - 14}" text-anchor="end">{escape(y_unit)}</text>']
        for value in self.y_steps:
            y = self.y(value)
            out.append(f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
            out.append(f'<text class="tick" x="{_LEFT - 7}" y="{y + 4:.1f}" text-anchor="end">{value:g}</text>')
        within = (value for value in x_steps if self.x_low <= value <= self.x_high)
        return out + [_tick(self.x(value), self.height - 12, x_text(value)) for value in within]


def line_chart(
    series: Sequence[Series],
    *,
    title: str,
    y_unit: str,
    x_text: Callable[[float], str],
    height: int = 230,
    x_steps: Sequence[float] | None = None,
) -> str:
    """Curves on one pair of axes, each named at its right end. Empty series give a sentence."""
    drawn = [s for s in series if s.points]
    if not drawn:
        return f'<p class="quiet">{escape(title)}: no samples.</p>'
    axes = _Axes(drawn, height)
    out = [_open(title, _WIDTH, height)]
    out += axes.grid(y_unit, x_steps or nice_steps(axes.x_low, axes.x_high, 6), x_text)
    names = _spread([(axes.y(s.points[-1][1]), i) for i, s in enumerate(drawn)], 14, height - _BOTTOM)
    for i, s in enumerate(drawn):
        out += _curve(s, axes, COLOURS[i % len(COLOURS)], DASHES[i % len(DASHES)], names[i])
    return "\n".join([*out, "</svg>"])


def _curve(s: Series, axes: _Axes, colour: str, dashes: str, y_name: float) -> list[str]:
    """A curve, its name in the column at the right, and a thin line from one to the other."""
    points = " ".join(f"{axes.x(x):.1f},{axes.y(y):.1f}" for x, y in s.points)
    x_end, y_end = axes.x(s.points[-1][0]), axes.y(s.points[-1][1])
    x_name = _WIDTH - _RIGHT + 16
    lead = f"M{x_end + 2:.1f} {y_end:.1f} L{x_name - 4:.1f} {y_name:.1f}"
    return [
        f'<polyline class="curve" points="{points}" style="stroke:{colour};stroke-dasharray:{dashes or "none"}"/>',
        f'<path class="lead" style="stroke:{colour}" d="{lead}"/>',
        f'<text x="{x_name}" y="{y_name + 4:.1f}" style="fill:{colour}">{escape(s.name)}</text>',
    ]


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


class _Rows:
    """Time to the right, nodes from top to bottom."""

    gap = 46
    left, right = 96, 40

    def __init__(self, count: int, end_s: float) -> None:
        self.height = _TOP + self.gap * count + _BOTTOM
        self._end_s = end_s or 1.0

    def x(self, at_s: float) -> float:
        return self.left + at_s / self._end_s * (_WIDTH - self.left - self.right)

    def y(self, row: int) -> float:
        return _TOP + self.gap * row + self.gap / 2

    def box(self, kind: str, from_s: float, until_s: float, top: float, height: float) -> str:
        x, width = self.x(from_s), max(2.0, self.x(until_s) - self.x(from_s))
        return f'<rect class="{kind}" x="{x:.1f}" y="{top:.1f}" width="{width:.1f}" height="{height:.1f}"/>'

    def line(self, kind: str, from_s: float, a: int, until_s: float, b: int) -> str:
        x1, x2 = self.x(from_s), self.x(until_s)
        return f'<line class="{kind}" x1="{x1:.1f}" x2="{x2:.1f}" y1="{self.y(a):.1f}" y2="{self.y(b):.1f}"/>'


def message_path(path: MessagePath, title: str) -> str:
    """Who could hear whom, who held the message from when to when, who was without power."""
    at = _Rows(len(path.rows), path.end_s)
    out = [_open(title, _WIDTH, at.height)]
    for from_s, until_s, a, b in path.contacts:
        out.append(at.box("contact", from_s, until_s, at.y(min(a, b)), at.gap * abs(a - b)))
    for row, name in enumerate(path.rows):
        out.append(at.line("row", 0, row, path.end_s, row))
        out.append(f'<text x="{at.left - 10}" y="{at.y(row) + 4:.1f}" text-anchor="end">{escape(name)}</text>')
    out += [at.line("held", h.from_s, h.row, path.end_s if h.until_s is None else h.until_s, h.row) for h in path.held]
    for at_s, a, b in path.handed:
        out.append(at.line("held", at_s, a, at_s, b))
        out.append(f'<circle class="hand" cx="{at.x(at_s):.1f}" cy="{at.y(b):.1f}" r="4"/>')
    for from_s, until_s, row in path.off:
        out.append(at.box("off", from_s, until_s, at.y(row) - 9, 18))
        out.append(f'<text x="{at.x(until_s) + 8:.1f}" y="{at.y(row) - 10:.1f}">power cut</text>')
    if path.delivered_s is not None:
        x, y = at.x(path.delivered_s), at.y(len(path.rows) - 1)
        out.append(f'<path class="star" d="M{x:.1f} {y - 9:.1f} l9 9 l-9 9 l-9 -9 z"/>')
        out.append(f'<text x="{x:.1f}" y="{y + 24:.1f}" text-anchor="middle">delivered</text>')
    ticks = (at_s for at_s in nice_steps(0, path.end_s, 8) if at_s <= path.end_s)
    out += [_tick(at.x(at_s), at.height - 8, f"{at_s:g} s") for at_s in ticks]
    return "\n".join([*out, "</svg>"])


def _tick(x: float, y: float, text: str) -> str:
    return f'<text class="tick" x="{x:.1f}" y="{y}" text-anchor="middle">{escape(text)}</text>'


def _open(title: str, width: int, height: int) -> str:
    label = escape(title, quote=True)
    return f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{label}" xmlns="http://www.w3.org/2000/svg">'
