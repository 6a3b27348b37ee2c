"""CRC-16/X.25 and CRC-32C over bytes, as RFC 9171 (4.2.1) uses them. Knows no format and no framing."""

from array import array
from struct import unpack_from

_CHUNK_WORDS = 128  # bounds what one call of unpack_from allocates


def _remainders16(polynomial):
    """The 256 remainders of a reflected 16-bit polynomial: each power of two, then sums (a CRC is linear)."""
    table = array("H", bytes(512))
    crc = 1
    bit = 128
    while bit:
        crc = (crc >> 1) ^ polynomial if crc & 1 else crc >> 1
        for low in range(0, 256, bit * 2):
            table[low + bit] = crc ^ table[low]
        bit >>= 1
    return table


# Two bytes a step, for a stream pays this for every byte: _ONE shifts one byte out, _TWO the byte before it.
_ONE = _remainders16(0x8408)
_TWO = array("H", bytes(512))
for _byte in range(256):
    _TWO[_byte] = (_ONE[_byte] >> 8) ^ _ONE[_ONE[_byte] & 0xFF]


def crc16(data, crc: int = 0) -> int:
    """CRC-16/X.25 of data; `crc` is the result over the bytes before it (check value of "123456789": 0x906E)."""
    one, two = _ONE, _TWO
    crc ^= 0xFFFF
    at = 0
    words = len(data) >> 1
    while words:
        count = min(words, _CHUNK_WORDS)
        for word in unpack_from("<128H" if count == _CHUNK_WORDS else f"<{count}H", data, at):
            crc ^= word
            crc = two[crc & 0xFF] ^ one[crc >> 8]
        at += 2 * count
        words -= count
    if at < len(data):
        crc = one[(crc ^ data[at]) & 0xFF] ^ (crc >> 8)
    return crc ^ 0xFFFF


def crc32c(data, crc: int = 0) -> int:
    """CRC-32C (Castagnoli) of data; `crc` as in crc16 (check value of "123456789": 0xE3069283)."""
    # Loaded on first use: our own bundles carry CRC-16, so most nodes never need it, nor its kilobyte of tables.
    from hedgewire import crc32c as castagnoli

    return castagnoli.crc32c(data, crc)
