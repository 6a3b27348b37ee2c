"""Administration of the groups that the node is a member of. Gives no key away: secrets go in, never out.

What it needs to change something is imported then: a node without groups is asked for them, too.
"""

import hashlib

from hedgenode.tasks.admin import Refusal
from hedgewire import admin

_ID_BYTES = 8
_SECRET_BYTES = 32
_MAX_EPOCH = 0x7FFFFF  # of hedgewire.group


class GroupMethods:
    def __init__(self, node):
        self._node = node
        self.methods = {
            "groups": self.groups,
            "group_put": self.group_put,
            "group_remove": self.group_remove,
            "group_advance": self.group_advance,
        }

    async def groups(self, params, rows):
        for known in self._node.layers.memberships():
            await rows.add([known.chain.group, known.name, known.chain.epoch])

    async def group_put(self, params, rows):
        """Make this node a member, from an epoch on. A member that has gone on already stays where it is."""
        from hedgenode.store.group_keys import MAX_GROUPS, is_name
        from hedgewire import group

        layers = self._node.layers
        group_id, name = params.data("id", _ID_BYTES), params.text("name")
        epoch, secret = params.number("epoch", least=0, most=_MAX_EPOCH), params.data("secret", _SECRET_BYTES)
        if not is_name(name):
            raise Refusal(admin.BAD_PARAMS, "name must be a text of 1 to 24 bytes")
        if not layers.groups.usable:
            raise Refusal(admin.REFUSED, "this board cannot erase its flash block by block, so it keeps no keys")
        if not layers.groups.has_room_for(group_id):
            raise Refusal(admin.STORAGE_FULL, "this node is a member of %d groups already" % MAX_GROUPS)
        given = group.Chain(group_id, epoch, epoch, secret)
        known = layers.groups.find(group_id)
        if known is None or known.name != name or not _is_older(given, known.chain):
            layers.groups.put(name, given if known is None else _newer(given, known.chain), layers.now_s())
            self._note(group_id)
        return self._told(group_id)

    async def group_remove(self, params, rows):
        """Forget a group and its keys. Repeating it changes nothing."""
        group_id = params.data("id", _ID_BYTES)
        layers = self._node.layers
        if layers.memberships() and layers.groups.find(group_id) is not None:
            layers.groups.remove(group_id)
        return {}

    async def group_advance(self, params, rows):
        """Go on to an epoch: what is too old by then is erased, here and, once they hear of it, at every member."""
        from hedgenode.crypto import suite
        from hedgewire import group

        layers = self._node.layers
        group_id, epoch = params.data("id", _ID_BYTES), params.number("epoch", least=1, most=_MAX_EPOCH)
        known = layers.groups.find(group_id) if layers.memberships() else None
        if known is None:
            raise Refusal(admin.NOT_FOUND, "this node is no member of that group")
        if epoch > min(known.chain.epoch + group.MAX_AHEAD, group.last_epoch(known.chain.epoch)):
            raise Refusal(admin.REFUSED, "an epoch is at most %d ahead, and of this generation" % group.MAX_AHEAD)
        before = known.chain.epoch
        layers.groups.advance(suite, group_id, epoch, layers.now_s())
        if epoch > before:
            self._note(group_id)
        return self._told(group_id)

    def _note(self, group_id):
        """In the ledger stands a digest of the group's id: only who knows the group recognises it."""
        if self._node.ledger is not None:
            epoch = self._node.layers.groups.find(group_id).chain.epoch
            self._node.ledger.note("rekeyed", {"group": hashlib.sha256(group_id).digest()[:8], "epoch": epoch})

    def _told(self, group_id):
        """What was read back from where it is kept."""
        known = self._node.layers.groups.find(group_id)
        return {"id": group_id, "name": known.name, "epoch": known.chain.epoch}


def _is_older(given, known) -> bool:
    """Whether the chain that a member has goes as far as the given one: what cannot be compared any more, is older."""
    from hedgenode.crypto import suite

    if given.epoch > known.epoch:
        return False
    return given.epoch < known.oldest or known.secret_at(suite, given.epoch) == given.secret


def _newer(given, known):
    """The chain to keep: the known one gone on, where the given one follows from it, so that both stay readable."""
    from hedgenode.crypto import suite
    from hedgewire import group

    if _is_older(given, known):
        return known
    same_generation = given.epoch // group.STEPS == known.epoch // group.STEPS
    if same_generation and known.epoch < given.epoch and known.secret_at(suite, given.epoch) == given.secret:
        return known.advanced(suite, given.epoch)
    return given
