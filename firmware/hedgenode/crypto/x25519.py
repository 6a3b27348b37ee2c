"""X25519 key agreement (RFC 7748). Knows numbers and keys of 32 bytes; makes no randomness and judges no shared secret.

The Montgomery ladder of section 5, one bit a round: nine products, each folded once, and four divisions of what a fold
leaves: half a second of big integers on a Pico, and a fifth where thumb25519 does the rounds. Not constant time.
"""

import sys

from hedgenode.crypto.field25519 import ARMV6M, MASK, P, invert
from hedgenode.crypto.steps import finish

KEY_BYTES = 32
BASE = b"\x09" + bytes(31)  # the point of which every public key is a multiple
_A24 = 121665


def _ladder(x1: int, state, byte: int):
    """Take the ladder down one byte of the scalar from (x2, z2, x3, z3); the letters are those of section 5."""
    x2, z2, x3, z3 = state
    mask = MASK
    prime = P
    swapped = 0
    for i in range(7, -1, -1):
        if byte >> i & 1 != swapped:
            swapped ^= 1
            x2, x3 = x3, x2
            z2, z3 = z3, z2
        a = x2 + z2
        b = x2 - z2
        c = (x3 + z3) * b
        c = (c & mask) + (c >> 255) * 19
        d = (x3 - z3) * a
        d = (d & mask) + (d >> 255) * 19
        a = a * a
        a = (a & mask) + (a >> 255) * 19
        b = b * b
        b = (b & mask) + (b >> 255) * 19
        x2 = a * b
        x2 = ((x2 & mask) + (x2 >> 255) * 19) % prime
        b = a - b
        z2 = (b * _A24 + a) * b
        z2 = ((z2 & mask) + (z2 >> 255) * 19) % prime
        x3 = d + c
        x3 = x3 * x3
        x3 = ((x3 & mask) + (x3 >> 255) * 19) % prime
        z3 = d - c
        z3 = z3 * z3
        z3 = ((z3 & mask) + (z3 >> 255) * 19) * x1
        z3 = ((z3 & mask) + (z3 >> 255) * 19) % prime
    return (x3, z3, x2, z2) if swapped else (x2, z2, x3, z3)


if getattr(sys.implementation, "_mpy", 0) >> 10 & 15 == ARMV6M:
    try:
        from hedgenode.crypto.thumb25519 import ladder as _ladder
    except (ImportError, MemoryError):
        pass


def shared_steps(secret: bytes, public: bytes):
    """Return the 32 bytes that a secret and the other side's public key make (section 6.1).

    None where the other side's key is a point of small order: what comes of it, everybody knows.
    """
    if len(secret) != KEY_BYTES or len(public) != KEY_BYTES:
        raise ValueError("a key has 32 bytes")
    scalar = bytearray(secret)  # bytes, because a bit taken from a large integer would be a large integer again
    scalar[0] &= 248
    scalar[31] = scalar[31] & 127 | 64
    x1 = (int.from_bytes(public, "little") & MASK) % P
    state = (1, 0, x1, 1)
    for i in range(31, -1, -1):
        state = _ladder(x1, state, scalar[i])
        yield
    u = state[0] * invert(state[1]) % P
    return u.to_bytes(32, "little") if u else None


def public_steps(secret: bytes):
    """Return the public key of 32 secret bytes: their multiple of the base point by the comb of Ed25519, moved over."""
    from hedgenode.crypto.ed25519 import ORDER, multiply_steps  # large, and not needed to agree

    if len(secret) != KEY_BYTES:
        raise ValueError("a key has 32 bytes")
    scalar = int.from_bytes(secret, "little") & ((1 << 254) - 8) | (1 << 254)
    point = yield from multiply_steps(scalar % ORDER)
    y, z = point[1], point[2]
    return ((z + y) * invert(z - y) % P).to_bytes(32, "little")


def from_ed25519(public: bytes) -> "bytes | None":
    """Return the X25519 form of an Ed25519 public key: u = (1 + y) / (1 - y) (section 4.1).

    None where the key is not in its one form, or stands for the point that has no such form. One inverse: 20 ms on a
    Pico. Whether the key lies on the curve is not asked: an agreement is safe on its twist as well.
    """
    if len(public) != KEY_BYTES:
        return None
    y = int.from_bytes(public, "little") & MASK
    if y >= P or y == 1:
        return None
    return ((1 + y) * invert(1 - y) % P).to_bytes(32, "little")


def from_ed25519_steps(public: bytes):
    """Return what `from_ed25519` returns, with a pause before it, so that callers treat all keys alike."""
    yield
    return from_ed25519(public)


def shared(secret: bytes, public: bytes) -> "bytes | None":
    """Return what `shared_steps` returns, without a pause."""
    return finish(shared_steps(secret, public))


def public_key(secret: bytes) -> bytes:
    """Return what `public_steps` returns, without a pause."""
    return finish(public_steps(secret))
