"""The last messages that hosts asked for, by their nonce, so that asking again posts none twice. Knows no message.

A small file of CBOR [1, [nonce, bundle id], ...], oldest first. It is written before the message is stored: after
a power cut between the two the store does not know the id, and the message is posted then.
"""

from hedgenode.store.counters import read_whole, write_atomic
from hedgewire import cbor

REMEMBERED = 8
_VERSION = 1


class Posted:
    """Call from one task. A damaged file is forgotten: a message in a thousand years may come twice."""

    def __init__(self, files, path: str):
        self._files = files
        self._path = path
        self._known = []
        values = cbor.decode(read_whole(files, path) or b"")
        if isinstance(values, list) and values and values[0] == _VERSION:
            for pair in values[1:]:
                if isinstance(pair, list) and len(pair) == 2:
                    self._known.append((pair[0], pair[1]))

    def find(self, nonce: bytes) -> "bytes | None":
        """The id of the message that was asked for with this nonce."""
        for known, bundle_id in self._known:
            if known == nonce:
                return bundle_id
        return None

    def keep(self, nonce: bytes, bundle_id: bytes) -> None:
        """Remember it, safe in flash on return; OSError where flash refuses, and then it is not remembered."""
        known = [pair for pair in self._known if pair[0] != nonce]
        known.append((nonce, bundle_id))
        known = known[-REMEMBERED:]
        write_atomic(self._files, self._path, cbor.encode([_VERSION] + [list(pair) for pair in known]))
        self._known = known
