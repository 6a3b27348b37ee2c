"""What two neighbouring fleets share on the air: the same secrets on both sides, and nothing for anybody else."""

from harness import vectors

try:
    import cryptolib  # noqa: F401
except ImportError:
    import fake_cryptolib

    fake_cryptolib.install()

from hedgenode.crypto import suite, suite_long, x25519
from hedgenode.crypto.linksec import LinkSecurity, link_keys
from hedgenode.crypto.sha512 import digest_steps
from hedgenode.crypto.steps import finish
from hedgewire import circle, document, link, rekey, trust

_bytes = bytes.fromhex
ONE, OTHER = b"fleet 1.", b"fleet 2."


def test_both_sides_compute_the_same_secrets():
    for case in vectors("circle")["circles"]:
        one, other, seed = _bytes(case["one"]), _bytes(case["other"]), _bytes(case["seed"])
        for pair in ((one, other), (other, one)):
            assert circle.circle_id(*pair).hex() == case["id"]
            for speaker, key in ((one, "one_speaks"), (other, "other_speaks")):
                made = circle.secret(suite, seed, pair[0], pair[1], case["epoch"], speaker)
                assert made.hex() == case[key]


def keys_of(seed):
    """X25519 (secret, public) of an Ed25519 seed."""
    secret = bytearray(finish(digest_steps(seed))[:32])
    secret[0] &= 248
    secret[31] = secret[31] & 127 | 64
    return bytes(secret), finish(x25519.public_steps(bytes(secret)))


def test_members_and_nobody_else_get_the_seed_from_a_neighbour_document():
    for case in vectors("circle")["neighbours"]:
        said = trust.read(document.understand(_bytes(case["body"])), trust.NEIGHBOUR)
        for seed in case["members"].values():
            assert finish(rekey.open_steps(suite_long, circle.rows(said), keys_of(_bytes(seed)))).hex() == case["seed"]
        assert finish(rekey.open_steps(suite_long, circle.rows(said), keys_of(bytes(32)))) is None


def counter():
    numbers = iter(range(1, 100))
    return lambda: next(numbers)


def test_two_nodes_with_one_short_id_in_two_fleets_hear_each_other():
    """The same id on both sides: under one key their nonces would meet."""
    seed = bytes(range(16))

    def secured(ours, theirs):
        made = LinkSecurity(5, counter())
        listened, spoken = [(1, link_keys(circle.secret(suite, seed, ours, theirs, 1, who))) for who in (theirs, ours)]
        made.set_keys(77, [listened], spoken)
        return made

    here, there = secured(ONE, OTHER), secured(OTHER, ONE)
    said = link.encode_hello(77, 5, 1234, ())
    frame = here.secure(said)
    assert there.open(frame) == said
    assert here.open(there.secure(said)) == said
    assert there.secure(said)[1:] != frame[1:]
    stranger = LinkSecurity(5, counter())
    stranger.set_keys(77, [(1, link_keys(bytes(32)))])
    assert stranger.open(frame) is None
