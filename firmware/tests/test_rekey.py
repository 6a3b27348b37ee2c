"""Rekey documents: vectors, damage, and that only members find the seed."""

from harness import raises, vectors

try:
    import cryptolib  # noqa: F401
except ImportError:
    import fake_cryptolib

    fake_cryptolib.install()

from hedgenode.crypto import ed25519, sha512, x25519
from hedgenode.crypto import suite_long as suite
from hedgenode.crypto.steps import finish
from hedgewire import cbor, rekey


def keys_of(seed):
    """X25519 (secret, public) of an Ed25519 seed."""
    return sha512.digest(seed)[:32], x25519.from_ed25519(ed25519.public_key(seed))


def seed_for(document, keys):
    return finish(rekey.open_steps(suite, document, keys))


def test_every_member_of_a_vector_finds_the_seed_and_a_stranger_does_not():
    for case in vectors("rekey")["documents"]:
        document = rekey.parse(cbor.decode(bytes.fromhex(case["hex"])))
        assert document.group.hex() == case["group"], case["name"]
        assert (document.epoch, len(document.members)) == (case["epoch"], 24 * case["members"]), case["name"]
        for seed in case["seeds"]:
            assert seed_for(document, keys_of(bytes.fromhex(seed))) == bytes.fromhex(case["secret"]), case["name"]
        assert seed_for(document, keys_of(b"\x77" * 32)) is None, case["name"]


def test_damage_is_named():
    for case in vectors("rekey")["damaged"]:
        found = rekey.parse(cbor.decode(bytes.fromhex(case["hex"])))
        assert isinstance(found, cbor.Damage), case["name"]
        assert found.reason == case["reason"], (case["name"], found)
    for nothing in (None, [], b"x", cbor.Damage("truncated", 0)):
        assert isinstance(rekey.parse(nothing), cbor.Damage)


def small_document():
    members = [keys_of(bytes((number,)) * 32) for number in (1, 2)]
    publics = [public for _, public in members]
    fields = finish(rekey.make_steps(suite, bytes(8), b"g" * 8, "bakers", 512, b"s" * 16, b"e" * 32, publics))
    return fields, members


def test_a_row_opens_in_its_own_document_alone():
    fields, members = small_document()
    for key, value in (("group", b"h" * 8), ("epoch", 768)):
        other = dict(fields)
        other[key] = value
        assert seed_for(rekey.parse(other), members[0]) is None, key
    wrong = dict(fields)
    wrong["members"] = bytes([byte ^ 1 for byte in fields["members"]])
    assert seed_for(rekey.parse(wrong), members[0]) is None
    assert seed_for(rekey.parse(fields), (members[0][0], members[1][1])) is None


def test_what_cannot_be_made_is_our_mistake_or_a_key_of_nobody():
    def make(seed, members):
        return finish(rekey.make_steps(suite, bytes(8), b"g" * 8, "n", 256, seed, b"e" * 32, members))

    raises(ValueError, make, b"s" * 16, [])
    raises(ValueError, make, b"s" * 15, [keys_of(b"1" * 32)[1]])
    raises(ValueError, make, b"s" * 16, [bytes(32)] * 65)
    assert make(b"s" * 16, [bytes(32)]) is None
    fields, members = small_document()
    fields["ephemeral"] = bytes(32)
    assert seed_for(rekey.parse(fields), members[0]) is None
