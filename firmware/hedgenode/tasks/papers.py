"""What becomes of a fleet document that reaches a node, by cable or as a bundle, and of a far host's frames.

Knows no rule: the store judges a document, the door whoever asks.
"""

import asyncio
import gc

from hedgenode import config
from hedgenode.crypto.steps import finish_politely
from hedgenode.rarely import forget
from hedgenode.store.counters import write_atomic
from hedgenode.tasks import elsewhere, outgoing
from hedgewire import bundle, cbor, message

SPREAD = ("charter", "laptop", "revocation", "rekey", "neighbour")  # what concerns every node travels on as a bundle
_LIFETIME_MS = 90 * 24 * 3600 * 1000  # a document may take a season and many bicycles
_AT_ONCE = 16
_ROUNDS = 6  # as many as a move to another fleet has papers


async def consider(node, data):
    """(the kind of a document that is new and verifies, the sentence that refuses it). Others get their turn."""
    version = node.trust.version
    new, refusal = await elsewhere.consider(node, data) or await finish_politely(node.trust.put_steps(data))
    if node.trust.version != version:
        node.journal.say("info", "charter %d is in force" % node.trust.version)
        node.config["charter"] = node.trust.version
        write_atomic(node.files, config.PATH, cbor.encode(node.config))
    gc.collect()
    return new, refusal


def spread(node, data):
    """A bundle to everybody, from this node. Where the store is full, a neighbour has to hear of it otherwise."""
    if send(node, data, message.EVERYONE, 1) is None:
        node.journal.say("warning", "no room to pass a document on")


def send(node, data, to, copies):
    """The id of a bundle from this node that carries a document to that short id; None where the store is full."""
    return outgoing.send(node, message.DOCUMENT, data, to, copies, _LIFETIME_MS)


async def look(node, seen):
    """Look at the bundles to everybody and to this node after arrival number `seen`; return how far that came.

    After a new charter, and after a step towards another fleet, it begins anew: some came too early to count.
    """
    for _ in range(_ROUNDS):
        seen, begins_anew = await _round(node, seen)
        if not begins_anew:
            break
    return seen


async def _round(node, seen):
    for seq, bundle_id in _next(node, seen):
        held = bundle.decode(node.bundles.get(bundle_id) or b"")
        service = None if isinstance(held, bundle.Damage) else held.destination.service
        if service == message.DOCUMENT:
            if node.trust.busy:
                return seen, False
            if await _take(node, held, bundle_id):
                return 0, True
        elif service == message.TO_NODE:
            await _answer(node, held, bundle_id)
        seen = seq
        await asyncio.sleep_ms(0)
    return seen, False


async def _answer(node, held, bundle_id):
    """A host asks from far away. Whatever becomes of it, it is answered once."""
    node.bundles.remove(bundle_id, node.clock.uptime_ms())
    from hedgenode.tasks import far  # most nodes are never asked so

    await far.answer(node, held)
    del far
    forget("hedgenode.tasks.far")


async def _take(node, held, bundle_id):
    """True where others may count now that did not before."""
    version = node.trust.version
    new, refusal = None, "flash"
    try:
        new, refusal = await consider(node, held.payload)
    except (OSError, MemoryError) as e:
        node.journal.say("warning", "a document is not kept: %r" % e)
    alone = held.destination.node == node.config["ipn_base"] + node.config["short"]
    if alone and refusal is None:
        node.bundles.remove(bundle_id, node.clock.uptime_ms())  # it has come where it was to come
    return node.trust.version != version or (alone and new is not None)


def _next(node, seen):
    """(arrival number, id) of the first ones, for RAM is small."""
    base = node.config["ipn_base"]
    ends = (base + message.EVERYONE, base + node.config["short"])
    found = []
    for entry in node.bundles.entries():
        if entry.destination in ends and entry.seq > seen:
            found.append((entry.seq, bytes(entry.id)))
            if len(found) > _AT_ONCE:
                found.remove(max(found))
    return sorted(found)
