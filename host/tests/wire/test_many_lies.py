"""What puts pieces together and what compares stores, in front of peers that lie: a hundred thousand seeded pieces.

With test_many_mutations.py these are two hundred thousand cases in some twelve seconds. MicroPython runs the same
generators for 10,000 pieces (firmware/tests/test_hostile.py), and the long test goes five times as far.
"""

import hashlib
import time

import hostile
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hedgewire import bundle, compact, fragments, reconcile
from hedgewire.bundle import Bundle, Eid

PIECES = 20_000
LIMIT_S = 15


@pytest.mark.parametrize("subject", hostile.SUBJECTS)
def test_20_000_lies_to_each_raise_nothing(subject):
    began = time.process_time()
    good, bad = hostile.run(subject, PIECES, seed=1)
    assert good + bad == PIECES
    assert time.process_time() - began < LIMIT_S
    assert good > 1000
    assert bad > 1000


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.parametrize("subject", hostile.SUBJECTS)
def test_100_000_lies_to_each_raise_nothing(subject):
    assert sum(hostile.run(subject, 5 * PIECES, seed=2)) == 5 * PIECES


def test_a_decoder_that_raises_is_caught(monkeypatch):
    def careless(data: bytes) -> object:
        return data[40]

    monkeypatch.setattr(hostile.reports, "decode", careless)
    with pytest.raises(AssertionError, match="Reports, piece"):
        hostile.run(hostile.Reports, 100, seed=1)


@settings(max_examples=60)
@given(st.binary(min_size=1, max_size=400), st.lists(st.integers(1, 90), min_size=1, max_size=4), st.randoms())
def test_fragments_of_any_cut_in_any_order_are_the_whole(payload, cuts, chance):
    whole = bundle.make(Eid(1, 1), Eid(2, 1), payload, 1, 60_000, age_ms=1)
    parts = [whole]
    for part_bytes in cuts:  # fragments of fragments
        parts = [smaller for part in parts for smaller in fragments.split(part, part_bytes)]
    chance.shuffle(parts)
    pile = fragments.Reassembler(400_000, 60)
    found = [pile.add(part, 0) for part in parts]
    assert [one is None for one in found[:-1]] == [True] * (len(parts) - 1)
    assert isinstance(found[-1], Bundle)
    assert bundle.encode(found[-1]) == bundle.encode(whole)
    assert pile.held_bytes() == 0


@settings(max_examples=60)
@given(st.sets(st.integers(0, 400)), st.sets(st.integers(0, 400)), st.binary(min_size=4, max_size=4))
def test_any_two_stores_are_settled_as_sets_are(one, other, nonce):
    stores = [{hashlib.sha256(b"%d" % number).digest()[:8] for number in numbers} for numbers in (one, other)]
    said, turn = reconcile.begin(reconcile.sorted_ids(stores[0]), nonce), 0
    gives: list[set[bytes]] = [set(), set()]
    while said is not None:
        turn = 1 - turn
        outcome = reconcile.answer(reconcile.sorted_ids(stores[turn]), said, 65_536)
        assert isinstance(outcome, reconcile.Outcome), outcome
        gives[turn] |= set(outcome.give)
        said = outcome.reply
    assert gives == [stores[0] - stores[1], stores[1] - stores[0]]


@settings(max_examples=200)
@given(st.binary(max_size=120))
def test_any_bytes_expand_to_a_bundle_or_are_damage(data):
    found = compact.expand(data, hostile.BASE)
    if isinstance(found, bytes) and data[:1] != b"\x00":
        assert isinstance(bundle.decode(found), Bundle)
