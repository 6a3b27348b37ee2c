"""HKDF with SHA-256 (RFC 5869): keys out of a secret. Knows bytes."""

from hedgenode.crypto.hmac import MAC_BYTES, hmac_sha256


def extract(salt: bytes, secret: bytes) -> bytes:
    """Return the pseudorandom key of 32 bytes (section 2.2); an empty salt stands for 32 zeros."""
    return hmac_sha256(salt, secret)


def expand(key: bytes, info: bytes, count: int) -> bytes:
    """Return count bytes, at most 8160, out of a pseudorandom key for the purpose that info names (section 2.3)."""
    if not 0 <= count <= 255 * MAC_BYTES:
        raise ValueError("HKDF gives 0 to 8160 bytes")
    block = b""
    made = bytearray()
    number = 0
    while len(made) < count:
        number += 1
        block = hmac_sha256(key, block, info, bytes([number]))
        made.extend(block)
    return bytes(made[:count])
