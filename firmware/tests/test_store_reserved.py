"""A reserved number never comes twice, whenever the power fails."""

from hedgenode.store.ram import RamFile, RamFiles
from hedgenode.store.reserved import Reserved

PATH = "/store/frames"


def test_numbers_go_up_over_restarts_and_flash_is_written_rarely():
    files = RamFiles()
    used = []
    for _ in range(5):
        numbers = Reserved(files, PATH, 100)
        used += [numbers.next() for _ in range(30)]
    assert used == sorted(set(used))
    assert used[-1] < 5 * 100


def test_a_start_that_uses_none_costs_none():
    files = RamFiles()
    for _ in range(10):
        Reserved(files, PATH, 100)
    assert Reserved(files, PATH, 100).next() == 0


def test_a_damaged_file_does_not_lead_back_to_used_numbers():
    files = RamFiles()
    numbers = Reserved(files, PATH, 8)
    used = [numbers.next() for _ in range(20)]
    for damage in (b"", b"\x80", b"\x82\x01\x60", b"\x82\x02\x05"):
        files.contents[PATH] = bytearray(damage)
        again = Reserved(files, PATH, 8)
        assert again.damaged == 1, damage
        assert again.next() > max(used)


class CuttableFile(RamFile):
    """Every byte that is written may be the last."""

    def __init__(self, data, at, files):
        super().__init__(data, at)
        self._files = files

    def write(self, data):
        for at in range(len(data)):
            super().write(data[at : at + 1])
            self._files.power_may_go()
        return len(data)


class CuttableFiles(RamFiles):
    """Calls `look` with the files as a power cut would leave them, after every change."""

    def __init__(self, look):
        super().__init__()
        self._look = look

    def open(self, path, mode):
        super().open(path, mode).close()
        self.power_may_go()
        data = self.contents[path]
        return CuttableFile(data, 0 if "r" in mode else len(data), self)

    def rename(self, old, new):
        super().rename(old, new)
        self.power_may_go()

    def power_may_go(self):
        left = RamFiles()
        for path in self.contents:
            left.contents[path] = bytearray(self.contents[path])
        self._look(left)


def test_no_number_comes_twice_wherever_the_power_fails():
    used = []
    cuts = []

    def look(left):
        again = Reserved(left, PATH, 4)
        cuts.append(again.next())
        assert again.damaged == 0
        assert cuts[-1] > (used[-1] if used else -1)

    numbers = Reserved(CuttableFiles(look), PATH, 4)
    for _ in range(40):
        used.append(numbers.next())
    assert len(cuts) > 50
