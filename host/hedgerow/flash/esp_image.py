"""Knows how a whole flash image for an ESP32, -S3 or -C3 is built, and judges one; touches no file and no board.

Formats: Espressif's Firmware Image Format (header, segments, checksum, appended SHA-256) and ESP-IDF's partition table
(32-byte entries at 0x8000, the last of them an MD5). A whole image begins with the second boot loader; written at the
chip's `bootloader_offset` it brings the partition table and the application along.
"""

import hashlib
import struct
from dataclasses import dataclass

from hedgerow.flash.chips import ESP_CHIPS, ESP_NAMES, EspChip
from hedgewire.cbor import Damage

MAGIC = 0xE9
PARTITION_TABLE = 0x8000
_PARTITION_TABLE_BYTES = 0xC00
_ENTRY = struct.Struct("<HBBII16sI")
_ENTRY_MAGIC = 0x50AA
_MD5_MAGIC = b"\xeb\xeb" + b"\xff" * 14
_HEADER_BYTES = 24
_MOST_SEGMENTS = 16
_CHECKSUM_START = 0xEF
_APP_DESCRIPTION = b"\x32\x54\xcd\xab"  # where an application says what it is: the begin of its first segment
_TYPE_APP, _TYPE_DATA = 0, 1
_LARGEST_FLASH_CODE = 7


@dataclass(frozen=True)
class Partition:
    """One row of the partition table."""

    name: str
    kind: int
    subtype: int
    offset: int
    size_bytes: int


@dataclass(frozen=True)
class EspImage:
    """A sound image. `flash_bytes` is the flash chip that its boot loader expects at least."""

    chip: EspChip
    flash_bytes: int
    partitions: tuple[Partition, ...]

    @property
    def filesystem_bytes(self) -> int | None:
        """The size of MicroPython's own partition."""
        return next((part.size_bytes for part in self.partitions if part.name == "vfs"), None)


@dataclass(frozen=True)
class _Program:
    chip_id: int
    flash_bytes: int
    is_app: bool
    end: int


def parse(data: bytes) -> EspImage | Damage:
    """Everything in it that can be checked without a board, checked."""
    loader = _program(data, 0, "boot loader")
    if isinstance(loader, Damage):
        return loader
    name = ESP_NAMES.get(loader.chip_id, f"an unknown chip ({loader.chip_id})")
    if loader.is_app:
        return Damage(
            f"it is the application for {name} alone, as an update over the air takes it; flashing needs the whole "
            "image, with boot loader and partition table",
            0,
        )
    chip = ESP_CHIPS.get(name)
    if chip is None:
        return Damage(f"it is for {name}, for which Hedgerow has no board", 12)
    partitions = _partitions(data, PARTITION_TABLE - chip.bootloader_offset)
    if isinstance(partitions, Damage):
        return partitions
    if fault := _partitions_fault(partitions, loader.flash_bytes):
        return Damage(fault, PARTITION_TABLE - chip.bootloader_offset)
    if fault := _apps_fault(data, chip, partitions):
        return fault
    return EspImage(chip, loader.flash_bytes, tuple(partitions))


def _apps_fault(data: bytes, chip: EspChip, partitions: list[Partition]) -> Damage | None:
    """The first application partition must hold one, for this chip; others (slots for updates) may be empty."""
    apps = [part for part in partitions if part.kind == _TYPE_APP]
    if not apps:
        return Damage("its partition table has no application", PARTITION_TABLE - chip.bootloader_offset)
    start = apps[0].offset - chip.bootloader_offset
    app = _program(data, start, "application")
    if isinstance(app, Damage):
        return app
    if app.chip_id != chip.image_chip_id:
        return Damage(f"its boot loader is for {chip.mcu}, its application is not", start + 12)
    if app.end - start > apps[0].size_bytes:
        return Damage("its application is larger than its partition", start)
    return None


def _program(data: bytes, at: int, what: str) -> _Program | Damage:
    """One image: header, segments, checksum, hash. `at` is where in the file it begins."""
    header = data[at : at + _HEADER_BYTES]
    if len(header) < _HEADER_BYTES:
        return Damage(f"it ends before its {what}", len(data))
    if header[0] != MAGIC:
        return Damage(f"there is no {what} where one must be", at)
    segments, flash_code, chip_id, hashed = header[1], header[3] >> 4, header[12] | header[13] << 8, header[23]
    if not 0 < segments <= _MOST_SEGMENTS or flash_code > _LARGEST_FLASH_CODE or hashed > 1:
        return Damage(f"the header of its {what} makes no sense", at)
    walked = _walk(data, at + _HEADER_BYTES, segments)
    if walked is None:
        return Damage(f"it ends in the middle of its {what}", len(data))
    place, check = walked
    end = at + ((place - at) | 15) + 1  # the checksum is the last byte of a block of sixteen
    if end + (32 if hashed else 0) > len(data):
        return Damage(f"it ends in the middle of its {what}", len(data))
    if data[end - 1] != check:
        return Damage(f"the checksum of its {what} is wrong", end - 1)
    if hashed and hashlib.sha256(data[at:end]).digest() != data[end : end + 32]:
        return Damage(f"the SHA-256 of its {what} is wrong", end)
    first = data[at + _HEADER_BYTES + 8 : at + _HEADER_BYTES + 12]
    return _Program(chip_id, 1 << (20 + flash_code), first == _APP_DESCRIPTION, end + (32 if hashed else 0))


def _walk(data: bytes, place: int, segments: int) -> tuple[int, int] | None:
    """Where the segments end, and the checksum that they should have; None if the file ends before."""
    check = _CHECKSUM_START
    for _ in range(segments):
        start = place + 8
        place = start + int.from_bytes(data[place + 4 : place + 8], "little")
        if place > len(data):
            return None
        check ^= _xor(data[start:place])
    return place, check


def _xor(data: bytes) -> int:
    """All bytes xored together. Halving a big integer is a hundred times faster than a loop over a megabyte."""
    width = 1 << max(0, len(data) - 1).bit_length()
    folded = int.from_bytes(data, "little")
    while width > 1:
        width //= 2
        folded = (folded >> 8 * width) ^ (folded & (1 << 8 * width) - 1)
    return folded


def _partitions(data: bytes, at: int) -> list[Partition] | Damage:
    table = data[at : at + _PARTITION_TABLE_BYTES]
    found: list[Partition] = []
    for place in range(0, len(table) - 31, 32):
        row = table[place : place + 32]
        if row[:16] == _MD5_MAGIC:
            if hashlib.md5(table[:place]).digest() != row[16:]:
                return Damage("the checksum of its partition table is wrong", at + place)
            return found
        if row == b"\xff" * 32 and found:
            return found  # tables without a checksum end so
        magic, kind, subtype, offset, size_bytes, name, _ = _ENTRY.unpack(row)
        if magic != _ENTRY_MAGIC:
            break
        found.append(Partition(name.rstrip(b"\0").decode("ascii", "replace"), kind, subtype, offset, size_bytes))
    what = "its partition table is damaged" if found else "it has no partition table: it is no whole image"
    return Damage(what, at)


def _partitions_fault(partitions: list[Partition], flash_bytes: int) -> str | None:
    end = PARTITION_TABLE + _PARTITION_TABLE_BYTES
    for part in sorted(partitions, key=lambda part: part.offset):
        if part.offset < end:
            return f"its partition {part.name} overlaps another"
        end = part.offset + part.size_bytes
        if end > flash_bytes:
            return f"its partition {part.name} reaches beyond the flash that its boot loader expects"
    return None
