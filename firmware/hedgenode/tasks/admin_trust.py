"""Administration of what a node trusts: which documents it holds, and how one is given to it.

Anybody may give a document, for it counts by its signatures and not by who brings it. Knows no rule: the store does.
"""

from hedgenode.store import trust_table
from hedgenode.store.counters import read_whole
from hedgenode.tasks.admin import Refusal
from hedgewire import admin, document, message

_DIGEST_BYTES = 32


class TrustMethods:
    def __init__(self, node):
        self._node = node
        self.methods = {
            "documents": self.documents,
            "document": self.document,
            "document_put": self.document_put,
            "document_send": self.document_send,
        }

    async def documents(self, params, rows):
        """[digest, kind] of every document held."""
        for row in self._held():
            await rows.add(row)

    async def document(self, params, rows):
        wanted = params.data("digest", _DIGEST_BYTES)
        for digest, kind in self._held():
            if digest == wanted:
                return {"data": read_whole(self._node.files, trust_table.path_of(trust_table.FOLDER, kind, digest))}
        raise Refusal(admin.NOT_FOUND, "this node does not hold that document")

    async def document_put(self, params, rows):
        """Take a document in if it verifies, and pass it on; one that is here already changes nothing."""
        from hedgenode.tasks import papers  # seldom needed

        data = params.data("data")
        if self._node.trust.busy:
            raise Refusal(admin.BUSY, "the node is looking at another document; ask again")
        new, refusal = await papers.consider(self._node, data)
        if refusal is not None:
            raise Refusal(admin.REFUSED, refusal)
        if new in papers.SPREAD:
            papers.spread(self._node, data)
        return {}

    async def document_send(self, params, rows):
        """Carry a document to one node, which judges it; this one only looks whether it is one."""
        from hedgenode.tasks import papers

        data, to = params.data("data"), params.number("to", None, 1, message.EVERYONE - 1)
        found = document.decode(data) if len(data) <= document.MAX_BYTES else document.Damage("it is too long", 0)
        if isinstance(found, document.Damage):
            raise Refusal(admin.BAD_PARAMS, "this is no document: %s" % found.reason)
        sent_id = papers.send(self._node, data, to, self._node.config["copies"])
        if sent_id is None:
            raise Refusal(admin.STORAGE_FULL, "the store has no room for it")
        return {"id": sent_id}

    def _held(self):
        where = (self._node.files, trust_table.FOLDER, self._node.config["fleet"])
        table = trust_table.read(*where)
        if table is None and self._node.trust is not None:  # opening it makes the table
            table = trust_table.read(*where)
        return [] if table is None else table[4]
