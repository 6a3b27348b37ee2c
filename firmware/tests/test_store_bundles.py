"""The bundle store: what it keeps, what it lets go, and what it still knows after a restart."""

from harness import raises

from hedgenode.store.bundles import BundleStore
from hedgenode.store.index import DELIVERED, HANDED, MAX_SEGMENTS, OWN, STORED
from hedgenode.store.ram import RamFiles

EVERYONE = 1040383
NEAR, FAR = 974849, 974850
WEEK_MS = 7 * 24 * 3600 * 1000


def _id(number):
    return number.to_bytes(4, "big") + b"\x00abc"


def _data(number, size=100):
    return (b"%05d." % number * (size // 6 + 1))[:size]


def _store(files, capacity=40000, now_ms=0):
    return BundleStore(files, "/b", capacity, now_ms, EVERYONE)


def _add(store, number, source=NEAR, destination=FAR, copies=6, size=100, now_ms=0, state=STORED, age_ms=0):
    return store.add(_data(number, size), _id(number), source, destination, copies, age_ms, WEEK_MS, now_ms, state)


def _facts(store):
    return sorted((e.id, e.source, e.destination, e.copies, e.state, e.size, e.seq) for e in store.entries())


def test_a_bundle_is_there_after_a_restart_with_everything_that_was_said_of_it():
    files = RamFiles()
    store = _store(files)
    assert _add(store, 1)
    assert _add(store, 2, source=2**40 + 5, destination=EVERYONE, copies=3, state=OWN)
    again = _store(files)
    for s in (store, again):
        assert _facts(s) == [
            (_id(1), NEAR, FAR, 6, STORED, 100, 1),
            (_id(2), 2**40 + 5, EVERYONE, 3, OWN, 100, 2),
        ]
        assert s.get(_id(1)) == _data(1)
        assert s.get(_id(2)) == _data(2)
        assert s.get(_id(3)) is None
        assert s.entry(_id(3)) is None
        assert not s.knows(_id(3))
        assert s.count() == 2
        assert s.damaged == 0


def test_changes_of_state_and_copies_survive_a_restart():
    files = RamFiles()
    store = _store(files)
    for number in (1, 2, 3):
        _add(store, number)
    assert store.give(_id(1), 4)
    assert store.give(_id(2), 6)
    assert store.set_state(_id(3), DELIVERED)
    assert store.set_copies(_id(3), 1)
    assert not store.give(_id(9), 1)
    assert not store.set_state(_id(9), HANDED)
    for s in (store, _store(files)):
        assert [(e.copies, e.state) for e in sorted(s.entries(), key=lambda e: e.seq)] == [
            (2, STORED), (0, HANDED), (1, DELIVERED)
        ]  # fmt: skip


def test_an_entry_is_a_copy_that_does_not_change_under_its_reader():
    store = _store(RamFiles())
    _add(store, 1)
    entry = store.entry(_id(1))
    store.give(_id(1), 2)
    assert entry.copies == 6
    assert store.entry(_id(1)).copies == 4


def test_what_was_removed_is_not_taken_again_not_even_after_a_restart():
    files = RamFiles()
    store = _store(files)
    _add(store, 1)
    assert store.remove(_id(1))
    assert not store.remove(_id(1))
    for s in (store, _store(files)):
        assert s.knows(_id(1))
        assert s.get(_id(1)) is None
        assert not _add(s, 1)
    assert _add(store, 2)
    assert _add(store, 2)
    assert store.count() == 1


def test_seen_ids_outlive_the_segments_in_which_they_were_removed():
    files = RamFiles()
    store = _store(files, 24000)
    _add(store, 1)
    store.remove(_id(1))
    first = store._log.numbers[0]
    for number in range(100, 150):
        _add(store, number, size=2000)
        store.give(_id(number), 6)
    assert store._log.numbers[0] > first, "the oldest segment was to be compacted"
    for _ in range(3):
        store = _store(files, 24000)
        assert store.knows(_id(1))


def test_the_ring_of_seen_ids_is_bounded_and_forgets_the_oldest():
    files = RamFiles()
    store = BundleStore(files, "/b", 40000, 0, EVERYONE, seen=8)
    for number in range(1, 13):
        _add(store, number)
        store.remove(_id(number))
    for s in (store, BundleStore(files, "/b", 40000, 0, EVERYONE, seen=8)):
        assert [number for number in range(1, 13) if s.knows(_id(number))] == list(range(5, 13))


def test_arrival_numbers_never_come_twice_not_even_when_everything_was_removed():
    files = RamFiles()
    store = BundleStore(files, "/b", 12000, 0, EVERYONE, seen=1, segment_bytes=1024)
    last = 0
    for number in range(1, 200):
        assert _add(store, number)
        seq = store.entry(_id(number)).seq
        assert seq > last
        last = seq
        store.remove(_id(number))
        if number % 10 == 0:
            while store._log.numbers[0] < store._log.numbers[-1]:
                store._compact(0)  # nothing lives: only the beginning of the newest segment knows the number
            store._compact(0)
            store = BundleStore(files, "/b", 12000, 0, EVERYONE, seen=1, segment_bytes=1024)


def test_a_full_store_keeps_going_and_its_index_agrees_with_flash():
    files = RamFiles()
    store = _store(files, 30000)
    taken = 0
    for number in range(1, 600):
        taken += _add(store, number, source=NEAR + number % 7, size=50 + number * 37 % 900, now_ms=number * 1000)
        if number % 3 == 0:
            store.give(_id(number - 1), number % 5)
        assert store.used_bytes() <= 30000
        if number % 50 == 0:
            again = _store(files, 30000)
            assert _facts(again) == _facts(store)
    assert taken == 599
    assert 20 < store.count() < 200
    for entry in store.entries():
        assert store.get(entry.id) == _data(int.from_bytes(entry.id[:4], "big"), entry.size)


def test_handed_bundles_go_before_others_and_own_ones_last():
    store = _store(RamFiles(), 30000)
    for number in range(1, 6):
        assert _add(store, number, state=OWN, size=200)
    for number in range(10, 20):
        assert _add(store, number, size=800)
    store.give(_id(15), 6)
    for number in range(30, 60):
        assert _add(store, number, size=800)
        assert store.entry(_id(15)) is None or store.count() < 40
    assert store.entry(_id(15)) is None
    assert all(store.entry(_id(number)) is not None for number in range(1, 6))


def test_a_bundle_that_could_never_fit_is_refused_before_anything_is_shed():
    store = _store(RamFiles(), 20000)
    _add(store, 1)
    assert not store.admits(9000)
    assert store.admits(1000)
    assert not _add(store, 2, size=9000)
    assert store.count() == 1
    assert not store.knows(_id(2))


def test_age_counts_the_stay_and_goes_on_over_a_restart():
    files = RamFiles()
    store = _store(files)
    _add(store, 1, age_ms=60000, now_ms=10000)
    assert store.get_aged(_id(1), 10000) == (_data(1), 60000)
    assert store.get_aged(_id(1), 40000) == (_data(1), 90000)
    assert store.get_aged(_id(2), 40000) is None
    _add(store, 2, now_ms=110000)  # the newest record: up to here the stay is known after a restart
    again = _store(files, now_ms=7000)
    assert again.get_aged(_id(1), 7000) == (_data(1), 160000)
    assert again.get_aged(_id(1), 17000) == (_data(1), 170000)


def test_what_has_outlived_its_lifetime_goes_unless_it_reached_its_reader():
    store = _store(RamFiles())
    _add(store, 1)
    _add(store, 2, state=DELIVERED)
    _add(store, 3, now_ms=5000)
    assert store.expire(WEEK_MS) == 0
    assert store.expire(WEEK_MS + 1000) == 1
    assert store.entry(_id(1)) is None
    assert store.entry(_id(2)) is not None
    assert store.entry(_id(3)) is not None
    assert not _add(store, 4, age_ms=WEEK_MS + 1000), "too old on arrival"


def test_equal_sets_of_public_bundles_have_equal_fingerprints():
    files = RamFiles()
    one, two = _store(files), _store(RamFiles())
    assert one.public_fingerprint() == 0
    for number in (1, 2, 300):
        _add(one, number, destination=EVERYONE)
    for number in (300, 7, 2, 1):
        _add(two, number, destination=EVERYONE)
    _add(two, 55)
    assert one.public_fingerprint() == 1 ^ 2 ^ 300 != two.public_fingerprint()
    two.remove(_id(7))
    assert one.public_fingerprint() == two.public_fingerprint() == _store(files).public_fingerprint()


def test_damage_in_flash_costs_the_damaged_bundle_and_is_counted():
    files = RamFiles()
    store = _store(files)
    for number in range(1, 6):
        _add(store, number)
    name = "/b/%08d.seg" % store._log.numbers[0]
    at = bytes(files.contents[name]).index(_data(3)) + 50
    files.contents[name][at] ^= 0x40
    assert store.get(_id(3)) is None
    assert store.damaged == 1
    again = _store(files)
    assert again.count() == 4
    assert again.damaged == 1
    assert all(again.get(_id(number)) == _data(number) for number in (1, 2, 4, 5))
    store._compact(0)  # deletes the damaged segment: the index must not point there any more
    assert store.count() == 4
    assert store.get(_id(5)) == _data(5)


def test_records_of_a_later_version_are_left_alone():
    files = RamFiles()
    store = _store(files)
    _add(store, 1)
    store._log.append(b"\x09\x01\x02\x02" + bytes(40))
    store._log.append(b"\x03\x00\x00\x02" + _id(1) + bytes(4))
    assert _facts(_store(files)) == _facts(store)


def test_housekeeping_ends():
    store = _store(RamFiles(), 30000)
    for number in range(1, 100):
        _add(store, number, size=300, now_ms=0)
        store.remove(_id(number))
    steps = 0
    while store.tidy(0):
        steps += 1
        assert steps < 50
    assert steps > 0
    assert store.used_bytes() <= 30000 * 3 // 4


def test_a_store_finds_a_thousand_messages():
    store = _store(RamFiles(), 400000)
    for number in range(1, 1001):
        assert _add(store, number, size=60)
    for number in (1, 500, 1000):
        assert store.get(_id(number)) == _data(number, 60)


def test_segments_never_get_so_many_that_their_numbers_would_be_mixed_up():
    files = RamFiles()
    raises(ValueError, lambda: BundleStore(files, "/b", 132000, 0, EVERYONE, segment_bytes=1024))
    store = BundleStore(files, "/b", 130000, 0, EVERYONE, segment_bytes=1024)
    for number in range(1, 400):
        assert _add(store, number, size=800)
        numbers = store._log.numbers
        assert numbers[-1] - numbers[0] < MAX_SEGMENTS
        assert store.entry(_id(number)) is not None
    for entry in store.entries():
        assert store.get(entry.id) == _data(int.from_bytes(entry.id[:4], "big"), 800)


def test_what_flash_has_lost_goes_when_its_time_may_be_over():
    files = RamFiles()
    store = _store(files)
    _add(store, 1)
    path = next(iter(files.contents))
    files.contents[path][-1] ^= 1
    assert store.get(_id(1)) is None
    assert store.expire(WEEK_MS - 300000) == 0
    assert store.expire(WEEK_MS) == 1
