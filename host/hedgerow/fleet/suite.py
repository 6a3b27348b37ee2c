"""Knows the host's primitives under the names that hedgewire asks for. Refuses to know whose keys they get.

The node has the same names in hedgenode.crypto.suite_long, so that formats and rules are one source. What takes long
there is a generator; here it is one that never pauses, and `finish` gives its result.
"""

import hmac
from collections.abc import Generator
from typing import TypeVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESCCM
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

Result = TypeVar("Result")
Steps = Generator[None, None, Result]

_TAG_BYTES = 8
_HASH_BYTES = 32
_KEM = b"KEM\x00\x20"
_HPKE = b"HPKE\x00\x20\x00\x01\xff\xff"
_VERSION = b"HPKE-v1"
_BASE = b"\x00"


def finish(steps: Steps[Result]) -> Result:
    """The result of a generator of hedgewire or of this module."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def extract(salt: bytes, secret: bytes) -> bytes:
    """HKDF-Extract (RFC 5869, 2.2) with SHA-256."""
    return hmac.digest(salt, secret, "sha256")


def expand(key: bytes, info: bytes, count: int) -> bytes:
    """HKDF-Expand (RFC 5869, 2.3) with SHA-256."""
    block, made = b"", b""
    for number in range(1, -(-count // _HASH_BYTES) + 1):
        block = hmac.digest(key, block + info + bytes([number]), "sha256")
        made += block
    return made[:count]


def encrypt(key: bytes, nonce: bytes, message: bytes, associated: bytes = b"") -> bytes:
    """AES-CCM-16-64-128 (COSE algorithm 10)."""
    return AESCCM(key, _TAG_BYTES).encrypt(nonce, bytes(message), associated)


def decrypt(key: bytes, nonce: bytes, sealed: bytes, associated: bytes = b"") -> bytes | None:
    """The message, or None where anything about it is not as it was."""
    try:
        return AESCCM(key, _TAG_BYTES).decrypt(nonce, bytes(sealed), associated)
    except (InvalidTag, ValueError):
        return None


def wrap(key: bytes, secret: bytes) -> bytes:
    """AES-KW (RFC 3394)."""
    return aes_key_wrap(key, secret)


def unwrap(key: bytes, wrapped: bytes) -> bytes | None:
    """The secret, or None where it was not wrapped under that key."""
    try:
        return aes_key_unwrap(key, bytes(wrapped))
    except (InvalidUnwrap, ValueError):
        return None


def agree_steps(secret: bytes, public: bytes) -> Steps[bytes | None]:
    """X25519 (RFC 7748); None for a public key of small order."""
    yield from ()
    return _agreed(secret, public)


def public_steps(secret: bytes) -> Steps[bytes]:
    """The X25519 public key of a secret."""
    yield from ()
    return X25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()


def hpke_send_steps(recipient: bytes, info: bytes, ephemeral: bytes) -> Steps[tuple[bytes, bytes] | None]:
    """(encapsulated key, exporter secret) in mode base of HPKE (RFC 9180, 5.1.1); None for a key of small order."""
    encapsulated = yield from public_steps(ephemeral)
    agreed = _agreed(ephemeral, recipient)
    return None if agreed is None else (encapsulated, _exporter(agreed, encapsulated + recipient, info))


def hpke_receive_steps(encapsulated: bytes, info: bytes, keys: tuple[bytes, bytes]) -> Steps[bytes | None]:
    """The exporter secret; keys are X25519 (secret, public)."""
    yield from ()
    agreed = _agreed(keys[0], encapsulated)
    return None if agreed is None else _exporter(agreed, encapsulated + keys[1], info)


def hpke_export(exporter: bytes, context: bytes, count: int) -> bytes:
    """Section 5.3."""
    return _labeled_expand(_HPKE, exporter, b"sec", context, count)


def _agreed(secret: bytes, public: bytes) -> bytes | None:
    try:
        return X25519PrivateKey.from_private_bytes(secret).exchange(X25519PublicKey.from_public_bytes(public))
    except ValueError:
        return None


def _exporter(agreed: bytes, kem_context: bytes, info: bytes) -> bytes:
    """ExtractAndExpand of section 4.1, then KeySchedule of section 5.1 without a pre-shared key."""
    shared = _labeled_expand(_KEM, _labeled_extract(_KEM, b"", b"eae_prk", agreed), b"shared_secret", kem_context, 32)
    context = _BASE + _labeled_extract(_HPKE, b"", b"psk_id_hash", b"")
    context += _labeled_extract(_HPKE, b"", b"info_hash", info)
    return _labeled_expand(_HPKE, _labeled_extract(_HPKE, shared, b"secret", b""), b"exp", context, _HASH_BYTES)


def _labeled_extract(suite: bytes, salt: bytes, label: bytes, secret: bytes) -> bytes:
    return extract(salt, _VERSION + suite + label + secret)


def _labeled_expand(suite: bytes, key: bytes, label: bytes, info: bytes, count: int) -> bytes:
    return expand(key, count.to_bytes(2, "big") + _VERSION + suite + label + info, count)
