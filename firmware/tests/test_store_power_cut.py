"""Power goes at every single change of the flash, and afterwards everything acknowledged is there."""

from store_cut import BUNDLES, SAMPLES, Witness

from hedgenode.store.ram import RamFile, RamFiles

try:
    from vfs import VfsLfs2, mount, umount
except ImportError:
    try:
        from os import VfsLfs2, mount, umount  # MicroPython 1.22
    except ImportError:
        VfsLfs2 = None  # CPython: no LittleFS there, the tests on a careless file system below remain

BLOCK_BYTES = 4096
BLOCKS = 28
PROGRAM_BYTES = 256
READ_BYTES = 32


class FlashChip:
    """NOR flash as on a Pico, in RAM: programs clear bits, erases take whole blocks. Tells before every change."""

    def __init__(self, before_change=None):
        self.image = bytearray(b"\xff" * (BLOCKS * BLOCK_BYTES))
        self.before_change = before_change
        self.programs = 0
        self.programmed_bytes = 0
        self.erases = 0

    def readblocks(self, block, buffer, offset=0):
        at = block * BLOCK_BYTES + offset
        buffer[:] = memoryview(self.image)[at : at + len(buffer)]

    def writeblocks(self, block, buffer, offset=0):
        at = block * BLOCK_BYTES + offset
        if self.before_change:
            self.before_change(at, len(buffer), buffer)
        self.image[at : at + len(buffer)] = buffer
        self.programs += 1
        self.programmed_bytes += len(buffer)

    def ioctl(self, operation, argument):
        if operation == 4:
            return BLOCKS
        if operation == 5:
            return BLOCK_BYTES
        if operation == 6:
            at = argument * BLOCK_BYTES
            blank = b"\xff" * BLOCK_BYTES
            if self.before_change:
                self.before_change(at, BLOCK_BYTES, blank)
            self.image[at : at + BLOCK_BYTES] = blank
            self.erases += 1
            return 0
        return None


if VfsLfs2 is not None:
    import os

    from hedgenode.store.files import Flash

    def _mounted(chip, root, fresh):
        if fresh:
            VfsLfs2.mkfs(chip, progsize=PROGRAM_BYTES, readsize=READ_BYTES)
        mount(VfsLfs2(chip, progsize=PROGRAM_BYTES, readsize=READ_BYTES), root)
        if fresh:
            os.mkdir(root + BUNDLES)
            os.mkdir(root + SAMPLES)

    def test_a_cut_at_every_change_of_littlefs_loses_nothing_acknowledged():
        chip, left = FlashChip(), FlashChip()
        _mounted(chip, "/chip", True)
        witness = Witness(Flash(), "/chip")
        seen = [0]

        def cut(at, size, new):
            """The change reaches the flash not at all, in part or but for its last bytes, in turn."""
            seen[0] += 1
            left.image[:] = chip.image
            done = (0, size // 2, size - 8)[seen[0] % 3]
            left.image[at : at + done] = memoryview(new)[:done]
            mount(VfsLfs2(left, progsize=PROGRAM_BYTES, readsize=READ_BYTES), "/left")
            stores = witness.look(Flash(), "/left")
            if seen[0] % 16 == 0:
                witness.go_on(stores, Flash(), "/left")
            stores.close()
            umount("/left")

        chip.before_change = cut
        try:
            acknowledged = witness.run(500)
        finally:
            chip.before_change = None
            umount("/chip")
        assert acknowledged > 400, acknowledged
        assert seen[0] > 1000, seen[0]
        print("%d cuts of LittleFS in %d acknowledged operations" % (seen[0], acknowledged))


class CarelessFile(RamFile):
    def __init__(self, owner, path, data, at):
        RamFile.__init__(self, data, at)
        self.owner = owner
        self.path = path

    def write(self, data):
        self.owner.unsynced[self.path] = self.owner.unsynced.get(self.path, 0) + len(data)
        return RamFile.write(self, data)

    def flush(self):
        self.owner.change(self.path)


class CarelessFiles(RamFiles):
    """A file system that keeps no promise before sync(): of what was written, any part may be there, or rubbish."""

    def __init__(self):
        RamFiles.__init__(self)
        self.unsynced = {}  # path -> bytes at its end that power may take
        self.before_change = None
        self.changes = 0

    def open(self, path, mode):
        if "w" in mode:
            self.change(None)
        RamFiles.open(self, path, mode)
        data = self.contents[path]
        return CarelessFile(self, path, data, len(data) if "a" in mode else 0)

    def remove(self, path):
        self.change(None)
        self.unsynced.pop(path, None)
        RamFiles.remove(self, path)

    def rename(self, old, new):
        self.change(None)
        RamFiles.rename(self, old, new)

    def change(self, synced):
        if self.before_change is not None:
            self.changes += 1
            self.before_change()
        if synced is not None:
            self.unsynced.pop(synced, None)

    def after_a_cut(self, turn):
        """What is left when power goes now: nothing, a half, all but the end, or rubbish where bytes were to be."""
        left = RamFiles()
        for path, data in self.contents.items():
            loose = self.unsynced.get(path, 0)
            kept = len(data) - loose + (0, loose // 2, max(0, loose - 3), 0)[turn % 4]
            left.contents[path] = bytearray(data[:kept])
            if turn % 4 == 3:
                left.contents[path].extend(b"\xd7\x05\x00" * (loose // 3))
        return left


def test_a_cut_on_a_file_system_without_promises_loses_nothing_acknowledged():
    files = CarelessFiles()
    witness = Witness(files)

    def cut():
        left = files.after_a_cut(files.changes)
        stores = witness.look(left, "", damage_allowed=True)
        if files.changes % 16 == 0:
            witness.go_on(stores, left, "")

    files.before_change = cut
    acknowledged = witness.run(500)
    assert acknowledged > 400, acknowledged
    assert files.changes > 500, files.changes
