"""Seeded peers that lie, the same on both interpreters: to what puts pieces together, and to what compares stores.

What mutations.py does for decoders of one piece, this does for decoders with a memory: each check says what a lie may
cost at most. `run` gives how many pieces were good and how many not.
"""

import hashlib

from harness import vectors
from mutations import Random, change, unguarded_bundles

from hedgenode.rules import exchange as rules
from hedgenode.rules.routing import Meetings
from hedgenode.store.bundles import BundleStore
from hedgenode.store.ram import RamFiles
from hedgewire import bundle, cbor, compact, fragments, link, message, reconcile, reports
from hedgewire.bundle import Block, Eid

BASE = 974848
TAG = 0xBEEF
MOST_BYTES = 6000  # what the reassembler may hold
MOST_REPLY = 300
# A WANT is answered with all segments of as many bundles as may be on their way, an OFFER row by row.
MOST_ANSWERS = rules.MAX_TRANSFERS * (rules.MAX_BUNDLE_BYTES // link.MAX_DATA + 1) + rules.MAX_OFFERS + 1


def some(random, valid):
    """One of them, changed in up to three places; sometimes not at all."""
    data = valid[random.below(len(valid))]
    for _ in range(random.below(4)):
        data = change(random, data, valid[random.below(len(valid))])
    return data


def an_id(number):
    return hashlib.sha256(b"%d" % number).digest()[:8]


class Reports:
    """Administrative records: a value that is written as it was read, or Damage."""

    def __init__(self, random):
        self._random = random
        status = reports.Status(Eid(BASE, 1), 5, 7)
        status.received, status.deleted, status.reason, status.fragment = 1000, True, 1, (300, 200)
        dtn = reports.Status(Eid("//oak/in", 0, bundle.DTN), 0, 1 << 40)
        self._valid = [reports.encode(status), reports.encode(dtn), b"\x82\x09\x82\x01\x41x"]

    def step(self, number):
        data = some(self._random, self._valid)
        found = reports.decode(data)
        if isinstance(found, reports.Status):
            again = reports.decode(reports.encode(found))  # an endpoint of three elements goes out with two
            assert again.source == found.source
            assert again.asserted() == found.asserted()
            assert again.fragment == found.fragment
        return not isinstance(found, cbor.Damage)


class Compact:
    """The compact form: a bundle that a decoder judges, or Damage; what it expands to is never much longer."""

    def __init__(self, random):
        self._random = random
        whole = [bytes.fromhex(case["hex"]) for case in vectors("bundle")["bundles"]] + unguarded_bundles()
        made = bundle.make(Eid(BASE + 9, 1), Eid(BASE + 0xFFFF, 1), message.encode(0, "Soup"), 9, 604800000)
        for age_ms in (0, 5000, 777):
            whole.append(bundle.encode(bundle.with_forwarding(made, age_ms, Eid(BASE + 7, 0))))
        self._valid = [compact.shrink(data, BASE) for data in whole]

    def step(self, number):
        data = some(self._random, self._valid)
        found = compact.expand(data, BASE)
        if isinstance(found, cbor.Damage):
            return False
        assert len(found) <= len(data) + 80
        if data[0]:
            assert not isinstance(bundle.decode(found), cbor.Damage), found.hex()
            assert compact.expand(compact.shrink(found, BASE), BASE) == found
        return True


class Fragments:
    """The reassembler: bounded whatever comes; what comes out whole is as long as each of its parts said."""

    def __init__(self, random):
        self._random = random
        self._pile = fragments.Reassembler(MOST_BYTES, 60)
        self._ready = []

    def _some_fragments(self, number):
        random = self._random
        source = Eid("//" + "x" * random.below(900), 0, bundle.DTN) if not random.below(6) else Eid(random.below(4), 1)
        made = bundle.make(source, Eid(BASE, 1), random.some_bytes(200) + b"end", random.below(20), 60000, age_ms=1)
        if not random.below(4):
            made.blocks.insert(0, Block(200, 9, random.below(2), 0, bytes(random.below(400))))
        if not random.below(4):
            made.report_to = Eid("//" + "y" * random.below(900), 0, bundle.DTN)
        made.crc_type = bundle.NO_CRC  # nothing stops a lie
        return [bundle.encode(part) for part in fragments.split(made, 1 + random.below(150))]

    def step(self, number):
        if not self._ready:
            self._ready = self._some_fragments(number)
        random = self._random
        data = self._ready.pop(random.below(len(self._ready)))
        if not random.below(3):
            data = some(random, [data])
        found = bundle.decode(data)
        if isinstance(found, cbor.Damage) or not found.flags & bundle.IS_FRAGMENT:
            return False
        if not random.below(5):
            found.fragment_offset = random.below(1 << random.below(24))
        if not random.below(5):
            found.fragment_total = random.below(1 << random.below(24))
        total = found.fragment_total
        whole = self._pile.add(found, number // 50)
        assert self._pile.held_bytes() <= MOST_BYTES
        if whole is not None:
            assert len(whole.payload) == total
            assert not whole.flags & bundle.IS_FRAGMENT
        return True


class Reconcile:
    """The reconciler: an answer within its bounds; nothing is given that is not here, nothing wanted that is."""

    def __init__(self, random):
        self._random = random
        common = [an_id(number) for number in range(100)]
        here, there = common + [an_id(200 + i) for i in range(40)], common + [an_id(300 + i) for i in range(5)]
        self._held = set(here)
        self._ids = reconcile.sorted_ids(here)
        theirs = reconcile.sorted_ids(there)
        said, sides = reconcile.begin(theirs, b"\x01\x02\x03\x04"), (self._ids, theirs)
        self._valid = []
        while said is not None:
            self._valid.append(said)
            said = reconcile.answer(sides[(len(self._valid) - 1) % 2], said).reply
        head = b"\x01\x01\x02\x03\x04"
        self._valid += [head + b"\x80\x00", head + b"\xc0\x01" + an_id(5) + b"\x00"]

    def step(self, number):
        found = reconcile.answer(self._ids, some(self._random, self._valid), MOST_REPLY)
        if isinstance(found, cbor.Damage):
            return False
        assert found.reply is None or len(found.reply) <= MOST_REPLY
        assert self._held.issuperset(found.give)
        assert not self._held.intersection(found.get)
        return True


class Exchange:
    """One node's side of every meeting, and neighbours that say anything in any order."""

    def __init__(self, random):
        self._random = random
        store = BundleStore(RamFiles(), "/store", 60000, 0, BASE + message.EVERYONE)
        self._here = rules.Exchange(1, TAG, BASE, store, Meetings(1))
        self._made = []
        for sequence in range(8):
            made = bundle.make(Eid(BASE + 2, 1), Eid(BASE + 3, 1), bytes(sequence * 270), sequence, 10**9)
            self._made.append((bundle.bundle_id(made), bundle.encode(made)))
        for made_id, data in self._made[:3]:
            assert store.add(data, made_id, BASE + 2, BASE + 3, 6, 0, 10**9, 0, "stored")

    def _says(self):
        random = self._random
        source = 2 + random.below(40)
        held_id, data = self._made[random.below(len(self._made))]
        which = held_id if random.below(3) else random.some_bytes(8)[:8] + held_id[:8]
        which = (which + held_id)[:8]
        kind = random.below(6)
        if kind == 0:
            return link.encode_hello(TAG, source, random.bits(), [(random.below(90), random.below(256))])
        if kind == 1:
            rows = [(which, random.below(5), 1 + random.below(6), random.below(4000)) for _ in range(random.below(13))]
            return link.encode_offer(TAG, source, 1, rows)
        if kind == 2:
            return link.encode_want(TAG, source, 1, [which, held_id])
        if kind == 3:
            return link.encode_ack(TAG, source, 1, which, random.below(5), random.bits())
        if kind == 4:
            return link.encode_reached(TAG, source, [which])
        count = (len(data) + link.MAX_DATA - 1) // link.MAX_DATA
        index = random.below(count)
        part = data[index * link.MAX_DATA : (index + 1) * link.MAX_DATA]
        if not random.below(4):
            count = index + 1 + random.below(32 - index)
        return link.encode_segment(TAG, source, 1, which, index, count, 1, part)

    def step(self, number):
        random = self._random
        data = self._says()
        if not random.below(3):
            data = some(random, [data])
        here, now_ms = self._here, number * 20
        before = here.damaged
        answers = here.on_frame(data, now_ms, now_ms // 1000)
        if number % 50 == 0:
            answers += here.tick(now_ms, now_ms // 1000)
        assert len(answers) <= MOST_ANSWERS, len(answers)
        for answer in answers:
            assert len(answer) <= link.MAX_BYTES
            assert not isinstance(link.decode(answer), cbor.Damage)
        assert len(here.peers) <= rules.MAX_PEERS
        assert len(here._incoming) <= rules.MAX_TRANSFERS
        assert len(here._outgoing) <= rules.MAX_TRANSFERS
        held = sum([len(part or b"") for one in here._incoming.values() for part in one.parts])
        assert held <= rules.MAX_TRANSFERS * (rules.MAX_BUNDLE_BYTES + link.MAX_DATA), held
        for peer in here.peers.values():
            assert len(peer.settled) <= 64
        return here.damaged == before


SUBJECTS = (Reports, Compact, Fragments, Reconcile, Exchange)


def run(subject, count, seed):
    """Show `count` pieces to one subject: [how many were good, how many not]."""
    checked = subject(Random(seed))
    totals = [0, 0]
    for number in range(count):
        try:
            good = checked.step(number)
        except Exception as error:  # noqa: BLE001 - any escape is the finding
            raise AssertionError(f"{subject.__name__}, piece {number} of seed {seed}: {error!r}")
        totals[0 if good else 1] += 1
    return totals
