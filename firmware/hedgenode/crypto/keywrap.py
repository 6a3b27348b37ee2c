"""AES Key Wrap (RFC 3394) over cryptolib: one key sealed under another. Knows keys, not whose they are.

A wrapped key is 8 bytes longer than the key and needs no nonce, so the same key may be wrapped for many members. Six
rounds of AES-ECB, one block at a time: 3 ms for a key of 16 bytes on a Pico. Boards have AES with 128 and 256 bits, so
the vectors with 192 do not apply here. Not constant time: who holds the node holds its keys anyway.
"""

import cryptolib

ADDED_BYTES = 8

_ECB = 1
_HALF_BYTES = 8
_BLOCK_BYTES = 16
_ROUNDS = 6
_INITIAL = b"\xa6" * _HALF_BYTES  # section 2.2.3.1
_KEY_SIZES = (16, 32)


def wrap(key: bytes, secret: bytes) -> bytes:
    """Return secret (16 bytes or more, whole multiples of 8) sealed under a key of 16 or 32 bytes (section 2.2.1)."""
    if len(key) not in _KEY_SIZES or not _fits(len(secret)):
        raise ValueError("a key has 16 or 32 bytes, and what is wrapped 16 or more in multiples of 8")
    aes = cryptolib.aes(key, _ECB)
    wrapped = bytearray(_INITIAL + secret)
    block = bytearray(wrapped[:_BLOCK_BYTES])
    count = 0
    for _ in range(_ROUNDS):
        for at in range(_HALF_BYTES, len(wrapped), _HALF_BYTES):
            count += 1
            block[_HALF_BYTES:] = wrapped[at : at + _HALF_BYTES]
            aes.encrypt(block, block)
            wrapped[at : at + _HALF_BYTES] = block[_HALF_BYTES:]
            _add(block, count)
    wrapped[:_HALF_BYTES] = block[:_HALF_BYTES]
    return bytes(wrapped)


def unwrap(key: bytes, wrapped) -> "bytes | None":
    """Return the secret, or None where anything about wrapped is not as `wrap` made it under key (section 2.2.2)."""
    if len(key) not in _KEY_SIZES:
        raise ValueError("a key has 16 or 32 bytes")
    if not _fits(len(wrapped) - ADDED_BYTES):
        return None
    aes = cryptolib.aes(key, _ECB)
    secret = bytearray(wrapped)
    block = bytearray(secret[:_BLOCK_BYTES])
    count = _ROUNDS * (len(secret) // _HALF_BYTES - 1)
    for _ in range(_ROUNDS):
        for at in range(len(secret) - _HALF_BYTES, 0, -_HALF_BYTES):
            _add(block, count)
            block[_HALF_BYTES:] = secret[at : at + _HALF_BYTES]
            aes.decrypt(block, block)
            secret[at : at + _HALF_BYTES] = block[_HALF_BYTES:]
            count -= 1
    difference = 0
    for one, other in zip(block, _INITIAL):  # ends with the eight bytes of the initial value
        difference |= one ^ other
    return None if difference else bytes(secret[_HALF_BYTES:])


def _fits(count: int) -> bool:
    return count >= _BLOCK_BYTES and count % _HALF_BYTES == 0


def _add(block: bytearray, count: int) -> None:
    """Add the number of the step, modulo 2, to the first half of block."""
    at = _HALF_BYTES - 1
    while count:
        block[at] ^= count & 0xFF
        count >>= 8
        at -= 1
