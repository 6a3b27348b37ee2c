"""The log of sensor samples: numbered once and for all, oldest first to go."""

from hedgenode.store.ram import RamFiles
from hedgenode.store.samples import CHANNELS, SampleLog

READING = {"temperature_c100": -1234, "humidity_pc100": 5678, "pressure_pa": 101325, "battery_mv": 3912}


def _log(files, capacity=4000):
    return SampleLog(files, "/s", capacity)


def _append(log, count, start=0):
    return [log.append(start + i, i * 900000, 3, {"battery_mv": start + i}) for i in range(count)]


def test_a_sample_comes_back_as_it_was_said_with_known_and_unknown_channels():
    files = RamFiles()
    values = dict(READING, river_level_mm=412)
    assert _log(files).append(1700000000, 2**33, 7, values) == 1
    assert list(_log(files).read()) == [(1, 1700000000, 2**33, 7, values)]


def test_known_channels_cost_a_byte_and_not_their_name():
    files = RamFiles()
    log = _log(files)
    log.append(1700000000, 900000, 7, READING)
    before = log.used_bytes()
    log.append(1700000900, 1800000, 7, READING)
    assert log.used_bytes() - before <= 40


def test_reading_goes_on_behind_a_number_and_stops_at_the_limit():
    log = _log(RamFiles())
    _append(log, 30)
    assert [sample[0] for sample in log.read(0, 4)] == [1, 2, 3, 4]
    assert [sample[0] for sample in log.read(4, 4)] == [5, 6, 7, 8]
    assert [sample[0] for sample in log.read(28)] == [29, 30]
    assert list(log.read(30)) == []


def test_the_oldest_go_when_the_log_is_full_and_numbers_go_on():
    files = RamFiles()
    log = _log(files)
    numbers = _append(log, 600)
    assert numbers == list(range(1, 601))
    kept = [sample[0] for sample in log.read(0, 1000)]
    assert kept == list(range(kept[0], 601))
    assert 50 < len(kept) < 300
    assert log.used_bytes() <= 4000
    again = _log(files)
    assert [sample[0] for sample in again.read(0, 1000)] == kept
    assert again.next_seq == 601


def test_every_page_of_a_long_log_can_be_asked_for():
    log = _log(RamFiles())
    _append(log, 300)
    first = next(log.read())[0]
    after, got = 0, []
    while True:
        page = [sample[0] for sample in log.read(after, 7)]
        if not page:
            break
        got += page
        after = page[-1]
    assert got == list(range(first, 301))


def test_after_damage_no_number_is_given_twice():
    files = RamFiles()
    log = _log(files)
    _append(log, 20)
    newest = sorted(files.contents)[-1]
    files.contents[newest] = files.contents[newest][:-30]  # samples 19 and 20, which somebody may have read
    again = _log(files)
    assert again.damaged == 1
    assert _append(again, 1)[0] > 20
    files.contents[sorted(files.contents)[-1]][:] = b"\x00" * 50
    assert _append(_log(files), 1)[0] > 20


def test_the_numbers_of_channels_are_a_format():
    assert CHANNELS[:6] == (
        "temperature_c100", "humidity_pc100", "pressure_pa", "panel_mv", "panel_ma10", "battery_mv"
    )  # fmt: skip
