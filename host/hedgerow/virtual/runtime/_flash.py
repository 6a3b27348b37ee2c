"""Knows the board's flash as a file of blocks that erase to 0xFF; knows nothing of what is stored there.

Two rules. A Ctrl-C must never leave LittleFS half way, and MicroPython looks for one at every branch and loop:
so what runs below LittleFS has neither (choices are table look-ups). And a power cut can be asked for: a few
bytes in the file `<image>.cut` (armed, half, writes left) are read before every write; at the last one the
block is written in half or not at all, and the process stops for ever.
"""

import os

import _facts
import vfs

_BLOCK_BYTES = 4096


class Flash:
    def __init__(self, path, blocks):
        self._file = open(path, "r+b")
        self._cut_file = open(path + ".cut", "r+b")
        self._cut = bytearray(6)
        self._blocks = blocks
        self._erased = b"\xff" * _BLOCK_BYTES
        nothing = self._nothing
        self._ioctls = (nothing, nothing, nothing, nothing, self._count, self._size, self._erase)
        self._writers = (self._write, self._write_until_cut)

    def readblocks(self, block, buffer, offset=0):
        self._file.seek(block * _BLOCK_BYTES + offset)
        self._file.readinto(buffer)

    def writeblocks(self, block, buffer, offset=0):
        self._cut_file.seek(0)
        self._cut_file.readinto(self._cut)
        self._writers[self._cut[0]](block * _BLOCK_BYTES + offset, buffer)

    def ioctl(self, request, argument):
        return self._ioctls[request](argument)

    def _nothing(self, argument):
        return 0

    def _count(self, argument):
        return self._blocks

    def _size(self, argument):
        return _BLOCK_BYTES

    def _erase(self, argument):
        self.writeblocks(argument, self._erased)
        return 0

    def _write(self, start, buffer):
        self._file.seek(start)
        self._file.write(buffer)

    def _write_until_cut(self, start, buffer):
        """Only while a test has armed the cut: branches do no harm here, the process is about to end."""
        left = int.from_bytes(self._cut[2:6], "little") - 1
        if left <= 0:
            self._cut_file.seek(0)
            self._cut_file.write(bytes(6))
            if self._cut[1]:
                self._write(start, memoryview(buffer)[: len(buffer) // 2])
            _facts.end("cut")
        self._cut_file.seek(2)
        self._cut_file.write(left.to_bytes(4, "little"))
        self._write(start, buffer)


mounted = None  # what rp2.Flash() and esp32.Partition.find() give


def mount(path, blocks):
    """Replace the host's files by the board's flash; a flash that holds no file system gets one, as on first start."""
    global mounted
    flash = mounted = Flash(path, blocks)
    vfs.umount("/")
    try:
        vfs.mount(vfs.VfsLfs2(flash, progsize=256, readsize=256), "/")
    except OSError:
        vfs.VfsLfs2.mkfs(flash, progsize=256, readsize=256)
        vfs.mount(vfs.VfsLfs2(flash, progsize=256, readsize=256), "/")
    os.chdir("/")
