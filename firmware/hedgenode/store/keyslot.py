"""A few secrets in flash, and nowhere else there: what is replaced is erased. Knows blocks, not what a secret is for.

A file system never promises that old bytes are gone: LittleFS writes a changed file to other blocks and leaves the old
ones as they are until it needs room. So two files of exactly one block each are made once; a random mark in each finds
the block that the file system gave it, and from then on those blocks are written and erased directly on the device.
LittleFS does not move a file that it is not asked to write, and leaves the two alone.

One slot holds the secrets, the other is erased. `save` writes the other slot, reads it back, and then erases the first.
After a power cut at any step the old secrets are there or the new ones, and at the next start what is left of the other
slot is erased. A slot: mark (16), version u8, 0, length u16, sequence u32, CRC-32 over all that and the data, data.
"""

import binascii
import os
import struct

from hedgenode.store.counters import read_whole, write_atomic
from hedgewire import cbor

_VERSION = 1
_MARK_BYTES = 16
_HEAD = "<BBHI"
_HEAD_BYTES = _MARK_BYTES + 8 + 4
_PAGE_BYTES = 256  # what NOR flash is programmed in
_ERASED = b"\xff" * _PAGE_BYTES
_COUNT = 4  # requests of a block device (MicroPython: vfs.AbstractBlockDev)
_SIZE = 5
_ERASE = 6
_EIO = 5


class KeySlots:
    """`device` is the block device that the file system of `files` lies on; `directory` must exist.

    `data` is what was saved last, None where nothing was. `lost` says that there were slots once whose blocks are not
    theirs any more, as after somebody copied files about; what they held is gone. Call from one task.
    """

    def __init__(self, files, device, directory: str):
        self._files = files
        self._device = device
        self._directory = directory
        self._size = device.ioctl(_SIZE, 0)
        self.capacity_bytes = self._size - _HEAD_BYTES
        self.data = None
        self.lost = False
        self._sequence = 0
        known = self._known()
        self._slots = known or self._made()  # (mark, block) of each; the first one holds the data
        if known is not None:
            self._load()

    def save(self, data: bytes) -> None:
        """Replace what is kept; on return the old bytes are nowhere in these blocks. OSError where flash refuses.

        After an OSError either the old data or the new is kept, and the next start says which.
        """
        if len(data) > self.capacity_bytes:
            raise ValueError("at most %d bytes fit" % self.capacity_bytes)
        old, new = self._slots
        if not self._is_erased(new[1]):
            self._erase(new[1])
        sequence = self._sequence + 1
        record = _record(new[0], sequence, data)
        for at in range(0, len(record), _PAGE_BYTES):
            self._device.writeblocks(new[1], record[at : at + _PAGE_BYTES], at)
        if self._read(new[1]) != (sequence, data):
            self._erase(new[1])
            raise OSError(_EIO, "a key slot did not read back as written")
        self._slots = (new, old)
        self._sequence = sequence
        self.data = bytes(data)
        self._erase(old[1])

    # ---- start

    def _load(self):
        """Find the newest whole slot, and erase the other one whatever is in it."""
        found = []
        for slot in self._slots:
            read = self._read(slot[1])
            if read is not None:
                found.append((read[0], read[1], slot))
        found.sort(key=lambda one: -one[0])
        if found:
            self._sequence, self.data, newest = found[0]
            if newest != self._slots[0]:
                self._slots = (self._slots[1], self._slots[0])
        for slot in self._slots[1 if found else 0 :]:
            if not self._is_erased(slot[1]):
                self._erase(slot[1])

    def _known(self):
        """The slots as they were made, or None where there are none yet."""
        values = cbor.decode(read_whole(self._files, self._directory + "/slots.cbor") or b"")
        if not isinstance(values, list) or len(values) != 5 or values[0] != _VERSION:
            return None
        slots = ((values[1], values[2]), (values[3], values[4]))
        for name, (mark, block) in zip("ab", slots):
            if not self._is_file(name, mark, block):
                self.lost = True
                return None
        return slots

    def _is_file(self, name, mark, block):
        """Whether the file of that name still lies in that block: both show the same bytes, and they are ours."""
        raw = bytearray(_PAGE_BYTES)
        self._device.readblocks(block, raw, 0)
        try:
            file = self._files.open("%s/%s" % (self._directory, name), "rb")
        except OSError:
            return False
        try:
            same = file.read(_PAGE_BYTES) == raw
        finally:
            file.close()
        # Power may have gone in the middle of an erase or of a first page, so the mark need not be there.
        return same and (bytes(raw[:_MARK_BYTES]) == mark or self._read(block) is None)

    def _made(self):
        """Make both files and find their blocks. Nothing secret is written before both are known."""
        slots = []
        for name in "ab":
            mark = os.urandom(_MARK_BYTES)
            path = "%s/%s" % (self._directory, name)
            file = self._files.open(path, "wb")
            try:
                file.write(mark)
                for at in range(_MARK_BYTES, self._size, _PAGE_BYTES):  # no long piece of a small heap
                    file.write(bytes(min(_PAGE_BYTES, self._size - at)))
                self._files.sync(file)
            finally:
                file.close()
            slots.append((mark, self._block_of(mark)))
        write_atomic(
            self._files, self._directory + "/slots.cbor", cbor.encode([_VERSION] + list(slots[0]) + list(slots[1]))
        )
        for _, block in slots:
            self._erase(block)
        return tuple(slots)

    def _block_of(self, mark):
        """The one block that begins with that mark. OSError where there is none, or more than one."""
        start = bytearray(_MARK_BYTES)
        found = []
        for block in range(self._device.ioctl(_COUNT, 0)):
            self._device.readblocks(block, start, 0)
            if start == mark:
                found.append(block)
        if len(found) != 1:
            raise OSError(_EIO, "the block of a key slot cannot be told")
        return found[0]

    # ---- blocks

    def _read(self, block):
        """(sequence, data) of a whole slot, else None."""
        head = bytearray(_HEAD_BYTES)
        self._device.readblocks(block, head, 0)
        version, _, length, sequence = struct.unpack_from(_HEAD, head, _MARK_BYTES)
        if version != _VERSION or length > self.capacity_bytes:
            return None
        data = bytearray(length)
        if length:
            self._device.readblocks(block, data, _HEAD_BYTES)
        crc = binascii.crc32(data, binascii.crc32(head[: _HEAD_BYTES - 4]))
        return (sequence, bytes(data)) if crc.to_bytes(4, "little") == head[_HEAD_BYTES - 4 :] else None

    def _is_erased(self, block):
        page = bytearray(_PAGE_BYTES)
        for at in range(0, self._size, _PAGE_BYTES):
            self._device.readblocks(block, page, at)
            if page != _ERASED:
                return False
        return True

    def _erase(self, block):
        self._device.ioctl(_ERASE, block)
        if not self._is_erased(block):
            raise OSError(_EIO, "a key slot could not be erased")


def _record(mark, sequence, data):
    """The bytes of a slot, in whole pages."""
    record = bytearray(mark)
    record.extend(struct.pack(_HEAD, _VERSION, 0, len(data), sequence))
    record.extend(binascii.crc32(data, binascii.crc32(record)).to_bytes(4, "little"))
    record.extend(data)
    record.extend(b"\xff" * (-len(record) % _PAGE_BYTES))
    return memoryview(record)
