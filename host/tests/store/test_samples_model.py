"""The sample log and the counters: whatever is said comes back, and no number comes twice."""

from hypothesis import given, settings
from hypothesis import strategies as st

from hedgenode.store.counters import Counters
from hedgenode.store.ram import RamFiles
from hedgenode.store.samples import CHANNELS, SampleLog

NUMBERS = st.integers(-(2**31), 2**31)
READINGS = st.dictionaries(st.sampled_from(CHANNELS) | st.text(min_size=1, max_size=12), NUMBERS, max_size=9)


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 2**40), st.integers(0, 2**40), READINGS, st.booleans()), max_size=40))
def test_samples_come_back_as_they_were_said_over_restarts(said):
    files = RamFiles()
    log = SampleLog(files, "/s", 100000)
    for time_s, uptime_ms, values, restart in said:
        log.append(time_s, uptime_ms, 1, values)
        if restart:
            log = SampleLog(files, "/s", 100000)
    wanted = [(i + 1, time_s, uptime_ms, 1, values) for i, (time_s, uptime_ms, values, _) in enumerate(said)]
    assert list(log.read(0, 1000)) == wanted


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(1, 30), st.integers(0, 200)), min_size=1, max_size=12))
def test_no_sample_number_comes_twice_whatever_power_takes(boots):
    """Power takes up to 200 bytes from the end of the newest segment: more than a file system would."""
    files = RamFiles()
    used = []
    for count, lost_bytes in boots:
        log = SampleLog(files, "/s", 3000)
        used += [log.append(0, 0, 1, {"battery_mv": i}) for i in range(count)]
        newest = files.contents[max(files.contents)]
        kept = max(1, len(newest) - lost_bytes)
        if lost_bytes and kept < len(newest):
            # A clean cut at a record's end cannot be told from a log that ended there: leave a byte of the next.
            files.contents[max(files.contents)] = bytearray(newest[:kept] + b"\xd7")
    assert used == sorted(set(used))


@settings(max_examples=40)
@given(st.lists(st.integers(0, 200), min_size=1, max_size=8))
def test_no_sequence_number_comes_twice_over_any_number_of_boots(boots):
    files = RamFiles()
    used = []
    for boot, count in enumerate(boots):
        counters = Counters(files, "/c")
        assert counters.boot == boot + 1
        used += [counters.next_sequence() for _ in range(count)]
    assert used == sorted(set(used))
