"""Administration of what the node keeps for people, to be read: bundles, messages, samples."""

from hedgenode.rules import roles
from hedgenode.tasks.admin import Refusal
from hedgewire import admin, bundle, message

_MAX_SAMPLES = 4096
_ID_BYTES = 8
# With the step behind it, as hedgewire.group has it, and as hedgewire.sealed has it: loaded only where they are needed.
_GROUP_HINT_BYTES = 3
_SEALED_HINT_BYTES = 4
_FACTS_BYTES = 160  # of a row, beside the text


class MessageMethods:
    def __init__(self, node):
        self._node = node
        self.methods = {
            "samples": self.samples,
            "bundles": self.bundles,
            "bundle": self.bundle,
            "inbox": self.inbox,
        }

    async def samples(self, params, rows):
        limit = params.number("limit", 256, 0, _MAX_SAMPLES)
        for sample in self._node.samples.read(params.number("after", 0), limit):
            await rows.add(list(sample))

    async def bundles(self, params, rows):
        store = self._node.bundles
        now_ms = self._node.clock.uptime_ms()
        for entry in store.entries():
            _, age_ms = store.get_aged(entry.id, now_ms) or (None, None)
            await rows.add([entry.id, entry.source, entry.destination, entry.state, entry.copies, entry.size, age_ms])

    async def bundle(self, params, rows):
        data = self._node.bundles.get(params.data("id", _ID_BYTES))
        if data is None:
            raise Refusal(admin.NOT_FOUND, "this node does not hold that bundle")
        return {"data": data}

    async def inbox(self, params, rows):
        """Messages for this node or for everybody that came after `after`, numbered by arrival, in no order.

        Without `layers`, as tools of the first release ask, only what has a text, in the rows that they know.
        """
        node = self._node
        after, layered = params.number("after", 0), params.flag("layers", False)
        base = node.config["ipn_base"]
        mine = (base + node.config["short"], base + message.EVERYONE)
        now_ms = node.clock.uptime_ms()
        for entry in node.bundles.entries():
            if entry.destination not in mine or entry.seq <= after:
                continue
            data, age_ms = node.bundles.get_aged(entry.id, now_ms) or (b"", None)
            held = bundle.decode(data)
            if isinstance(held, bundle.Damage) or held.destination.service != message.TEXT:
                continue
            said = message.decode(held.payload)
            if isinstance(said, message.Damage):
                continue
            body, facts = await self._shown(held, said, entry.id, rows.asker.role >= roles.NAMED)
            row = [entry.seq, entry.id, entry.source - base, age_ms, said.layer, body]
            if layered:
                await rows.add(row + [facts], entry.size + _FACTS_BYTES)
            elif said.version == message.VERSION or isinstance(body, str):
                await rows.add(row, entry.size)

    async def _shown(self, held, said, bundle_id, opens):
        """(body, facts) of a message: its text where this node may read it, else the hint that its body begins with.

        Without `opens` the asker gets what a relay could read.
        """
        facts = {"v": said.version, "primary": bundle.primary_block(held)}
        body, signed = said.body, said
        layers = self._node.layers
        if said.version == message.LAYERED and said.layer == message.GROUP:
            opened = layers.read_group(held, body) if opens else None
            body = body[:_GROUP_HINT_BYTES]
            if opened is not None:
                known, epoch, signed = opened
                body = signed.text
                facts.update({"group": known.chain.group, "epoch": epoch})
        elif said.version == message.LAYERED and said.layer == message.SEALED:
            signed = await layers.read_sealed(held, body, bundle_id) if opens else None
            body = body[:_SEALED_HINT_BYTES]
            if signed is not None:
                body = signed.text
                facts["to"] = layers.identity.id
        if signed is not None and signed.author is not None:
            facts.update({"author": signed.author, "signature": signed.signature})
        return body, facts
