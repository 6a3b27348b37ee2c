"""Peers that lie cost no exception and a bounded piece of memory, on either interpreter."""

import gc

import hostile
import mutations

from hedgewire import bundle, cbor, fragments, reconcile, reports
from hedgewire.bundle import Eid

# A desktop's object weighs two to three of a board's.
BOUND_PER_BYTE = 60
BOUND_BYTES = 6000


def held_by(call, peak=False):
    """(bytes of memory that the result of a call holds on to, the result); CPython tells the peak on the way, too."""
    try:
        import tracemalloc
    except ImportError:
        gc.collect()
        before = gc.mem_alloc()
        kept = call()
        gc.collect()
        return gc.mem_alloc() - before, kept
    tracemalloc.start()
    kept = call()
    held = tracemalloc.get_traced_memory()[1 if peak else 0]
    tracemalloc.stop()
    return held, kept


def test_2000_pieces_of_lies_to_each_raise_nothing():
    for subject in hostile.SUBJECTS:
        good, bad = hostile.run(subject, 2000, 77)
        assert good > 100, subject.__name__
        assert bad > 100, subject.__name__


def test_what_is_decoded_holds_no_more_than_its_bytes_are_worth():
    random = mutations.Random(9)
    lies = [
        ("arrays", cbor.decode, b"\x99\x07\xd0" + b"\x80" * 2000),
        ("maps", cbor.decode, b"\x99\x07\xd0" + b"\xa0" * 2000),
        ("nested", cbor.decode, b"\x99\x02\x9a" + b"\x81\x81\x80" * 666),
        ("texts", cbor.decode, b"\x99\x03\xe8" + b"\x61\x78" * 1000),
        ("numbers", cbor.decode, b"\x99\x07\xd0" + b"\x17" * 2000),
        ("records", reports.decode, b"\x82\x09\x99\x07\xd0" + b"\x80" * 2000),
        ("blocks", bundle.decode, b"\x9f" + b"\x85\x18\xc8\x02\x00\x00\x40" * 290),
    ]
    for name, decode, data in lies:
        held, found = held_by(lambda decode=decode, data=data: decode(data))
        assert held <= BOUND_PER_BYTE * len(data) // 4 + BOUND_BYTES, (name, held, len(data))
        del found
    for name, _check, valid in mutations.subjects():
        decode = {"cbor": cbor.decode, "bundle": bundle.decode}.get(name)
        for _ in range(0 if decode is None else 60):
            data = mutations.change(random, valid[random.below(len(valid))], valid[0])
            held, found = held_by(lambda decode=decode, data=data: decode(data))
            assert held <= BOUND_PER_BYTE * len(data) + BOUND_BYTES, (name, held, data)


def test_reassembly_is_as_small_as_it_says_however_small_the_pieces_are():
    pile = fragments.Reassembler(20000, 60)

    def flood():
        for number in range(1500):
            made = bundle.make(Eid(number % 300, 1), Eid(1, 1), b"ab", number, 60000, 1)
            pile.add(bundle.decode(bundle.encode(fragments.split(made, 1)[number % 2])), 0)

    held, _ = held_by(flood)
    assert pile.dropped > 1000
    assert held <= 4 * 20000, held


def test_the_cheapest_lie_about_a_range_costs_nothing_that_grows_with_the_store():
    ids = reconcile.sorted_ids([hostile.an_id(number) for number in range(2000)])
    nothing_of_all = b"\x01\x01\x02\x03\x04\x80\x00"
    held, found = held_by(lambda: reconcile.answer(ids, nothing_of_all, 300), peak=True)
    assert held <= 8000, held
    assert len(found.give) == 36
    assert found.left_out == 2000 - 36
