"""Numbers that never come twice, and small files that are whole or not there."""

from harness import raises

from hedgenode.store.counters import Counters, read_whole, write_atomic
from hedgenode.store.ram import RamFiles


def test_boots_are_counted_and_sequence_numbers_never_come_twice():
    files = RamFiles()
    used = []
    for boot in range(1, 6):
        counters = Counters(files, "/store")
        assert counters.boot == boot
        assert counters.damaged == 0
        used += [counters.next_sequence() for _ in range(boot * 30)]
    assert used == sorted(set(used))


def test_flash_is_written_once_for_many_numbers():
    files = RamFiles()
    counters = Counters(files, "/store")
    before = bytes(files.contents["/store/counters.cbor"])
    for _ in range(50):
        counters.next_sequence()
    assert files.contents["/store/counters.cbor"] == before


def test_a_damaged_file_does_not_bring_used_numbers_back():
    files = RamFiles()
    used = Counters(files, "/store").next_sequence()
    files.contents["/store/counters.cbor"][0] = 0xFF
    counters = Counters(files, "/store")
    assert counters.damaged == 1
    assert counters.next_sequence() != used


def test_a_file_is_replaced_as_a_whole():
    files = RamFiles()
    write_atomic(files, "/x", b"old")
    write_atomic(files, "/x", b"new and longer")
    assert read_whole(files, "/x") == b"new and longer"
    assert read_whole(files, "/y") is None
    assert list(files.contents) == ["/x"]


class _LyingFiles(RamFiles):
    def sync(self, file):
        for data in self.contents.values():
            if data:
                data[0] ^= 1


def test_what_reads_back_differently_does_not_replace_the_old_file():
    files = _LyingFiles()
    files.contents["/x"] = bytearray(b"old")
    raises(OSError, write_atomic, files, "/x", b"new")
    assert list(files.contents) == ["/x"]
