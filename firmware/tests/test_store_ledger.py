"""A node's ledger in flash: it goes on where it ended, never says two things under one number, and stays small."""

from harness import raises
from test_store_power_cut import PROGRAM_BYTES, READ_BYTES, CarelessFiles, FlashChip, VfsLfs2

from hedgenode.rules import ledger as rules
from hedgenode.store.ledger import MOST_SEGMENTS, MOST_SEGMENTS_UNKEPT, SEGMENT_BYTES, LedgerStore
from hedgenode.store.ram import RamFiles
from hedgewire import ledger

WRITER = b"w" * 32
SIGNATURE = b"s" * 64


def opened(files, segment_bytes=SEGMENT_BYTES):
    return LedgerStore(files, "/l", WRITER, segment_bytes)


def sign(store):
    store.keep_head(store.seq, store.digest, SIGNATURE)


def entries(store, after=0, limit=10000):
    return [ledger.decode_entry(data) for data in store.read(after, limit)]


def assert_chained(found, seq, digest):
    """`found` follows the entry (seq, digest) without a gap; returns the last one's."""
    for entry in found:
        assert rules.of_entry(seq, digest, entry.seq, entry.previous, entry.kind) == rules.NEXT, entry.seq
        seq, digest = entry.seq, entry.digest
    return seq, digest


def test_entries_are_chained_from_the_writers_key_and_come_back_after_a_restart():
    files = RamFiles()
    store = opened(files)
    for i in range(5):
        assert store.append("updated", {"app": "0.%d" % i}) == i + 1
    sign(store)
    store.append("audited", {})
    for one in (store, opened(files)):
        assert assert_chained(entries(one), 0, ledger.genesis(WRITER)) == (6, store.digest)
        assert (one.seq, one.unsigned, one.head[0], one.first_seq) == (6, 1, 5, 1)
        assert one.said == {"updated": {"app": "0.4"}}
        assert one.last == ("audited", {})


def test_reading_goes_on_behind_a_number_and_stops_at_the_limit():
    store = opened(RamFiles(), 700)
    for _ in range(40):
        store.append("audited", {})
    assert [entry.seq for entry in entries(store, 0, 3)] == [1, 2, 3]
    assert [entry.seq for entry in entries(store, 37)] == [38, 39, 40]
    assert entries(store, 40) == []


def test_with_a_host_that_has_them_old_signed_entries_go_and_the_chain_goes_on():
    files = RamFiles()
    store = opened(files, 900)
    store.append("enrolled", {"fleet": b"fleetid8", "short": 1})
    for i in range(300):
        store.append("configured", {"config": i.to_bytes(8, "big")})
        if i % 10 == 9:
            sign(store)
            store.keep_kept(store.seq)
    assert store.used_bytes() <= (MOST_SEGMENTS + 1) * 900
    again = opened(files, 900)
    assert again.first_seq > 200
    kept = entries(again)
    assert kept[0].seq == again.first_seq
    assert assert_chained(kept[1:], kept[0].seq, kept[0].digest) == (301, store.digest)
    assert again.said["enrolled"] == {"fleet": b"fleetid8", "short": 1}  # its entry is long gone


def test_without_a_host_more_is_kept_and_then_the_oldest_signed_go():
    store = opened(RamFiles(), 900)
    for _ in range(600):
        store.append("audited", {})
        sign(store)
    assert MOST_SEGMENTS_UNKEPT * 900 >= store.used_bytes() > MOST_SEGMENTS * 900
    assert store.first_seq > 1


def test_what_nobody_signed_is_never_dropped_and_a_full_log_refuses():
    store = opened(RamFiles(), 900)
    try:
        while True:
            store.append("audited", {})
    except OSError:
        pass
    count = store.seq
    assert store.first_seq == 1
    raises(OSError, store.append, "audited", {})
    assert store.seq == count
    assert assert_chained(entries(store), 0, ledger.genesis(WRITER))[0] == count


def test_after_damage_at_the_end_no_number_is_used_twice_and_the_loss_is_told():
    files = RamFiles()
    store = opened(files)
    for _ in range(9):
        store.append("audited", {})
    last = entries(store)[6].digest
    newest = sorted(files.contents)[-1]
    files.contents[newest] = files.contents[newest][:-100]
    again = opened(files)
    found = entries(again)[-1]
    assert (found.kind, found.fields, found.previous) == (rules.LOST, {"after": 7}, last)
    assert again.seq == found.seq == 7 + rules.LOST_NUMBERS
    assert again.append("audited", {}) == found.seq + 1
    assert assert_chained(entries(opened(files)), 0, ledger.genesis(WRITER))[0] == found.seq + 1


def test_a_signed_entry_that_is_damaged_is_still_known_by_its_head():
    files = RamFiles()
    store = opened(files)
    store.append("audited", {"n": 1})
    store.append("audited", {"n": 2})
    sign(store)
    wanted = store.digest
    newest = sorted(files.contents)[-1]
    data = files.contents[newest]
    at = bytes(data).rfind(b"audited")
    data[at] ^= 1
    again = opened(files)
    assert (again.seq, again.digest, again.damaged) == (2, wanted, 1)
    assert again.append("audited", {}) == 3
    assert [entry.seq for entry in entries(again)] == [1, 3]


def test_the_state_is_found_again_when_the_beginning_of_the_newest_segment_is_damaged():
    files = RamFiles()
    store = opened(files, 900)
    for _ in range(25):
        store.append("audited", {})
    sign(store)
    store.append("audited", {})
    data = files.contents[sorted(files.contents)[-1]]
    data[10] ^= 1
    again = opened(files, 900)
    assert (again.seq, again.digest, again.head) == (store.seq, store.digest, store.head)


class Witness:
    """Drives a ledger while power may go at any change; knows what must hold afterwards."""

    def __init__(self, files, directory):
        self.store = LedgerStore(files, directory, WRITER, 700)
        self.digests = {}
        self.seq = 0
        self.head = None
        self.looks = 0

    def run(self, count):
        for i in range(count):
            self.store.append("configured", {"config": i.to_bytes(8, "big")})
            self.seq = self.store.seq
            self.digests[self.seq] = self.store.digest
            if i % 5 == 4:
                sign(self.store)
                self.head = self.store.head
                self.store.keep_kept(self.seq - 2)

    def look(self, files, directory, damage_allowed):
        """What was acknowledged is there, what was signed and shown is never contradicted."""
        self.looks += 1
        found = LedgerStore(files, directory, WRITER, 700)
        if found.last[0] == rules.LOST:  # rubbish behind what was kept: then it leaves out numbers
            assert damage_allowed
            assert self.seq <= found.last[1]["after"] <= self.seq + 1
        else:
            assert self.seq <= found.seq <= self.seq + 1, (self.seq, found.seq)
        held = entries(found)
        for entry in held:
            assert self.digests.get(entry.seq, entry.digest) == entry.digest
        if held:
            assert assert_chained(held[1:], held[0].seq, held[0].digest) == (found.seq, found.digest)
        if self.head:
            assert found.head[0] >= self.head[0]
        more = found.append("audited", {})
        assert more > self.seq
        found.close()
        again = LedgerStore(files, directory, WRITER, 700)
        assert entries(again)[-1].seq == again.seq == more
        again.close()


def test_a_cut_on_a_file_system_without_promises_leaves_the_ledger_before_or_after():
    files = CarelessFiles()
    witness = Witness(files, "/l")
    files.before_change = lambda: witness.look(files.after_a_cut(files.changes), "/l", True)
    witness.run(120)
    assert witness.looks > 150, witness.looks
    assert witness.store.first_seq > 1


if VfsLfs2 is not None:
    import os

    from test_store_power_cut import mount, umount

    from hedgenode.store.files import Flash

    def test_a_cut_at_every_change_of_littlefs_leaves_the_ledger_before_or_after():
        chip, left = FlashChip(), FlashChip()
        VfsLfs2.mkfs(chip, progsize=PROGRAM_BYTES, readsize=READ_BYTES)
        mount(VfsLfs2(chip, progsize=PROGRAM_BYTES, readsize=READ_BYTES), "/chip")
        os.mkdir("/chip/l")
        witness = Witness(Flash(), "/chip/l")

        def cut(at, size, new):
            """The change reaches the flash not at all, in part or but for its last bytes, in turn."""
            left.image[:] = chip.image
            done = (0, size // 2, size - 8)[witness.looks % 3]
            left.image[at : at + done] = memoryview(new)[:done]
            mount(VfsLfs2(left, progsize=PROGRAM_BYTES, readsize=READ_BYTES), "/left")
            witness.look(Flash(), "/left/l", False)
            umount("/left")

        chip.before_change = cut
        try:
            witness.run(80)
        finally:
            chip.before_change = None
            witness.store.close()
            umount("/chip")
        assert witness.looks > 200, witness.looks
        print("%d cuts of LittleFS in 80 entries" % witness.looks)


def test_flash_that_refuses_leaves_the_ledger_as_it_was():
    class Full(RamFiles):
        refuse = False

        def sync(self, file):
            if self.refuse:
                raise OSError(28)

    files = Full()
    store = opened(files)
    store.append("audited", {})
    before = (store.seq, store.digest)
    files.refuse = True
    raises(OSError, store.append, "audited", {})
    raises(OSError, store.keep_head, store.seq, store.digest, SIGNATURE)
    assert (store.seq, store.digest) == before
    assert store.head is None
    files.refuse = False
    assert store.append("audited", {}) == 2
