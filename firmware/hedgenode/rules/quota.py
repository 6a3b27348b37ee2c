"""Who may use how much of a full store, and what goes first. Knows no file and no bundle, only kinds and sizes."""

HANDED = 0  # all copies given away; kept only as long as nobody needs the room
RELAYED = 1  # on its way from others to others
PUBLIC = 2  # for everybody
DELIVERED = 3  # reached its reader here
OWN = 4  # posted here and not given away yet

# Percent of the store that each kind can count on. What one does not use, the others may borrow.
SHARES = (0, 40, 25, 20, 15)
CROWD = 8  # who takes more than an eighth of what his kind holds crowds out the others


def admits(size_bytes: int, kind: int, limit_bytes: int) -> bool:
    """Whether a message of that size may enter at all: it must fit into the share of its kind."""
    return size_bytes * 100 <= limit_bytes * SHARES[kind]


def victim(rows, size_bytes: int, kind: int, source, limit_bytes: int):
    """The key of what should go so that a new message fits; None when there is nothing.

    `rows` is a function that gives (key, kind, source, size, seq) of everything stored, each time it is called.
    Handed-over messages go first. Then the kind that borrowed most pays, in it the author who takes most room if that
    is more than an eighth, and of that author, or of all, the oldest message: nobody crowds out the others, a flood
    displaces itself, and among equals whoever had most time to be passed on goes.
    """
    held = [0] * len(SHARES)
    oldest = None
    oldest_seq = 0
    for key, row_kind, _, size, seq in rows():
        held[row_kind] += size
        if row_kind == HANDED and (oldest is None or seq < oldest_seq):
            oldest = key
            oldest_seq = seq
    if oldest is not None:
        return oldest
    payer = _most_over(held, size_bytes, kind, limit_bytes)
    if payer is None:
        return None
    author = _crowding_author(rows, payer, source if kind == payer else None, size_bytes)
    for key, row_kind, row_source, _, seq in rows():
        if row_kind == payer and author in (None, row_source) and (oldest is None or seq < oldest_seq):
            oldest = key
            oldest_seq = seq
    return oldest


def _most_over(held, size_bytes, kind, limit_bytes):
    """The kind that is furthest above its share once the new message counts; the less valuable on a tie."""
    payer = None
    most = 0
    for k in range(RELAYED, len(SHARES)):
        # In hundredths of a byte, so that small stores round the same way as large ones.
        over = (held[k] + (size_bytes if k == kind else 0)) * 100 - limit_bytes * SHARES[k]
        if held[k] and (payer is None or over > most):
            payer = k
            most = over
    return payer


def _crowding_author(rows, payer, newcomer, size_bytes):
    """Who takes most of what the kind holds, None where nobody takes more than his part of it."""
    taken = {}
    held = 0
    for _, row_kind, row_source, size, _ in rows():
        if row_kind == payer:
            taken[row_source] = taken.get(row_source, 0) + size
            held += size
    author = None
    most = 0
    for candidate, size in taken.items():
        if candidate == newcomer:
            size += size_bytes
        # The smaller number on a tie: a dict has no order on MicroPython.
        if author is None or size > most or (size == most and candidate < author):
            author = candidate
            most = size
    return author if most * CROWD > held else None
