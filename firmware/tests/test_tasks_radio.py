"""The radio task says nothing in the clear, answers each circle in its own key, and outlives what is refused."""

import asyncio

try:
    import cryptolib  # noqa: F401
except ImportError:
    import fake_cryptolib

    fake_cryptolib.install()

from like_micropython import run

from hedgenode.crypto.linksec import LinkSecurity, link_keys
from hedgenode.rules.exchange import Exchange
from hedgenode.rules.routing import Meetings
from hedgenode.store.bundles import BundleStore
from hedgenode.store.ram import RamFiles
from hedgenode.tasks.radio import RadioTask
from hedgewire import bundle, link, message

BASE = 974848
OWN = 0xBEEF
GUEST = 0xCAFE
KEYS = {OWN: link_keys(bytes(range(32))), GUEST: link_keys(bytes(range(1, 33)))}
HELLO_MS = 30


class _Clock:
    def __init__(self):
        self.now_ms = 0

    def uptime_ms(self):
        self.now_ms += 5
        return self.now_ms

    def uptime_s(self):
        return self.now_ms // 1000


class _Radio:
    """What one sends, the others hear; `refuses` so many frames first."""

    def __init__(self, air, refuses=0):
        self.air = air
        self.air.append(self)
        self.heard = []
        self.sent = []
        self.lost = 0
        self.refuses = refuses

    def send(self, frame):
        if self.refuses:
            self.refuses -= 1
            return False
        self.sent.append(frame)
        for other in self.air:
            if other is not self:
                other.heard.append((frame, -70))
        return True

    def receive(self):
        return self.heard.pop(0) if self.heard else None


class _Node:
    def __init__(self, short, air, circles, refuses=0, counters=None):
        self.radio = _Radio(air, refuses)
        self.store = BundleStore(RamFiles(), "/store", 100000, 0, BASE + message.EVERYONE)
        self.next = 0
        self.security = LinkSecurity(short, counters or self._counter)
        for circle in circles:
            self.security.set_keys(circle, ((1, KEYS[circle]),))
        self.exchange = Exchange(short, OWN, BASE, self.store, Meetings(short))
        self.guests = [
            Exchange(short, circle, BASE, self.store, Meetings(short), public_only=True)
            for circle in circles
            if circle != OWN
        ]
        self.task = RadioTask(self.radio, self, self.exchange, _Clock(), HELLO_MS)
        self.promises = []

    def refresh(self):
        """As a RadioKeys whose keys never change; `open` as well."""

    def open(self, frame):
        message = self.security.open(frame)
        if message is None:
            return None, None
        return message, {guest.tag: guest for guest in self.guests}.get(message[1] << 8 | message[2], self.exchange)

    def _counter(self):
        self.next += 1
        return self.next

    def post(self, to, text):
        eids = (bundle.Eid(BASE + self.exchange.short, 1), bundle.Eid(BASE + to, 1))
        self.next += 1
        made = bundle.make(eids[0], eids[1], message.encode(message.PUBLIC, text), self.next, 10**9)
        data = bundle.encode(made)
        self.store.add(data, bundle.bundle_id(made), eids[0].node, eids[1].node, 1, 0, 10**9, 0, "own")
        return bundle.bundle_id(made)


def _talk(nodes, until, for_s=8):
    """Let all of them run until that is so; say whether it came."""

    async def story():
        tasks = []
        for node in nodes:
            tasks.append(asyncio.create_task(node.task.listen(node.promises.append)))
            tasks.append(asyncio.create_task(node.task.speak(node.promises.append)))
        for _ in range(for_s * 100):
            if until():
                break
            await asyncio.sleep(0.01)
        for task in tasks:
            task.cancel()
        return until()

    return run(story())


def test_neighbours_exchange_bundles_and_nothing_of_it_is_in_the_clear():
    air = []
    one, two = _Node(1, air, (OWN,)), _Node(2, air, (OWN,))
    known = one.post(2, "for you")
    assert _talk((one, two), lambda: two.store.knows(known))
    for frame in one.radio.sent + two.radio.sent:
        assert isinstance(link.decode(frame), link.Damage)
        assert b"for you" not in frame
    assert one.promises
    assert two.promises


def test_who_has_no_key_is_mute_and_deaf():
    air = []
    one, keyless = _Node(1, air, (OWN,)), _Node(2, air, ())
    one.post(message.EVERYONE, "for all")
    assert not _talk((one, keyless), lambda: keyless.store.count() > 0 or keyless.radio.sent, 1)
    assert keyless.security.refused > 0


def test_another_circle_gets_what_is_public_under_its_own_key():
    air = []
    both, guest = _Node(1, air, (OWN, GUEST)), _Node(2, air, (GUEST,))
    private, public = both.post(2, "for you"), both.post(message.EVERYONE, "for all")
    assert _talk((both, guest), lambda: guest.store.knows(public))
    assert not guest.store.knows(private)


def test_frames_that_the_radio_refuses_are_tried_again_and_then_lost():
    air = []
    one, two = _Node(1, air, (OWN,), refuses=12), _Node(2, air, (OWN,))
    known = one.post(2, "for you")
    assert _talk((one, two), lambda: two.store.knows(known))
    assert one.radio.lost > 0


def test_a_flash_that_refuses_counters_makes_a_node_mute_and_does_not_end_it():
    def refuse():
        raise OSError(28)

    air = []
    one, two = _Node(1, air, (OWN,), counters=refuse), _Node(2, air, (OWN,))
    assert _talk((one, two), lambda: one.radio.lost > 2)
    assert one.radio.sent == []
    assert len(one.exchange.peers) == 1


def test_without_keys_the_air_is_open():
    air = []
    one, two = _Node(1, air, ()), _Node(2, air, ())
    for node in (one, two):
        node.task = RadioTask(node.radio, None, node.exchange, _Clock(), HELLO_MS)
    known = one.post(2, "for you")
    assert _talk((one, two), lambda: two.store.knows(known))
    assert not isinstance(link.decode(one.radio.sent[0]), link.Damage)
