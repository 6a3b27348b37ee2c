"""Knows how a card reads: the same words on the terminal and on the page. Knows neither of them.

A state is told by its word and its shape; colour comes on top. Blue and vermilion (Okabe and Ito's palette) stay apart
for every kind of colour blindness, and on a printer without colours.
"""

from collections.abc import Sequence

from hedgerow.station.card import STAGES, Card, Phase

SHAPES = {Phase.EMPTY: "○", Phase.WORKING: "▶", Phase.PASS: "✔", Phase.FAIL: "✘"}
COLOURS = {Phase.EMPTY: "#6b6b6b", Phase.WORKING: "#b07d00", Phase.PASS: "#0072b2", Phase.FAIL: "#d55e00"}

LONGEST_TITLE = 24


def state(card: Card) -> str:
    """`✔ PASS`."""
    return f"{SHAPES[card.phase]} {card.phase.value}"


def title(card: Card) -> str:
    """What people call the place: the end of a long path is what tells ports apart."""
    name = card.title
    return name if len(name) <= LONGEST_TITLE or "://" in name else "/".join(("…", *name.split("/")[-2:]))


def doing(card: Card) -> str:
    """What goes on, and how long it takes: `flash, about 23 s: writing`."""
    if card.stage is None:
        return "looking at it"
    text = card.stage.value + (f", about {card.about_s} s" if card.about_s else "")
    return f"{text}: {card.doing}" if card.doing else text


def steps(card: Card) -> str:
    """Which of the stages it is: `3 of 7`."""
    return f"{min(card.number + 1, len(STAGES))} of {len(STAGES)}"


def done(card: Card) -> float:
    """0..1 of all stages."""
    if card.phase is Phase.PASS:
        return 1.0
    return (card.number + card.fraction) / len(STAGES)


def next_step(card: Card) -> str:
    """What a person may do now."""
    if card.phase is Phase.PASS:
        return "Unplug it; plug in the next one." if card.is_plugged else "Done and unplugged."
    if card.phase is Phase.FAIL:
        return card.remedy or ""
    if card.phase is Phase.EMPTY:
        return "Plug a board in."
    return "" if card.is_plugged else "Its port is away: it restarts, or its cable is loose."


def announced(card: Card) -> str:
    """One sentence for somebody who does not look: `left 1: PASS. oak, number 3: …`"""
    if card.phase is Phase.FAIL:
        return f"{title(card)}: FAIL. {card.problem} {card.remedy}"
    if card.phase is Phase.PASS:
        return f"{title(card)}: PASS. {card.node}, {card.summary}."
    return f"{title(card)}: {doing(card)}" if card.phase is Phase.WORKING else f"{title(card)}: empty"


def tally(cards: Sequence[Card]) -> str:
    """`3 passed, 1 failed, 2 at work`."""
    counts = {phase: sum(card.phase is phase for card in cards) for phase in Phase}
    return f"{counts[Phase.PASS]} passed, {counts[Phase.FAIL]} failed, {counts[Phase.WORKING]} at work"
