"""Administration of what a node is given to carry: a person's messages, and bundles that a mule brings.

A person's key is never here: who signs or seals with one asks for a place first (`reserve`), makes the payload for it
and posts that. A group message is made here, because a key of a group must see every place once only.
"""

from hedgenode.crypto.steps import finish_politely
from hedgenode.rules import roles
from hedgenode.rules.expiry import MAX_LIFETIME_S
from hedgenode.rules.intake import MAX_BUNDLE_BYTES
from hedgenode.store.index import MAX_COPIES
from hedgenode.tasks.admin import Refusal
from hedgewire import admin, bundle, message

_LIFETIME_MS = 7 * 24 * 3600 * 1000
_HOPS = 16
_ID_BYTES = 8
_MAX_NONCE_BYTES = 16
_RESERVED_PLACES = 4


class PostMethods:
    """`node.places` holds the bundles that were promised to somebody who makes the payload elsewhere."""

    def __init__(self, node):
        self._node = node
        self.methods = {"reserve": self.reserve, "post": self.post, "accept": self.accept}

    async def reserve(self, params, rows):
        """A place for one message: the primary block that it will have, for signatures and seals are bound to it."""
        made = self._new_bundle(params)
        places = self._node.places
        places.append(made)
        del places[:-_RESERVED_PLACES]
        return {"sequence": made.sequence, "primary": bundle.primary_block(made)}

    async def post(self, params, rows):
        """A new message from this node. Answered once it is safe in flash; `nonce` makes a repetition harmless."""
        node = self._node
        nonce = params.data("nonce")[:_MAX_NONCE_BYTES] if "nonce" in params else None
        known_id = None if nonce is None else node.posted.find(nonce)
        if known_id is not None and node.bundles.knows(known_id):
            return {"id": known_id}
        copies = params.number("copies", node.config["copies"], 1, MAX_COPIES)
        made = self._reserved(params.number("sequence")) if "sequence" in params else self._new_bundle(params)
        if rows.asker.role < roles.NAMED and ("group" in params or params.flag("sign", False)):
            raise Refusal(admin.NOT_ALLOWED, "this node lends its key and its groups to its fleet and custodian only")
        bundle.put_payload(made, await self._payload(params, made))
        data = bundle.encode(made)
        if len(data) > MAX_BUNDLE_BYTES:
            over = len(data) - MAX_BUNDLE_BYTES
            raise Refusal(admin.REFUSED, "the message is %d bytes too long" % over)
        posted_id = self._store(made, data, copies, nonce)
        to = made.destination.node - node.config["ipn_base"]
        node.journal.say("info", "message %s to %d posted" % (posted_id.hex()[:8], to))
        return {"id": posted_id}

    def _new_bundle(self, params):
        """The bundle of a new message, its payload still empty."""
        config = self._node.config
        to = params.number("to", message.EVERYONE if "group" in params else None, 1, message.EVERYONE)
        lifetime_ms = params.number("lifetime_ms", _LIFETIME_MS, 1, MAX_LIFETIME_S * 1000)
        return bundle.make(
            bundle.Eid(config["ipn_base"] + config["short"], message.TEXT),
            bundle.Eid(config["ipn_base"] + to, message.TEXT),
            b"",
            self._node.counters.next_sequence(),
            lifetime_ms,
            hop_limit=_HOPS,
        )

    def _reserved(self, sequence):
        """The bundle of a place that was given out; nobody gets it twice."""
        places = self._node.places
        for made in places:
            if made.sequence == sequence:
                places.remove(made)
                return made
        raise Refusal(admin.NOT_FOUND, "that place is not reserved any more; ask for another one")

    async def _payload(self, params, made):
        if "group" in params:
            return self._group_payload(params, made)
        if "payload" in params:
            payload = params.data("payload")
            said = message.decode(payload)
            if isinstance(said, message.Damage) or said.layer == message.GROUP:
                raise Refusal(admin.BAD_PARAMS, "payload must be a whole message, public or sealed")
            return payload
        text = params.text("text")
        if not params.flag("sign", False):
            return message.encode(message.PUBLIC, text)
        identity = self._node.layers.identity
        if identity is None:
            raise Refusal(admin.REFUSED, "this node has no key to sign with")
        statement = message.statement(message.PUBLIC, bundle.primary_block(made), text)
        return message.encode_signed(text, identity.id, await finish_politely(identity.sign_steps(statement)))

    def _group_payload(self, params, made):
        content = params.text("text")
        if "author" in params:
            author = params.data("author", message.AUTHOR_BYTES)
            content = message.encode_content(content, author, params.data("signature", message.SIGNATURE_BYTES))
        else:
            content = message.encode_content(content)
        payload = self._node.layers.write_group(params.data("group", _ID_BYTES), made, content)
        if payload is None:
            raise Refusal(admin.NOT_FOUND, "this node is no member of that group")
        return payload

    async def accept(self, params, rows):
        """A bundle that a mule brings; repeating it changes nothing."""
        data, copies = params.data("data"), params.number("copies", 1, 1, MAX_COPIES)
        node = self._node
        brought = bundle.decode(data)
        if isinstance(brought, bundle.Damage):
            raise Refusal(admin.BAD_PARAMS, "this is no whole bundle: %s" % brought.reason)
        if len(data) > MAX_BUNDLE_BYTES:
            raise Refusal(admin.REFUSED, "the bundle has %d bytes, %d are carried" % (len(data), MAX_BUNDLE_BYTES))
        if not node.intake.may_carry(brought):
            raise Refusal(admin.REFUSED, "the bundle is for another fleet, or has made too many hops")
        if not node.intake.accept(brought, data, copies, node.clock.uptime_ms()):
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
