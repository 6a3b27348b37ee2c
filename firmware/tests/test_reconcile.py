"""Reconciliation: both sides learn what they lack, for the price of the difference; liars get a bounded answer."""

import hashlib

import mutations

from hedgewire import reconcile
from hedgewire.cbor import Damage

NONCE = b"\x01\x02\x03\x04"


def ids(start, stop):
    return [hashlib.sha256(b"%d" % i).digest()[:8] for i in range(start, stop)]


def meet(one, other, nonce=NONCE, most_bytes=1024):
    """(messages, {side: (gives, gets)}): side 0 begins."""
    stores = [reconcile.sorted_ids(one), reconcile.sorted_ids(other)]
    found = [(set(), set()), (set(), set())]
    message = reconcile.begin(stores[0], nonce)
    said = []
    while message is not None:
        said.append(message)
        side = len(said) % 2
        outcome = reconcile.answer(stores[side], message, most_bytes)
        found[side][0].update(outcome.give)
        found[side][1].update(outcome.get)
        message = outcome.reply
        assert len(said) < 20
    return said, found


def assert_settled(one, other, found):
    one, other = set(one), set(other)
    for mine, theirs, side in ((one, other, 0), (other, one, 1)):
        assert found[side][0] == mine - theirs, "gives"
        assert found[side][1] <= theirs - mine, "gets"


def test_a_thousand_bundles_that_differ_in_ten_cost_1200_bytes_and_4_turns():
    for run in range(3):
        common = ids(run * 2000, run * 2000 + 995)
        one, other = common + ids(90000, 90005), common + ids(91000, 91005)
        said, found = meet(one, other, bytes((run, 7, 7, 7)))
        assert_settled(one, other, found)
        assert sum(len(message) for message in said) <= 1200
        assert len(said) <= 4


def test_equal_stores_need_one_message():
    for count in (0, 1, 25, 500):
        said, found = meet(ids(0, count), ids(0, count))
        assert len(said) == 1
        assert found == [(set(), set()), (set(), set())]


def test_any_two_stores_are_settled():
    for one, other in ((0, 30), (30, 0), (0, 1), (100, 140), (300, 20), (1, 2)):
        common = ids(5000, 5100)
        mine, theirs = common + ids(0, one), common + ids(1000, 1000 + other)
        said, found = meet(mine, theirs, most_bytes=65536)
        assert_settled(mine, theirs, found)


def test_what_finds_no_room_is_left_for_the_next_meeting():
    store = reconcile.sorted_ids(ids(0, 500))
    outcome = reconcile.answer(store, reconcile.begin(reconcile.sorted_ids(ids(1000, 1500)), NONCE), 200)
    assert outcome.left_out > 0
    assert len(outcome.reply) <= 200


def test_ranges_that_overlap_are_refused():
    part = b"\x80\x00"  # a LIST of nothing, for all ids
    assert isinstance(reconcile.answer(b"", b"\x01" + NONCE + part), reconcile.Outcome)
    assert reconcile.answer(b"", b"\x01" + NONCE + part + part) == Damage("order of ranges", 7)
    assert reconcile.answer(b"", b"\x02" + NONCE) == Damage("version", 0)


def test_liars_get_a_bounded_answer_and_nothing_raises():
    random = mutations.Random(5)
    common = ids(0, 100)
    said, _ = meet(common + ids(200, 205), common + ids(300, 305))
    store = reconcile.sorted_ids(common)
    held = set(common)
    for _ in range(1500):
        data = said[random.below(len(said))]
        for _ in range(1 + random.below(3)):
            data = mutations.change(random, data, said[random.below(len(said))])
        found = reconcile.answer(store, data, 300)
        if isinstance(found, Damage):
            continue
        assert found.reply is None or len(found.reply) <= 300
        assert held.issuperset(found.give)
        assert not held.intersection(found.get)
