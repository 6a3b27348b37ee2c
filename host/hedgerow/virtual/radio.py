"""Knows the ether between virtual boards: who hears a frame, when, how loud, and why not; knows nothing of its content.

A TCP server on this machine (see `ether_messages`). Time is real time. Within reach one frame at a time is in
the air, so a busy neighbourhood makes senders wait. Loss is drawn from one seeded generator a link and
direction, so that it does not depend on what happens elsewhere. Every queue is bounded; what does not fit is
dropped with a reason in the trace. `python -m hedgerow.virtual.radio` runs it alone.
"""

import argparse
import asyncio
import contextlib
import random
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hedgerow.virtual import ether_messages as messages
from hedgerow.virtual.attacker import Attacker
from hedgerow.virtual.contacts import Contact, Links, read_plan

# ESP-NOW at its default rate: 802.11b, 1 Mbit/s, long preamble, 43 bytes around the payload (vendor action frame).
_BITS_PER_S = 1_000_000
_PREAMBLE_S = 192e-6
_OVERHEAD_BYTES = 43
_ACK_S = 304e-6
_ATTEMPTS = 5  # a unicast frame that is not acknowledged is sent again by the radio itself
_WAITING_FRAMES = 64
_DEFAULT_BUFFER_BYTES = 526
_TRACE_EVENTS = 20_000
_RSSI_DBM = -60
_END_WITHIN_S = 1.0
_IN_AIR_S = 1.0  # how long a past transmission is remembered, to find collisions


@dataclass(frozen=True)
class RadioEvent:
    """Something that happened: kind is sent, heard, dropped, on, off, link-up or link-down. `at_s` is Unix time."""

    at_s: float
    kind: str
    source: str
    destination: str = ""
    size: int = 0
    reason: str = ""
    rssi_dbm: int = 0
    data: bytes = field(default=b"", repr=False)


@dataclass
class _Node:
    mac: bytes
    name: str
    talk: asyncio.StreamWriter | None = None
    listen: asyncio.StreamWriter | None = None
    active: bool = False
    channel: int = 1
    buffer_bytes: int = _DEFAULT_BUFFER_BYTES
    unread_bytes: int = 0
    waiting: int = 0
    busy_until: float = 0.0

    def on(self, channel: int) -> bool:
        return self.active and self.channel == channel and self.listen is not None


@dataclass(frozen=True)
class _InAir:
    start: float
    end: float
    source: str
    channel: int


class Ether:
    """Start it, give its address to the boards, change the links; `on_event` is called for everything that happens."""

    def __init__(
        self,
        *,
        seed: int = 1,
        loss: float = 0.0,
        delay_s: float = 0.0,
        collisions: bool = False,
        rssi_dbm: Callable[[str, str], int] | None = None,
        links: Links | None = None,
        attacker: Attacker | None = None,
    ) -> None:
        self.links = links or Links()
        self.attacker = attacker
        self.loss = loss
        self.trace: deque[RadioEvent] = deque(maxlen=_TRACE_EVENTS)
        self.on_event: Callable[[RadioEvent], None] | None = None
        self._seed = seed
        self._delay_s = delay_s
        self._collisions = collisions
        self._rssi_dbm = rssi_dbm or (lambda _source, _destination: _RSSI_DBM)
        self._names: dict[bytes, str] = {}
        self._nodes: dict[bytes, _Node] = {}
        self._dice: dict[tuple[str, str], random.Random] = {}
        self._in_air: deque[_InAir] = deque()
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._connections: dict[asyncio.StreamWriter, asyncio.Task[None] | None] = {}

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> tuple[str, int]:
        """Listen; returns the address for `VirtualBoard(ether=...)`."""
        self._server = await asyncio.start_server(self._serve, host, port)
        return self._server.sockets[0].getsockname()[:2]

    async def close(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        if self._server:
            self._server.close()
        for writer in list(self._connections):
            writer.close()
        serving = {task for task in self._connections.values() if task}
        if serving:
            await asyncio.wait(serving, timeout=_END_WITHIN_S)

    def name(self, mac: bytes, name: str) -> None:
        """How links, plans and the trace call this radio; without a name it is its MAC in hex."""
        self._names[mac] = name

    def link(self, a: str, b: str, up: bool) -> None:
        """From now on a and b are in reach of each other, or not."""
        if self.links.up(a, b) != up:
            self.links.set(a, b, up)
            self._note(RadioEvent(time.time(), "link-up" if up else "link-down", a, b))

    async def play(self, plan: Sequence[Contact], *, speed: float = 1.0) -> None:
        """Follow a plan from its second 0; returns after its last contact. The links start with nobody in reach."""
        self.links.reset(everyone=False)
        started = asyncio.get_running_loop().time()
        for contact in plan:
            wait_s = started + contact.at_s / speed - asyncio.get_running_loop().time()
            if wait_s > 0:
                await asyncio.sleep(wait_s)
            self.link(contact.a, contact.b, contact.up)

    # the boards' connections

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections[writer] = asyncio.current_task()
        node = None
        role = messages.TALK
        try:
            while message := await messages.read(reader):
                said = messages.parse(message)
                if isinstance(said, messages.Hello) and node is None:
                    node, role = self._welcome(said, writer), said.role
                elif node is None or said is None:
                    break
                else:
                    self._heard(node, said)
        finally:
            if node:
                self._left(node, role, writer)
            self._connections.pop(writer, None)
            writer.close()

    def _welcome(self, said: messages.Hello, writer: asyncio.StreamWriter) -> _Node:
        name = self._names.get(said.mac, said.mac.hex())
        node = self._nodes.setdefault(said.mac, _Node(said.mac, name))
        if said.role == messages.TALK:
            node.talk, node.active = writer, False
        else:
            node.listen, node.unread_bytes = writer, 0
        return node

    def _left(self, node: _Node, role: int, writer: asyncio.StreamWriter) -> None:
        """A board that was cut off may be back on a new connection before the old one is seen to end."""
        if role == messages.TALK and node.talk is writer:
            node.talk = None
            if node.active:
                node.active = False
                self._note(RadioEvent(time.time(), "off", node.name))
        elif role == messages.LISTEN and node.listen is writer:
            node.listen = None

    def _heard(self, node: _Node, said: messages.FromBoard) -> None:
        if isinstance(said, messages.Tune):
            if said.active != node.active:
                self._note(RadioEvent(time.time(), "on" if said.active else "off", node.name))
            node.active, node.channel = said.active, said.channel
        elif isinstance(said, messages.Took):
            node.unread_bytes = max(0, node.unread_bytes - said.size)
        elif isinstance(said, messages.Buffer):
            node.buffer_bytes = said.size
        elif isinstance(said, messages.Transmit):
            task = asyncio.create_task(self._transmit(node, said))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    # the air

    async def _transmit(self, node: _Node, frame: messages.Transmit) -> None:
        good = False
        if not node.active:
            self._drop(node.name, frame, "radio off")
        elif node.waiting >= _WAITING_FRAMES:
            self._drop(node.name, frame, "send queue full")
        else:
            node.waiting += 1
            try:
                good = await self._send(node, frame)
            finally:
                node.waiting -= 1
        if frame.wants_result and node.talk:
            node.talk.write(messages.result(good))

    async def _send(self, node: _Node, frame: messages.Transmit) -> bool:
        """One frame through the air; True when a unicast frame was acknowledged."""
        self._note(_event("sent", node.name, self._called(frame.destination), frame))
        if frame.destination == messages.BROADCAST:
            in_air = await self._occupy(node, airtime_s(len(frame.data)))
            for other in list(self._nodes.values()):
                if other is not node:
                    self._deliver(node, other, frame, in_air, self._lost(node, other))
            return True
        other = self._nodes.get(frame.destination)
        for _ in range(_ATTEMPTS):
            in_air = await self._occupy(node, airtime_s(len(frame.data)) + _ACK_S)
            if other and self._reaches(node, other) and not self._lost(node, other):
                return self._deliver(node, other, frame, in_air, lost=False)
        self._drop(node.name, frame, "no acknowledgement")
        return False

    async def _occupy(self, node: _Node, duration_s: float) -> _InAir:
        """Wait until the sender hears nobody, keep the air around it busy for the frame, return when it is over."""
        loop = asyncio.get_running_loop()
        around = [other for other in self._nodes.values() if other is node or self._reaches(node, other)]
        start = max(loop.time(), node.busy_until)
        end = start + duration_s
        for other in around:
            other.busy_until = max(end, other.busy_until)
        in_air = _InAir(start, end, node.name, node.channel)
        while self._in_air and self._in_air[0].end < start - _IN_AIR_S:
            self._in_air.popleft()
        self._in_air.append(in_air)
        await asyncio.sleep(end + self._delay_s - loop.time())
        return in_air

    def _reaches(self, node: _Node, other: _Node) -> bool:
        return other.on(node.channel) and self.links.up(node.name, other.name)

    def _lost(self, node: _Node, other: _Node) -> bool:
        pair = (node.name, other.name)
        if pair not in self._dice:
            self._dice[pair] = random.Random(f"{self._seed}/{pair[0]}/{pair[1]}")
        return self._dice[pair].random() < self.loss

    def _deliver(self, node: _Node, other: _Node, frame: messages.Transmit, in_air: _InAir, lost: bool) -> bool:
        if not self._reaches(node, other):
            return False
        reason = "lost" if lost else ""
        if not reason and self._collisions and self._collided(other, in_air):
            reason = "collision"
        if not reason and other.unread_bytes + len(frame.data) > other.buffer_bytes:
            reason = "receive buffer full"
        if reason:
            self._note(_event("dropped", node.name, other.name, frame, reason))
            return False
        if self.attacker is not None:
            return self._deliver_attacked(self.attacker, node, other, frame)
        self._hand_over(node.mac, other, frame)
        return True

    def _deliver_attacked(self, attacker: Attacker, node: _Node, other: _Node, frame: messages.Transmit) -> bool:
        """True when something reached the listener at once: a radio's own acknowledgement proves no more than that."""
        heard = attacker.meddle(node.mac, frame.data)
        loop = asyncio.get_running_loop()
        for one in heard:
            meddled = messages.Transmit(frame.wants_result, frame.destination, one.data)
            loop.call_later(one.delay_s, self._hand_over, one.source, other, meddled)
        return any(one.delay_s == 0 for one in heard)

    def _hand_over(self, source: bytes, other: _Node, frame: messages.Transmit) -> None:
        """Into the listener's buffer. A frame that was held back may find the listener gone, or its buffer full."""
        if other.listen is None or other.unread_bytes + len(frame.data) > other.buffer_bytes or not frame.data:
            return
        name = self._called(source)
        rssi_dbm = self._rssi_dbm(name, other.name)
        other.unread_bytes += len(frame.data)
        other.listen.write(messages.frame(source, frame.destination, rssi_dbm, frame.data))
        self._note(_event("heard", name, other.name, frame, rssi_dbm=rssi_dbm))

    def _collided(self, other: _Node, in_air: _InAir) -> bool:
        """Two senders that do not hear each other, heard at the same time by the one between them."""
        return any(
            past is not in_air
            and past.channel == in_air.channel
            and past.source != in_air.source
            and past.start < in_air.end
            and past.end > in_air.start
            and (past.source == other.name or self.links.up(past.source, other.name))
            for past in self._in_air
        )

    # the trace

    def _called(self, mac: bytes) -> str:
        return "everyone" if mac == messages.BROADCAST else self._names.get(mac, mac.hex())

    def _drop(self, source: str, frame: messages.Transmit, reason: str) -> None:
        self._note(_event("dropped", source, self._called(frame.destination), frame, reason))

    def _note(self, event: RadioEvent) -> None:
        self.trace.append(event)
        if self.on_event:
            self.on_event(event)


def _event(
    kind: str, source: str, destination: str, frame: messages.Transmit, reason: str = "", rssi_dbm: int = 0
) -> RadioEvent:
    return RadioEvent(time.time(), kind, source, destination, len(frame.data), reason, rssi_dbm, frame.data)


def airtime_s(data_bytes: int) -> float:
    """How long one frame keeps the air busy."""
    return _PREAMBLE_S + (data_bytes + _OVERHEAD_BYTES) * 8 / _BITS_PER_S


async def _alone(arguments: argparse.Namespace) -> None:
    ether = Ether(seed=arguments.seed, loss=arguments.loss)
    ether.on_event = lambda event: print(event, flush=True)  # noqa: T201 - its output is the trace
    host, port = await ether.start(port=arguments.port)
    print(f"ether {host} {port}", flush=True)  # noqa: T201
    if arguments.contacts:
        await ether.play(read_plan(arguments.contacts))
    await asyncio.Event().wait()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m hedgerow.virtual.radio", description="An ether without boards.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--loss", type=float, default=0.0)
    parser.add_argument("--contacts", type=Path)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_alone(parser.parse_args()))


if __name__ == "__main__":
    main()
