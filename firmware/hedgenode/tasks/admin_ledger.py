"""Administration of the node's ledger: read it, have its head signed, say that a host holds it, note an audit."""

from hedgenode.tasks.admin import Refusal
from hedgewire import admin, ledger

_MAX_ENTRIES = 1024


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
        limit = params.number("limit", 256, 0, _MAX_ENTRIES)
        for data in task.store.read(params.number("after", 0), limit):
            await rows.add(data, len(data))

    async def head(self, params, rows):
        """How the ledger stands, with all that neighbours said; signed now if entries wait and that is wanted."""
        task = self._task()
        sign = params.flag("sign", True)
        await task.start()
        head = await task.head(sign)
        store, known = task.store, task.witnessing
        return {
            "writer": task.writer,
            "seq": store.seq,
            "digest": store.digest,
            "first": store.first_seq,
            "kept": store.kept_seq,
            "head": head,
            "witnesses": known.own,
            "seen": [[one.writer, one.seq, one.digest, one.signature, one.ours] for one in known.seen],
            "forks": known.forks,
        }

    async def kept(self, params, rows):
        """A host holds everything up to the signed head: what is old may go."""
        task = self._task()
        seq, digest = params.number("seq", least=1), params.data("digest", ledger.DIGEST_BYTES)
        head = task.store.head
        if head is None or (seq, digest) != (head[0], head[1]):
            raise Refusal(admin.REFUSED, "that is not the signed head of this ledger")
        task.store.keep_kept(seq)
        return {}

    async def audited(self, params, rows):
        if not self._task().note("audited", {}):
            raise Refusal(admin.STORAGE_FULL, "the ledger does not take another entry")
        return {}

    def _task(self):
        if self._node.ledger is None:
            raise Refusal(admin.NOT_FOUND, "this node has no key of its own, and so no ledger")
        return self._node.ledger
