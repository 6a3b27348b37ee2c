"""A new file is said by what lies in an old one, whatever changed; what the other side makes of it is the new file."""

import hashlib
import random

import pytest

from hedgerow.plans import difference
from hedgerow.plans.difference import BLOCK_BYTES, SUM_BYTES

CHANCE = random.Random(1)
OLD = CHANCE.randbytes(7000)


def sums(old):
    blocks = [old[at : at + BLOCK_BYTES] for at in range(0, len(old), BLOCK_BYTES)]
    return b"".join(hashlib.sha256(block).digest()[:SUM_BYTES] for block in blocks)


def made_by(old, pieces):
    return b"".join(piece if isinstance(piece, bytes) else old[piece[0] : sum(piece)] for piece in pieces)


CHANGES = {
    "nothing": (OLD, 0),
    "all": (CHANCE.randbytes(500), 500),
    "a byte": (OLD[:3000] + b"x" + OLD[3001:], BLOCK_BYTES),
    "more in the middle": (OLD[:3000] + b"more" + OLD[3000:], BLOCK_BYTES + 4),
    "less in the middle": (OLD[:3000] + OLD[3100:], 2 * BLOCK_BYTES),
    "a new beginning": (b"new" + OLD, 3),
    "a new end": (OLD + b"new", BLOCK_BYTES),
    "a part that moved": (OLD[4096:] + OLD[:4096], 0),
    "nothing at all": (b"", 0),
}


@pytest.mark.parametrize("change", CHANGES)
def test_only_what_is_new_travels(change):
    new, at_most = CHANGES[change]
    pieces = difference.pieces(new, len(OLD), sums(OLD))
    assert made_by(OLD, pieces) == new
    assert difference.lacking(pieces) <= at_most


def test_requests_are_small_and_go_on_where_an_earlier_attempt_ended():
    new = OLD[:2000] + CHANCE.randbytes(3000) + OLD[2500:]
    pieces = difference.pieces(new, len(OLD), sums(OLD))
    for start in (0, 1, 1999, 2000, 4321, len(new) - 1, len(new)):
        at = start
        for offset, group in difference.requests(pieces, start, 512):
            assert offset == at
            assert difference.lacking(group) <= 512
            part = made_by(OLD, group)
            assert part == new[at : at + len(part)]
            at += len(part)
        assert at == len(new)


def test_of_a_file_of_which_nothing_is_known_all_travels():
    assert difference.pieces(OLD, 0, b"") == [OLD]
