"""Our own router: a node's rules and store, as they run on a board, with the radio's frames left out.

What is the node's code, imported and unchanged: `hedgenode.rules.exchange` (what is offered to whom, what is wanted,
what an answer means for our copies), `routing` (utility, reach, copies), `immunity`, `quota` (what a full store sheds),
`expiry` and `hedgenode.store.bundles` over files in memory.

What is a model here: HELLO, OFFER, WANT and ACK cost no time (their bytes are counted); a bundle is so many zero bytes
that cross at the link's rate instead of segments with repeats; a HELLO is said once, when a link comes up; whoever gets
a message reads it at once, so that it takes no more room.
"""

from collections.abc import Iterator

from hedgenode.rules import exchange, routing
from hedgenode.store.bundles import BundleStore
from hedgenode.store.ram import RamFiles
from hedgerow.sim.engine import Host, Simulation
from hedgerow.sim.traffic import Message
from hedgewire import link, message

COPIES = 6
_BASE = 0  # node numbers are short ids: a simulated fleet has no realm
_TAG = 0
_HEADER_BYTES = 8  # of an OFFER, WANT or HELLO before its rows
_OFFER_ROW_BYTES = 13
_ACK_BYTES = 20
_HELLO_ROW_BYTES = 3
_ID_BYTES = 8


class Node:
    """One node. `copies` is what a message begins with."""

    name = "hedgerow"

    def __init__(self, host: Host, simulation: Simulation, buffer_bytes: int, copies: int = COPIES) -> None:
        self.host = host
        self._simulation = simulation
        self._copies = copies
        self._held: dict[bytes, Message] = {}
        self.control_bytes = 0
        self.store = _store_for(buffer_bytes)
        self.exchange = exchange.Exchange(host.short, _TAG, _BASE, self.store, routing.Meetings(host.short))

    # ---- the engine's side

    def post(self, sent: Message, now_s: float) -> None:
        life_ms = int((sent.end_s - sent.created_s) * 1000)
        data = bytes(sent.size_bytes)
        now_ms = int(now_s * 1000)
        if self.store.add(data, sent.id, sent.source, sent.destination, self._copies, 0, life_ms, now_ms, "own"):
            self._note(sent)

    def met(self, peer: "Node", now_s: float) -> None:
        rows = peer.exchange.acquaintances(int(now_s))
        peer.control_bytes += _HEADER_BYTES + _HELLO_ROW_BYTES * len(rows)
        self.exchange.greeted(peer.host.short, peer.store.public_fingerprint(), rows, int(now_s))
        if self.host.short in peer.exchange.peers:  # both have said HELLO: now each tells what has arrived
            peer.tell_reached(self, now_s)
            self.tell_reached(peer, now_s)

    def tell_reached(self, peer: "Node", now_s: float) -> None:
        reached = self.exchange.reached(peer.host.short)
        self.control_bytes += len(reached) * _ID_BYTES
        peer.exchange.heard_of(reached, int(now_s * 1000))

    def offers(self, peers: list[Host], now_s: float) -> Iterator[tuple[Message, Host]]:
        now = int(now_s)
        if not self._held:
            return
        for peer in peers:
            router = peer.router
            while True:
                rows = self.exchange.choose(peer.short, now)
                if not rows:
                    break
                self.control_bytes += _HEADER_BYTES + _OFFER_ROW_BYTES * len(rows)
                for bundle_id, destination, _, size in rows:
                    state = router.exchange.answer(bundle_id, destination, size)
                    if state is None:
                        yield self._held[bundle_id], peer
                        return
                    router.control_bytes += _ACK_BYTES
                    self.exchange.acknowledged(peer.short, bundle_id, state, 0, int(now_s * 1000), now)

    def takes(self, offered: Message, now_s: float) -> bool:
        return True

    def sent(self, given: Message, peer: "Node", now_s: float) -> None:
        state, copies = peer.last_answer
        self.exchange.acknowledged(peer.host.short, given.id, state, copies, int(now_s * 1000), int(now_s))

    def received(self, given: Message, peer: "Node", now_s: float) -> bool:
        copies = peer.copies_for(given, self, now_s)
        self.last_answer = (link.REFUSED, 0)
        if self.store.knows(given.id):
            self.last_answer = (link.HAVE, 0)
            return False
        ends = (given.source, given.destination)
        age_ms, life_ms = int((now_s - given.created_s) * 1000), int((given.end_s - given.created_s) * 1000)
        self.control_bytes += _ACK_BYTES
        if not self.exchange.intake.keep(
            bytes(given.size_bytes), given.id, ends, copies, age_ms, life_ms, int(now_s * 1000)
        ):
            return False
        if given.destination == self.host.short:
            self.last_answer = (link.DELIVERED, copies)
            self.store.remove(given.id, int(now_s * 1000))  # read: its id stays known
            return True
        self.last_answer = (link.ACCEPTED, copies)
        self._note(given)
        return False

    def expire(self, now_s: float) -> None:
        self.store.expire(int(now_s * 1000))
        self._forget_shed()

    # ---- its own

    def copies_for(self, given: Message, taker: "Node", now_s: float) -> int:
        """How many copies travel with a message that is being handed to that node."""
        entry = self.store.entry(given.id)
        if entry is None:
            return 1  # shed while it was on its way: what arrives is the last of it
        return max(1, self.exchange.copies_for(taker.host.short, entry, int(now_s)))

    def _note(self, kept):
        self._held[kept.id] = kept
        self._simulation.holds(self.host, kept)
        if self.store.count() != len(self._held):
            self._forget_shed()

    def _forget_shed(self):
        here = {entry.id for entry in self.store.entries()}
        for bundle_id in [i for i in self._held if i not in here]:
            self._simulation.drops(self.host, self._held.pop(bundle_id))


def _store_for(buffer_bytes):
    """A store whose limit for messages is the buffer; what it needs beside it for compaction comes on top."""
    segment_bytes = max(1024, min(buffer_bytes // 8, 8192))
    capacity = buffer_bytes * 4 // 3 + segment_bytes + 4
    return BundleStore(RamFiles(), "b", capacity, 0, message.EVERYONE, 0, segment_bytes)
