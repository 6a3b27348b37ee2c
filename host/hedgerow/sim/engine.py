"""Knows time, links and transfers, as the ONE simulator has them; knows no router's rule and no world.

The model, for every router alike: time goes in steps of 0.1 s. A node takes part in one transfer at a time, as sender
or receiver. A transfer lasts as long as its bytes need at the link's rate and ends with a step; a link that breaks
before aborts it. In every step the nodes that have something to do act in an order drawn anew. A message that has
reached its reader is not carried by that reader. What nodes tell each other about what they hold costs no time.
"""

import heapq
import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from hedgerow.sim.contacts import Contact
from hedgerow.sim.traffic import Message

STEP_S = 0.1
EXPIRY_EVERY_S = 60
_NEVER = 1 << 62


class Router(Protocol):
    """One node's decisions. The engine calls; a router never touches another router but through its arguments."""

    def post(self, message: Message, now_s: float) -> None: ...

    def met(self, peer: "Router", now_s: float) -> None:
        """A link came up; called on both sides, before anything is offered."""
        ...

    def offers(self, peers: "list[Host]", now_s: float) -> "Iterator[tuple[Message, Host]]":
        """What it would send now and to whom, best first; `peers` are in reach and free."""
        ...

    def takes(self, message: Message, now_s: float) -> bool:
        """Whether it would accept that message now; may make room for it."""
        ...

    def sent(self, message: Message, peer: "Router", now_s: float) -> None: ...

    def received(self, message: Message, peer: "Router", now_s: float) -> bool:
        """True if it is the reader and has it for the first time."""
        ...

    def expire(self, now_s: float) -> None: ...


@dataclass
class Counts:
    """What a run counts as it goes."""

    created: int = 0
    delivered: int = 0
    relayed: int = 0
    aborted: int = 0
    events: int = 0
    relayed_bytes: int = 0


class Host:
    """A node in the engine's eyes: its links and its one transfer."""

    __slots__ = ("links", "receiving", "router", "sending", "short")

    def __init__(self, short: int) -> None:
        self.short = short
        self.router: Any = None  # a Router, set by the simulation; routers know others of their own kind
        self.links: dict[int, tuple[Host, int]] = {}
        self.sending: Transfer | None = None
        self.receiving: Transfer | None = None

    def free(self) -> bool:
        return self.sending is None and self.receiving is None


class Transfer:
    """A message on its way over one link."""

    __slots__ = ("done_step", "message", "receiver", "sender")

    def __init__(self, message: Message, sender: Host, receiver: Host, done_step: int) -> None:
        self.message = message
        self.sender = sender
        self.receiver = receiver
        self.done_step = done_step


class Simulation:
    """One run. Call run() once."""

    def __init__(self, make_router: Callable[..., Any], node_count: int, rate_bytes_s: float, seed: int) -> None:
        self.hosts = [Host(short) for short in range(node_count)]
        for host in self.hosts:
            host.router = make_router(host, self)
        self.counts = Counts()
        self.messages: list[Message] = []
        self.now_s = 0.0
        self.chance = random.Random(f"order {seed}")
        self._rate_bytes_s = rate_bytes_s
        self._step = 0
        self._awake: dict[int, dict[int, Host]] = {}
        self._wakes: list[int] = []
        self._ends: list[tuple[float, int]] = []
        self._holders: dict[int, dict[int, Host]] = {}
        self._expired: set[int] = set()

    # ---- for routers

    def holds(self, host: Host, message: Message) -> None:
        """A router has put a copy into its store."""
        self._holders.setdefault(message.serial, {})[host.short] = host

    def drops(self, host: Host, message: Message) -> None:
        """A router has let a copy go: no room, expired or handed over."""
        held = self._holders.get(message.serial)
        if held is not None:
            held.pop(host.short, None)

    def fate(self, message: Message) -> str:
        """What became of a message: delivered, held (somewhere), expired, or dropped (no room) before its time."""
        if message.delivered_s is not None:
            return "delivered"
        if self._holders.get(message.serial):
            return "held"
        return "expired" if message.serial in self._expired else "dropped"

    # ---- running

    def run(
        self,
        contacts: Iterable[Contact],
        traffic: Iterable[Message],
        until_s: float,
        progress: Callable[[float], None] | None = None,
    ) -> Counts:
        """Run to the end; `progress(now_s)` is called now and then."""
        queue = _Queue(contacts, traffic)
        last_step = int(until_s / STEP_S + 0.5)
        rounds = 0
        while (step := max(self._step, self._next_step(queue))) <= last_step:
            self._step = step
            self.now_s = step * STEP_S
            while queue.link is not None and _step_of(queue.link.at_s) <= step:
                self._link(queue.next_link())
            while queue.letter is not None and _step_of(queue.letter.created_s) <= step:
                self._post(queue.next_letter())
            while self._ends and _step_of(self._ends[0][0]) <= step:
                self._expire(heapq.heappop(self._ends)[1])
            self._act(step)
            rounds += 1
            if progress is not None and not rounds & 0xFFF:
                progress(self.now_s)
        self.now_s = until_s
        return self.counts

    def _next_step(self, queue: "_Queue") -> int:
        step = queue.next_step()
        if self._wakes:
            step = min(step, self._wakes[0])
        if self._ends:
            step = min(step, _step_of(self._ends[0][0]))
        return step

    def _wake(self, host: Host, step: int) -> None:
        hosts = self._awake.get(step)
        if hosts is None:
            hosts = self._awake[step] = {}
            heapq.heappush(self._wakes, step)
        hosts[host.short] = host

    def _changed(self, host: Host) -> None:
        """Something that this node's neighbours may act on has changed: they look again in the next step."""
        step = self._step + 1
        self._wake(host, step)
        for peer, _ in host.links.values():
            if peer.sending is None and peer.receiving is None:
                self._wake(peer, step)

    def _link(self, event: Contact) -> None:
        self.counts.events += 1
        a, b = self.hosts[event.a], self.hosts[event.b]
        known = a.links.get(b.short)
        if event.up:
            count = known[1] + 1 if known else 1
            a.links[b.short] = (b, count)
            b.links[a.short] = (a, count)
            if not known:
                a.router.met(b.router, self.now_s)
                b.router.met(a.router, self.now_s)
                self._wake(a, self._step)
                self._wake(b, self._step)
        elif known and known[1] > 1:
            a.links[b.short] = (b, known[1] - 1)
            b.links[a.short] = (a, known[1] - 1)
        elif known:
            del a.links[b.short]
            del b.links[a.short]
            for sender, receiver in ((a, b), (b, a)):
                out = sender.sending
                if out is not None and out.receiver is receiver and out.done_step > self._step:
                    sender.sending = receiver.receiving = None
                    self.counts.aborted += 1
                    self._changed(sender)
                    self._changed(receiver)

    def _post(self, message: Message) -> None:
        self.counts.created += 1
        self.counts.events += 1
        self.messages.append(message)
        host = self.hosts[message.source]
        host.router.post(message, self.now_s)
        heapq.heappush(self._ends, (-(-message.end_s // EXPIRY_EVERY_S) * EXPIRY_EVERY_S, message.serial))
        self._changed(host)
        self._wake(host, self._step)

    def _expire(self, serial: int) -> None:
        holders = list(self._holders.get(serial, {}).values())
        for host in holders:
            host.router.expire(self.now_s)
        left = self._holders.get(serial)
        if holders and not left:
            self._expired.add(serial)

    def _act(self, step: int) -> None:
        hosts = self._awake.pop(step, None)
        if hosts is None:
            return
        heapq.heappop(self._wakes)
        order = list(hosts.values())
        if len(order) > 1:
            self.chance.shuffle(order)
        for host in order:
            out = host.sending
            if out is not None:
                if out.done_step > step:
                    continue
                self._finish(out)
            if host.receiving is None:
                self._start(host)

    def _start(self, host: Host) -> None:
        """Begin with the first of what this node would send that somebody takes."""
        now_s = self.now_s
        peers = [peer for peer, _ in host.links.values() if peer.sending is None and peer.receiving is None]
        if not peers:
            return
        for message, peer in host.router.offers(peers, now_s):
            if peer.router.takes(message, now_s):
                self._begin(message, host, peer)
                return

    def _begin(self, message: Message, sender: Host, receiver: Host) -> None:
        steps = max(1, -int(-message.size_bytes // (self._rate_bytes_s * STEP_S)))
        done = self._step + steps
        sender.sending = receiver.receiving = Transfer(message, sender, receiver, done)
        self._wake(sender, done)

    def _finish(self, out: Transfer) -> None:
        counts = self.counts
        counts.events += 1
        counts.relayed += 1
        message, sender, receiver = out.message, out.sender, out.receiver
        counts.relayed_bytes += message.size_bytes
        sender.sending = receiver.receiving = None
        if receiver.router.received(message, sender.router, self.now_s):
            counts.delivered += 1
            message.delivered_s = self.now_s
        sender.router.sent(message, receiver.router, self.now_s)
        self._changed(sender)
        self._changed(receiver)


class _Queue:
    """What comes from outside: contacts and messages, each in order of time."""

    def __init__(self, contacts: Iterable[Contact], traffic: Iterable[Message]) -> None:
        self._links = iter(contacts)
        self._letters = iter(traffic)
        self.link = next(self._links, None)
        self.letter = next(self._letters, None)

    def next_link(self) -> Contact:
        link, self.link = self.link, next(self._links, None)
        return link  # type: ignore[return-value] # asked for only while there is one

    def next_letter(self) -> Message:
        letter, self.letter = self.letter, next(self._letters, None)
        return letter  # type: ignore[return-value] # asked for only while there is one

    def next_step(self) -> int:
        step = _NEVER if self.link is None else _step_of(self.link.at_s)
        return step if self.letter is None else min(step, _step_of(self.letter.created_s))


def _step_of(at_s: float) -> int:
    """The first step that is not before that second."""
    return -int(-(at_s - 1e-6) // STEP_S)
