"""CRC-32C over bytes, with its tables, for crc.py, which loads this when somebody needs it. Knows no format."""

from array import array
from struct import pack, unpack


def _make_halves32c():
    low_half = array("H", bytes(512))
    high_half = array("H", bytes(512))
    low, high = 1, 0
    bit = 128
    while bit:
        odd = low & 1
        low = (low >> 1) | ((high & 1) << 15)
        high >>= 1
        if odd:
            low ^= 0x3B78
            high ^= 0x82F6
        for base in range(0, 256, bit * 2):
            low_half[base + bit] = low ^ low_half[base]
            high_half[base + bit] = high ^ high_half[base]
        bit >>= 1
    return low_half, high_half


# The 32-bit remainders as two halves, because a 32-bit number is an allocation on a board.
_LOW_HALF, _HIGH_HALF = _make_halves32c()


def crc32c(data, crc: int = 0) -> int:
    """CRC-32C (Castagnoli) of data; `crc` as in crc16 (check value of "123456789": 0xE3069283)."""
    low_half, high_half = _LOW_HALF, _HIGH_HALF
    # By way of bytes, for `&` and `>>` of a large number give a large number on MicroPython, however small its value.
    low, high = unpack("<HH", pack("<I", crc))
    low ^= 0xFFFF
    high ^= 0xFFFF
    for byte in data:
        index = (low ^ byte) & 0xFF
        low = low_half[index] ^ (low >> 8) ^ ((high & 0xFF) << 8)
        high = high_half[index] ^ (high >> 8)
    return ((high ^ 0xFFFF) << 16) | (low ^ 0xFFFF)
