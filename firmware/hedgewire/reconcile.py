"""Range-based set reconciliation: which bundles does each of two nodes lack. Knows no store, no radio and no clock.

A range is all ids that begin with certain bits. One side says fingerprints of ranges; where the other's differ, it
answers with fingerprints of smaller ranges or, where few ids are left, with a short form of each; who gets those
answers with what it can give and what it wants. So the cost grows with the differences, not with the stores.

    message   version u8 | nonce 4 bytes | item ...          ranges ascend and do not overlap
    item      kind << 6 | bits | prefix, right-aligned in as many bytes as bits need | what the kind says:
    SPLIT     width u8 | 2 ** width fingerprints of 3 bytes
    LIST      n u8 | n short forms of 3 bytes
    SETTLED   n u8 | n ids that the sender has | m u8 | m short forms of ids that it lacks

Fingerprints and short forms are SHA-256 under the nonce: two that are equal by chance differ at the next meeting, and
nobody can make ids that hide others. A message costs its receiver one pass over its ids, and `most_bytes` of answer.
"""

import hashlib

from hedgewire.cbor import Broken, Damage

VERSION = 1
ID_BYTES = 8
NONCE_BYTES = 4
SHORT_BYTES = 3
SPLIT = 1
LIST = 2
SETTLED = 3
MAX_LISTED = 24  # ids of a range that are told one by one
MAX_WIDTH = 6
_MAX_BITS = 48  # no two honest ids share more
_HEAD_BYTES = 1 + NONCE_BYTES


class Outcome:
    """reply: the next message, None when all is said. give: own ids that the peer lacks; get: ids that it has for us.

    left_out: ranges and ids for which the reply had no room; the next meeting settles them.
    """

    def __init__(self):
        self.reply: "bytes | None" = None
        self.give = []
        self.get = []
        self.left_out = 0


def sorted_ids(ids) -> bytes:
    """All ids in one piece, in order: the form in which the functions here want them."""
    return b"".join(sorted(ids))


def begin(ids: bytes, nonce: bytes) -> bytes:
    """The first message of a meeting. A nonce is fresh for each."""
    if len(nonce) != NONCE_BYTES:
        raise ValueError("a nonce has 4 bytes")
    out = bytearray((VERSION,)) + nonce
    out.extend(_describe(ids, nonce, 0, 0, 0, len(ids) // ID_BYTES))
    return bytes(out)


def answer(ids: bytes, message, most_bytes: int = 1024) -> "Outcome | Damage":
    """What a peer's message says and what to answer, in at most `most_bytes`. Never raises for what a peer may send."""
    try:
        nonce, items = _read(message)
    except Broken as broken:
        return broken.damage
    outcome = Outcome()
    out = bytearray((VERSION,)) + nonce
    for kind, bits, prefix, one, other in items:
        if kind == SPLIT:
            _on_split(outcome, out, ids, nonce, bits, prefix, one, other, most_bytes)
        elif kind == LIST:
            _on_list(outcome, out, ids, nonce, bits, prefix, one, most_bytes)
        else:
            _on_settled(outcome, ids, nonce, bits, prefix, one, other)
    if len(out) > _HEAD_BYTES:
        outcome.reply = bytes(out)
    return outcome


def _on_split(outcome, out, ids, nonce, bits, prefix, width, prints, most_bytes):
    for i in range(1 << width):
        child = prefix << width | i
        start, stop = _span(ids, bits + width, child)
        if _digest(nonce, memoryview(ids)[start * ID_BYTES : stop * ID_BYTES]) == prints[i]:
            continue
        item = _describe(ids, nonce, bits + width, child, start, stop)
        if len(out) + len(item) <= most_bytes:
            out.extend(item)
        else:
            outcome.left_out += 1


def _on_list(outcome, out, ids, nonce, bits, prefix, theirs, most_bytes):
    head = _item(SETTLED, bits, prefix)
    room = most_bytes - len(out) - len(head) - 2
    most = max(0, min(255, room // ID_BYTES))
    # Nothing here grows with the store: a list of nothing for all ids is the cheapest lie.
    told = []
    wants = set(theirs)
    start, stop = _span(ids, bits, prefix)
    for at in range(start * ID_BYTES, stop * ID_BYTES, ID_BYTES):
        one = ids[at : at + ID_BYTES]
        short = _digest(nonce, one)
        if short in theirs:
            wants.discard(short)
        elif len(told) < most:
            told.append(one)
        else:
            outcome.left_out += 1
    asked = sorted(wants)[: max(0, min(255, (room - len(told) * ID_BYTES) // SHORT_BYTES))]
    outcome.left_out += len(wants) - len(asked)
    outcome.give += told
    if told or asked:
        out.extend(head)
        out.append(len(told))
        out.extend(b"".join(told))
        out.append(len(asked))
        out.extend(b"".join(asked))


def _on_settled(outcome, ids, nonce, bits, prefix, theirs, wanted):
    if wanted:
        start, stop = _span(ids, bits, prefix)
        for at in range(start * ID_BYTES, stop * ID_BYTES, ID_BYTES):
            one = ids[at : at + ID_BYTES]
            if _digest(nonce, one) in wanted:
                outcome.give.append(one)
    outcome.get += [one for one in theirs if not _holds(ids, one)]


def _holds(ids, one):
    at = _place(ids, int.from_bytes(one, "big")) * ID_BYTES
    return ids[at : at + ID_BYTES] == one


# ---- ranges


def _span(ids, bits, prefix):
    """Places (first, behind the last) of the ids that begin with these bits."""
    first = _place(ids, prefix << (64 - bits))
    return first, _place(ids, (prefix + 1) << (64 - bits))


def _place(ids, bound):
    """How many ids are below a number."""
    low, high = 0, len(ids) // ID_BYTES
    if bound >> 64:
        return high
    wanted = bound.to_bytes(ID_BYTES, "big")
    while low < high:
        middle = (low + high) // 2
        if ids[middle * ID_BYTES : (middle + 1) * ID_BYTES] < wanted:
            low = middle + 1
        else:
            high = middle
    return low


def _digest(nonce, data):
    """Of a range or of one id; a range may be the whole store, so it is not copied."""
    sha = hashlib.sha256(nonce)
    sha.update(data)
    return sha.digest()[:SHORT_BYTES]


def _describe(ids, nonce, bits, prefix, start, stop):
    """The item that tells a peer what of this range is here."""
    count = stop - start
    if count <= MAX_LISTED or bits >= _MAX_BITS:
        out = _item(LIST, bits, prefix)
        stop = min(stop, start + 255)
        out.append(stop - start)
        for at in range(start * ID_BYTES, stop * ID_BYTES, ID_BYTES):
            out.extend(_digest(nonce, ids[at : at + ID_BYTES]))
        return out
    width = 1
    while width < MAX_WIDTH and count >> width > MAX_LISTED * 2 // 3:
        width += 1
    width = min(width, _MAX_BITS - bits)
    out = _item(SPLIT, bits, prefix)
    out.append(width)
    for i in range(1 << width):
        start, stop = _span(ids, bits + width, prefix << width | i)
        out.extend(_digest(nonce, memoryview(ids)[start * ID_BYTES : stop * ID_BYTES]))
    return out


def _item(kind, bits, prefix):
    out = bytearray((kind << 6 | bits,))
    out.extend(prefix.to_bytes((bits + 7) // 8, "big"))
    return out


# ---- reading


def _read(message):
    """(nonce, [(kind, bits, prefix, one, other)]): width and fingerprints; short forms; ids and short forms."""
    data = bytes(message)
    if len(data) < _HEAD_BYTES:
        raise Broken("truncated", len(data))
    if data[0] != VERSION:
        raise Broken("version", 0)
    at = _HEAD_BYTES
    items = []
    behind = 0
    while at < len(data):
        start = at
        kind, bits = data[at] >> 6, data[at] & 63
        raw, at = _take(data, at + 1, (bits + 7) // 8)
        prefix = int.from_bytes(raw, "big")
        if kind not in (SPLIT, LIST, SETTLED) or bits > _MAX_BITS or prefix >> bits:
            raise Broken("range", start)
        if prefix << (64 - bits) < behind:
            raise Broken("order of ranges", start)
        behind = (prefix + 1) << (64 - bits)
        one, other, at = _read_body(data, kind, bits, at)
        items.append((kind, bits, prefix, one, other))
    return data[1:_HEAD_BYTES], items


def _read_body(data, kind, bits, at):
    if kind == SPLIT:
        width, at = _take(data, at, 1)
        width = width[0]
        if not 1 <= width <= MAX_WIDTH or bits + width > _MAX_BITS:
            raise Broken("width", at - 1)
        prints, at = _rows(data, at, 1 << width, SHORT_BYTES)
        return width, prints, at
    count, at = _take(data, at, 1)
    if kind == LIST:
        shorts, at = _rows(data, at, count[0], SHORT_BYTES)
        return set(shorts), None, at
    held, at = _rows(data, at, count[0], ID_BYTES)
    count, at = _take(data, at, 1)
    shorts, at = _rows(data, at, count[0], SHORT_BYTES)
    return held, set(shorts), at


def _rows(data, at, count, size):
    raw, at = _take(data, at, count * size)
    return [raw[i : i + size] for i in range(0, len(raw), size)], at


def _take(data, at, size):
    if at + size > len(data):
        raise Broken("truncated", at)
    return data[at : at + size], at + size
