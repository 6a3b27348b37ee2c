"""What an exchange remembers of a neighbour, and of a bundle on its way to or from one. Decides nothing."""

from hedgewire import link


class Peer:
    """What this node remembers of one neighbour while it is near."""

    def __init__(self):
        self.heard_s = 0
        self.rssi_dbm: "int | None" = None
        self.vector = {}  # destination -> utility, as the peer's last HELLO said
        self.reach: "int | None" = None  # see routing.py; a peer before version 0.2 does not say it
        self.fingerprint = 0
        self.told_reached = 0  # of how many messages that reached their readers it was told
        self.settled = {}  # bundle id -> second when the peer last showed that it needs no offer
        self.offered_slot = -1  # how far the offers have come in our store


class Incoming:
    """touched_ms: when it last got nearer to its end; what is only repeated does not count."""

    def __init__(self, count, now_ms):
        self.parts: "list[bytes | None]" = [None] * count
        self.copies = 1
        self.touched_ms = now_ms

    def put(self, index, data, now_ms):
        if self.parts[index] is None:
            self.touched_ms = now_ms
        self.parts[index] = bytes(data)

    def bitmap(self):
        bits = 0
        for i, part in enumerate(self.parts):
            if part is not None:
                bits |= 1 << i
        return bits


class Outgoing:
    """received: the bitmap of what the peer says that it has; left: frames that it may still cost."""

    def __init__(self, to, data, copies, now_ms):
        self.to = to
        self.data = data
        self.copies = copies
        self.sent_ms = now_ms
        self.attempts = 1
        self.received = 0
        self.left = 5 * self.count() + 5

    def count(self):
        return (len(self.data) + link.MAX_DATA - 1) // link.MAX_DATA

    def last_missing(self):
        """The number of the last segment that the peer lacks: that one it answers, with what else it lacks."""
        for i in range(self.count() - 1, -1, -1):
            if not self.received >> i & 1:
                return i
        return self.count() - 1


def whose_place(transfers, newcomer, now_ms, patience_ms):
    """Which of the transfers in all places gives way to one with `newcomer`; None: the newcomer waits.

    transfers: (key, peer, when it last got on) rows. One that does not get on gives way to anybody, the stillest
    first. Else one of whoever has most, if that is at least two more than the newcomer: whoever floods us has as many
    places as the others leave, and a place costs a flooder as many frames as an honest sender.
    """
    transfers = list(transfers)
    held = {}
    for _, peer, _ in transfers:
        held[peer] = held.get(peer, 0) + 1
    most = max(held.values())
    found = None
    for key, peer, since_ms in transfers:
        still = peer != newcomer and now_ms - since_ms > patience_ms
        crowd = held[peer] == most and most >= held.get(newcomer, 0) + 2
        if (still or crowd) and (found is None or (still, -since_ms) > found[0]):
            found = ((still, -since_ms), key)
    return None if found is None else found[1]
