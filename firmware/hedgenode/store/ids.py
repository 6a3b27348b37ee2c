"""Bundle ids in numbered places, found fast and kept small, and the ring of those that have left. Knows no file."""

ID_BYTES = 8
PER_PAGE = 32
_TAG_AT = 3  # ids are pieces of a hash: any byte tells them apart as well as another


class IdTable:
    """Places for ids, 9 bytes each, in pages of 32: a board's heap rarely has one long free stretch.

    Beside its ids a page keeps one byte of each together, so that looking for an id is one search in C through 32 bytes
    a page. Places are not emptied: the owner knows which of them count.
    """

    def __init__(self):
        self._tags = []
        self._ids = []

    def __len__(self):
        return len(self._ids) * PER_PAGE

    def grow(self) -> None:
        """Add a page of places at the end."""
        self._tags.append(bytearray(PER_PAGE))
        self._ids.append(bytearray(PER_PAGE * ID_BYTES))

    def put(self, place: int, bundle_id) -> None:
        page, i = place // PER_PAGE, place % PER_PAGE
        self._tags[page][i] = bundle_id[_TAG_AT]
        self._ids[page][i * ID_BYTES : (i + 1) * ID_BYTES] = bundle_id

    def get(self, place: int) -> bytes:
        i = place % PER_PAGE
        return bytes(self._ids[place // PER_PAGE][i * ID_BYTES : (i + 1) * ID_BYTES])

    def find(self, bundle_id, start: int = 0) -> int:
        """The first place from `start` on that holds the id, or -1."""
        tag = bytes(bundle_id[_TAG_AT : _TAG_AT + 1])
        for page in range(start // PER_PAGE, len(self._ids)):
            if tag not in self._tags[page]:
                continue
            tags, ids = bytes(self._tags[page]), self._ids[page]
            i = tags.find(tag, max(0, start - page * PER_PAGE))
            while i >= 0:
                if ids[i * ID_BYTES : (i + 1) * ID_BYTES] == bundle_id:
                    return page * PER_PAGE + i
                i = tags.find(tag, i + 1)
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
