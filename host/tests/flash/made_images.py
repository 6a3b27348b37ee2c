"""Makes sound firmware images as small as can be, so that tests need none from outside; each can then be spoilt."""

import hashlib
import random
import struct

CHIPS = {"ESP32": (0, 0x1000), "ESP32-C3": (5, 0), "ESP32-S3": (9, 0)}
MACHINES = {
    "ESP32": "Generic ESP32 module with ESP32",
    "ESP32-C3": "ESP32C3 module with ESP32C3",
    "ESP32-S3": "Generic ESP32S3 module with ESP32S3",
}
PICO, PICO_W = "Raspberry Pi Pico with RP2040", "Raspberry Pi Pico W with RP2040"
RP2040 = 0xE48BFF56
APP = 0x10000


def program(
    chip_id: int, body: bytes, *, flash_code: int = 2, is_app: bool = False, revisions: tuple[int, int] = (0, 0)
) -> bytes:
    """One ESP image with two segments, checksum and SHA-256. `revisions` of the chip count hundreds for major ones."""
    first = b"\x32\x54\xcd\xab" + bytes(252) if is_app else b"boot loader of a test"
    data = bytearray(struct.pack("<BBBBI", 0xE9, 2, 2, flash_code << 4, 0x40080000) + b"\xee" + bytes(3))
    data += struct.pack("<HBHH4xB", chip_id, 0, *revisions, 1)
    check = 0xEF
    for address, contents in ((0x3F400020, first), (0x40080000, body)):
        segment = contents + bytes(-len(contents) % 4)
        data += struct.pack("<II", address, len(segment)) + segment
        for byte in segment:
            check ^= byte
    data += bytes(15 - len(data) % 16) + bytes([check])
    return bytes(data + hashlib.sha256(data).digest())


def partition_table(*rows: tuple[str, int, int, int, int]) -> bytes:
    table = b"".join(
        struct.pack("<HBBII16sI", 0x50AA, kind, subtype, offset, size, name.encode(), 0)
        for name, kind, subtype, offset, size in rows
    )
    return table + b"\xeb\xeb" + b"\xff" * 14 + hashlib.md5(table).digest()


def micropython(version: str, machine: str, size: int, seed: int) -> bytes:
    """What MicroPython leaves in an image of itself, among bytes that hardly compress."""
    banner = f"MicroPython v{version} on 2023-12-27\0; {machine}\0".encode()
    return banner + random.Random(seed).randbytes(size - len(banner))


def esp(
    mcu: str = "ESP32",
    version: str = "1.22.0",
    *,
    machine: str | None = None,
    flash_code: int = 2,
    app_bytes: int = 120_000,
    seed: int = 1,
    chip_id: int | None = None,
    revisions: tuple[int, int] = (0, 0),
) -> bytes:
    """A whole image: boot loader, partition table, application. `flash_code` 2 is 4 MiB, 3 is 8."""
    own_id, offset = CHIPS[mcu]
    chip_id = own_id if chip_id is None else chip_id
    flash_bytes = 1 << (20 + flash_code)
    table = partition_table(
        ("nvs", 1, 2, 0x9000, 0x6000),
        ("phy_init", 1, 1, 0xF000, 0x1000),
        ("factory", 0, 0, APP, 0x1F0000),
        ("vfs", 1, 0x81, 0x200000, flash_bytes - 0x200000),
    )
    app = program(chip_id, micropython(version, machine or MACHINES[mcu], app_bytes, seed), is_app=True)
    loader = program(chip_id, random.Random(seed).randbytes(9000), flash_code=flash_code, revisions=revisions)
    whole = bytearray(b"\xff") * (APP - offset)
    whole[: len(loader)] = loader
    whole[0x8000 - offset : 0x8000 - offset + len(table)] = table
    return bytes(whole + app)


def uf2(
    version: str = "1.22.0", machine: str = PICO, *, size: int = 20_000, seed: int = 1, family: int = RP2040
) -> bytes:
    """A UF2 for the RP2040 with a first stage that its boot ROM accepts."""
    stage = random.Random(seed).randbytes(252)
    flash = stage + struct.pack("<I", crc(stage)) + micropython(version, machine, size, seed)
    flash += bytes(-len(flash) % 256)
    return uf2_of(flash, family=family)


def uf2_of(flash: bytes, *, family: int = RP2040) -> bytes:
    total = len(flash) // 256
    out = b""
    for number in range(total):
        head = struct.pack("<8I", 0x0A324655, 0x9E5D5157, 0x2000, 0x10000000 + 256 * number, 256, number, total, family)
        out += head + flash[256 * number : 256 * number + 256].ljust(476, b"\0") + struct.pack("<I", 0x0AB16F30)
    return out


def crc(data: bytes) -> int:
    """CRC-32/MPEG-2, by the table of its remainders."""
    table = []
    for index in range(256):
        value = index << 24
        for _ in range(8):
            value = (value << 1) ^ (0x04C11DB7 if value & 0x80000000 else 0)
        table.append(value & 0xFFFFFFFF)
    result = 0xFFFFFFFF
    for byte in data:
        result = (result << 8 & 0xFFFFFFFF) ^ table[result >> 24 ^ byte]
    return result
