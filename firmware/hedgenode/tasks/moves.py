"""A node's way to another fleet: takes in what its move needs, goes once nothing is lacking, then finishes.

Loaded when such a document comes, and at a start in the middle of a move. Decides nothing: rules/moving.py does.
"""

import asyncio

from hedgenode import config
from hedgenode.crypto.steps import finish, finish_politely
from hedgenode.rules.moving import NOBODY
from hedgenode.store.counters import write_atomic
from hedgenode.store.moving import Moving, finish_steps
from hedgenode.store.trust_table import FOLDER as TRUST
from hedgewire import cbor, group, rekey

NEXT_FOLDER = "/store/next"
CIRCLES_PATH = "/store/circles.cbor"
LABEL_PATH = "/label"  # the secret of the label, of a node that belongs to nobody (tasks/waiting.py)
ORIGIN_BYTES = 8
_RESTART_AFTER_MS = 500  # the answer has to reach the other end first


class MoveMethods:
    def __init__(self, node):
        self._node = node
        self.methods = {"move": self.move}

    async def move(self, params, rows):
        """Where this node is going, and what it waits for."""
        moving = of(self._node)
        if moving.move is None:
            return {"to": None, "lacks": None}
        return {"to": moving.move.to, "lacks": moving.lacks()}


def of(node) -> Moving:
    """The move of that node, as far as it has come."""
    layers = node.layers

    def opens_steps(given):
        return open_steps(layers.identity, given)

    fleet = node.config["fleet"]
    public = None if layers.identity is None else layers.identity.public
    # Whoever takes a node in that belongs to nobody gives it keys by its own session, as by cable.
    needs_key = fleet != NOBODY and public is not None and layers.groups.usable
    return Moving(node.files, NEXT_FOLDER, TRUST, fleet, public, opens_steps, needs_key)


def open_steps(identity, given):
    """The seed that a rekey document has for the holder of that identity, or None. A generator (crypto.steps)."""
    from hedgenode.crypto import suite_long  # large, and seldom needed

    secret = yield from identity.agreement_secret_steps()
    seed = yield from rekey.open_steps(suite_long, given, (secret, identity.agreement_public))
    return seed


async def consider(node, moving, data):
    """(whether the document is new here, the sentence that refuses it or None). The node restarts once it can go."""
    before = moving.lacks()
    refusal = await finish_politely(moving.put_steps(data))
    if refusal is not None:
        return False, refusal
    lacks = moving.lacks()
    node.journal.say("info", "this node is to move to fleet %s; %s" % (_hex(moving), _waits(lacks)))
    if lacks is None:
        _switch(node, moving)
    return lacks != before, None


def _switch(node, moving):
    """The step that is the move. From here on the node belongs to the other fleet, and restarts to be it."""
    wanted = moving.config(node.config)
    wrong = config.fault(wanted)
    if wrong is not None:
        raise OSError(22, "the configuration of the other fleet cannot be used: %s" % wrong)
    write_atomic(node.files, config.PATH, cbor.encode(wanted))
    node.leaves = True  # nobody may write the old configuration again before the restart
    node.journal.say("info", "this node belongs to fleet %s now, and restarts" % _hex(moving))
    asyncio.create_task(_restart(node))


async def _restart(node):
    await asyncio.sleep_ms(_RESTART_AFTER_MS)
    node.hardware.restart()


def finish_move(node) -> bool:
    """At a start, before anything else looks at what the fleet is: do what is left. True where something was."""
    layers = node.layers

    def take_key_steps(given, digest):
        return take_first_key_steps(layers, given, digest)

    gone = (CIRCLES_PATH, LABEL_PATH)
    left = finish(finish_steps(node.files, NEXT_FOLDER, TRUST, node.config["fleet"], take_key_steps, gone))
    if left is not None:
        node.journal.say("info", "this node has moved from fleet %s to %s" % (left.hex(), node.config["fleet"].hex()))
    return left is not None


def take_first_key_steps(layers, given, digest):
    """Take the key of the fleet to which the node has come, and erase all others, in one step. Twice is as once."""
    known = layers.groups.find(given.group) if layers.groups.usable else None
    if not layers.groups.usable or (known is not None and known.origin == digest[:ORIGIN_BYTES]):
        return
    seed = yield from open_steps(layers.identity, given)
    if seed is not None:  # it opened before the node went
        layers.groups.exchange(given.name, chain_of(given, seed), layers.now_s(), digest[:ORIGIN_BYTES])


def chain_of(given, seed) -> group.Chain:
    """The chain that begins with a rekey document."""
    from hedgenode.crypto import suite

    secret = group.first_secret(suite, given.fleet, given.group, given.epoch, seed)
    return group.Chain(given.group, given.epoch, given.epoch, secret)


def _hex(moving):
    return moving.move.to.hex()


def _waits(lacks):
    return "it waits for %s" % lacks if lacks else "all of it is here"
