"""The node's primitives against those of `cryptography`, on random cases from a fixed seed."""

import hashlib
import random

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hedgenode.crypto import ed25519, sha512
from hedgenode.crypto.steps import finish

CASES = 1000


def accepted_by_cryptography(public: bytes, message: bytes, signature: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def with_one_bit_turned(data: bytes, chance: random.Random) -> bytes:
    changed = bytearray(data)
    bit = chance.randrange(8 * len(data))
    changed[bit >> 3] ^= 1 << (bit & 7)
    return bytes(changed)


def test_sha512_of_random_messages():
    chance = random.Random(512)
    for _ in range(CASES):
        message = chance.randbytes(chance.randrange(400))
        assert sha512.digest(message) == hashlib.sha512(message).digest(), message.hex()


def test_public_keys_and_signatures_of_random_seeds():
    chance = random.Random(8032)
    for _ in range(CASES):
        seed = chance.randbytes(32)
        message = chance.randbytes(chance.randrange(200))
        reference = Ed25519PrivateKey.from_private_bytes(seed)
        key = finish(ed25519.signing_key_steps(seed))
        assert key.public == reference.public_key().public_bytes_raw(), seed.hex()
        assert finish(key.sign_steps(message)) == reference.sign(message), (seed.hex(), message.hex())


def test_good_and_damaged_signatures_are_judged_alike():
    chance = random.Random(2032)
    good = 0
    for number in range(CASES):
        reference = Ed25519PrivateKey.from_private_bytes(chance.randbytes(32))
        message = chance.randbytes(chance.randrange(1, 200))
        signed = [reference.public_key().public_bytes_raw(), message, reference.sign(message)]
        damaged = number % 4  # every fourth is left whole
        if damaged < 3:
            signed[damaged] = with_one_bit_turned(signed[damaged], chance)
        verdict = ed25519.verify(*signed)
        assert verdict == accepted_by_cryptography(*signed), [part.hex() for part in signed]
        good += verdict
    assert good == CASES // 4
