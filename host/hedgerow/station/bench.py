"""Knows all places of one station: what is plugged in where, and the attempts that go on. Draws nothing.

Faces read `cards` and wait with `changed`; whatever they let a person do comes back through `retry`.
"""

import asyncio
import time
from collections.abc import Callable, Sequence

from hedgerow.station import slots, watch
from hedgerow.station.card import Card, Event, Phase, Plugged, Retry, Stage, Unplugged, Woke
from hedgerow.station.machine import Start, step
from hedgerow.station.slots import Slot
from hedgerow.station.watch import Watch
from hedgerow.station.work import Attempt, Tools
from hedgerow.transports.ports import PortFacts

WATCH_EVERY_S = 0.3
SLEPT_S = 15.0  # between two looks: the laptop was asleep


class Station:
    """`async with` it; while it is entered, plugged boards are worked on.

    `expected` are ports that are shown before anything is plugged in there. Each of `on_ended` is called with the card
    of a place that comes to PASS or FAIL. `wall_s` is the clock by which sleep is noticed.
    """

    def __init__(
        self,
        tools: Tools,
        watched: Watch,
        places: Sequence[Slot] = (),
        expected: Sequence[PortFacts] = (),
        *,
        wall_s: Callable[[], float] = time.time,
    ) -> None:
        self._tools, self._watch, self._places = tools, watched, places
        self.on_ended: list[Callable[[Card], None]] = []
        self._wall_s = wall_s
        self._cards = {slot.name: Card(slot.name, slot.name) for slot in places}
        for facts in expected:
            place, title = slots.place_of(facts, places)
            self._cards[place] = Card(place, title)
        self._picos: set[str] = set()
        self._running: set[asyncio.Task[None]] = set()
        self._watching: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()
        self.version = 0

    async def __aenter__(self) -> "Station":
        self._watching = asyncio.create_task(self._watch_for_ever())
        return self

    async def __aexit__(self, *_: object) -> None:
        tasks = [*self._running, *([self._watching] if self._watching else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    @property
    def cards(self) -> list[Card]:
        """Every place: those of the map first, then in the order in which they came."""
        return list(self._cards.values())

    @property
    def is_busy(self) -> bool:
        return any(card.phase is Phase.WORKING for card in self._cards.values())

    def card(self, place: str) -> Card | None:
        return self._cards.get(place)

    def retry(self, place: str) -> None:
        """Somebody wants that place to be tried again. Nothing happens where there is nothing to try."""
        if place in self._cards:
            self.apply(place, Retry())

    async def changed(self, since: int) -> int:
        """Wait until something is other than at that version; the version now."""
        while self.version == since:
            if self._watching is not None and self._watching.done():
                self._watching.result()  # a watch that failed must not look like quiet
            await self._changed.wait()
        return self.version

    async def all_ended(self, names: Sequence[str]) -> None:
        """Wait until each of these ports has come to an end; one that is not there ends at once, in a sentence."""
        here = {facts.location or facts.path for facts in await asyncio.to_thread(self._watch.here)}
        for name in names:
            if name not in here:
                self.plug(watch.named(name))
        while any(card.phase in (Phase.EMPTY, Phase.WORKING) for card in self._cards.values()):
            await self.changed(self.version)

    def plug(self, facts: PortFacts) -> None:
        """A board is there. The watch calls it; a command, for ports that are named and may be missing."""
        place, title = slots.place_of(facts, self._places)
        if place not in self._cards:
            self._cards[place] = Card(place, title)
        self.apply(place, Plugged(facts.path))

    def apply(self, place: str, event: Event) -> None:
        before = self._cards[place]
        card, order = step(before, event)
        if card == before and order is None:
            return
        self._cards[place] = card
        if order is not None:
            self._begin(order, card.title)
        elif before.phase is Phase.WORKING and card.phase is not Phase.WORKING:
            for tell in self.on_ended:
                tell(card)
        self.version += 1
        self._changed.set()
        self._changed = asyncio.Event()

    def _waits(self, place: str, facts: PortFacts) -> bool:
        """A Pico that is flashed goes away as a port and comes as a drive, or the other way round, at another place.

        What turns up meanwhile is it, most likely, and is in use by the attempt that flashes it.
        """
        card = self._cards.get(place)
        if not watch.is_pico(facts) or (card is not None and card.phase is Phase.WORKING):
            return False
        self._picos.add(place)
        return any(
            one.place in self._picos and one.phase is Phase.WORKING and one.stage in (None, Stage.IDENTIFY, Stage.FLASH)
            for one in self._cards.values()
        )

    def _begin(self, order: Start, title: str) -> None:
        def port_now() -> str:
            return self._cards[order.place].port or order.port

        attempt = Attempt(self._tools, order, title, port_now, lambda event: self.apply(order.place, event))
        task = asyncio.create_task(attempt.run())
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _watch_for_ever(self) -> None:
        there: dict[str, PortFacts] = {}
        looked_s = self._wall_s()
        while True:
            now = {slots.place_of(facts, self._places)[0]: facts for facts in await asyncio.to_thread(self._watch.here)}
            if self._wall_s() - looked_s > SLEPT_S:
                for place in self._cards:
                    self.apply(place, Woke())
            looked_s = self._wall_s()
            for place in there.keys() - now.keys():
                self.apply(place, Unplugged())
            for place, facts in list(now.items()):
                if place not in there or there[place].path != facts.path:
                    if self._waits(place, facts):
                        del now[place]  # it is new again at the next look
                    else:
                        self.plug(facts)
            there = now
            await asyncio.sleep(WATCH_EVERY_S)
