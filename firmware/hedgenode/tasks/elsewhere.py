"""Sorts out the documents that are not about whom this node trusts: its move to another fleet, and keys. Judges none.

What they need is large and comes seldom, so it is loaded for one document and given back.
"""

import gc
import sys

from hedgenode.crypto.loaded import forget as forget_mathematics
from hedgenode.crypto.steps import finish_politely
from hedgenode.store.counters import read_whole
from hedgewire import document

_KEYS = ("rekey", "neighbour")
_LATE = (
    ("hedgenode.tasks", "fleet_keys"),
    ("hedgenode.tasks", "moves"),
    ("hedgenode.store", "moving"),
    ("hedgenode.store", "trust"),
    ("hedgenode.rules", "moving"),
    ("hedgenode.rules", "trust"),
    ("hedgewire", "rekey"),
    ("hedgewire", "trust"),
)


def is_moving(files) -> bool:
    """Whether a move has come, or is made and not finished."""
    return read_whole(files, "/store/next/move") is not None


async def consider(node, data):
    """(the kind of a document that is new and verifies, the sentence that refuses it); None for all others."""
    found = document.decode(data) if len(data) <= document.MAX_BYTES else document.Damage("too long", 0)
    if isinstance(found, document.Damage):
        return None
    if found.kind not in _KEYS and found.kind != "move" and not is_moving(node.files):
        return None
    node.trust.busy = True
    gc.collect()  # what comes now needs large pieces
    try:
        return await _consider(node, found, data)
    finally:
        node.trust.busy = node.leaves
        give_back()


async def _consider(node, found, data):
    if found.kind == "move" or is_moving(node.files):
        from hedgenode.tasks import moves

        moving = moves.of(node)
        if moving.is_about(found):
            new, refusal = await moves.consider(node, moving, data)
            return (found.kind if new else None), refusal
    if found.kind not in _KEYS:
        return None
    from hedgenode.tasks import fleet_keys

    new, refusal = await finish_politely(fleet_keys.put_steps(node, found))
    return (found.kind if new else None), refusal


def finish_move(node) -> None:
    """At a start, before anything looks at what the fleet is: do what is left of a move that was made."""
    if is_moving(node.files):
        from hedgenode.tasks import moves

        moves.finish_move(node)
        give_back()


def give_back() -> None:
    """Let go of what was loaded."""
    forget_mathematics()
    if sys.implementation.name == "micropython":  # elsewhere there is room, and a module stays the one that it was
        for package, name in _LATE:
            if sys.modules.pop(package + "." + name, None) is not None:
                delattr(sys.modules[package], name)
        gc.collect()
