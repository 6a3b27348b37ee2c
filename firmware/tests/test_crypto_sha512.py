"""SHA-512 against FIPS 180-4 and at the edges of its blocks."""

from harness import vectors

from hedgenode.crypto.sha512 import digest, digest_steps
from hedgenode.crypto.steps import finish


def test_vectors():
    for case in vectors("sha512")["digests"]:
        assert digest(bytes.fromhex(case["message"])).hex() == case["digest"], case["name"]


def test_parts_hash_like_the_whole():
    data = bytes([i & 0xFF for i in range(300)])
    wanted = digest(data)
    for cuts in ((0, 0), (1, 2), (127, 128), (128, 256), (5, 299), (300, 300)):
        parts = (data[: cuts[0]], memoryview(data)[cuts[0] : cuts[1]], bytearray(data[cuts[1] :]))
        assert finish(digest_steps(*parts)) == wanted, cuts


def test_a_long_message_yields_after_every_block():
    assert len([None for _ in digest_steps(bytes(1000))]) == 8
