"""Administration for a host that asks another node, through this one and the mesh. Knows no frame: only bytes."""

from hedgenode.tasks import outgoing
from hedgenode.tasks.admin import Refusal
from hedgenode.tasks.far import LIFETIME_MS, MAX_PIECE_BYTES
from hedgewire import admin, message

_LARGEST_SHORT = message.EVERYONE - 1
_MANY = 0xFFFFFFFF


class FarMethods:
    def __init__(self, node):
        self._node = node
        self.methods = {"far_send": self.far_send, "far_read": self.far_read}

    async def far_send(self, params, rows):
        """Send frames to another node. Answered once they are safe in flash."""
        node = self._node
        to, data = params.number("to", None, 1, _LARGEST_SHORT), params.data("data")
        if len(data) > MAX_PIECE_BYTES:
            raise Refusal(admin.REFUSED, "these are %d bytes, and %d go at once" % (len(data), MAX_PIECE_BYTES))
        sent = outgoing.send(node, message.TO_NODE, data, to, node.config["copies"], LIFETIME_MS)
        if sent is None:
            raise Refusal(admin.STORAGE_FULL, "the store has no room for it")
        return {"id": sent}

    async def far_read(self, params, rows):
        """What that node has answered, numbered by arrival; what was numbered up to `after` is forgotten."""
        node = self._node
        after = params.number("after", 0, 0, _MANY)
        for seq, bundle_id, held in outgoing.held_from(
            node, message.TO_HOST, params.number("from", None, 1, _LARGEST_SHORT)
        ):
            if seq <= after:
                node.bundles.remove(bundle_id, node.clock.uptime_ms())
            else:
                await rows.add([seq, held.payload], len(held.payload))
