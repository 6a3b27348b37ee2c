"""The identity of a node: made once, whole or not at all, never guessed from one side alone."""

import os

from harness import raises, remove_folder, scratch_folder, vectors

from hedgenode import identity
from hedgenode.crypto import ed25519, x25519
from hedgenode.crypto.steps import finish
from hedgewire import cbor

ENTROPY = bytes(range(32))


def in_a_folder(test):
    """Run test(path) with the path of an identity that is not there yet; return what it returns."""
    folder = scratch_folder()
    try:
        return test(folder + "/identity.cbor")
    finally:
        remove_folder(folder)


def content(path):
    with open(path, "rb") as file:
        return file.read()


def test_a_new_node_has_no_key():
    assert in_a_folder(identity.public) is None


def test_create_keeps_a_seed_and_its_public_key():
    def test(path):
        key = identity.create(ENTROPY, path)
        kept = cbor.decode(content(path))
        assert sorted(kept) == ["public", "seed", "v"]
        assert kept["v"] == 1
        assert kept["public"] == key == ed25519.public_key(kept["seed"]) == identity.public(path)

    in_a_folder(test)


def test_create_again_changes_nothing():
    def test(path):
        first = identity.create(ENTROPY, path)
        before = content(path)
        assert identity.create(bytes(32), path) == first
        assert content(path) == before

    in_a_folder(test)


def test_the_same_host_bytes_never_make_the_same_node():
    assert in_a_folder(lambda path: identity.create(ENTROPY, path)) != in_a_folder(
        lambda path: identity.create(ENTROPY, path)
    )


def test_the_host_bytes_count_even_where_the_chip_has_no_chance():
    class NoChance:
        @staticmethod
        def urandom(count):
            return bytes(count)

    def test(entropy):
        return in_a_folder(lambda path: identity.create(entropy, path))

    real = identity.os
    identity.os = NoChance
    try:
        assert test(ENTROPY) == test(ENTROPY)
        assert test(ENTROPY) != test(bytes(32))
    finally:
        identity.os = real


def test_too_little_from_the_host_is_refused():
    def test(path):
        raises(ValueError, identity.create, bytes(15), path)
        assert identity.public(path) is None

    in_a_folder(test)


def test_a_damaged_identity_is_told_and_never_replaced():
    whole = cbor.encode({"v": 1, "seed": bytes(32), "public": bytes(32)})
    damaged = [b"", b"\xff", whole[:-1], whole + b"\x00", cbor.encode({"v": 2, "seed": bytes(32), "public": bytes(32)})]
    damaged += [cbor.encode({"v": 1, "seed": bytes(31), "public": bytes(32)}), cbor.encode([1])]

    def test(path):
        for data in damaged:
            with open(path, "wb") as file:
                file.write(data)
            raises(ValueError, identity.public, path)
            raises(ValueError, identity.create, ENTROPY, path)
            assert content(path) == data

    in_a_folder(test)


def test_a_cut_before_the_rename_leaves_no_identity_and_the_next_try_makes_one():
    class PowerCutError(Exception):
        pass

    class CutFlash(identity.Flash):
        def rename(self, old, new):
            raise PowerCutError

    def test(path):
        real = identity.Flash
        identity.Flash = CutFlash
        try:
            raises(PowerCutError, identity.create, ENTROPY, path)
        finally:
            identity.Flash = real
        assert identity.public(path) is None
        key = identity.create(ENTROPY, path)
        assert identity.public(path) == key
        assert os.listdir(path[: path.rfind("/")]) == ["identity.cbor"]

    in_a_folder(test)


def test_without_an_identity_there_is_none_to_load():
    assert in_a_folder(identity.load) is None


def test_a_loaded_identity_signs_as_its_key():
    def test(path):
        key = identity.create(ENTROPY, path)
        mine = identity.load(path)
        assert (mine.public, mine.id) == (key, identity.key_id(key))
        assert ed25519.verify(key, b"said", finish(mine.sign_steps(b"said")))

    in_a_folder(test)


def test_a_loaded_identity_agrees_with_anybody_who_knows_its_public_key():
    def test(path):
        for case in vectors("x25519")["from_ed25519"]:
            seed, public = bytes.fromhex(case["seed"]), bytes.fromhex(case["ed25519"])
            with open(path, "wb") as file:
                file.write(cbor.encode({"v": 1, "seed": seed, "public": public}))
            mine = identity.load(path)
            assert mine.agreement_secret().hex() == case["secret"], case["name"]
            assert mine.agreement_public.hex() == case["public"], case["name"]
            other = b"\x07" * 32
            wanted = x25519.shared(other, x25519.from_ed25519(public))
            assert x25519.shared(mine.agreement_secret(), x25519.public_key(other)) == wanted, case["name"]

    in_a_folder(test)


def test_an_identity_that_is_exchanged_under_a_running_node_signs_nothing():
    def test(path):
        identity.create(ENTROPY, path)
        mine = identity.load(path)
        os.remove(path)
        raises(ValueError, mine.agreement_secret)
        identity.create(ENTROPY, path)
        raises(ValueError, mine.agreement_secret)
        raises(ValueError, finish, mine.sign_steps(b"said"))

    in_a_folder(test)
