"""What a node knows of its bundles without looking into flash: 35 bytes each, in pages of 32. Knows no file.

Pages, because a board's heap rarely has one free stretch for a thousand messages.
"""

import struct
from collections import namedtuple

from hedgenode.store.ids import PER_PAGE, IdTable

STORED = "stored"
DELIVERED = "delivered"
HANDED = "handed"
OWN = "own"
# Positions are the stored form (0 is an empty slot): append here, never reorder.
STATES = (None, STORED, DELIVERED, HANDED, OWN)

# token, low 16 bits of source and destination, their high parts as places in a table, copies, state, size, seq,
# born_s and end_s on the store's clock
_ROW = "<IHHBBBBHIii"
_ROW_BYTES = struct.calcsize(_ROW)
_STATE_AT = 11
_MAX_REALMS = 255


# One message as it was when asked for: a copy, so it does not change under its reader. A tuple, because a board makes
# one ten times as fast as an object with eleven attributes.
Entry = namedtuple(
    "Entry", ("slot", "id", "token", "source", "destination", "copies", "state", "size", "seq", "born_s", "end_s")
)


class Index:
    """Slots by id. Slots are reused, so their order means nothing: `seq` is the order of arrival."""

    def __init__(self):
        self._ids = IdTable()
        self._rows = []
        self._realms = []  # node numbers above their low 16 bits: a fleet has one or two of them
        self._free = []  # empty slots, at most one page of them remembered
        self.count = 0

    def find(self, bundle_id) -> int:
        """Its slot, or -1."""
        slot = self._ids.find(bundle_id)
        while slot >= 0 and not self._state(slot):
            slot = self._ids.find(bundle_id, slot + 1)
        return slot

    def entry(self, slot: int) -> Entry:
        row = struct.unpack_from(_ROW, self._rows[slot // PER_PAGE], slot % PER_PAGE * _ROW_BYTES)
        source = self._realms[row[3]] << 16 | row[1]
        destination = self._realms[row[4]] << 16 | row[2]
        return Entry(
            slot,
            self._ids.get(slot),
            row[0],
            source,
            destination,
            row[5],
            STATES[row[6]],
            row[7],
            row[8],
            row[9],
            row[10],
        )

    def has_room_for(self, source: int, destination: int) -> bool:
        """Whether the numbers of these nodes can be stored: at most 255 different high parts."""
        realms = self._realms
        one, other = source >> 16, destination >> 16
        new = (one not in realms) + (other not in realms and other != one)
        return not new or len(realms) + new <= _MAX_REALMS

    def add(self, bundle_id, token, source, destination, copies, state, size, seq, born_s, end_s) -> int:
        """Fill an empty slot; the id must not be in the index. Returns the slot."""
        slot = self._empty_slot()
        self._ids.put(slot, bundle_id)
        struct.pack_into(
            _ROW,
            self._rows[slot // PER_PAGE],
            slot % PER_PAGE * _ROW_BYTES,
            token,
            source & 0xFFFF,
            destination & 0xFFFF,
            self._realm(source),
            self._realm(destination),
            copies,
            STATES.index(state),
            size,
            seq,
            born_s,
            end_s,
        )
        self.count += 1
        return slot

    def update(self, slot: int, copies: int, state: str) -> None:
        rows, at = self._rows[slot // PER_PAGE], slot % PER_PAGE * _ROW_BYTES
        rows[at + _STATE_AT - 1] = copies
        rows[at + _STATE_AT] = STATES.index(state)

    def move(self, slot: int, token: int) -> None:
        struct.pack_into("<I", self._rows[slot // PER_PAGE], slot % PER_PAGE * _ROW_BYTES, token)

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

    def _realm(self, node):
        high = node >> 16
        if high not in self._realms:
            self._realms.append(high)
        return self._realms.index(high)
