"""Secrets in erasing slots: there after any power cut, and nowhere in flash once they are replaced."""

from harness import raises

from hedgenode.store.keyslot import KeySlots
from hedgenode.store.ram import RamFile, RamFiles

try:
    from vfs import VfsLfs2, mount, umount
except ImportError:
    try:
        from os import VfsLfs2, mount, umount  # MicroPython 1.22
    except ImportError:
        VfsLfs2 = None  # CPython: no LittleFS there; the same tests run on files that lie in blocks of their own

BLOCK_BYTES = 4096
BLOCKS = 24
FOLDER = "/keys"


class PowerCut(Exception):
    pass


class Chip:
    """NOR flash in RAM: programming clears bits and nothing else, erasing sets a whole block. Power may go at a change.

    `cut` is the number of the change that is the last one, and `part` how much of it still happens, in quarters.
    """

    def __init__(self, image=None):
        self.image = bytearray(image) if image else bytearray(b"\xff" * (BLOCKS * BLOCK_BYTES))
        self.changes = 0
        self.cut = None
        self.part = 0

    def readblocks(self, block, buffer, offset=0):
        at = block * BLOCK_BYTES + offset
        buffer[:] = memoryview(self.image)[at : at + len(buffer)]

    def writeblocks(self, block, buffer, offset=0):
        at = block * BLOCK_BYTES + offset
        for i in range(self._lasting(len(buffer))):
            self.image[at + i] &= buffer[i]
        self._end()

    def ioctl(self, request, argument):
        if request == 4:
            return BLOCKS
        if request == 5:
            return BLOCK_BYTES
        if request == 6:
            at = argument * BLOCK_BYTES
            count = self._lasting(BLOCK_BYTES)
            self.image[at : at + count] = b"\xff" * count
            self._end()
        return 0

    def _lasting(self, count):
        """How many bytes of a change reach the flash."""
        self.changes += 1
        return count * self.part // 4 if self.changes == self.cut else count

    def _end(self):
        if self.changes == self.cut:
            raise PowerCut

    def holds(self, secret):
        return bytes(self.image).find(secret) >= 0


class BlockFile(RamFile):
    """A file that lies in a block of the chip; reads come from there."""

    def __init__(self, owner, block, write):
        RamFile.__init__(self, bytearray() if write else bytearray(owner.block(block)), 0)
        self._owner = owner
        self._block = block
        self._write = write

    def flush(self):
        self._owner.chip.ioctl(6, self._block)
        for at in range(0, BLOCK_BYTES, 256):
            self._owner.chip.writeblocks(self._block, self._data[at : at + 256], at)


class BlockFiles(RamFiles):
    """Files of one block lie in the chip, as LittleFS keeps them; small ones beside it."""

    def __init__(self, chip, contents=None, places=None):
        RamFiles.__init__(self)
        self.chip = chip
        self.contents.update(contents or {})
        self.places = dict(places or {})

    def block(self, number):
        return self.chip.image[number * BLOCK_BYTES : (number + 1) * BLOCK_BYTES]

    def open(self, path, mode):
        if path[-2:] not in ("/a", "/b"):
            return RamFiles.open(self, path, mode)
        if "w" in mode:
            self.places[path] = 7 + (max(self.places.values()) - 6 if self.places else 0) % (BLOCKS - 7)
        elif path not in self.places:
            raise OSError(2)
        return BlockFile(self, self.places[path], "w" in mode)


class World:
    """A chip with the files on it, as a power cut may leave both."""

    def __init__(self, image=None, contents=None, places=None):
        self.chip = Chip(image)
        self.files = BlockFiles(self.chip, contents, places)

    def open(self):
        return KeySlots(self.files, self.chip, FOLDER)

    def copy(self):
        contents = {path: bytearray(data) for path, data in self.files.contents.items()}
        return World(self.chip.image, contents, self.files.places)

    def close(self):
        pass


if VfsLfs2 is not None:
    import os

    from hedgenode.store.files import Flash

    class World:  # noqa: F811 - on MicroPython: the real file system
        """A chip with LittleFS on it, mounted."""

        mounted = 0

        def __init__(self, image=None):
            self.chip = Chip(image)
            World.mounted += 1
            self.root = "/w%d" % World.mounted
            if image is None:
                VfsLfs2.mkfs(self.chip, progsize=256, readsize=32)
            mount(VfsLfs2(self.chip, progsize=256, readsize=32), self.root)
            if image is None:
                os.mkdir(self.root + FOLDER)
            self.files = Flash()

        def open(self):
            return KeySlots(self.files, self.chip, self.root + FOLDER)

        def copy(self):
            return World(self.chip.image)

        def close(self):
            umount(self.root)


def secret(number, size=200):
    return (b"secret number %05d / " % number * (size // 22 + 1))[:size]


def test_what_was_saved_last_is_there_and_what_was_before_is_nowhere():
    world = World()
    slots = world.open()
    assert slots.data is None
    for number in range(6):
        slots.save(secret(number))
        assert slots.data == secret(number)
        assert world.chip.holds(secret(number))
        assert not world.chip.holds(secret(number - 1)[:40])
        if number % 2:
            slots = world.open()
            assert slots.data == secret(number)
            assert not slots.lost
    world.close()


def test_the_largest_fits_and_a_larger_one_is_our_mistake():
    world = World()
    slots = world.open()
    whole = secret(1, slots.capacity_bytes)
    slots.save(whole)
    slots.save(b"")
    assert world.open().data == b""
    slots = world.open()
    slots.save(whole)
    assert world.open().data == whole
    raises(ValueError, slots.save, whole + b"x")
    world.close()


def test_power_may_go_at_every_change():
    world = World()
    slots = world.open()
    slots.save(secret(1))
    slots.save(secret(2, 700))
    steps = count_changes(world, lambda opened: opened.save(secret(3, 700)))
    assert steps >= 4, steps
    for cut in range(1, steps + 1):
        for part in range(5):
            left = world.copy()
            opened = left.open()
            left.chip.cut, left.chip.part = left.chip.changes + cut, part
            raises(PowerCut, opened.save, secret(3, 700))
            left.chip.cut = None
            again = left.copy()
            kept = again.open()
            assert kept.data in (secret(2, 700), secret(3, 700)), (cut, part)
            assert not kept.lost, (cut, part)
            other = secret(2 if kept.data == secret(3, 700) else 3, 700)
            assert not again.chip.holds(other[:22]), (cut, part)
            kept.save(secret(4))
            assert again.open().data == secret(4)
            for number in (1, 2, 3):
                assert not again.chip.holds(secret(number)[:22]), (cut, part, number)
            again.close()
            left.close()
    world.close()


def count_changes(world, work):
    tried = world.copy()
    opened = tried.open()
    before = tried.chip.changes
    work(opened)
    tried.close()
    return tried.chip.changes - before


def test_power_may_go_while_the_slots_are_made():
    empty = World()
    tried = empty.copy()
    before = tried.chip.changes
    tried.open()
    steps = tried.chip.changes - before
    tried.close()
    for cut in range(1, steps + 1, 3):
        left = empty.copy()
        left.chip.cut, left.chip.part = left.chip.changes + cut, cut % 5
        try:
            left.open()
        except (PowerCut, OSError):
            pass  # LittleFS turns what its device raises into an error of its own
        left.chip.cut = None
        again = left.copy()
        slots = again.open()
        assert slots.data is None, cut
        slots.save(secret(1))
        assert again.open().data == secret(1), cut
        again.close()
        left.close()
    empty.close()


def test_slots_that_somebody_copied_are_not_written_to():
    world = World()
    world.open().save(secret(1))
    folder = getattr(world, "root", "") + FOLDER
    foreign = World()
    foreign.open().save(secret(2))
    place = getattr(foreign, "root", "") + FOLDER
    file = world.files.open(folder + "/slots.cbor", "rb")
    known = file.read()
    file.close()
    file = foreign.files.open(place + "/slots.cbor", "wb")
    file.write(known)
    foreign.files.sync(file)
    file.close()
    slots = foreign.open()
    assert slots.lost
    assert slots.data is None
    slots.save(secret(3))
    assert foreign.open().data == secret(3)
    foreign.close()
    world.close()


def test_a_flash_that_does_not_take_what_is_written_says_so_and_keeps_the_old():
    world = World()
    slots = world.open()
    slots.save(secret(1))
    wrong = world.chip.writeblocks
    world.chip.writeblocks = lambda block, buffer, offset=0: wrong(block, bytes(len(buffer)), offset)
    raises(OSError, slots.save, secret(2))
    world.chip.writeblocks = wrong
    assert world.open().data == secret(1)
    world.close()
