"""What a node knows of its bundles without looking into flash: 23 bytes each, in pages of 64. Knows no file.

Pages, because a board's heap rarely has one free stretch for a thousand messages. So few bytes, because a Pico is to
hold a thousand: what is only asked for when the bundle is read anyway (how old it is, when exactly it ends) stays in
flash, and numbers that grow for ever are kept as far as they tell the bundles of one store apart.
"""

import struct
from collections import namedtuple

from hedgenode.store.ids import PER_PAGE, IdTable
from hedgenode.store.segments import TOKEN_SPAN

STORED = "stored"
DELIVERED = "delivered"
HANDED = "handed"
OWN = "own"
# Positions are the stored form (0 is an empty slot): append here, never reorder.
STATES = (None, STORED, DELIVERED, HANDED, OWN)

MAX_COPIES = 31
# Segments from the oldest to the newest: their numbers are kept modulo 256.
MAX_SEGMENTS = 256
END_STEP_S = 128  # ends are known to this, rounded down

# Low 16 bits of source and destination; offset of the token (14 bits) with bits 16 and 17 of seq above it; size; low
# 16 bits of seq; end in steps, modulo 2**16; low 8 bits of the segment's number; the place of the high parts of source
# and destination in a table; copies (5 bits) with the state (3 bits) above them.
_ROW = "<HHHHHHBBB"
_ROW_BYTES = struct.calcsize(_ROW)
_OFFSET_AT = 4
_END_AT = 10
_SEGMENT_AT = 12
_REALMS_AT = 13
_STATE_AT = 14
_MAX_REALMS = 255
_SEQ_SPAN = 1 << 18  # of more arrivals than this while a bundle stays, its own counts as a later one
_ENDS = 1 << 16
_COMING_ENDS = 61440  # 91 days; the rest have passed


# One message as it was when asked for: a copy, so it does not change under its reader. A tuple, because a board makes
# one ten times as fast as an object with nine attributes.
Entry = namedtuple("Entry", ("slot", "id", "token", "source", "destination", "copies", "state", "size", "seq"))


class Index:
    """Slots by id. Slots are reused, so their order means nothing: `seq` is the order of arrival."""

    def __init__(self):
        self._ids = IdTable()
        self._rows = []
        self._realms = []  # (source, destination) above their low 16 bits: the messages of a fleet have a few of them
        self._free = []  # empty slots, at most one page of them remembered
        self._last_segment = 0
        self._last_seq = 0
        self.count = 0

    def find(self, bundle_id) -> int:
        """Its slot, or -1."""
        slot = self._ids.find(bundle_id)
        while slot >= 0 and not self._state(slot):
            slot = self._ids.find(bundle_id, slot + 1)
        return slot

    def entry(self, slot: int) -> Entry:
        source, destination, offset, size, seq, _, segment, realms, state = struct.unpack_from(
            _ROW, self._rows[slot // PER_PAGE], slot % PER_PAGE * _ROW_BYTES
        )
        seq |= (offset & 0xC000) << 2
        segment = self._last_segment - (self._last_segment - segment) % MAX_SEGMENTS
        source_high, destination_high = self._realms[realms]
        return Entry(
            slot,
            self._ids.get(slot),
            segment * TOKEN_SPAN + (offset & 0x3FFF),
            source_high << 16 | source,
            destination_high << 16 | destination,
            state & 0x1F,
            STATES[state >> 5],
            size,
            self._last_seq - (self._last_seq - seq) % _SEQ_SPAN,
        )

    def may_be_over(self, slot: int, clock_s: int) -> bool:
        """Whether the bundle has ended, or will within END_STEP_S: exactly that is for its record to say."""
        end = struct.unpack_from("<H", self._rows[slot // PER_PAGE], slot % PER_PAGE * _ROW_BYTES + _END_AT)[0]
        return (end - clock_s // END_STEP_S - 1) % _ENDS >= _COMING_ENDS

    def has_room_for(self, source: int, destination: int) -> bool:
        """Whether the numbers of these nodes can be stored: at most 255 different pairs of high parts."""
        return self._realms_place(source, destination) >= 0

    def add(self, bundle_id, token, source, destination, copies, state, size, seq, end_s) -> int:
        """Fill an empty slot and return it. The id must not be in the index, and there must be room for the numbers.

        copies: at most MAX_COPIES; end_s: on the store's clock.
        """
        slot = self._empty_slot()
        self._ids.put(slot, bundle_id)
        self._last_segment = max(self._last_segment, token // TOKEN_SPAN)
        self._last_seq = max(self._last_seq, seq)
        struct.pack_into(
            _ROW,
            self._rows[slot // PER_PAGE],
            slot % PER_PAGE * _ROW_BYTES,
            source & 0xFFFF,
            destination & 0xFFFF,
            token % TOKEN_SPAN | seq >> 2 & 0xC000,
            size,
            seq & 0xFFFF,
            end_s // END_STEP_S % _ENDS,
            token // TOKEN_SPAN % MAX_SEGMENTS,
            self._realms_place(source, destination),
            STATES.index(state) << 5 | copies,
        )
        self.count += 1
        return slot

    def update(self, slot: int, copies: int, state: str) -> None:
        rows, at = self._rows[slot // PER_PAGE], slot % PER_PAGE * _ROW_BYTES
        rows[at + _STATE_AT] = STATES.index(state) << 5 | copies

    def move(self, slot: int, token: int) -> None:
        rows, at = self._rows[slot // PER_PAGE], slot % PER_PAGE * _ROW_BYTES
        kept = struct.unpack_from("<H", rows, at + _OFFSET_AT)[0] & 0xC000
        struct.pack_into("<H", rows, at + _OFFSET_AT, token % TOKEN_SPAN | kept)
        self._last_segment = max(self._last_segment, token // TOKEN_SPAN)
        rows[at + _SEGMENT_AT] = token // TOKEN_SPAN % MAX_SEGMENTS

    def drop(self, slot: int) -> None:
        self._rows[slot // PER_PAGE][slot % PER_PAGE * _ROW_BYTES + _STATE_AT] = 0
        self.count -= 1
        if len(self._free) < PER_PAGE:
            self._free.append(slot)

    def slots(self):
        """Yield every filled slot; adding and dropping in between does no harm."""
        for page in range(len(self._rows)):
            rows = self._rows[page]
            for i in range(PER_PAGE):
                if rows[i * _ROW_BYTES + _STATE_AT]:
                    yield page * PER_PAGE + i

    # ---- inside

    def _state(self, slot):
        return self._rows[slot // PER_PAGE][slot % PER_PAGE * _ROW_BYTES + _STATE_AT]

    def _empty_slot(self):
        while not self._free:
            if self.count < len(self._rows) * PER_PAGE:
                self._collect_free()
            else:
                first = len(self._rows) * PER_PAGE
                self._ids.grow()
                self._rows.append(bytearray(PER_PAGE * _ROW_BYTES))
                self._free.extend(range(first + PER_PAGE - 1, first - 1, -1))
        return self._free.pop()

    def _collect_free(self):
        for slot in range(len(self._rows) * PER_PAGE):
            if not self._state(slot):
                self._free.append(slot)
                if len(self._free) == PER_PAGE:
                    return

    def _realms_place(self, source, destination):
        """Where these high parts stand in the table; put there, if need be in place of a pair without messages."""
        pair = (source >> 16, destination >> 16)
        if pair in self._realms:
            return self._realms.index(pair)
        if len(self._realms) < _MAX_REALMS:
            self._realms.append(pair)
            return len(self._realms) - 1
        held = {self._rows[slot // PER_PAGE][slot % PER_PAGE * _ROW_BYTES + _REALMS_AT] for slot in self.slots()}
        for place in range(_MAX_REALMS):
            if place not in held:
                self._realms[place] = pair
                return place
        return -1
