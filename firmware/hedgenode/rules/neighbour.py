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
    def __init__(self, count, now_ms):
        self.parts: "list[bytes | None]" = [None] * count
        self.copies = 1
        self.touched_ms = now_ms

    def bitmap(self):
        bits = 0
        for i, part in enumerate(self.parts):
            if part is not None:
                bits |= 1 << i
        return bits


class Outgoing:
    def __init__(self, to, data, copies, now_ms):
        self.to = to
        self.data = data
        self.copies = copies
        self.sent_ms = now_ms
        self.attempts = 1

    def count(self):
        return (len(self.data) + link.MAX_DATA - 1) // link.MAX_DATA
