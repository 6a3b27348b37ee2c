"""Bundle ids in numbered places, found fast and kept small, and the ring of those that have left. Knows no file."""

PER_PAGE = 64
_TAGS = 256  # bytes of ids that are searched at once; a whole number of pages
_REST_BYTES = 7  # of an id of 8, without the first


class IdTable:
    """Places for ids of 8 bytes, in pages of 64: a board's heap rarely has one long free stretch.

    The first bytes of 256 ids stand together, so that looking for an id is one search in C through them and a look at
    each that fits. Places are not emptied: the owner knows which of them count.
    """

    def __init__(self):
        self._tags = []
        self._rests = []

    def __len__(self):
        return len(self._rests) * PER_PAGE

    def grow(self) -> None:
        """Add a page of places at the end."""
        if len(self) == len(self._tags) * _TAGS:
            self._tags.append(bytearray(_TAGS))
        self._rests.append(bytearray(PER_PAGE * _REST_BYTES))

    def put(self, place: int, bundle_id) -> None:
        self._tags[place // _TAGS][place % _TAGS] = bundle_id[0]
        i = place % PER_PAGE * _REST_BYTES
        self._rests[place // PER_PAGE][i : i + _REST_BYTES] = bundle_id[1:]

    def get(self, place: int) -> bytes:
        tag = place % _TAGS
        i = place % PER_PAGE * _REST_BYTES
        return bytes(self._tags[place // _TAGS][tag : tag + 1] + self._rests[place // PER_PAGE][i : i + _REST_BYTES])

    def find(self, bundle_id, start: int = 0) -> int:
        """The first place from `start` on that holds the id, or -1."""
        tag, rest = bytes(bundle_id[:1]), bytes(bundle_id[1:])
        left = len(self)
        first = 0
        for tags in self._tags:
            end = min(left, _TAGS)
            at = tags.find(tag, max(0, start - first), end)
            while at >= 0:
                i = at % PER_PAGE * _REST_BYTES
                if self._rests[(first + at) // PER_PAGE][i : i + _REST_BYTES] == rest:
                    return first + at
                at = tags.find(tag, at + 1, end)
            first += _TAGS
            left -= _TAGS
        return -1


class SeenRing:
    """The last `size` ids that left the store, so that they are not taken again. The log's records make it last."""

    def __init__(self, size: int):
        self._table = IdTable()
        self._size = size
        self._next = 0
        self.count = 0

    def __contains__(self, bundle_id) -> bool:
        place = self._table.find(bundle_id)
        return 0 <= place < self.count

    def add(self, bundle_id) -> None:
        if bundle_id in self:
            return
        if self._next == len(self._table):
            self._table.grow()
        self._table.put(self._next, bundle_id)
        self._next = (self._next + 1) % self._size
        self.count = min(self.count + 1, self._size)
