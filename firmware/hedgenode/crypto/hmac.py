"""HMAC-SHA-256 (RFC 2104, RFC 4231) over hashlib. Knows bytes."""

import hashlib

MAC_BYTES = 32
_BLOCK_BYTES = 64
_INNER = int.from_bytes(b"\x36" * _BLOCK_BYTES, "big")
_OUTER = int.from_bytes(b"\x5c" * _BLOCK_BYTES, "big")


def hmac_sha256(key: bytes, *parts) -> bytes:
    """Return the 32 bytes that authenticate the parts one behind the other under key."""
    if len(key) > _BLOCK_BYTES:
        key = hashlib.sha256(key).digest()
    # One operation on one large integer: a loop over 64 bytes would take longer than the hash itself.
    padded = int.from_bytes(bytes(key) + bytes(_BLOCK_BYTES - len(key)), "big")
    inner = hashlib.sha256((padded ^ _INNER).to_bytes(_BLOCK_BYTES, "big"))
    for part in parts:
        inner.update(part)
    outer = hashlib.sha256((padded ^ _OUTER).to_bytes(_BLOCK_BYTES, "big"))
    outer.update(inner.digest())
    return outer.digest()
