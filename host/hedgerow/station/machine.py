"""Decides what a card says after something happened, and when work on a board begins. Knows no port, clock or screen.

Rules, each held by a property test:

- At a place one attempt runs at a time. Only what it says itself counts, never an older one.
- Plugging in begins an attempt; so does a person who asks for it, where a board is plugged in and no work goes on.
- A board restarts while it is worked on, and its port goes away with it: only the attempt says what is pulled.
- A link that broke because the cable was moved or the laptop slept begins anew by itself, once.
- PASS comes from an attempt that went through all of it. FAIL always says what happened and what to do.
"""

from dataclasses import dataclass, replace

from hedgerow.station.card import (
    STAGES,
    Advanced,
    Began,
    Card,
    Event,
    Failed,
    Learned,
    MovedOn,
    Passed,
    Phase,
    Plugged,
    Retry,
    Unplugged,
    Woke,
)


@dataclass(frozen=True)
class Start:
    """An order: begin attempt `run` on the board at `port`. `is_asked`: a person wants it, whatever was done before."""

    place: str
    port: str
    run: int
    is_asked: bool = False


def step(card: Card, event: Event) -> tuple[Card, Start | None]:
    """The card afterwards, and the work to begin, if any. Pure."""
    if isinstance(event, (Plugged, Unplugged, Retry, Woke)):
        return _from_outside(card, event)
    if event.run != card.run or card.phase is not Phase.WORKING:
        return card, None
    return _from_work(card, event)


def _from_outside(card: Card, event: Plugged | Unplugged | Retry | Woke) -> tuple[Card, Start | None]:
    working = card.phase is Phase.WORKING
    match event:
        case Plugged(port):
            came_back = working and not card.is_plugged
            card = replace(card, port=port, is_plugged=True, may_go_on=card.may_go_on or came_back)
            return (card, None) if working else _begin(card)
        case Unplugged():
            return replace(card, is_plugged=False), None
        case Woke():
            return replace(card, may_go_on=card.may_go_on or working), None
        case Retry():
            return _begin(card, is_asked=True) if card.can_retry else (card, None)


def _from_work(card: Card, event: Began | Advanced | Learned | Passed | Failed | MovedOn) -> tuple[Card, Start | None]:
    match event:
        case Began():
            if card.stage is None or STAGES.index(event.stage) >= STAGES.index(card.stage):
                card = replace(card, stage=event.stage, about_s=event.about_s, doing="", fraction=0.0)
        case Advanced():
            fraction = min(1.0, max(card.fraction, event.fraction))
            card = replace(card, doing=event.doing, fraction=fraction)
        case Learned():
            card = replace(card, board=event.board or card.board, node=event.node or card.node)
        case Passed():
            card = replace(card, phase=Phase.PASS, summary=event.summary, checks=event.checks, **_AT_REST)
        case MovedOn():
            card = Card(card.place, card.title, card.port, run=card.run)
        case Failed():
            if event.by_link and card.may_go_on and card.is_plugged:
                return _begin(card)
            card = replace(
                card,
                phase=Phase.FAIL,
                problem=event.problem,
                remedy=event.remedy,
                exit_code=event.exit_code,
                checks=event.checks,
                **_AT_REST,
            )
    return card, None


_AT_REST: dict[str, object] = {"doing": "", "about_s": None, "may_go_on": False}


def _begin(card: Card, *, is_asked: bool = False) -> tuple[Card, Start | None]:
    """A clean card of the next attempt at this place."""
    assert card.port is not None  # because something was plugged in
    fresh = Card(card.place, card.title, card.port, Phase.WORKING, card.run + 1, is_plugged=card.is_plugged)
    return fresh, Start(card.place, card.port, fresh.run, is_asked)
