"""Administration of what the node keeps for people: bundles, messages in and out, samples."""

from hedgewire import admin, bundle, message

from hedgenode.rules.exchange import MAX_BUNDLE_BYTES
from hedgenode.tasks.admin import Refusal

_REMEMBERED_POSTS = 8
_LIFETIME_MS = 7 * 24 * 3600 * 1000
_HOPS = 16


class MessageMethods:
    def __init__(self, node):
        self._node = node
        self._posted = []  # (nonce, id): a repeated request is the same message
        self.methods = {
            "samples": self.samples,
            "bundles": self.bundles,
            "bundle": self.bundle,
            "post": self.post,
            "accept": self.accept,
            "inbox": self.inbox,
        }

    async def samples(self, params, rows):
        for sample in self._node.samples.read(params.get("after", 0), min(params.get("limit", 256), 4096)):
            rows.add(list(sample))

    async def bundles(self, params, rows):
        store = self._node.bundles
        now_ms = self._node.clock.uptime_ms()
        for entry in store.entries():
            rows.add(
                [
                    entry.id,
                    entry.source,
                    entry.destination,
                    entry.state,
                    entry.copies,
                    entry.size,
                    store.age_ms(entry, now_ms),
                ]
            )

    async def bundle(self, params, rows):
        data = self._node.bundles.get(params["id"])
        if data is None:
            raise Refusal(admin.NOT_FOUND, "this node does not hold that bundle")
        return {"data": data}

    async def post(self, params, rows):
        """A new message from this node. Answered once it is safe in flash; `nonce` makes a repetition harmless."""
        node = self._node
        nonce = params.get("nonce")
        if nonce is not None:
            for known, posted_id in self._posted:
                if known == nonce:
                    return {"id": posted_id}
        base = node.config["ipn_base"]
        payload = message.encode(message.PUBLIC, params["text"])
        made = bundle.make(
            bundle.Eid(base + node.config["short"], message.TEXT),
            bundle.Eid(base + params["to"], message.TEXT),
            payload,
            node.counters.next_sequence(),
            params.get("lifetime_ms", _LIFETIME_MS),
            hop_limit=_HOPS,
        )
        data = bundle.encode(made)
        if len(data) > MAX_BUNDLE_BYTES:
            raise Refusal(admin.REFUSED, "the message has %d bytes, %d are allowed" % (len(data), MAX_BUNDLE_BYTES))
        posted_id = self._store(made, data, "own", params.get("copies", node.config["copies"]))
        if nonce is not None:
            self._posted = (self._posted + [(nonce, posted_id)])[-_REMEMBERED_POSTS:]
        node.journal.say("info", "message %s to %d posted" % (posted_id.hex()[:8], params["to"]))
        return {"id": posted_id}

    async def accept(self, params, rows):
        """A bundle that a mule brings; repeating it changes nothing."""
        brought = bundle.decode(params["data"])
        if isinstance(brought, bundle.Damage):
            raise Refusal(admin.BAD_PARAMS, "this is no whole bundle: %s" % brought.reason)
        node = self._node
        if not node.exchange.accept(brought, params["data"], params.get("copies", 1), node.clock.uptime_ms()):
            raise Refusal(admin.STORAGE_FULL, "the store has no room for it")
        return {"id": bundle.bundle_id(brought)}

    def _store(self, made, data, state, copies):
        node = self._node
        made_id = bundle.bundle_id(made)
        to_itself = made.destination.node == node.config["ipn_base"] + node.config["short"]
        stored = node.bundles.add(
            data,
            made_id,
            made.source.node,
            made.destination.node,
            copies,
            0,
            made.lifetime_ms,
            node.clock.uptime_ms(),
            "delivered" if to_itself else state,
        )
        if not stored:
            raise Refusal(admin.STORAGE_FULL, "the store has no room for it")
        return made_id

    async def inbox(self, params, rows):
        """Messages for this node or for everybody that came after `after`."""
        node = self._node
        base = node.config["ipn_base"]
        mine = (base + node.config["short"], base + message.EVERYONE)
        now_ms = node.clock.uptime_ms()
        for entry in node.bundles.entries():
            if entry.destination not in mine or entry.seq <= params.get("after", 0):
                continue
            held = bundle.decode(node.bundles.get(entry.id) or b"")
            if isinstance(held, bundle.Damage):
                continue
            said = message.decode(held.payload)
            if not isinstance(said, message.Damage):
                age_ms = node.bundles.age_ms(entry, now_ms)
                rows.add([entry.seq, entry.id, entry.source - base, age_ms, said.layer, said.body])
