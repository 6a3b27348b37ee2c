"""The node's primitives against those of `cryptography`, on random cases from a fixed seed."""

import hashlib
import hmac as stdlib_hmac
import random

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESCCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF, HKDFExpand
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from hedgenode.crypto import ccm, ed25519, hkdf, hpke, keywrap, sha512, x25519
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


def test_keys_to_sign_moved_over_to_agree_by_random_seeds():
    chance = random.Random(4748)
    for _ in range(CASES):
        seed = chance.randbytes(32)
        secret = X25519PrivateKey.from_private_bytes(hashlib.sha512(seed).digest()[:32])  # clamps by itself
        signs = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
        assert x25519.from_ed25519(signs) == secret.public_key().public_bytes_raw(), seed.hex()


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


def opened_by_cryptography(key: bytes, wrapped: bytes) -> bytes | None:
    try:
        return aes_key_unwrap(key, wrapped)
    except InvalidUnwrap:
        return None


def test_wrapped_keys_of_random_sizes_whole_and_damaged():
    chance = random.Random(3394)
    for _ in range(CASES):
        key, secret = chance.randbytes(chance.choice((16, 32))), chance.randbytes(8 * chance.randrange(2, 20))
        wrapped = aes_key_wrap(key, secret)
        assert keywrap.wrap(key, secret) == wrapped
        assert keywrap.unwrap(key, wrapped) == secret
        damaged = with_one_bit_turned(wrapped, chance)
        assert keywrap.unwrap(key, damaged) is None
        assert opened_by_cryptography(key, damaged) is None


def exporter_by_cryptography(
    ephemeral: X25519PrivateKey, recipient: X25519PublicKey, info: bytes, sender: X25519PrivateKey | None
) -> bytes:
    """RFC 9180, sections 4.1 and 5.1, put together once more: of the parts of `cryptography`, and as one piece."""

    def extract(suite: bytes, salt: bytes, label: bytes, secret: bytes) -> bytes:
        return stdlib_hmac.digest(salt or bytes(32), b"HPKE-v1" + suite + label + secret, "sha256")

    def expand(suite: bytes, key: bytes, label: bytes, context: bytes) -> bytes:
        whole = (32).to_bytes(2, "big") + b"HPKE-v1" + suite + label + context
        return HKDFExpand(hashes.SHA256(), 32, whole).derive(key)

    kem, suite = b"KEM" + bytes([0, 0x20]), b"HPKE" + bytes([0, 0x20, 0, 1, 0xFF, 0xFF])
    agreed = ephemeral.exchange(recipient)
    context = ephemeral.public_key().public_bytes_raw() + recipient.public_bytes_raw()
    if sender:
        agreed += sender.exchange(recipient)
        context += sender.public_key().public_bytes_raw()
    shared = expand(kem, extract(kem, b"", b"eae_prk", agreed), b"shared_secret", context)
    mode = bytes([2 if sender else 0])
    hashed = extract(suite, b"", b"psk_id_hash", b"") + extract(suite, b"", b"info_hash", info)
    return expand(suite, extract(suite, shared, b"secret", b""), b"exp", mode + hashed)


def test_secrets_sent_by_random_keys_with_and_without_a_sender():
    chance = random.Random(9180)
    for number in range(CASES):
        ephemeral, recipient, sender = [X25519PrivateKey.from_private_bytes(chance.randbytes(32)) for _ in range(3)]
        pairs = [(key.private_bytes_raw(), key.public_key().public_bytes_raw()) for key in (recipient, sender)]
        from_whom = pairs[1] if number % 2 else None
        info = chance.randbytes(chance.randrange(100))
        wanted = exporter_by_cryptography(ephemeral, recipient.public_key(), info, sender if from_whom else None)
        encapsulated = ephemeral.public_key().public_bytes_raw()
        # Half the cases a side: what each does is mostly agreements, which have a test of their own.
        if number // 2 % 2:
            sent = finish(hpke.send_steps(pairs[0][1], info, ephemeral.private_bytes_raw(), from_whom))
            assert sent == (encapsulated, wanted), number
        else:
            received = hpke.receive_steps(encapsulated, info, pairs[0], from_whom and from_whom[1])
            assert finish(received) == wanted, number
