"""Knows how a new file is said by what lies in an old one that only the other side has. Knows no node and no file.

The other side sums the blocks of the old file; here every stretch of the new one is compared with these sums, at every
offset. What matches is named, the rest is sent (the rsync algorithm, Tridgell 1999, without its rolling sum: files here
have 64 kB at most). A sum that matches by chance is found out by the SHA-256 of the whole.
"""

import hashlib
from collections.abc import Iterator, Sequence

BLOCK_BYTES = 256
SUM_BYTES = 4

Piece = bytes | list[int]
"""Bytes, or [offset, count] of the old file."""


def pieces(new: bytes, size: int, sums: bytes, block: int = BLOCK_BYTES) -> list[Piece]:
    """What makes `new` out of an old file of `size` bytes, whose blocks have these sums, one behind the other."""
    known = {sums[at : at + SUM_BYTES]: at // SUM_BYTES for at in range(0, len(sums), SUM_BYTES)}
    made: list[Piece] = []
    own = bytearray()
    at = 0
    while at < len(new):
        window = new[at : at + block]
        number = known.get(hashlib.sha256(window).digest()[:SUM_BYTES])
        if number is None or min(block, size - number * block) != len(window):
            own.append(new[at])
            at += 1
            continue
        if own:
            made.append(bytes(own))
            own.clear()
        _append(made, number * block, len(window))
        at += len(window)
    return [*made, bytes(own)] if own else made


def lacking(made: Sequence[Piece]) -> int:
    """How many bytes of it have to travel."""
    return sum(len(piece) for piece in made if isinstance(piece, bytes))


def requests(made: Sequence[Piece], start: int, most: int) -> Iterator[tuple[int, list[Piece]]]:
    """(offset in the new file, pieces) for one request each, from `start` on; at most so many bytes of their own."""
    offset, at, room, group = start, 0, most, list[Piece]()
    for piece in _from(made, start):
        for part in _parts(piece, most):
            size = len(part) if isinstance(part, bytes) else part[1]
            costs = len(part) if isinstance(part, bytes) else _RANGE_BYTES
            if costs > room and group:
                yield offset, group
                offset, at, room, group = offset + at, 0, most, []
            group.append(part)
            at += size
            room -= costs
    if group:
        yield offset, group


_RANGE_BYTES = 9  # of [offset, count] in a request, at most


def _append(made: list[Piece], at: int, count: int) -> None:
    last = made[-1] if made else None
    if isinstance(last, list) and last[0] + last[1] == at:
        last[1] += count
    else:
        made.append([at, count])


def _from(made: Sequence[Piece], start: int) -> Iterator[Piece]:
    """The same without its first bytes."""
    for piece in made:
        size = len(piece) if isinstance(piece, bytes) else piece[1]
        if start < size:
            yield piece[start:] if isinstance(piece, bytes) else [piece[0] + start, size - start]
        start = max(0, start - size)


def _parts(piece: Piece, most: int) -> Iterator[Piece]:
    if isinstance(piece, bytes):
        yield from (piece[at : at + most] for at in range(0, len(piece), most))
    else:
        yield piece
