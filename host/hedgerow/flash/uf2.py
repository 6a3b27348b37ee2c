"""Knows the UF2 format and what an image for an RP2040 must be; touches no file and no drive.

Format: https://github.com/microsoft/uf2 (512-byte blocks, each with its own address). It has no checksum of the
contents; the one over the first 256 bytes is what the RP2040's boot ROM itself asks for (datasheet 2.8.1).
"""

import struct
from dataclasses import dataclass, field

from hedgerow.flash.chips import RP2040_FAMILY, RP2040_FLASH_LARGEST_BYTES, RP2040_FLASH_START, UF2_FAMILIES
from hedgewire.cbor import Damage

BLOCK_BYTES = 512
PAYLOAD_BYTES = 256
FIRST_MAGIC = b"UF2\nWQ]\x9e"
_LAST_MAGIC = b"\x30\x6f\xb1\x0a"
_HEADER = struct.Struct("<8s6I")
_NOT_FLASH, _HAS_FAMILY = 0x00000001, 0x00002000
_BOOT2_BYTES = 252


@dataclass(frozen=True)
class Uf2Image:
    """A sound image for an RP2040. `payload` is what flash holds from its start on, gaps as erased flash.

    `covered` are the runs that it writes, as (start, length); what lies between them keeps what it held.
    """

    blocks: int
    covered: tuple[tuple[int, int], ...]
    payload: bytes = field(repr=False)

    @property
    def flash_bytes(self) -> int:
        """Flash that it fills, counted from the start of the chip."""
        return len(self.payload)


def parse(data: bytes) -> Uf2Image | Damage:
    """Every block in order, for the RP2040, inside its flash."""
    if not data or len(data) % BLOCK_BYTES:
        return Damage("it ends in the middle of a block", len(data))
    pieces: dict[int, bytes] = {}
    blocks = len(data) // BLOCK_BYTES
    for number in range(blocks):
        at = number * BLOCK_BYTES
        fault = _block_fault(data[at : at + BLOCK_BYTES], number, blocks)
        if fault is not None:
            return Damage(fault, at)
        address = int.from_bytes(data[at + 12 : at + 16], "little")
        if address in pieces:
            return Damage(f"block {number} has the same address as an earlier one", at)
        pieces[address] = data[at + 32 : at + 32 + PAYLOAD_BYTES]
    payload = bytearray(b"\xff") * (max(pieces) + PAYLOAD_BYTES - RP2040_FLASH_START)
    for address, piece in pieces.items():
        payload[address - RP2040_FLASH_START : address - RP2040_FLASH_START + PAYLOAD_BYTES] = piece
    if RP2040_FLASH_START not in pieces:
        return Damage("it leaves out the start of the flash, so no board would start from it", 0)
    if boot_checksum(bytes(payload[:_BOOT2_BYTES])) != int.from_bytes(payload[_BOOT2_BYTES:PAYLOAD_BYTES], "little"):
        return Damage("the checksum of its first stage is wrong: the chip would not start from it", 32)
    return Uf2Image(blocks, _runs(pieces), bytes(payload))


def _runs(pieces: dict[int, bytes]) -> tuple[tuple[int, int], ...]:
    runs: list[tuple[int, int]] = []
    for address in sorted(pieces):
        start = address - RP2040_FLASH_START
        if runs and sum(runs[-1]) == start:
            runs[-1] = (runs[-1][0], runs[-1][1] + PAYLOAD_BYTES)
        else:
            runs.append((start, PAYLOAD_BYTES))
    return tuple(runs)


def _block_fault(block: bytes, number: int, blocks: int) -> str | None:
    magic, flags, address, size, own_number, total, family = _HEADER.unpack_from(block)
    if magic != FIRST_MAGIC or block[-4:] != _LAST_MAGIC:
        return f"block {number} is no UF2 block"
    if not flags & _HAS_FAMILY:
        return f"block {number} does not say for which chip it is"
    if family != RP2040_FAMILY:
        return f"it is for {UF2_FAMILIES.get(family, f'an unknown chip (family {family:08x})')}, not for RP2040"
    if flags & _NOT_FLASH:
        return f"block {number} is not meant for flash"
    if (own_number, total) != (number, blocks):
        return f"block {number} calls itself {own_number} of {total}, but there are {blocks}: some are missing"
    if size != PAYLOAD_BYTES or address % PAYLOAD_BYTES:
        return f"block {number} is no whole page of flash"
    if not RP2040_FLASH_START <= address < RP2040_FLASH_START + RP2040_FLASH_LARGEST_BYTES:
        return f"block {number} is for {address:#010x}, which is no flash"
    return None


def boot_checksum(data: bytes) -> int:
    """CRC-32 as the RP2040's boot ROM computes it: highest bit first, nothing inverted at the end."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte << 24
        for _ in range(8):
            crc = crc << 1 ^ (0x04C11DB7 if crc & 0x80000000 else 0)
            crc &= 0xFFFFFFFF
    return crc
