"""The routers that ours is compared with, from their papers; knows no radio and no rule of Hedgerow's nodes.

All of them keep messages in one buffer and drop the one received first when it is full, deliver to the reader first
and choose among the rest by chance, as the ONE's implementations do by default.
"""

import heapq
from collections.abc import Iterator
from typing import Any

from hedgerow.sim.engine import Host, Simulation
from hedgerow.sim.traffic import Message

SPRAY_COPIES = 6
FLOOD_HOPS = 7
FLOOD_MOMENT_S = 10  # to repeat a message to all neighbours, one transfer at a time
P_FIRST = 0.75  # the constants of PRoPHET's first paper (Lindgren, Doria, Schelen 2003)
P_PASSED_ON = 0.25
P_AGES = 0.98
P_UNIT_S = 30


class Direct:
    """Keeps its own messages until it meets their reader."""

    name = "direct"

    def __init__(self, host: Host, simulation: Simulation, buffer_bytes: int) -> None:
        self.host = host
        self._simulation = simulation
        self._buffer_bytes = buffer_bytes
        self._free_bytes = buffer_bytes
        self.held: dict[int, Message] = {}  # in order of arrival
        self.delivered: set[int] = set()

    # ---- the engine's side

    def post(self, message: Message, now_s: float) -> None:
        self._make_room(message.size_bytes)
        self._keep(message)

    def met(self, peer: "Direct", now_s: float) -> None:
        pass

    def offers(self, peers: list[Host], now_s: float) -> Iterator[tuple[Message, Host]]:
        if self.held:
            yield from self._to_readers(peers)
        if self.held:
            yield from self._further(peers, now_s)

    def takes(self, message: Message, now_s: float) -> bool:
        if message.serial in self.held or message.serial in self.delivered:
            return False
        if now_s >= message.end_s and message.destination != self.host.short:
            return False
        return self._make_room(message.size_bytes)

    def sent(self, message: Message, peer: "Direct", now_s: float) -> None:
        if peer.host.short == message.destination:
            self._let_go(message)

    def received(self, message: Message, peer: "Direct", now_s: float) -> bool:
        if message.destination == self.host.short:
            first = message.serial not in self.delivered
            self.delivered.add(message.serial)
            return first
        self._keep(message)
        return False

    def expire(self, now_s: float) -> None:
        for message in [m for m in self.held.values() if m.end_s <= now_s]:
            self._let_go(message)

    # ---- the router's own

    def _to_readers(self, peers):
        near = {peer.short: peer for peer in peers}
        found = [(m, near[m.destination]) for m in self.held.values() if m.destination in near]
        if len(found) > 1:
            self._simulation.chance.shuffle(found)
        for message, peer in found:
            if message.serial in peer.router.delivered:
                self._let_go(message)  # it tells us so
            else:
                yield message, peer

    def _further(self, peers: list[Host], now_s: float) -> Iterator[tuple[Message, Host]]:
        return iter(())

    def _keep(self, message):
        self.held[message.serial] = message
        self._free_bytes -= message.size_bytes
        self._simulation.holds(self.host, message)

    def _let_go(self, message):
        if self.held.pop(message.serial, None) is not None:
            self._free_bytes += message.size_bytes
            self._simulation.drops(self.host, message)

    def _make_room(self, size_bytes):
        if size_bytes > self._buffer_bytes:
            return False
        while self._free_bytes < size_bytes:
            out = self.host.sending
            oldest = next((m for m in self.held.values() if out is None or m is not out.message), None)
            if oldest is None:
                return False
            self._let_go(oldest)
        return True

    def _shuffled(self):
        messages = list(self.held.values())
        self._simulation.chance.shuffle(messages)
        return messages


class Epidemic(Direct):
    """Gives everything to everybody who lacks it."""

    name = "epidemic"

    def _further(self, peers, now_s):
        for peer in peers:
            missing = list(self.held.keys() - peer.router.held.keys() - peer.router.delivered)
            self._simulation.chance.shuffle(missing)
            for serial in missing:
                yield self.held[serial], peer


class Spray(Direct):
    """Binary spray and wait: half of the copies to each it meets, the last one to the reader only."""

    name = "spray"

    def __init__(self, host, simulation, buffer_bytes, copies=SPRAY_COPIES):
        super().__init__(host, simulation, buffer_bytes)
        self._first_copies = copies
        self.copies: dict[int, int] = {}

    def post(self, message, now_s):
        super().post(message, now_s)
        self.copies[message.serial] = self._first_copies

    def sent(self, message, peer: Any, now_s):
        super().sent(message, peer, now_s)
        if message.serial in self.copies and peer.host.short != message.destination:
            self.copies[message.serial] //= 2

    def received(self, message, peer: Any, now_s):
        first = super().received(message, peer, now_s)
        if message.serial in self.held:
            self.copies[message.serial] = (peer.copies.get(message.serial, 1) + 1) // 2
        return first

    def _let_go(self, message):
        super()._let_go(message)
        self.copies.pop(message.serial, None)

    def _further(self, peers, now_s):
        messages = [m for m in self._shuffled() if self.copies[m.serial] > 1]
        for peer in peers:
            router = peer.router
            for message in messages:
                if message.serial not in router.held:
                    yield message, peer


class Prophet(Direct):
    """Gives a copy to whoever is likelier to meet the reader, the likeliest pair first (GRTRMax)."""

    name = "prophet"

    def __init__(self, host, simulation, buffer_bytes):
        super().__init__(host, simulation, buffer_bytes)
        self.chances: dict[int, float] = {}
        self._aged_s = 0.0

    def met(self, peer: Any, now_s):
        self.age(now_s)
        peer.age(now_s)
        mine = self.chances
        short = peer.host.short
        old = mine.get(short, 0.0)
        through = mine[short] = old + (1 - old) * P_FIRST
        own = self.host.short
        for third, theirs in peer.chances.items():
            if third != own:
                old = mine.get(third, 0.0)
                mine[third] = old + (1 - old) * through * theirs * P_PASSED_ON

    def age(self, now_s):
        if now_s > self._aged_s:
            factor = P_AGES ** ((now_s - self._aged_s) / P_UNIT_S)
            for third in self.chances:
                self.chances[third] *= factor
            self._aged_s = now_s

    def _further(self, peers, now_s):
        self.age(now_s)
        mine, by_chance = self.chances, self._simulation.chance.random
        found = []
        for peer in peers:
            router = peer.router
            router.age(now_s)
            for serial in self.held.keys() - router.held.keys() - router.delivered:
                message = self.held[serial]
                theirs = router.chances.get(message.destination, 0.0)
                if theirs > mine.get(message.destination, 0.0):
                    found.append((-theirs, by_chance(), message, peer))
        heapq.heapify(found)
        while found:
            _, _, message, peer = heapq.heappop(found)
            yield message, peer


class Flood(Direct):
    """Managed flooding: a node repeats what it gets, once, to all who are in reach at that moment, up to some hops.

    Nothing is kept for later: what had nobody to go to when its moment had passed is lost.
    """

    name = "flood"

    def __init__(self, host, simulation, buffer_bytes):
        super().__init__(host, simulation, buffer_bytes)
        self.seen: set[int] = set()
        self.hops: dict[int, int] = {}
        self._until_s: dict[int, float] = {}

    def post(self, message, now_s):
        super().post(message, now_s)
        self._begin(message, 0, now_s)

    def offers(self, peers, now_s):
        self._let_moments_pass(now_s)
        return super().offers(peers, now_s)

    def takes(self, message, now_s):
        self._let_moments_pass(now_s)
        return message.serial not in self.seen and super().takes(message, now_s)

    def received(self, message, peer: Any, now_s):
        first = super().received(message, peer, now_s)
        self._begin(message, peer.hops.get(message.serial, 0) + 1, now_s)
        return first

    def _further(self, peers, now_s):
        for peer in peers:
            for message in self._shuffled():
                if self.hops[message.serial] < FLOOD_HOPS and message.serial not in peer.router.seen:
                    yield message, peer

    def _begin(self, message, hops, now_s):
        self.seen.add(message.serial)
        self.hops[message.serial] = hops
        self._until_s[message.serial] = now_s + FLOOD_MOMENT_S

    def _let_moments_pass(self, now_s):
        for message in [m for m in self.held.values() if self._until_s[m.serial] < now_s]:
            self._let_go(message)


ROUTERS = {router.name: router for router in (Direct, Epidemic, Spray, Prophet, Flood)}
