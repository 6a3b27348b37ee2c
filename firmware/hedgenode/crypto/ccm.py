"""AES-CCM-16-64-128 (RFC 3610 with L = 2 and M = 8; COSE algorithm 10) over cryptolib. Knows one message at a time.

Boards have AES in ECB and CBC, in C. The tag is one CBC pass over everything, the key stream is one ECB pass over all
counters, and the sum of stream and message is one operation on two large integers: 2 ms for 200 bytes on a Pico. It
needs about eight times the message in memory; what is long is cut before it comes here.
"""

import cryptolib

KEY_BYTES = 16
NONCE_BYTES = 13
TAG_BYTES = 8
MAX_BYTES = 0xFFFF
MAX_ASSOCIATED_BYTES = 0xFEFF

_ECB = 1
_CBC = 2
_BLOCK_BYTES = 16
_LENGTH_OF_LENGTH = 1  # L - 1
_FLAGS = 8 * ((TAG_BYTES - 2) // 2) + _LENGTH_OF_LENGTH
_WITH_ASSOCIATED = 64


def encrypt(key: bytes, nonce: bytes, message, associated: bytes = b"") -> bytes:
    """Return the encrypted message with its tag behind it. A nonce must never serve twice under one key."""
    if len(key) != KEY_BYTES or len(nonce) != NONCE_BYTES:
        raise ValueError("a key has 16 bytes and a nonce 13")
    if len(message) > MAX_BYTES or len(associated) > MAX_ASSOCIATED_BYTES:
        raise ValueError("too long for one message of CCM")
    stream = _stream(key, nonce, len(message))
    tag = _xor(_mac(key, nonce, message, associated), stream[:TAG_BYTES])
    return _xor(message, stream[_BLOCK_BYTES:]) + tag


def decrypt(key: bytes, nonce: bytes, sealed, associated: bytes = b"") -> "bytes | None":
    """Return the message, or None where anything about it is not as it was when it was encrypted."""
    if len(key) != KEY_BYTES or len(nonce) != NONCE_BYTES:
        raise ValueError("a key has 16 bytes and a nonce 13")
    count = len(sealed) - TAG_BYTES
    if not 0 <= count <= MAX_BYTES or len(associated) > MAX_ASSOCIATED_BYTES:
        return None
    stream = _stream(key, nonce, count)
    message = _xor(sealed[:count], stream[_BLOCK_BYTES:])
    tag = _xor(_mac(key, nonce, message, associated), stream[:TAG_BYTES])
    difference = 0
    for one, other in zip(tag, sealed[count:]):
        difference |= one ^ other
    return None if difference else message


def _mac(key: bytes, nonce: bytes, message, associated: bytes) -> bytes:
    """Return the first bytes of the CBC-MAC over flags, nonce, length, associated data and message (section 2.2)."""
    flags = _FLAGS | (_WITH_ASSOCIATED if associated else 0)
    data = bytearray(bytes([flags]) + nonce + len(message).to_bytes(2, "big"))
    if associated:
        data.extend(len(associated).to_bytes(2, "big"))
        data.extend(associated)
        _fill(data)
    data.extend(message)
    _fill(data)
    cryptolib.aes(key, _CBC, bytes(_BLOCK_BYTES)).encrypt(data, data)
    return bytes(data[-_BLOCK_BYTES : -_BLOCK_BYTES + TAG_BYTES])


def _fill(data: bytearray) -> None:
    data.extend(bytes(-len(data) % _BLOCK_BYTES))


def _stream(key: bytes, nonce: bytes, count: int) -> memoryview:
    """Return the encrypted counters (section 2.3): block 0 for the tag, from block 1 on for count bytes of message."""
    blocks = 1 + (count + _BLOCK_BYTES - 1) // _BLOCK_BYTES
    data = bytearray((bytes([_LENGTH_OF_LENGTH]) + nonce + b"\x00\x00") * blocks)
    for number in range(1, blocks):
        data[_BLOCK_BYTES * number + 14] = number >> 8
        data[_BLOCK_BYTES * number + 15] = number & 0xFF
    cryptolib.aes(key, _ECB).encrypt(data, data)
    return memoryview(data)[: _BLOCK_BYTES + count]


def _xor(data, stream) -> bytes:
    """Return data plus stream; both have the same length."""
    return (int.from_bytes(data, "big") ^ int.from_bytes(stream, "big")).to_bytes(len(data), "big")
