"""Bundle ids in numbered places, found fast and kept small, and the ring of those that have left. Knows no file."""

ID_BYTES = 8
PER_PAGE = 32
_TAGS = 256  # bytes of ids that are searched at once; a whole number of pages
_TAG_AT = 3  # ids are pieces of a hash: any byte tells them apart as well as another


class IdTable:
    """Places for ids, 9 bytes each, in pages of 32: a board's heap rarely has one long free stretch.

    Beside its ids a table keeps one byte of each together, so that looking for an id is one search in C through 256 of
    them and a look at each that fits. Places are not emptied: the owner knows which of them count.
    """

    def __init__(self):
        self._tags = []
        self._ids = []

    def __len__(self):
        return len(self._ids) * PER_PAGE

    def grow(self) -> None:
        """Add a page of places at the end."""
        if len(self) == len(self._tags) * _TAGS:
            self._tags.append(bytearray(_TAGS))
        self._ids.append(bytearray(PER_PAGE * ID_BYTES))

    def put(self, place: int, bundle_id) -> None:
        self._tags[place // _TAGS][place % _TAGS] = bundle_id[_TAG_AT]
        i = place % PER_PAGE * ID_BYTES
        self._ids[place // PER_PAGE][i : i + ID_BYTES] = bundle_id

    def get(self, place: int) -> bytes:
        i = place % PER_PAGE * ID_BYTES
        return bytes(self._ids[place // PER_PAGE][i : i + ID_BYTES])

    def find(self, bundle_id, start: int = 0) -> int:
        """The first place from `start` on that holds the id, or -1."""
        tag = bytes(bundle_id[_TAG_AT : _TAG_AT + 1])
        left = len(self._ids) * PER_PAGE
        first = 0
        for tags in self._tags:
            end = min(left, _TAGS)
            at = tags.find(tag, max(0, start - first), end)
            while at >= 0:
                i = at % PER_PAGE * ID_BYTES
                if self._ids[(first + at) // PER_PAGE][i : i + ID_BYTES] == bundle_id:
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
