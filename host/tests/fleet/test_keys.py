"""Keys as bytes: standard vectors, one key on both curves, and nothing raised for what strangers send."""

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from hedgerow.fleet import keys

P = 2**255 - 19
SEEDS = st.binary(min_size=32, max_size=32)


def test_a_signature_is_the_one_of_rfc_8032():
    seed = bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")  # 7.1, test 2
    signature = keys.sign(seed, b"\x72")
    assert signature.hex() == (
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )
    assert keys.verify(keys.public_of(seed), signature, b"\x72")


@given(SEEDS, st.binary(max_size=100), st.integers(0, 511))
def test_a_signature_with_one_bit_off_is_none(seed, data, bit):
    public, signature = keys.public_of(seed), bytearray(keys.sign(seed, data))
    signature[bit // 8] ^= 1 << bit % 8
    assert not keys.verify(public, bytes(signature), data)


@given(st.binary(max_size=40), st.binary(max_size=70), st.binary(max_size=20))
def test_bytes_of_strangers_are_no_signature_and_never_raise(public, signature, data):
    assert not keys.verify(public, signature, data)


@given(SEEDS, SEEDS)
def test_two_signing_keys_agree_on_one_secret_by_their_other_form(ana, ben):
    def secret(mine, theirs):
        other = keys.agreement_public(keys.public_of(theirs))
        assert other is not None
        private = X25519PrivateKey.from_private_bytes(keys.agreement_secret(mine))
        assert other != private.public_key().public_bytes_raw() or mine == theirs
        return private.exchange(X25519PublicKey.from_public_bytes(other))

    assert secret(ana, ben) == secret(ben, ana)


@given(SEEDS)
def test_both_ways_to_the_agreement_key_of_a_seed_meet(seed):
    private = X25519PrivateKey.from_private_bytes(keys.agreement_secret(seed))
    assert private.public_key().public_bytes_raw() == keys.agreement_public(keys.public_of(seed))
    assert keys.agreement_secret(seed)[1:31] == hashlib.sha512(seed).digest()[1:31]


@pytest.mark.parametrize(
    "y",
    [
        0,  # order 4
        1,  # the neutral point
        P - 1,  # order 2
        2707385501144840649318225287225658788936804267575313519463743609750303402022,  # order 8
        2,  # no point of the curve has it
        P,  # 0, written in another way
    ],
)
def test_what_is_nobodys_key_has_no_other_form(y):
    assert keys.agreement_public(y.to_bytes(32, "little")) is None
    assert keys.agreement_public(b"") is None
