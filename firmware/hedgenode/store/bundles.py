"""The bundles of a node in flash, safe against power cuts. Knows their ids, ends, copies and ages; never looks inside.

Records (see segments.py), all beginning with kind u8, state u8, copies u8, version u8, id (8 bytes), clock_s u32:
  ADDED    + seq u32, source u64, destination u64, age_s u32, lifetime_s u32, then the bundle
  CHANGED  (state and copies of an id)      REMOVED  (id; also the memory of what was seen)
  OPENED   first in every segment; its id field holds the next seq (u32) and zeros
Little-endian. A record of unknown kind or version is left alone.

Age: `clock_s` is the store's own clock. It counts uptime and goes on over restarts from the newest record, so a bundle
ages by its age at storing plus the time the node was up since. What is not counted: the time without power and what
passed between the last record and a power cut. Ages are whole seconds, each stay may add up to one.
After any power cut everything acknowledged is there in its acknowledged state. What may come back: a removal, a change
of state or of copies that was not acknowledged yet; and a removal whose record flash itself has lost. Both mean
a message offered once more, which its id makes harmless. Nothing that fails its CRC is ever returned.
"""

import struct

from hedgenode.rules import expiry, quota
from hedgenode.store.ids import SeenRing
from hedgenode.store.index import DELIVERED, HANDED, MAX_COPIES, MAX_SEGMENTS, OWN, STATES, STORED, Index
from hedgenode.store.segments import HEADER_BYTES, SEGMENT_BYTES, TOKEN_SPAN, SegmentLog

_VERSION = 1
_ADDED = 1
_CHANGED = 2
_REMOVED = 3
_OPENED = 4
_HEAD = "<BBBB8sI"
_CLOCK_AT = 12
_HEAD_BYTES = 16
_MORE = "<IQQII"
_AGE_AT = 36
_LIFETIME_AT = 40
_ADDED_BYTES = 44
_REMOVED_BYTES = HEADER_BYTES + _HEAD_BYTES
# Segments compacted in one call: each takes half a second on a Pico, and its watchdog barks after eight.
_ROUNDS = 5


# A full store has to be read at start and leaves an index in RAM: on a Pico 1.3 ms and 24 bytes a bundle, so 0.6 s and
# 8 kB for this much. What a node promises (ready within 3 s, 100 kB of heap free) leaves little room for more.
MOST_BYTES = 128 * 1024


def share_bytes(filesystem_bytes: int) -> int:
    """What a node gives its bundles of the whole file system."""
    return min(filesystem_bytes * 40 // 100, MOST_BYTES)


class BundleStore:
    """Bundles by id. `True` from a method that changes something means: it will survive a power cut.

    `everyone` is the node number that the public layer is sent to. now_ms is uptime, on one scale for the life of the
    object. seen and segment_bytes follow from the capacity where they are 0. Call from one task.
    """

    def __init__(self, files, directory, capacity_bytes, now_ms=0, everyone=None, seen=0, segment_bytes=0):
        segment_bytes = segment_bytes or min(SEGMENT_BYTES, max(capacity_bytes // 8, 1024))
        if capacity_bytes > segment_bytes * MAX_SEGMENTS // 2:
            raise ValueError("so many bytes need larger segments")
        self._capacity_bytes = capacity_bytes
        self._spare_bytes = segment_bytes  # compaction writes the copy before it deletes the original
        self._limit_bytes = (capacity_bytes - segment_bytes) * 3 // 4  # the rest is what makes compaction pay
        self._everyone = everyone
        self._mounted_ms = now_ms
        self._clock_base_s = self._latest_s = 0
        self._live_bytes = 0
        self._fingerprint = [0, 0]
        self._next_seq = 1
        self._lost = 0
        self._seen = SeenRing(seen or max(16, min(512, capacity_bytes // 256)))
        self._index = Index()
        self._log = SegmentLog(files, directory, segment_bytes, 0, self._opened)
        self._mount()
        self._latest_s = self._clock_base_s

    # ---- asking

    def count(self) -> int:
        return self._index.count

    @property
    def damaged(self) -> int:
        """Records that flash lost: found at mount, at compaction or when read."""
        return self._log.damaged + self._lost

    def used_bytes(self) -> int:
        return self._log.used_bytes

    def segment_count(self) -> int:
        return len(self._log.numbers)

    def knows(self, bundle_id) -> bool:
        """Whether it is here, or was and need not come again."""
        return self._index.find(bundle_id) >= 0 or bundle_id in self._seen

    def entry(self, bundle_id):
        """The Entry (see index.py) of a bundle that is here, else None."""
        slot = self._index.find(bundle_id)
        return None if slot < 0 else self._index.entry(slot)

    def entries(self):
        """Yield an Entry for every bundle, in no order; sort by `.seq` for order of arrival."""
        for slot in self._index.slots():
            yield self._index.entry(slot)

    def get(self, bundle_id) -> "bytes | None":
        """The bundle as it was added; None if it is not here or flash lost it."""
        slot = self._index.find(bundle_id)
        if slot < 0:
            return None
        return self._log.read(self._index.entry(slot).token, _ADDED_BYTES)

    def get_aged(self, bundle_id, now_ms) -> "tuple[bytes, int] | None":
        """As get(), and its age in ms as the head of this module defines it."""
        slot = self._index.find(bundle_id)
        record = None if slot < 0 else self._log.read(self._index.entry(slot).token)
        if record is None:
            return None
        return record[_ADDED_BYTES:], max(0, self._clock_s(now_ms) - _born_s(record)) * 1000

    def clock_s(self, now_ms) -> int:
        """The store's clock: seconds of uptime that go on over restarts, as the head of this module says."""
        return self._clock_s(now_ms)

    def public_fingerprint(self) -> int:
        """XOR over the first 4 bytes of the ids of all public bundles: equal sets have equal fingerprints."""
        return self._fingerprint[0] << 16 | self._fingerprint[1]

    def admits(self, size_bytes, mine=False, public=False) -> bool:
        """Whether a bundle of that size would find room, if need be in place of a less valuable one."""
        kind = quota.DELIVERED if mine else quota.PUBLIC if public else quota.RELAYED
        return quota.admits(HEADER_BYTES + _ADDED_BYTES + size_bytes, kind, self._limit_bytes)

    # ---- changing

    def add(self, data, bundle_id, source, destination, copies, age_ms, lifetime_ms, now_ms, state=STORED) -> bool:
        """Keep a bundle; True once it is safe in flash (also if it is here already).

        False: no room, its time is over, or it was here before and is not taken again. May shed less valuable bundles
        (rules/quota.py). source and destination are node numbers.
        """
        if self.knows(bundle_id):
            return self._index.find(bundle_id) >= 0
        need = HEADER_BYTES + _ADDED_BYTES + len(data)
        kind = self._kind(state, destination)
        clock_s = self._clock_s(now_ms)
        born_s = clock_s - min(age_ms // 1000, expiry.MAX_LIFETIME_S)
        end_s = expiry.end_s(born_s, lifetime_ms)
        copies = min(copies, MAX_COPIES)
        if not quota.admits(need, kind, self._limit_bytes) or not self._index.has_room_for(source, destination):
            return False
        if expiry.is_over(clock_s, end_s, state == DELIVERED):
            return False
        try:
            if not self._shed(need, kind, source, now_ms) or not self._make_room(need, now_ms):
                return False
            seq = self._next_seq
            head = self._added(bundle_id, state, copies, seq, source, destination, born_s, end_s, clock_s)
            token = self._log.append(head, data)
        except OSError:
            return False  # flash is full or failing: the caller keeps its copy
        self._next_seq = seq + 1
        self._live_bytes += need
        self._index.add(bundle_id, token, source, destination, copies, state, len(data), seq, end_s)
        self._mark(bundle_id, destination)
        return True

    def set_state(self, bundle_id, state, now_ms=None) -> bool:
        entry = self.entry(bundle_id)
        return entry is not None and self._change(entry, entry.copies, state, now_ms)

    def set_copies(self, bundle_id, copies, now_ms=None) -> bool:
        entry = self.entry(bundle_id)
        return entry is not None and self._change(entry, min(copies, MAX_COPIES), entry.state, now_ms)

    def give(self, bundle_id, copies, now_ms=None) -> bool:
        """A peer has taken responsibility for that many copies. With none left the bundle is only kept in reserve."""
        entry = self.entry(bundle_id)
        if entry is None:
            return False
        left = max(0, entry.copies - copies)
        state = HANDED if left == 0 and entry.state != DELIVERED else entry.state
        return self._change(entry, left, state, now_ms)

    def remove(self, bundle_id, now_ms=None) -> bool:
        """Forget a bundle but remember its id. False if it is not here or flash refuses."""
        entry = self.entry(bundle_id)
        if entry is None:
            return False
        try:
            self._remove(entry, now_ms)
            self._log.sync()
        except OSError:
            return False
        return True

    def expire(self, now_ms) -> int:
        """Remove what has outlived its lifetime; how many that were. OSError when flash refuses."""
        clock_s = self._clock_s(now_ms)
        removed = 0
        for slot in self._index.slots():
            if self._index.may_be_over(slot, clock_s):
                entry = self._index.entry(slot)
                if expiry.is_over(clock_s, self._end_s(entry, clock_s), entry.state == DELIVERED):
                    self._remove(entry, now_ms)
                    removed += 1
        self._log.sync()
        return removed

    def tidy(self, now_ms) -> bool:
        """One bounded step of housekeeping for an idle moment (expire, compact a segment); False: nothing to do."""
        try:
            if self.expire(now_ms):
                return True
            # Early enough that an append seldom has to; only where at least an eighth of the store is to be won.
            used, capacity = self._log.used_bytes, self._capacity_bytes
            if used * 4 > capacity * 3 and (used - self._kept_bytes()) * 8 > capacity:
                self._compact(now_ms)
                return True
        except OSError:
            pass  # nothing is lost, there is only less room
        return False

    def close(self) -> None:
        self._log.close()

    # ---- room

    def _kind(self, state, destination):
        if state == HANDED:
            return quota.HANDED
        if state == DELIVERED:
            return quota.DELIVERED
        if state == OWN:
            return quota.OWN
        return quota.PUBLIC if destination == self._everyone else quota.RELAYED

    def _rows(self):
        for slot in self._index.slots():
            entry = self._index.entry(slot)
            size = HEADER_BYTES + _ADDED_BYTES + entry.size
            yield slot, self._kind(entry.state, entry.destination), entry.source, size, entry.seq

    def _kept_bytes(self):
        return self._live_bytes + self._seen.count * _REMOVED_BYTES

    def _shed(self, need, kind, source, now_ms):
        if self._live_bytes + need > self._limit_bytes:
            self.expire(now_ms)
        while self._live_bytes + need > self._limit_bytes:
            slot = quota.victim(self._rows, need, kind, source, self._limit_bytes)
            if slot is None:
                return False
            self._remove(self._index.entry(slot), now_ms)
        return True

    def _make_room(self, need, now_ms):
        """Compact until it fits, but no longer than a watchdog allows; the next call goes on."""
        for _ in range(_ROUNDS):
            if self._fits(need):
                return True
            self._compact(now_ms)
        return self._fits(need)

    def _fits(self, need):
        numbers = self._log.numbers  # two may be begun for one record
        if numbers and numbers[-1] + 2 - numbers[0] >= MAX_SEGMENTS:
            return False
        return self._log.used_bytes + need <= self._capacity_bytes - self._spare_bytes

    def _compact(self, now_ms):
        """Copy what lives in the oldest segment to the end, then delete it. Oldest first, so that a REMOVED record is
        never dropped before the ADDED record it speaks of."""
        log = self._log
        oldest = log.numbers[0]
        if len(log.numbers) == 1:
            log.roll()
        damaged = log.damaged
        moved = []
        for token, record, _ in log.scan_segment(oldest):
            if len(record) < _HEAD_BYTES or record[3] != _VERSION or record[0] not in (_ADDED, _REMOVED):
                continue
            bundle_id = record[4:12]
            slot = self._index.find(bundle_id)
            if record[0] == _REMOVED:
                if slot < 0 and bundle_id in self._seen:
                    log.append(record, b"", False)
            elif slot >= 0:
                entry = self._index.entry(slot)
                if entry.token == token:
                    data = memoryview(record)[_ADDED_BYTES:]
                    moved.append((slot, log.append(self._rewritten(entry, record, now_ms), data, False)))
        log.sync()
        for slot, token in moved:
            self._index.move(slot, token)
        log.drop_segment(oldest)
        if log.damaged > damaged:
            self._forget_segment(oldest)

    def _forget_segment(self, number):
        """What damage took from a deleted segment is not here any more."""
        for slot in self._index.slots():
            entry = self._index.entry(slot)
            if entry.token // TOKEN_SPAN == number:
                self._lost += 1
                self._drop(entry)

    # ---- records

    def _clock_s(self, now_ms):
        """The store's clock; it never goes back, and None (no time at hand) leaves it where it is."""
        if now_ms is not None:
            self._latest_s = max(self._latest_s, self._clock_base_s + (now_ms - self._mounted_ms) // 1000)
        return self._latest_s

    def _opened(self):
        return struct.pack(_HEAD, _OPENED, 0, 0, _VERSION, struct.pack("<II", self._next_seq, 0), self._latest_s)

    def _added(self, bundle_id, state, copies, seq, source, destination, born_s, end_s, clock_s):
        head = struct.pack(_HEAD, _ADDED, STATES.index(state), copies, _VERSION, bundle_id, clock_s)
        return head + struct.pack(_MORE, seq, source, destination, clock_s - born_s, max(0, end_s - born_s))

    def _rewritten(self, entry, record, now_ms):
        seq, source, destination, _, lifetime_s = struct.unpack_from(_MORE, record, _HEAD_BYTES)
        born_s = _born_s(record)
        ends = (source, destination, born_s, born_s + lifetime_s)
        return self._added(entry.id, entry.state, entry.copies, seq, *ends, self._clock_s(now_ms))

    def _end_s(self, entry, clock_s):
        """When it ends, by its record; before now where flash has lost that."""
        if entry.state == DELIVERED:
            return clock_s
        record = self._log.read(entry.token)
        return clock_s - 1 if record is None else _born_s(record) + struct.unpack_from("<I", record, _LIFETIME_AT)[0]

    def _change(self, entry, copies, state, now_ms):
        if copies == entry.copies and state == entry.state:
            return True
        self._index.update(entry.slot, copies, state)
        record = struct.pack(_HEAD, _CHANGED, STATES.index(state), copies, _VERSION, entry.id, self._clock_s(now_ms))
        return self._append_small(record, now_ms)

    def _append_small(self, record, now_ms):
        try:
            self._make_room(HEADER_BYTES + len(record), now_ms)
            self._log.append(record)
        except OSError:
            return False
        return True

    def _remove(self, entry, now_ms):
        """Write the REMOVED record, not durable before the next sync, and forget the bundle."""
        record = struct.pack(_HEAD, _REMOVED, 0, 0, _VERSION, entry.id, self._clock_s(now_ms))
        self._log.append(record, b"", False)
        self._drop(entry)
        self._seen.add(entry.id)

    def _drop(self, entry):
        self._index.drop(entry.slot)
        self._live_bytes -= HEADER_BYTES + _ADDED_BYTES + entry.size
        self._mark(entry.id, entry.destination)

    def _mark(self, bundle_id, destination):
        if destination == self._everyone:
            self._fingerprint[0] ^= bundle_id[0] << 8 | bundle_id[1]
            self._fingerprint[1] ^= bundle_id[2] << 8 | bundle_id[3]

    # ---- mount

    def _mount(self):
        index = self._index
        for token, head, length in self._log.scan(_ADDED_BYTES):
            if len(head) < _HEAD_BYTES or head[3] != _VERSION:
                continue
            kind, state, copies, _, bundle_id, clock_s = struct.unpack_from(_HEAD, head, 0)
            copies = min(copies, MAX_COPIES)
            if clock_s > self._clock_base_s:
                self._clock_base_s = clock_s
            if kind == _OPENED:
                self._next_seq = max(self._next_seq, struct.unpack_from("<I", bundle_id, 0)[0])
            elif kind == _ADDED and length >= _ADDED_BYTES and state < len(STATES):
                slot = index.find(bundle_id)
                if slot >= 0:  # compaction had copied it when the power went: the copy is the newer one
                    self._drop(index.entry(slot))
                self._mount_added(token, bundle_id, STATES[state], copies, clock_s, head, length - _ADDED_BYTES)
            elif kind in (_CHANGED, _REMOVED) and state < len(STATES):
                self._mount_changed(kind, bundle_id, STATES[state], copies)

    def _mount_changed(self, kind, bundle_id, state, copies):
        slot = self._index.find(bundle_id)
        if kind == _CHANGED:
            if slot >= 0:
                self._index.update(slot, copies, state)
        else:
            if slot >= 0:
                self._drop(self._index.entry(slot))
            self._seen.add(bundle_id)

    def _mount_added(self, token, bundle_id, state, copies, clock_s, head, size):
        seq, source, destination, age_s, lifetime_s = struct.unpack_from(_MORE, head, _HEAD_BYTES)
        if seq >= self._next_seq:
            self._next_seq = seq + 1
        if state is None or not self._index.has_room_for(source, destination):
            return
        end_s = clock_s - age_s + lifetime_s
        self._index.add(bundle_id, token, source, destination, copies, state, size, seq, end_s)
        self._live_bytes += HEADER_BYTES + _ADDED_BYTES + size
        self._mark(bundle_id, destination)


def _born_s(record):
    """When a bundle was made, on the store's clock, by its ADDED record."""
    return struct.unpack_from("<I", record, _CLOCK_AT)[0] - struct.unpack_from("<I", record, _AGE_AT)[0]
