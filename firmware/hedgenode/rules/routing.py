"""To whom a message should be given: utilities from past meetings, and how many copies move. Knows no radio, no clock.

Utility is a guess from 0 to 255 of how soon a node meets another, in the manner of PRoPHET (RFC 6693): a meeting raises
it, time halves it, and what a peer often meets counts for us too, a little less. Seconds are an argument.
"""

import struct

MAX_PEERS = 32
HALF_LIFE_S = 12 * 3600
FORGOTTEN_S = 14 * 24 * 3600  # a captured node tells nothing older than this
SAME_MEETING_S = 600  # HELLOs of one encounter are one meeting
_MEETING = 160  # of what is missing to certainty, a meeting adds 160/256
_PASSED_ON = 230  # what a peer says counts 230/256 (the beta of RFC 6693, 0.9)
_CLEARLY_HIGHER = 4  # and a quarter more than our own: what we know through the peer itself stays far below that
_ROW = "<HHH"  # peer, utility in 64ths, age in minutes
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


class Meetings:
    """What one node remembers of whom it meets; never itself, never more than MAX_PEERS."""

    def __init__(self, own_short: int):
        self._own = own_short
        self._peers = {}

    def met(self, peer: int, now_s: int) -> None:
        """The peer is in reach."""
        if peer == self._own:
            return
        row = self._row(peer, now_s)
        utility = _aged(row.utility, now_s - row.since_s)
        if row.met_s is None or now_s - row.met_s >= SAME_MEETING_S:
            utility += (255 * 64 - utility) * _MEETING >> 8
            row.met_s = now_s
        row.utility = utility
        row.since_s = now_s

    def learn(self, peer: int, vector, now_s: int) -> None:
        """The peer said whom it meets: [(short, utility)]. Takes the higher of that and what is known already."""
        through = self.utility(peer, now_s)
        for short, utility in vector:
            if short == self._own or short == peer:
                continue
            passed_on = (through * utility >> 8) * _PASSED_ON >> 2  # 230/256 and 64ths in one
            if passed_on >= 64 and passed_on > self.utility(short, now_s) * 64:
                row = self._row(short, now_s)
                row.utility = passed_on
                row.since_s = now_s

    def utility(self, short: int, now_s: int) -> int:
        """0 (never heard of) to 255."""
        row = self._peers.get(short)
        return 0 if row is None else _aged(row.utility, now_s - row.since_s) >> 6

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


def copies_to_give(copies: int, peer_is_destination: bool, own_utility: int, peer_utility: int) -> int:
    """How many of our copies this peer should get now; 0 is none.

    The destination gets all, even from a node that has given its own away and only keeps the bytes. Others get half
    (binary spray); the last copy moves only to a peer that is clearly better placed (focus).
    """
    if peer_is_destination:
        return max(copies, 1)
    if copies > 1:
        return copies // 2
    if copies == 1 and peer_utility >= own_utility + (own_utility >> 2) + _CLEARLY_HIGHER:
        return 1
    return 0
