"""The log of what the sensors said: numbered, durable, oldest first to go. Knows channel names, no sensor and no clock.

Record: CBOR [seq, time_s, uptime_ms, boot, {channel: value}]. Channels of the list below are stored as their number,
others by name. First record of a segment: CBOR [next seq].
"""

from hedgenode.store.segments import SEGMENT_BYTES, TOKEN_SPAN, SegmentLog
from hedgewire import cbor

# Positions are the stored form: append here, never reorder.
CHANNELS = (
    "temperature_c100",
    "humidity_pc100",
    "pressure_pa",
    "panel_mv",
    "panel_ma10",
    "battery_mv",
    "illuminance_lx",
    "soil_pc100",
)

_SMALLEST_RECORD_BYTES = 13  # frame and the shortest sample
_MOST_SAMPLES = TOKEN_SPAN // _SMALLEST_RECORD_BYTES  # that a segment of any size holds


def share_bytes(filesystem_bytes: int) -> int:
    """What a node gives its samples of the whole file system."""
    return filesystem_bytes * 20 // 100


class SampleLog:
    """Samples in flash. `append` returns once the sample is durable; numbers begin at 1 and are never used twice."""

    def __init__(self, files, directory: str, capacity_bytes: int, segment_bytes: int = 0):
        if not segment_bytes:
            segment_bytes = min(SEGMENT_BYTES, max(capacity_bytes // 4, 256))
        self.next_seq = 1
        self._max_segments = max(2, capacity_bytes // segment_bytes)
        self._log = SegmentLog(files, directory, segment_bytes, 0, self._preamble)
        self._first_seq = {}  # segment number -> a number no sample in it is below
        self._mount()

    @property
    def damaged(self) -> int:
        return self._log.damaged

    def append(self, time_s: int, uptime_ms: int, boot: int, values: dict) -> int:
        """Keep one reading of {channel name: int}. OSError when flash refuses; then it is not kept."""
        stored = {}
        for name, value in values.items():
            stored[CHANNELS.index(name) if name in CHANNELS else name] = value
        seq = self.next_seq
        token = self._log.append(cbor.encode([seq, time_s, uptime_ms, boot, stored]))
        self.next_seq = seq + 1
        number = token // TOKEN_SPAN
        if number not in self._first_seq:
            self._first_seq[number] = seq
        while len(self._log.numbers) > self._max_segments:
            oldest = self._log.numbers[0]
            self._log.drop_segment(oldest)
            self._first_seq.pop(oldest, None)
        return seq

    def read(self, after_seq: int = 0, limit: int = 256):
        """Yield (seq, time_s, uptime_ms, boot, {channel name: int}), oldest first, at most `limit`."""
        numbers = list(self._log.numbers)
        for i in range(len(numbers)):
            # The next segment's first number tells whether anything in this one is wanted.
            if i + 1 < len(numbers) and self._first_seq.get(numbers[i + 1], after_seq + 2) <= after_seq + 1:
                continue
            if numbers[i] not in self._log.numbers:
                continue  # dropped while the reader was reading
            found = self._log.scan_segment(numbers[i])
            try:
                for _, record, _ in found:
                    sample = self._decode(record)
                    if sample is None or sample[0] <= after_seq:
                        continue
                    if limit <= 0:
                        return
                    limit -= 1
                    yield sample
            finally:
                found.close()

    def used_bytes(self) -> int:
        return self._log.used_bytes

    def segment_count(self) -> int:
        return len(self._log.numbers)

    def close(self) -> None:
        self._log.close()

    # ---- inside

    def _preamble(self):
        return cbor.encode([self.next_seq])

    def _mount(self):
        """Read the beginning of every segment and all of the newest; the samples between are read when asked for."""
        numbers = self._log.numbers
        for number in numbers[:-1]:
            found = self._log.scan_segment(number)
            for _, record, _ in found:
                self._note(number, record)
                break
            found.close()
        if not numbers:
            return
        newest = numbers[-1]
        damaged, last = self._log.damaged, None
        for _, record, _ in self._log.scan_segment(newest):
            if last is None:
                self._note(newest, record)
            last = record
        if last is not None:  # numbers only grow, so those between the first and the last need not be read
            self._note(newest, last)
        # Where samples are lost that somebody may have read, leave out all the numbers they may have had. A segment
        # number stands for one segment of samples at most and one such gap.
        if last is None:
            self.next_seq = max(self.next_seq, newest * 2 * _MOST_SAMPLES + 1)
        elif self._log.damaged > damaged:
            self.next_seq += _MOST_SAMPLES

    def _note(self, number, record):
        values = cbor.decode(record)
        if isinstance(values, list) and values and isinstance(values[0], int):
            if number not in self._first_seq:
                self._first_seq[number] = values[0]
            self.next_seq = max(self.next_seq, values[0] + (1 if len(values) > 1 else 0))

    def _decode(self, record):
        values = cbor.decode(record)
        if not isinstance(values, list) or len(values) != 5:
            return None  # a preamble, or a later version's record
        named = {}
        for key, value in values[4].items():
            if isinstance(key, str):
                named[key] = value
            elif key < len(CHANNELS):
                named[CHANNELS[key]] = value
        return values[0], values[1], values[2], values[3], named
