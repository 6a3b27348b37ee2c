"""Administration of the node's ledger: read it, have its head signed, say that a host holds it, note an audit."""

from hedgenode.tasks.admin import Refusal
from hedgewire import admin

_MAX_ENTRIES = 1024
_AT_ONCE = 16  # entries in memory while they are sent
_DIGEST_BYTES = 32


class LedgerMethods:
    def __init__(self, node):
        self._node = node
        self.methods = {
            "ledger": self.entries,
            "ledger_head": self.head,
            "ledger_kept": self.kept,
            "audited": self.audited,
        }

    async def entries(self, params, rows):
        """Entries as bytes, oldest first."""
        task = self._task()
        after, left = params.number("after", 0), params.number("limit", 256, 0, _MAX_ENTRIES)
        while left > 0:
            found = task.with_book(lambda book: book.entries(after, min(left, _AT_ONCE)))  # noqa: B023 - called at once
            for seq, data in found:
                await rows.add(data, len(data))
                after = seq
            left -= len(found)
            if len(found) < _AT_ONCE:
                return

    async def head(self, params, rows):
        """How the ledger stands, with all that neighbours said; signed now if entries wait and that is wanted."""
        task = self._task()
        sign = params.flag("sign", True)
        await task.start()
        task.flush()
        if sign:
            await task.sign()
        return task.with_book(lambda book: book.facts())

    async def kept(self, params, rows):
        """A host holds everything up to the signed head: what is old may go."""
        task = self._task()
        seq, digest = params.number("seq", least=1), params.data("digest", _DIGEST_BYTES)
        if not task.with_book(lambda book: book.keep_kept(seq, digest)):
            raise Refusal(admin.REFUSED, "that is not the signed head of this ledger")
        return {}

    async def audited(self, params, rows):
        task = self._task()
        await task.start()
        task.note("audited", {})
        task.flush()
        return {}

    def _task(self):
        if self._node.ledger is None:
            raise Refusal(admin.NOT_FOUND, "this node keeps no ledger: it has no key of its own, or too little memory")
        return self._node.ledger
