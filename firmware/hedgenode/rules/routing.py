"""To whom a message should be given: utilities from past meetings, and how many copies move. Knows no radio, no clock.

Utility, 0 to 255, is how often a node meets another: a meeting raises it, time halves it. It stands for a rate, so that
what a peer often meets counts for us as two waits, one after the other: a * b / (a + b). Reach is how many meetings a
node has of late, with whomever, in eighths of a doubling: a mule has more than a garden. Seconds are an argument.
"""

import struct

MAX_PEERS = 32
HALF_LIFE_S = 48 * 3600
FORGOTTEN_S = 14 * 24 * 3600  # a captured node tells nothing older than this
SAME_MEETING_S = 600  # HELLOs of one encounter are one meeting
_MEETING = 40  # of what is missing to 255, a meeting adds 40/256: six meetings are told from three
_CLEARLY_HIGHER = 4  # and twice our own: meetings come by chance, and a difference of a few says nothing
_ROW = "<HHH"  # peer, utility in 64ths, age in minutes
_SLIGHTLY_LESS = 3  # a peer with four fifths of our meetings is as good as we are
_MEAN_HOLDS_S = 600
FAR_MORE = 8  # twice as many meetings
FEW = 24  # eight meetings: with fewer, nobody can tell yet how two nodes compare
_MOST_MEETINGS = 1 << 16
# 2 ** (-i / 8) in 2**14ths
_EIGHTHS = (16384, 15024, 13777, 12634, 11585, 10624, 9742, 8933)


def _aged(utility, passed_s):
    """A utility in 64ths after that many seconds."""
    if passed_s <= 0:
        return utility
    if passed_s > FORGOTTEN_S:
        return 0
    eighths = passed_s * 8 // HALF_LIFE_S
    if eighths > 14 * 8:
        return 0
    return (utility * _EIGHTHS[eighths & 7] >> 14) >> (eighths >> 3)


class _Meeting:
    def __init__(self, now_s):
        self.utility = 0  # 0 .. 255 * 64, as it was at since_s
        self.since_s = now_s
        self.met_s = None  # when it was met itself, not only heard of
        self.through = None  # the peer that told us, where it was not met


class Meetings:
    """What one node remembers of whom it meets; never itself, never more than MAX_PEERS."""

    def __init__(self, own_short: int):
        self._own = own_short
        self._peers = {}
        self._meetings = 0  # in 64ths, as it was at _counted_s; time halves it
        self._counted_s = 0
        self._mean = 0  # the mean utility of a full table, as it was at _mean_s
        self._mean_s = None

    def met(self, peer: int, now_s: int) -> None:
        """The peer is in reach."""
        if peer == self._own:
            return
        row = self._row(peer, now_s)
        utility = _aged(row.utility, now_s - row.since_s)
        if row.met_s is None or now_s - row.met_s >= SAME_MEETING_S:
            utility += (255 * 64 - utility) * _MEETING >> 8
            row.met_s = now_s
            row.through = None
            self._meetings = min(_aged(self._meetings, now_s - self._counted_s) + 64, _MOST_MEETINGS * 64)
            self._counted_s = now_s
        row.utility = utility
        row.since_s = now_s

    def reach(self, now_s: int) -> int:
        """Meetings of late with anybody, on a scale where 8 more is twice as many; 0 to 136."""
        meetings = _aged(self._meetings, now_s - self._counted_s)
        octaves = 0
        while meetings >= 128:
            meetings >>= 1
            octaves += 1
        return octaves * 8 + (meetings - 64 >> 3) if meetings >= 64 else 0

    def learn(self, peer: int, vector, now_s: int) -> None:
        """The peer said whom it meets: [(short, utility)]. Takes the higher of that and what is known already."""
        through = self.utility(peer, now_s)
        for short, utility in vector:
            if short == self._own or short == peer or not through or not utility:
                continue
            passed_on = through * utility * 64 // (through + utility)
            if passed_on >= 64 and passed_on > self.without(-1, short, now_s) * 64:
                row = self._row(short, now_s)
                row.utility = passed_on
                row.since_s = now_s
                row.through = peer

    def utility(self, short: int, now_s: int) -> int:
        """0 (never heard of) to 255."""
        row = self._peers.get(short)
        return 0 if row is None else _aged(row.utility, now_s - row.since_s) >> 6

    def without(self, peer: int, short: int, now_s: int) -> int:
        """Utility for `short`, but for what that peer itself has told us: what we would lose by giving it the message.

        For one that a full table has no row for, the mean of the table: among so many, one meeting says nothing.
        """
        row = self._peers.get(short)
        if row is not None:
            return 0 if row.through == peer else _aged(row.utility, now_s - row.since_s) >> 6
        if len(self._peers) < MAX_PEERS:
            return 0
        if self._mean_s is None or now_s - self._mean_s >= _MEAN_HOLDS_S:
            self._mean = sum([self.utility(peer, now_s) for peer in self._peers]) // MAX_PEERS
            self._mean_s = now_s
        return self._mean

    def vector(self, limit: int, now_s: int) -> list:
        """The best (short, utility) for a HELLO, highest first."""
        rows = [(self.utility(short, now_s), -short) for short in self._peers]
        rows = [row for row in rows if row[0]]
        rows.sort(reverse=True)
        return [(-row[1], row[0]) for row in rows[:limit]]

    def to_bytes(self, now_s: int) -> bytes:
        """For flash: ages instead of times, because uptime begins anew at every start."""
        out = b""
        for short in sorted(self._peers):
            row = self._peers[short]
            if self.utility(short, now_s):
                out += struct.pack(_ROW, short, row.utility, min((now_s - row.since_s) // 60, 0xFFFF))
        return out

    def from_bytes(self, data: bytes, now_s: int) -> None:
        """Take what to_bytes gave; the time without power is not counted. Damaged bytes only give bad guesses."""
        size = struct.calcsize(_ROW)
        for at in range(0, len(data) - size + 1, size):
            short, utility, minutes = struct.unpack_from(_ROW, data, at)
            if short != self._own and len(self._peers) < MAX_PEERS:
                row = self._row(short, now_s)
                row.utility = min(utility, 255 * 64)
                row.since_s = now_s - minutes * 60

    def _row(self, peer, now_s):
        if peer not in self._peers:
            if len(self._peers) >= MAX_PEERS:
                worst = min([(self.utility(short, now_s), short) for short in self._peers])
                del self._peers[worst[1]]
            self._peers[peer] = _Meeting(now_s)
        return self._peers[peer]


def ahead(own_reach: int, peer_reach: "int | None") -> int:
    """By how much a peer's reach is above ours; 0 where it did not say, and where both have met few."""
    if peer_reach is None or max(own_reach, peer_reach) < FEW:
        return 0
    return peer_reach - own_reach


def copies_to_give(copies: int, peer_is_destination: bool, own_utility: int, peer_utility: int, ahead: int = 0) -> int:
    """How many of our copies this peer should get now; 0 is none. `ahead` is its reach less ours.

    The destination gets all, even from a node that has given its own away and only keeps the bytes. Others share in
    proportion to their meetings (spray), unless they have clearly fewer; the last copy moves only to a peer that is
    clearly better placed: for this destination, or because it meets twice as many (focus).
    """
    if peer_is_destination:
        return max(copies, 1)
    better = _clearly_higher(peer_utility, own_utility)
    if copies > 1 and (better or ahead >= -_SLIGHTLY_LESS):
        return _share(copies, max(ahead, 0))
    if copies == 1 and (better or ahead >= FAR_MORE and not _clearly_higher(own_utility, peer_utility)):
        return 1
    return 0


def _clearly_higher(utility, other):
    return utility >= 2 * other + _CLEARLY_HIGHER


def _share(copies, ahead):
    """Of so many copies, the part of one who has 2 ** (ahead / 8) times our meetings; both keep one at least."""
    ours = _EIGHTHS[ahead & 7] >> min(ahead >> 3, 14)
    return min(max((copies * 16384 + (ours >> 1)) // (16384 + ours), 1), copies - 1)
