"""Fragments of bundles (RFC 9171, 5.8 and 5.9): made, and put together again in bounded memory. Knows no clock."""

from hedgewire.bundle import (
    BLOCK_REPLICATE,
    BUNDLE_AGE,
    HOP_COUNT,
    IS_FRAGMENT,
    MUST_NOT_FRAGMENT,
    PAYLOAD,
    PREVIOUS_NODE,
    Block,
    Bundle,
)
from hedgewire.eid import IPN

_IN_ALL = (BUNDLE_AGE, HOP_COUNT, PREVIOUS_NODE)  # what they say holds for each fragment
_FIELDS = ("crc_type", "destination", "source", "report_to", "creation_time_ms", "sequence", "lifetime_ms")
# What a part and a pile cost besides their bytes: many small ones must not be cheaper than one large one.
_PART_BYTES = 32
_PILE_BYTES = 400


def split(whole: Bundle, part_bytes: int) -> list:
    """Fragments with at most so many bytes of payload each. ValueError where the bundle forbids it."""
    if part_bytes < 1 or whole.flags & MUST_NOT_FRAGMENT:
        raise ValueError("this bundle may not be fragmented")
    payload = whole.payload
    first, total = whole.fragment_offset, whole.fragment_total
    if not whole.flags & IS_FRAGMENT or first is None or total is None:
        first, total = 0, len(payload)
    made = []
    for at in range(0, len(payload), part_bytes):
        part = _like(whole, whole.flags | IS_FRAGMENT)
        part.fragment_offset, part.fragment_total = first + at, total
        for block in whole.blocks[:-1]:
            if at == 0 or block.type in _IN_ALL or block.flags & BLOCK_REPLICATE:
                part.blocks.append(block)
        part.blocks.append(_payload(whole, payload[at : at + part_bytes]))
        made.append(part)
    return made


def _like(one, flags):
    """A bundle with the same primary block but for flags and what belongs to a fragment."""
    made = Bundle()
    for name in _FIELDS:
        setattr(made, name, getattr(one, name))
    made.flags = flags
    return made


def _payload(like, data):
    last = like.blocks[-1]
    return Block(PAYLOAD, 1, last.flags, last.crc_type, data)


def _length(eid):
    """What the text of a dtn endpoint weighs: as much as its sender likes."""
    return 0 if eid.scheme == IPN else len(eid.node)


class _Pile:
    """Fragments of one bundle. parts: [offset, bytes] in order, without overlap; first: the fragment of offset 0."""

    first: "Bundle | None" = None

    def __init__(self, source, total, now_s):
        self.source = source
        self.total = total
        self.since_s = now_s
        self.parts = []

    def held_bytes(self):
        held = _PILE_BYTES + _length(self.source)
        if self.first is not None:
            held += _length(self.first.destination) + _length(self.first.report_to)
            held += sum(len(block.data) + _PART_BYTES for block in self.first.blocks)
        return held + sum(len(data) + _PART_BYTES for _, data in self.parts)

    def add(self, offset, data):
        """Keep what is new of it: what came first counts, so a fragment takes nothing back."""
        stop = offset + len(data)
        at = offset
        new = []
        for start, held in self.parts:
            if at < start and at < stop:
                new.append([at, data[at - offset : min(start, stop) - offset]])
            at = max(at, start + len(held))
        if at < stop:
            new.append([at, data[at - offset :]])
        self.parts += new
        self.parts.sort(key=lambda part: part[0])

    def is_complete(self):
        return sum(len(data) for _, data in self.parts) == self.total


class Reassembler:
    """Takes fragments, gives whole bundles. Never holds more than `most_bytes`, nor anything longer than `most_s`.

    When it is full, it lets go of the oldest pile of whichever source holds most: who floods it loses its own first.
    """

    def __init__(self, most_bytes: int, most_s: int):
        self._most_bytes = most_bytes
        self._most_s = most_s
        self._piles = {}
        self.dropped = 0  # piles that were given up, and fragments that lie about their place

    def held_bytes(self) -> int:
        return sum(pile.held_bytes() for pile in self._piles.values())

    def add(self, fragment: Bundle, now_s: int) -> "Bundle | None":
        """Take a fragment; the whole bundle if it was the last one missing. `now_s`: seconds of uptime."""
        self.tidy(now_s)
        offset, total = fragment.fragment_offset, fragment.fragment_total
        if not fragment.flags & IS_FRAGMENT or offset is None or total is None:
            raise ValueError("not a fragment")
        data = fragment.payload
        key = (fragment.source, fragment.creation_time_ms, fragment.sequence)
        pile = self._piles.get(key)
        wrong = total > self._most_bytes or offset + len(data) > total or not data
        if wrong or (pile is not None and pile.total != total):
            self.dropped += 1
            return None
        if pile is None:
            pile = self._piles[key] = _Pile(fragment.source, total, now_s)
        pile.add(offset, data)
        if offset == 0 and pile.first is None:
            first = _like(fragment, fragment.flags & ~IS_FRAGMENT)
            first.blocks = fragment.blocks[:-1] + [_payload(fragment, b"")]
            pile.first = first
        whole = pile.first
        if whole is not None and pile.is_complete():
            del self._piles[key]
            whole.blocks[-1].data = b"".join([part for _, part in pile.parts])
            return whole
        while self.held_bytes() > self._most_bytes:
            self._drop_one()
        return None

    def tidy(self, now_s: int) -> None:
        """Give up what has waited too long."""
        for key in list(self._piles):
            if now_s - self._piles[key].since_s > self._most_s:
                del self._piles[key]
                self.dropped += 1

    def _drop_one(self):
        held = {}
        for pile in self._piles.values():
            held[pile.source] = held.get(pile.source, 0) + pile.held_bytes()
        greedy = max(held, key=lambda source: held[source])
        keys = [key for key in self._piles if key[0] == greedy]
        del self._piles[min(keys, key=lambda key: self._piles[key].since_s)]
        self.dropped += 1
