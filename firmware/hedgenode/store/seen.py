"""The last ids that left the store, so that they are not taken again. Knows no file: the log makes it last."""

from hedgenode.store.index import ID_BYTES

_PER_PAGE = 32


class SeenRing:
    """Remembers `size` ids, then forgets the oldest for each new one. Memory grows page by page up to 8 bytes an id."""

    def __init__(self, size: int):
        self._pages = []
        self._size = size
        self._next = 0
        self.count = 0

    def __contains__(self, bundle_id) -> bool:
        for page in range(len(self._pages)):
            ids = self._pages[page]
            if bundle_id in ids:  # in C; the loop only excludes a match across two ids and in unused places
                for i in range(min(_PER_PAGE, self.count - page * _PER_PAGE)):
                    if ids[i * ID_BYTES : (i + 1) * ID_BYTES] == bundle_id:
                        return True
        return False

    def add(self, bundle_id) -> None:
        if bundle_id in self:
            return
        page, i = self._next // _PER_PAGE, self._next % _PER_PAGE
        if page == len(self._pages):
            self._pages.append(bytearray(_PER_PAGE * ID_BYTES))
        self._pages[page][i * ID_BYTES : (i + 1) * ID_BYTES] = bundle_id
        self._next = (self._next + 1) % self._size
        self.count = min(self.count + 1, self._size)
