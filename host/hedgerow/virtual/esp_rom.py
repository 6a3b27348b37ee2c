"""Plays the boot loader of an ESP32, ESP32-S3 or ESP32-C3 on a pseudo-terminal; knows nothing of what runs afterwards.

Enough of it for esptool 5: sync, chip identity, the stub's upload, compressed and plain writes into NOR flash (which
only clears bits until it is erased), hashes, reading, another baud rate. The stub is not run, its answers are played.
Protocol: Espressif's Serial Protocol page of esptool. What goes wrong on a table can be made to: see `Faults`.

A pseudo-terminal has no DTR and RTS lines. Opening it takes their place: whoever opens it finds the chip just reset
into its boot loader. It does have a baud rate, and a chip at another one hears noise.
"""

import contextlib
import hashlib
import os
import pty
import random
import struct
import termios
import threading
import time
import tty
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

SECTOR = 4096
_SPI_USER_COMMAND = 1 << 18
_BAUDS = {getattr(termios, f"B{rate}"): rate for rate in (9600, 115200, 230400, 460800, 921600, 1500000, 2000000)}
_OHAI = b"OHAI"
_SYNC = b"\x07\x07\x12\x20"
_INVALID, _WRONG_CHECKSUM, _WRONG_STREAM = 0x05, 0x07, 0x0B
_WITH_CHECKSUM = (0x03, 0x07, 0x11)
_READ_AHEAD = 32


@dataclass(frozen=True)
class Registers:
    """Where one chip keeps what esptool reads: SPI controller (base, USR2, W0), MAC, and what tells the chip."""

    magic: int | None
    chip_id: int | None
    spi: int
    spi_usr2: int
    spi_w0: int
    mac: int


CHIPS = {
    "ESP32": Registers(0x00F01D83, None, 0x3FF42000, 0x24, 0x80, 0x3FF5A004),
    "ESP32-S3": Registers(None, 9, 0x60002000, 0x20, 0x58, 0x60007044),
    "ESP32-C3": Registers(None, 5, 0x60002000, 0x20, 0x58, 0x60008844),
}
_MAGIC_REGISTER = 0x40001000


@dataclass
class Faults:
    """What goes wrong. Counts are of this board's whole life; None and 0 mean never."""

    deaf_syncs: int = 0
    """It does not hear the first so many attempts to synchronise."""
    cut_after_bytes: int | None = None
    """The cable is pulled when so many bytes have arrived."""
    stall_after_bytes: int | None = None
    """It goes silent for good then, with the port still there."""
    fastest_baud: int = 2_000_000
    """A byte in 300 is damaged above that rate."""
    dead_address: int | None = None
    """A flash cell that always reads as 0x5A."""


class EmulatedRom:
    """One board in its boot loader. `port` is a path for any serial program; `close()` ends it.

    `is_paced` makes it take bytes no faster than the baud rate of whoever has the port open. `minor_revision` (up to
    7) is that of a -S3 or -C3.
    """

    def __init__(
        self,
        mcu: str,
        folder: Path,
        flash_bytes: int = 4 << 20,
        faults: Faults | None = None,
        *,
        is_paced: bool = False,
        minor_revision: int = 4,
    ) -> None:
        self.faults = faults or Faults()
        self._is_paced = is_paced
        self.flash = bytearray(b"\xff") * flash_bytes
        self.commands: list[int] = []
        self.received_bytes = 0
        self.resets = 0
        self.erased_bytes = 0
        self.is_open = False  # somebody has the port open
        self._registers = CHIPS[mcu]
        self._values: dict[int, int] = {}
        if self._registers.chip_id is not None:
            self._values[self._registers.mac + 12] = minor_revision << 18
        self._stub = False
        self._baud: int | None = None
        self._host_baud = 115200
        self._dead = False
        self._cursor = 0
        self._inflate = zlib.decompressobj()
        self._reading: tuple[int, int, int, int] | None = None  # start, length, sent, acknowledged
        self._random = random.Random(1)
        self._master, slave = pty.openpty()
        tty.setraw(slave)
        self.port = str(folder / "port")
        Path(self.port).unlink(missing_ok=True)
        Path(self.port).symlink_to(os.ttyname(slave))
        os.close(slave)  # so that the end of the last user is noticed
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._live, name=f"boot loader {self.port}", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._pull()
        self._thread.join(5)

    def __enter__(self) -> "EmulatedRom":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ---- the cable

    def _live(self) -> None:
        buffer = b""
        while not self._stop.is_set():
            try:
                data = os.read(self._master, 65536)
            except OSError:  # nobody has it open, or it was pulled
                if self._master < 0:
                    return
                buffer, self.is_open = b"", False
                time.sleep(0.005)
                continue
            if not self.is_open:
                self.is_open = True
                self._reset()
            buffer = self._take(buffer + self._heard(data))

    def _reset(self) -> None:
        self.resets += 1
        self._stub, self._baud, self._reading = False, None, None

    def _heard(self, data: bytes) -> bytes:
        self.received_bytes += len(data)
        limit = self.faults.cut_after_bytes
        if limit is not None and self.received_bytes >= limit:
            self._pull()
            return b""
        limit = self.faults.stall_after_bytes
        self._dead = self._dead or (limit is not None and self.received_bytes >= limit)
        with contextlib.suppress(termios.error, OSError, ValueError):  # it may be pulled at this moment
            self._host_baud = _BAUDS.get(termios.tcgetattr(self._master)[4], 115200)
        if self._is_paced:
            time.sleep(len(data) * 10 / self._host_baud)
        if self._baud not in (None, self._host_baud):
            if _SYNC not in data:
                return b""  # noise to it
            self._reset()  # nobody synchronises without resetting first; a quick user's reopening went unnoticed
        return self._worn(data)

    def _worn(self, data: bytes) -> bytes:
        """What a line that is too fast makes of it."""
        if self._host_baud <= self.faults.fastest_baud:
            return data
        return bytes(byte ^ 0x10 if self._random.randrange(300) == 0 else byte for byte in data)

    def _pull(self) -> None:
        Path(self.port).unlink(missing_ok=True)  # first: the number of a closed terminal is soon another's
        master, self._master = self._master, -1
        if master >= 0:
            os.close(master)

    def _send(self, packet: bytes) -> None:
        if self._dead or self._master < 0:
            return
        escaped = packet.replace(b"\xdb", b"\xdb\xdd").replace(b"\xc0", b"\xdb\xdc")
        data = self._worn(b"\xc0" + escaped + b"\xc0")
        with contextlib.suppress(OSError):
            while data and not self._stop.is_set():
                data = data[os.write(self._master, data) :]

    def _take(self, buffer: bytes) -> bytes:
        """Carry out every whole packet; what remains is the begin of the next."""
        while buffer.count(b"\xc0") >= 2:
            start = buffer.index(b"\xc0")
            end = buffer.index(b"\xc0", start + 1)
            packet, buffer = buffer[start + 1 : end], buffer[end + 1 :]
            if not packet:  # two ends in a row: the second is the begin of a packet
                buffer = b"\xc0" + buffer
                continue
            packet = packet.replace(b"\xdb\xdc", b"\xc0").replace(b"\xdb\xdd", b"\xdb")
            if self._reading and len(packet) == 4:
                self._acknowledged(int.from_bytes(packet, "little"))
            elif len(packet) >= 8 and packet[0] == 0 and not self._dead:
                operation, _, check = struct.unpack_from("<BHI", packet, 1)
                self._command(operation, check, packet[8:])
        return buffer

    # ---- the commands

    def _command(self, operation: int, check: int, data: bytes) -> None:
        self.commands.append(operation)
        does: dict[int, Callable[[bytes], None]] = {
            0x02: self._flash_begin,
            0x03: self._flash_data,
            0x06: self._memory_end,
            0x07: self._memory_data,
            0x08: self._sync,
            0x09: self._write_register,
            0x0A: self._read_register,
            0x0F: self._change_baud,
            0x10: self._deflated_begin,
            0x11: self._deflated_data,
            0x13: self._md5,
            0x14: self._security,
            0xD0: self._erase_all,
            0xD1: self._erase_region,
            0xD2: self._read_flash,
        }
        if operation in _WITH_CHECKSUM and _sum(data[16:]) != check:
            self._reply(operation, error=_WRONG_CHECKSUM)
        elif operation in does:
            does[operation](data)
        elif operation in (0x04, 0x05, 0x0B, 0x0D, 0x12):
            self._reply(operation)
        else:
            self._reply(operation, error=_INVALID)

    def _reply(self, operation: int, value: int = 0, data: bytes = b"", error: int = 0) -> None:
        status = bytes([1 if error else 0, error]) + (b"" if self._stub else b"\0\0")
        self._send(struct.pack("<BBHI", 1, operation, len(data) + len(status), value) + data + status)

    def _sync(self, _: bytes) -> None:
        if self.faults.deaf_syncs > 0:
            self.faults.deaf_syncs -= 1
            return
        self._baud = self._host_baud  # the ROM measures it
        for _again in range(8):
            self._reply(0x08, 0 if self._stub else 0x20120707)

    def _security(self, _: bytes) -> None:
        chip_id = self._registers.chip_id
        if chip_id is None:
            self._reply(0x14, error=_INVALID)
        else:
            self._reply(0x14, data=struct.pack("<IB7xII", 0, 0, chip_id, 0))

    def _read_register(self, data: bytes) -> None:
        (address,) = struct.unpack("<I", data)
        known = {_MAGIC_REGISTER: self._registers.magic or 0, self._registers.mac: 0x11223344}
        known[self._registers.mac + 4] = 0xAABB
        self._reply(0x0A, self._values.get(address, known.get(address, 0)))

    def _write_register(self, data: bytes) -> None:
        address, value = struct.unpack_from("<II", data)
        spi = self._registers.spi
        self._values[address] = value
        if address == spi and value & _SPI_USER_COMMAND:
            self._values[spi] = 0  # done at once
            command = self._values.get(spi + self._registers.spi_usr2, 0) & 0xFF
            size_code = (len(self.flash) - 1).bit_length()
            self._values[spi + self._registers.spi_w0] = {0x9F: size_code << 16 | 0x40EF}.get(command, 0)
        self._reply(0x09)

    def _memory_data(self, _: bytes) -> None:
        self._reply(0x07)

    def _memory_end(self, data: bytes) -> None:
        stays, _ = struct.unpack("<II", data)
        self._reply(0x06)
        if not stays:
            self._stub = True
            self._send(_OHAI)

    def _change_baud(self, data: bytes) -> None:
        baud, _ = struct.unpack("<II", data)
        self._reply(0x0F)
        self._baud = baud

    def _flash_begin(self, data: bytes) -> None:
        size, _, _, offset = struct.unpack_from("<4I", data)
        self._erase(offset, size)
        self._cursor = offset
        self._reply(0x02)

    def _flash_data(self, data: bytes) -> None:
        self._program(data[16:])
        self._reply(0x03)

    def _deflated_begin(self, data: bytes) -> None:
        size, _, _, offset = struct.unpack_from("<4I", data)
        self._erase(offset, size)
        self._cursor, self._inflate = offset, zlib.decompressobj()
        self._reply(0x10)

    def _deflated_data(self, data: bytes) -> None:
        try:
            self._program(self._inflate.decompress(data[16:]))
        except zlib.error:
            self._reply(0x11, error=_WRONG_STREAM)
            return
        self._reply(0x11)

    def _md5(self, data: bytes) -> None:
        offset, size = struct.unpack_from("<II", data)
        digest = hashlib.md5(self._read(offset, size))
        self._reply(0x13, data=digest.digest() if self._stub else digest.hexdigest().encode())

    def _erase_all(self, _: bytes) -> None:
        self._erase(0, len(self.flash))
        self._reply(0xD0)

    def _erase_region(self, data: bytes) -> None:
        offset, size = struct.unpack_from("<II", data)
        self._erase(offset, size)
        self._reply(0xD1)

    def _read_flash(self, data: bytes) -> None:
        offset, size, _, _ = struct.unpack_from("<4I", data)
        self._reply(0xD2)
        self._reading = (offset, size, 0, 0)
        self._acknowledged(0)

    def _acknowledged(self, count: int) -> None:
        assert self._reading is not None
        start, length, sent, _ = self._reading
        while sent < length and sent - count < _READ_AHEAD * SECTOR:
            piece = self._read(start + sent, min(SECTOR, length - sent))
            self._send(piece)
            sent += len(piece)
        self._reading = (start, length, sent, count)
        if count >= length:
            self._reading = None
            self._send(hashlib.md5(self._read(start, length)).digest())

    # ---- the flash

    def _erase(self, offset: int, size: int) -> None:
        start = offset // SECTOR * SECTOR
        end = min(len(self.flash), -(-(offset + size) // SECTOR) * SECTOR)
        self.flash[start:end] = b"\xff" * (end - start)
        self.erased_bytes += end - start

    def _program(self, data: bytes) -> None:
        """NOR flash: a write clears bits and sets none."""
        start, end = self._cursor, min(len(self.flash), self._cursor + len(data))
        old = int.from_bytes(self.flash[start:end], "little")
        new = int.from_bytes(data[: end - start], "little")
        self.flash[start:end] = (old & new).to_bytes(end - start, "little")
        self._cursor = end

    def _read(self, offset: int, size: int) -> bytes:
        found = bytearray(self.flash[offset : offset + size])
        dead = self.faults.dead_address
        if dead is not None and 0 <= dead - offset < len(found):
            found[dead - offset] = 0x5A
        return bytes(found)


def _sum(data: bytes) -> int:
    check = 0xEF
    for byte in data:
        check ^= byte
    return check
