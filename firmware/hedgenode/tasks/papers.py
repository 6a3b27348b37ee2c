"""What becomes of a fleet document that reaches a node, by cable or as a bundle. Knows no rule: the store judges it."""

import asyncio
import gc

from hedgenode import config
from hedgenode.crypto.steps import finish_politely
from hedgenode.store.counters import write_atomic
from hedgewire import bundle, cbor, message

SPREAD = ("charter", "laptop", "revocation")  # what concerns every node travels on as a bundle
_LIFETIME_MS = 90 * 24 * 3600 * 1000  # a document may take a season and many bicycles
_HOPS = 16
_AT_ONCE = 16


async def consider(node, data):
    """(the kind of a document that is new and verifies, the sentence that refuses it). Others get their turn."""
    version = node.trust.version
    new, refusal = await finish_politely(node.trust.put_steps(data))
    if node.trust.version != version:
        node.journal.say("info", "charter %d is in force" % node.trust.version)
        node.config["charter"] = node.trust.version
        write_atomic(node.files, config.PATH, cbor.encode(node.config))
    gc.collect()
    return new, refusal


def spread(node, data):
    """A bundle to everybody, from this node. Where the store is full, a neighbour has to hear of it otherwise."""
    base, short = node.config["ipn_base"], node.config["short"]
    made = bundle.make(
        bundle.Eid(base + short, message.DOCUMENT),
        bundle.Eid(base + message.EVERYONE, message.DOCUMENT),
        data,
        node.counters.next_sequence(),
        _LIFETIME_MS,
        hop_limit=_HOPS,
    )
    made_id = bundle.bundle_id(made)
    assert not isinstance(made_id, bundle.Damage)  # only bytes from elsewhere can be damaged
    to = (made.source.node, made.destination.node)
    now_ms = node.clock.uptime_ms()
    if not node.bundles.add(bundle.encode(made), made_id, *to, 1, 0, made.lifetime_ms, now_ms, "own"):
        node.journal.say("warning", "no room to pass a document on")


async def look(node, seen):
    """Look at the bundles to everybody after arrival number `seen`, few at a time; return how far that came.

    After a new charter it begins anew, for some came too early to count.
    """
    for seq, bundle_id in _next(node, seen):
        held = bundle.decode(node.bundles.get(bundle_id) or b"")
        if not isinstance(held, bundle.Damage) and held.destination.service == message.DOCUMENT:
            if node.trust.busy:
                return seen
            version = node.trust.version
            try:
                await consider(node, held.payload)
            except (OSError, MemoryError) as e:
                node.journal.say("warning", "a document is not kept: %r" % e)
            if node.trust.version != version:
                return 0
        seen = seq
        await asyncio.sleep_ms(0)
    return seen


def _next(node, seen):
    """(arrival number, id) of the first ones, for RAM is small."""
    everyone = node.config["ipn_base"] + message.EVERYONE
    found = []
    for entry in node.bundles.entries():
        if entry.destination == everyone and entry.seq > seen:
            found.append((entry.seq, bytes(entry.id)))
            if len(found) > _AT_ONCE:
                found.remove(max(found))
    return sorted(found)
