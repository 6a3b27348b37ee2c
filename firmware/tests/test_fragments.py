"""Fragments: the whole comes back bit for bit, in whatever order; who floods loses its own first."""

import mutations
from harness import raises

from hedgewire import bundle, fragments
from hedgewire.bundle import Block, Eid

A = Eid(974849, 1)
B = Eid(974850, 1)
PAYLOAD = bytes([i * 7 & 0xFF for i in range(500)])


def whole(sequence=1, source=A, payload=PAYLOAD):
    made = bundle.make(source, B, payload, sequence, 60000)
    made.blocks.insert(0, Block(200, 9, 0, bundle.NO_CRC, b"once"))
    made.blocks.insert(0, Block(201, 8, bundle.BLOCK_REPLICATE, bundle.NO_CRC, b"each"))
    return made


def travelled(part):
    return bundle.decode(bundle.encode(part))


def test_fragments_in_any_order_give_the_same_bundle():
    random = mutations.Random(3)
    expected = bundle.encode(whole())
    for size in (1, 60, 499, 500, 900):
        parts = fragments.split(whole(), size)
        pile = fragments.Reassembler(40000, 60)
        found = None
        while parts:
            assert found is None
            found = pile.add(travelled(parts.pop(random.below(len(parts)))), 0)
        assert bundle.encode(found) == expected
        assert pile.held_bytes() == 0


def test_only_the_first_has_all_blocks():
    first, second = fragments.split(whole(), 300)
    assert [block.type for block in first.blocks] == [201, 200, 10, 7, 1]
    assert [block.type for block in second.blocks] == [201, 10, 7, 1]


def test_fragments_of_fragments_and_overlaps_come_together():
    pile = fragments.Reassembler(4000, 60)
    first, second = fragments.split(whole(), 300)
    others = fragments.split(first, 70) + fragments.split(whole(), 199)[1:] + [second]
    found = [pile.add(travelled(part), 0) for part in others]
    done = [one for one in found if one is not None]
    assert bundle.encode(done[0]) == bundle.encode(whole())


def test_what_may_not_be_fragmented_is_not():
    made = whole()
    made.flags = bundle.MUST_NOT_FRAGMENT
    raises(ValueError, fragments.split, made, 100)
    raises(ValueError, fragments.Reassembler(4000, 60).add, whole(), 0)


def test_lies_about_place_and_length_are_dropped():
    pile = fragments.Reassembler(4000, 60)
    first, second = fragments.split(whole(), 300)
    for offset, total in ((400, 500), (0, 1 << 40), (1 << 40, 500)):
        second.fragment_offset, second.fragment_total = offset, total
        assert pile.add(second, 0) is None
    assert (pile.dropped, pile.held_bytes()) == (3, 0)
    pile.add(first, 0)
    second.fragment_offset, second.fragment_total = 300, 501
    assert pile.add(second, 0) is None
    assert pile.dropped == 4


def test_what_stays_incomplete_is_given_up():
    pile = fragments.Reassembler(4000, 60)
    pile.add(fragments.split(whole(), 300)[0], 0)
    pile.tidy(60)
    assert pile.held_bytes() > 0
    pile.tidy(61)
    assert (pile.held_bytes(), pile.dropped) == (0, 1)


def test_a_flood_costs_bounded_memory_and_its_own_piles():
    pile = fragments.Reassembler(4000, 60)
    first, second = fragments.split(whole(), 300)
    pile.add(first, 0)
    for sequence in range(200):
        pile.add(fragments.split(whole(sequence, Eid(666, 1)), 300)[sequence % 2], 1)
        assert pile.held_bytes() <= 4000
    tiny = fragments.split(whole(999, Eid(666, 1)), 1)
    for at in range(0, 500, 2):  # one byte each, with holes between them
        pile.add(tiny[at], 2)
        assert pile.held_bytes() <= 4000
    assert bundle.encode(pile.add(second, 3)) == bundle.encode(whole())
