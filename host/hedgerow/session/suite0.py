"""Cipher suite 0 of EDHOC (RFC 9528) on a laptop, as hedgewire.edhoc asks for it. Knows no key.

X25519, AES-CCM-16-64-128, SHA-256, all of `cryptography`. The module itself is the suite.
"""

import hashlib
import hmac
from collections.abc import Generator

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESCCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

number = 0
TAG_BYTES = 8


def hash(data: bytes) -> bytes:  # noqa: A001 - the name that the suite of any side has
    """SHA-256."""
    return hashlib.sha256(data).digest()


def extract(salt: bytes, secret: bytes) -> bytes:
    """HKDF-Extract."""
    return hmac.digest(salt, secret, "sha256")


def expand(key: bytes, info: bytes, count: int) -> bytes:
    """HKDF-Expand."""
    return HKDFExpand(SHA256(), count, info).derive(key)


def encrypt(key: bytes, nonce: bytes, message: bytes, associated: bytes = b"") -> bytes:
    """The message with its tag behind it."""
    return AESCCM(key, tag_length=TAG_BYTES).encrypt(nonce, message, associated)


def decrypt(key: bytes, nonce: bytes, sealed: bytes, associated: bytes = b"") -> bytes | None:
    """The message, or None where anything about it is not as it was."""
    if len(sealed) < TAG_BYTES:
        return None
    try:
        return AESCCM(key, tag_length=TAG_BYTES).decrypt(nonce, sealed, associated)
    except InvalidTag:
        return None


def agree(secret: bytes, public: bytes) -> bytes | None:
    """X25519; None for a key with which every secret is the same."""
    try:
        return X25519PrivateKey.from_private_bytes(secret).exchange(X25519PublicKey.from_public_bytes(public))
    except ValueError:
        return None


def agree_steps(secret: bytes, public: bytes) -> Generator[None, None, bytes | None]:
    """The same in the form that a board needs, which does it step by step; here it is one."""
    yield
    return agree(secret, public)


def public_of(secret: bytes) -> bytes:
    """The public key of an ephemeral secret."""
    return X25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()
