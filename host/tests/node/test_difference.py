"""A new file is said by what lies in an old one, whatever changed; what the other side makes of it is the new file."""

import asyncio
import hashlib
import random

import pytest

from hedgerow.errors import RefusedError
from hedgerow.plans import difference
from hedgerow.plans.difference import BLOCK_BYTES, SUM_BYTES
from hedgerow.plans.update import put_difference

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
    "a part that moved": (OLD[4096:] + OLD[:4096], BLOCK_BYTES),
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


class Node:
    """What a node does with a file that is put; `sums` None: one of an earlier release, which knows no base."""

    piece_bytes = 1024

    def __init__(self, old, sums):
        self.old, self.sums = old, sums
        self.asked = []
        self.file = b""

    async def ask(self, method, params=None):
        self.asked.append(method)
        if method == "put_begin":
            self.wanted, self.file = params["sha256"], b""
            return {"have": 0} if self.sums is None else {"have": 0, "size": len(self.old), "sums": self.sums}
        if method == "put_end":
            if hashlib.sha256(self.file).digest() != self.wanted:
                raise RefusedError("it arrived damaged")
            return {"sha256": self.wanted}
        assert params["offset"] == len(self.file)
        self.file += params["data"] if method == "put_data" else made_by(self.old, params["pieces"])
        return {"next": len(self.file)}


NEW = CHANGES["more in the middle"][0]


def put(node):
    return asyncio.run(put_difference(node, "/b/x.mpy", NEW, "/a/x.mpy"))


def test_a_node_of_the_release_before_gets_the_whole_file():
    node = Node(OLD, None)
    assert put(node) == len(NEW)
    assert node.file == NEW
    assert "put_pieces" not in node.asked


def test_a_node_that_has_an_old_one_gets_the_difference():
    node = Node(OLD, sums(OLD))
    assert put(node) == CHANGES["more in the middle"][1]
    assert node.file == NEW
    assert "put_data" not in node.asked


def test_where_sums_match_and_bytes_do_not_the_whole_file_follows():
    node = Node(bytes(len(OLD)), sums(OLD))
    assert put(node) == len(NEW)
    assert node.file == NEW
    assert "put_pieces" in node.asked
