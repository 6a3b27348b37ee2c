"""Whose key has which role, in little RAM; the documents behind it are opened when one comes in. Verifies nothing.

Roles and digests stand in a table, a file beside the documents and made from them. It is removed before a document
changes, so that after a power cut it is not there and is made again: a revoked key never comes back.
"""

import hashlib
import sys

from hedgenode.store import trust_table
from hedgenode.store.counters import read_whole, write_atomic
from hedgenode.store.trust_table import path_of
from hedgewire import cbor

_KEY_ID_BYTES = 8
_LATE = (("hedgenode.store", "trust"), ("hedgenode.rules", "trust"), ("hedgewire", "trust"), ("hedgewire", "document"))


class Trusted:
    """What a node needs to know at every request: `version` of the charter in force, roles of keys."""

    def __init__(self, files, folder: str, fleet: bytes, public: "bytes | None"):
        self._files = files
        self._folder = folder
        self._path = folder + "/" + trust_table.TABLE
        self._fleet = fleet
        self._public = public
        self.busy = False
        """True while a document is looked at: there is room for one at a time."""
        self.version = 0
        self._roles = {}
        table = self._read()
        if table is None:
            self._write(self._open())
            forget()
        else:
            self.version = table[2]
            self._roles = dict(table[3])

    def role(self, public: bytes) -> int:
        """The role of a key, one of rules.trust; 0, a stranger, for one that nobody knows."""
        return self._roles.get(public, 0)

    def keys(self) -> list:
        """Public keys that have a role here."""
        return list(self._roles)

    def key_with_id(self, kid: bytes) -> "bytes | None":
        """The public key of a steward, a laptop or the custodian by its id, None for anybody else."""
        for public in self._roles:
            if hashlib.sha256(public).digest()[:_KEY_ID_BYTES] == kid:
                return public
        return None

    def documents(self) -> list:
        """[digest, kind] of every document held, charters first and oldest first."""
        table = self._read()
        return [] if table is None else table[4]

    def get(self, digest: bytes) -> "bytes | None":
        """The document of that digest as it came, or None."""
        for held, kind in self.documents():
            if held == digest:
                return read_whole(self._files, path_of(self._folder, kind, digest))
        return None

    def put_steps(self, data: bytes):
        """Take a document in if it verifies.

        Return its kind, or None where it was here already or was refused; and the sentence that refuses it, or None.
        A generator (crypto.steps). OSError when flash refuses.
        """
        self.busy = True
        try:
            store = self._open()
            refusal = yield from store.put_steps(data)
            if not store.changes:
                return None, refusal
            self._write(store)
            return store.changes[-1], None
        finally:
            self.busy = False
            forget()

    def _open(self):
        from hedgenode.store.trust import TrustStore  # large, and seldom needed

        return TrustStore(self._files, self._folder, self._fleet, self._public, before_change=self._spoil)

    def _spoil(self):
        try:
            self._files.remove(self._path)
        except OSError:
            pass  # not there: nothing can be wrong in it

    def _read(self):
        return trust_table.read(self._files, self._folder, self._fleet)

    def _write(self, store):
        self.version = store.version
        known = {public: store.role(public) for public in store.keys()}
        self._roles = {public: role for public, role in known.items() if role}
        table = [trust_table.VERSION, self._fleet, self.version, sorted(self._roles.items()), store.documents()]
        write_atomic(self._files, self._path, cbor.encode(table))


def forget():
    """Give the memory of modules that are seldom needed back; on a board there is no more than enough."""
    if sys.implementation.name == "micropython":  # elsewhere others hold the modules, and two of one kind are a trap
        for package, name in _LATE:
            if sys.modules.pop(package + "." + name, None) is not None:
                delattr(sys.modules[package], name)
