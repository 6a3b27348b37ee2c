"""Draws labels and cards: where words and QR code stand, in millimetres; knows no file and no paper format.

A label is a list of marks. `label_files.py` puts them into SVG, PNG and PDF, so that all three show the same.
"""

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import segno

from hedgerow.fleet.label import Card, Label, WaitingLabel

WIDTH_MM, HEIGHT_MM = 99.1, 38.1  # fourteen on a sheet of A4, as labels are sold
_MARGIN_MM = 2.0
_QR_MM = HEIGHT_MM - 2 * _MARGIN_MM
_TEXT_X_MM = _QR_MM + 2 * _MARGIN_MM
_TEXT_WIDTH_MM = WIDTH_MM - _TEXT_X_MM - _MARGIN_MM
_QUIET_MODULES = 4  # white around a QR code, as its standard asks


@dataclass(frozen=True)
class Words:
    """A line of text; (x, y) is the left end of its base line, from the upper left corner of the label."""

    x_mm: float
    y_mm: float
    size_mm: float
    text: str
    bold: bool = False


@dataclass(frozen=True)
class Code:
    """A QR code with its white border in a square of `side_mm`; True is a dark module."""

    x_mm: float
    y_mm: float
    side_mm: float
    modules: tuple[tuple[bool, ...], ...]


@dataclass(frozen=True)
class Picture:
    """One label or card, ready to be put on paper. `title` is for whoever cannot see it."""

    title: str
    marks: tuple[Words | Code, ...]


Width = Callable[[str, float, bool], float]  # of a text at a size, in millimetres
HasGlyph = Callable[[str], bool]


def of_label(label: Label, *, fleet: str, board: str, custodian: str | None, width: Width, has: HasGlyph) -> Picture:
    """What stands on the box of a node. `width` and `has` are those of the font that it is drawn with."""
    lines = [
        (6.2, True, label.name),
        (3.0, False, f"node {label.short} of {fleet}"),
        (3.0, False, _grouped(label.node_id)),
        *((3.6, True, line) for line in _halves(label.fingerprint)),
        (2.5, False, f"{board}, belongs to {custodian}" if custodian else board),
    ]
    return Picture(f"Label of node {label.name}", _laid_out(label.text(), lines, width, has))


def of_waiting(label: WaitingLabel, *, width: Width, has: HasGlyph) -> Picture:
    """What stands on the box of a node that belongs to nobody yet."""
    lines = [
        (4.6, True, "Belongs to nobody yet"),
        (3.0, False, "Whoever scans this may take it in, once."),
        (3.0, False, _grouped(label.node_id)),
        *((3.6, True, line) for line in _halves(label.fingerprint)),
        (2.5, False, label.board),
    ]
    return Picture(f"Label of waiting node {label.node_id.hex()}", _laid_out(label.text(), lines, width, has))


def of_card(card: Card, *, node_names: Sequence[str], width: Width, has: HasGlyph) -> Picture:
    """The paper that a household keeps: its key, as a code and as 24 words."""
    all_words = card.words
    rows = [
        "  ".join(f"{n + 1} {word}" for n, word in list(enumerate(all_words))[at : at + 4]) for at in range(0, 24, 4)
    ]
    lines = [
        (4.2, True, f"Key of {card.holder}"),
        (2.4, False, f"for {', '.join(node_names)}"),
        (2.4, False, "Keep it at home: whoever has it may move the node."),
        *((2.9, True, row) for row in rows),
    ]
    return Picture(f"Key card of {card.holder}", _laid_out(card.text(), lines, width, has))


def code(text: str) -> tuple[tuple[bool, ...], ...]:
    """The QR code of a text that has only characters of its alphanumeric mode; a quarter of it may be lost."""
    made = segno.make_qr(text, error="m", mode="alphanumeric", boost_error=False)
    return tuple(tuple(bool(module) for module in row) for row in made.matrix_iter(border=_QUIET_MODULES))


def readable(text: str, has: HasGlyph) -> str:
    """`text` with what the font can draw: a letter without its accent where that is all there is, else `?`."""
    out = []
    for character in unicodedata.normalize("NFC", text):
        bare = unicodedata.normalize("NFKD", character)[0]
        out.append(next((one for one in (character, bare) if has(one)), "?"))
    return "".join(out)


def _laid_out(text: str, lines: list[tuple[float, bool, str]], width: Width, has: HasGlyph) -> tuple[Words | Code, ...]:
    marks: list[Words | Code] = [Code(_MARGIN_MM, _MARGIN_MM, _QR_MM, code(text))]
    gap = (HEIGHT_MM - 2 * _MARGIN_MM - sum(size for size, _, _ in lines)) / max(1, len(lines) - 1)
    shown = [(size, bold, readable(line, has)) for size, bold, line in lines]
    fitting: dict[tuple[float, bool], float] = {}  # lines of one kind shrink together, so that a list stays one
    for size, bold, line in shown:
        fits = size * min(1.0, _TEXT_WIDTH_MM / max(0.1, width(line, size, bold)))
        fitting[size, bold] = min(fits, fitting.get((size, bold), size))
    y = _MARGIN_MM
    for size, bold, line in shown:
        marks.append(Words(_TEXT_X_MM, y + size * 0.8, fitting[size, bold], line, bold))
        y += size + min(gap, 2.5)
    return tuple(marks)


def _grouped(node_id: bytes) -> str:
    text = node_id.hex()
    return "id " + " ".join(text[at : at + 4] for at in range(0, len(text), 4))


def _halves(fingerprint: str) -> list[str]:
    said = fingerprint.split()
    return [" ".join(said[:3]), " ".join(said[3:])]
