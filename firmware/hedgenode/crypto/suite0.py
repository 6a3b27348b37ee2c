"""Cipher suite 0 of EDHOC (RFC 9528) on a board, as hedgewire.edhoc asks for it. Knows no key.

X25519, AES-CCM-16-64-128, SHA-256. The module itself is the suite.
"""

import hashlib

from hedgenode.crypto.ccm import decrypt, encrypt
from hedgenode.crypto.hkdf import expand, extract

__all__ = ("agree_steps", "decrypt", "encrypt", "expand", "extract", "hash", "number")

number = 0


def hash(data) -> bytes:  # noqa: A001 - the name that the suite of any side has
    """SHA-256."""
    return hashlib.sha256(data).digest()


def agree_steps(secret: bytes, public: bytes):
    """X25519; None for a public key of no use."""
    from hedgenode.crypto.x25519 import shared_steps  # large, and needed by handshakes only

    shared = yield from shared_steps(secret, public)
    return shared
