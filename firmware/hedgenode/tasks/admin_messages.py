"""Administration of what the node keeps for people: bundles, messages in and out, samples."""

from hedgenode.rules.exchange import MAX_BUNDLE_BYTES
from hedgenode.tasks.admin import Refusal
from hedgewire import admin, bundle, message

_LIFETIME_MS = 7 * 24 * 3600 * 1000
_MAX_LIFETIME_MS = 400 * 24 * 3600 * 1000
_HOPS = 16
_MAX_COPIES = 255
_MAX_SAMPLES = 4096
_ID_BYTES = 8
_MAX_NONCE_BYTES = 16


class MessageMethods:
    def __init__(self, node):
        self._node = node
        self.methods = {
            "samples": self.samples,
            "bundles": self.bundles,
            "bundle": self.bundle,
            "post": self.post,
            "accept": self.accept,
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
            age_ms = store.age_ms(entry, now_ms)
            await rows.add([entry.id, entry.source, entry.destination, entry.state, entry.copies, entry.size, age_ms])

    async def bundle(self, params, rows):
        data = self._node.bundles.get(params.data("id", _ID_BYTES))
        if data is None:
            raise Refusal(admin.NOT_FOUND, "this node does not hold that bundle")
        return {"data": data}

    async def post(self, params, rows):
        """A new message from this node. Answered once it is safe in flash; `nonce` makes a repetition harmless."""
        node = self._node
        nonce = params.data("nonce")[:_MAX_NONCE_BYTES] if "nonce" in params else None
        known_id = None if nonce is None else node.posted.find(nonce)
        if known_id is not None and node.bundles.knows(known_id):
            return {"id": known_id}
        to, text = params.number("to", least=1, most=message.EVERYONE), params.text("text")
        copies = params.number("copies", node.config["copies"], 1, _MAX_COPIES)
        lifetime_ms = params.number("lifetime_ms", _LIFETIME_MS, 1, _MAX_LIFETIME_MS)
        base = node.config["ipn_base"]
        made = bundle.make(
            bundle.Eid(base + node.config["short"], message.TEXT),
            bundle.Eid(base + to, message.TEXT),
            message.encode(message.PUBLIC, text),
            node.counters.next_sequence(),
            lifetime_ms,
            hop_limit=_HOPS,
        )
        data = bundle.encode(made)
        if len(data) > MAX_BUNDLE_BYTES:
            over = len(data) - MAX_BUNDLE_BYTES
            raise Refusal(admin.REFUSED, "the message is %d bytes too long" % over)
        posted_id = self._store(made, data, copies, nonce)
        node.journal.say("info", "message %s to %d posted" % (posted_id.hex()[:8], to))
        return {"id": posted_id}

    async def accept(self, params, rows):
        """A bundle that a mule brings; repeating it changes nothing."""
        data, copies = params.data("data"), params.number("copies", 1, 1, _MAX_COPIES)
        node = self._node
        brought = bundle.decode(data)
        if isinstance(brought, bundle.Damage):
            raise Refusal(admin.BAD_PARAMS, "this is no whole bundle: %s" % brought.reason)
        if len(data) > MAX_BUNDLE_BYTES:
            raise Refusal(admin.REFUSED, "the bundle has %d bytes, %d are carried" % (len(data), MAX_BUNDLE_BYTES))
        if not node.exchange.may_carry(brought):
            raise Refusal(admin.REFUSED, "the bundle is for another fleet, or has made too many hops")
        if not node.exchange.accept(brought, data, copies, node.clock.uptime_ms()):
            raise Refusal(admin.STORAGE_FULL, "the store has no room for it, or its time is over")
        return {"id": bundle.bundle_id(brought)}

    def _store(self, made, data, copies, nonce) -> bytes:
        """The id of our own bundle, once it is safe."""
        node = self._node
        made_id = bundle.bundle_id(made)
        assert not isinstance(made_id, bundle.Damage)  # only bytes from elsewhere can be damaged
        if nonce is not None:
            node.posted.keep(nonce, made_id)
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
            "delivered" if to_itself else "own",
        )
        if not stored:
            raise Refusal(admin.STORAGE_FULL, "the store has no room for it")
        return made_id

    async def inbox(self, params, rows):
        """Messages for this node or for everybody that came after `after`, numbered by arrival, in no order."""
        node = self._node
        after = params.number("after", 0)
        base = node.config["ipn_base"]
        mine = (base + node.config["short"], base + message.EVERYONE)
        now_ms = node.clock.uptime_ms()
        for entry in node.bundles.entries():
            if entry.destination not in mine or entry.seq <= after:
                continue
            held = bundle.decode(node.bundles.get(entry.id) or b"")
            if isinstance(held, bundle.Damage):
                continue
            said = message.decode(held.payload)
            if not isinstance(said, message.Damage):
                age_ms = node.bundles.age_ms(entry, now_ms)
                row = [entry.seq, entry.id, entry.source - base, age_ms, said.layer, said.body]
                await rows.add(row, entry.size)
