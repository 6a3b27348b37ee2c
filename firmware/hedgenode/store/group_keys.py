"""The groups that this node is a member of, with their keys, in the erasing slots. Knows no message and no member.

What is kept: a CBOR list of 1 and the groups, each [id, name, present epoch, oldest epoch, secret of the oldest epoch,
since_s, origin]. since_s is when the present epoch began, on the clock of the bundle store. origin tells two documents
apart that begin the same generation: the first 8 bytes of the digest of the one that this node follows.
"""

from hedgewire import cbor, group

MAX_GROUPS = 16
ORIGIN_BYTES = 8
BY_HAND = bytes(ORIGIN_BYTES)  # origin of a secret that came over a cable or a session
_VERSION = 1


class Membership:
    """One group: its chain of epochs (hedgewire.group.Chain), its name, since when, and which document began it."""

    def __init__(self, name: str, chain, since_s: int, origin: bytes):
        self.name = name
        self.chain = chain
        self.since_s = since_s
        self.origin = origin


class GroupKeys:
    """`slots` is a KeySlots, or None on a board whose flash cannot be reached: then there are no groups.

    A method that changes something returns after it is in flash and what it replaces is erased there. OSError where
    flash refuses; in memory nothing has changed then. Call from one task.
    """

    def __init__(self, slots):
        self._slots = slots
        self.damaged = slots is not None and slots.lost
        self._groups = []
        if slots is not None and slots.data:
            self._groups = _read(slots.data)
            self.damaged = self.damaged or not self._groups

    @property
    def usable(self) -> bool:
        return self._slots is not None

    def all(self) -> list:
        """Every Membership, in the order in which they were made."""
        return list(self._groups)

    def find(self, group_id: bytes) -> "Membership | None":
        for known in self._groups:
            if known.chain.group == group_id:
                return known
        return None

    def has_room_for(self, group_id: bytes) -> bool:
        return self.find(group_id) is not None or len(self._groups) < MAX_GROUPS

    def put(self, name: str, chain, now_s: int, origin: bytes = BY_HAND) -> None:
        """Become a member, or take a new secret in place of the old one."""
        made = Membership(name, chain, now_s, origin)
        self._keep([made if one.chain.group == chain.group else one for one in self._groups], made)

    def remove(self, group_id: bytes) -> None:
        """Forget a group and its keys."""
        self._keep([one for one in self._groups if one.chain.group != group_id])

    def exchange(self, name: str, chain, now_s: int, origin: bytes) -> None:
        """Become a member of this group and of no other, in one step: the node has come to another fleet."""
        self._keep([], Membership(name, chain, now_s, origin))

    def advance(self, suite, group_id: bytes, epoch: int, now_s: int) -> None:
        """Go on to a later epoch of the same generation, and erase what is too old by then."""
        known = self.find(group_id)
        if known is not None and epoch > known.chain.epoch:
            self.put(known.name, known.chain.advanced(suite, epoch), now_s, known.origin)

    def skip(self, suite) -> None:
        """Let nothing be sealed under a present key any more: the counters that made its nonces are lost.

        A group at the end of its generation has no next key, and is left.
        """
        kept = []
        for one in self._groups:
            epoch = one.chain.epoch
            if epoch < group.last_epoch(epoch):
                kept.append(Membership(one.name, one.chain.advanced(suite, epoch + 1), one.since_s, one.origin))
        if self._groups:
            self._keep(kept)

    def _keep(self, groups, made=None):
        if made is not None and made not in groups:
            groups.append(made)
        if self._slots is None:
            raise OSError(19, "this board's flash cannot be erased block by block")  # ENODEV
        rows = []
        for one in groups:
            c = one.chain
            rows.append([c.group, one.name, c.epoch, c.oldest, c.secret, one.since_s, one.origin])
        self._slots.save(cbor.encode([_VERSION, rows]))
        self._groups = groups


def is_name(value) -> bool:
    """Whether that can be the name of a group."""
    return isinstance(value, str) and 0 < len(value.encode()) <= group.MAX_NAME_BYTES


def _read(data):
    """The groups in those bytes; none where they are of another version."""
    values = cbor.decode(data)
    groups = []
    if isinstance(values, list) and len(values) == 2 and values[0] == _VERSION:
        for row in values[1]:
            group_id, name, epoch, oldest, secret, since_s, origin = row
            groups.append(Membership(name, group.Chain(group_id, epoch, oldest, secret), since_s, origin))
    return groups
