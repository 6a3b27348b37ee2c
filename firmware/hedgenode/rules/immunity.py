"""Which messages have reached their reader, as far as a node has heard: the newest ids, in bounded memory. No clock.

What is in here is not taken again and not spread further. It is hearsay for all but the reader's neighbours, so it
never removes a message (see exchange.py).
"""

_ID_BYTES = 8


class Immunity:
    """The last `size` ids, in one buffer."""

    def __init__(self, size: int = 64):
        self._ids = bytearray(size * _ID_BYTES)
        self._next = 0
        self._count = 0
        self.added = 0  # ever: whoever was told up to here lacks only what is newer

    def __contains__(self, bundle_id) -> bool:
        at = self._ids.find(bundle_id)
        while at >= 0:
            if at % _ID_BYTES == 0 and at < self._count * _ID_BYTES:
                return True
            at = self._ids.find(bundle_id, at + 1)
        return False

    def add(self, bundle_id) -> None:
        if bundle_id in self:
            return
        at = self._next * _ID_BYTES
        self._ids[at : at + _ID_BYTES] = bundle_id
        self._next = (self._next + 1) % (len(self._ids) // _ID_BYTES)
        self.added += 1
        self._count = min(self._count + 1, len(self._ids) // _ID_BYTES)

    def newest(self, limit: int) -> list:
        """At most so many ids, the newest first."""
        found = []
        places = len(self._ids) // _ID_BYTES
        for i in range(1, min(limit, self._count) + 1):
            at = (self._next - i) % places * _ID_BYTES
            found.append(bytes(self._ids[at : at + _ID_BYTES]))
        return found
