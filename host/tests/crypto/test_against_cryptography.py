"""The node's primitives against those of `cryptography`, on random cases from a fixed seed."""

import hashlib
import hmac as stdlib_hmac
import random

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESCCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from hedgenode.crypto import ccm, ed25519, hkdf, sha512, x25519
from hedgenode.crypto.hmac import hmac_sha256
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


def test_agreements_of_random_keys():
    chance = random.Random(7748)
    for number in range(CASES):
        secret = chance.randbytes(32)
        reference = X25519PrivateKey.from_private_bytes(secret)
        other = chance.randbytes(32)  # any 32 bytes are a key; half of them lie on the twist of the curve
        wanted = reference.exchange(X25519PublicKey.from_public_bytes(other))
        assert x25519.shared(secret, other) == wanted, (secret.hex(), other.hex())
        if number % 4 == 0:
            assert x25519.public_key(secret) == reference.public_key().public_bytes_raw(), secret.hex()


def test_the_thousandth_agreement_of_the_rfc():
    secret = public = b"\x09" + bytes(31)
    for _ in range(1000):
        secret, public = x25519.shared(secret, public), secret
    assert secret.hex() == "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51"  # section 5.2


def test_sealed_messages_of_random_sizes():
    chance = random.Random(3610)
    for _ in range(CASES):
        key, nonce = chance.randbytes(16), chance.randbytes(13)
        message, associated = chance.randbytes(chance.randrange(300)), chance.randbytes(chance.randrange(50))
        sealed = AESCCM(key, tag_length=8).encrypt(nonce, message, associated)
        assert ccm.encrypt(key, nonce, message, associated) == sealed
        assert ccm.decrypt(key, nonce, sealed, associated) == message
        assert ccm.decrypt(key, nonce, with_one_bit_turned(sealed, chance), associated) is None


def test_macs_and_derived_keys_of_random_sizes():
    chance = random.Random(5869)
    for _ in range(CASES):
        key, data = chance.randbytes(chance.randrange(150)), chance.randbytes(chance.randrange(300))
        assert hmac_sha256(key, data) == stdlib_hmac.digest(key, data, "sha256")
        salt, info, count = chance.randbytes(chance.randrange(80)), chance.randbytes(chance.randrange(80)), 100
        wanted = HKDF(hashes.SHA256(), count, salt, info).derive(key)
        assert hkdf.expand(hkdf.extract(salt, key), info, count) == wanted
