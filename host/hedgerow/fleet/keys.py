"""Knows Ed25519 keys as bytes: seed, public key, key id, signature, and the X25519 form of the same key.

Refuses to know who holds them or where they lie. One key serves two curves: what signs as Ed25519 agrees on secrets as
X25519, by the birational map of RFC 7748 (4.1), so that a fleet has one public key for everybody to know.
"""

import hashlib
import secrets

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

SEED_BYTES = 32
PUBLIC_BYTES = 32
KEY_ID_BYTES = 8
SIGNATURE_BYTES = 64

_P = 2**255 - 19
_D = -121665 * pow(121666, -1, _P) % _P
_ANY_SCALAR = bytes(SEED_BYTES)  # clamping makes a multiple of eight of it, and that takes every small point to zero


def new_seed() -> bytes:
    """32 bytes from the operating system; whoever holds them holds the key."""
    return secrets.token_bytes(SEED_BYTES)


def public_of(seed: bytes) -> bytes:
    """The Ed25519 public key (RFC 8032, 5.1.5) of a 32-byte seed."""
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def key_id(public: bytes) -> bytes:
    """The first 8 bytes of the SHA-256 of a public key: node id, laptop id, custodian id alike."""
    return hashlib.sha256(public).digest()[:KEY_ID_BYTES]


def sign(seed: bytes, data: bytes) -> bytes:
    """The Ed25519 signature (RFC 8032, 5.1.6) of data, 64 bytes."""
    return Ed25519PrivateKey.from_private_bytes(seed).sign(data)


def verify(public: bytes, signature: bytes, data: bytes) -> bool:
    """Whether that signature of data was made with the seed of that public key. Never raises for bytes of strangers."""
    if len(public) != PUBLIC_BYTES or len(signature) != SIGNATURE_BYTES:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, data)
    except (InvalidSignature, ValueError):
        return False
    return True


def agreement_secret(seed: bytes) -> bytes:
    """The X25519 private key of a seed: the clamped scalar that Ed25519 signs with (RFC 8032, 5.1.5, steps 1 and 2)."""
    scalar = bytearray(hashlib.sha512(seed).digest()[:SEED_BYTES])
    scalar[0] &= 248
    scalar[31] = scalar[31] & 127 | 64
    return bytes(scalar)


def agreement_public(public: bytes) -> bytes | None:
    """The X25519 public key of an Ed25519 one, u = (1 + y) / (1 - y); None for bytes that are no key of anybody.

    Nobody's are: no canonical encoding, no point of the curve, or a point so small that every secret with it is zero.
    """
    if len(public) != PUBLIC_BYTES:
        return None
    y = int.from_bytes(public, "little") & (1 << 255) - 1
    if y >= _P or not _is_on_curve(y) or y == 1:
        return None
    made = ((1 + y) * pow(1 - y, -1, _P) % _P).to_bytes(PUBLIC_BYTES, "little")
    try:
        X25519PrivateKey.from_private_bytes(_ANY_SCALAR).exchange(X25519PublicKey.from_public_bytes(made))
    except ValueError:
        return None
    return made


def _is_on_curve(y: int) -> bool:
    square = (y * y - 1) * pow(_D * y * y + 1, -1, _P) % _P  # of x, RFC 8032, 5.1.3; d is no square, so never 1/0
    return square == 0 or pow(square, (_P - 1) // 2, _P) == 1
