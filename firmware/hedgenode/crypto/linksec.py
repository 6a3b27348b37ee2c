"""Radio frames that only those with a key can read, make or repeat. Knows keys and counters; knows no radio.

A link message (hedgewire/link.py) travels as

    0x20 | epoch & 15,  6 bytes: source u16 and counter u32, masked,  the rest of the message encrypted,  8-byte tag

A listener learns that somebody sent something of that length: who, to whom and which fleet is in what is masked or
encrypted. The fleet tag does not travel, the key takes its place: each circle of nodes that share keys has one, the own
fleet first, then those with whom this node shares less. AES-CCM-16-64-128 (crypto/ccm.py) with source and
counter as the nonce and the first byte as associated data; the mask is AES of the tag, as QUIC protects its headers
(RFC 9001, 5.4). A counter is never used twice, so neither is a nonce; a receiver takes each counter of a source once.
"""

import cryptolib

from hedgenode.crypto import ccm
from hedgenode.crypto.hkdf import expand
from hedgenode.rules.replay import ReplayWindow
from hedgewire import link

VERSION = 2
ADDED_BYTES = 11  # to a link message, which leaves five of its own bytes behind but for the first
MAX_SOURCES = 32  # neighbours whose counters are remembered at one time
KEYS_BYTES = 2 * ccm.KEY_BYTES

_ECB = 1
_HEADER_BYTES = 6
_LINK_HEAD_BYTES = 5  # version and type, fleet tag, source
_LEAST_BYTES = 1 + _HEADER_BYTES + 1 + ccm.TAG_BYTES
_NONCE_TAIL = bytes(ccm.NONCE_BYTES - _HEADER_BYTES)
_PURPOSE = b"hedgerow link 2"


def link_keys(secret: bytes) -> bytes:
    """The 32 bytes under which frames travel in an epoch with that secret; nothing else follows from them."""
    return expand(secret, _PURPOSE, KEYS_BYTES)


class _Epoch:
    def __init__(self, circle, number, keys, by_others=False):
        self.circle = circle
        self.number = number
        self.by_others = by_others  # we never speak under it
        self.key = keys[: ccm.KEY_BYTES]
        self.header_key = keys[ccm.KEY_BYTES :]

    def masked(self, header, tag) -> bytes:
        mask = cryptolib.aes(self.header_key, _ECB).encrypt(bytes(tag) + bytes(16 - ccm.TAG_BYTES))
        return bytes([one ^ other for one, other in zip(header, mask)])


class LinkSecurity:
    """One node's way onto the air and from it.

    `next_counter()` gives a number below 2**32 that this node has never used before, also not before a power cut.
    `refused` counts frames that no key of ours opens: noise, other fleets, attackers. `repeated` counts good frames
    that came before. Circles are told apart by the fleet tag that their messages get.
    """

    def __init__(self, source: int, next_counter):
        self._source = source
        self._next_counter = next_counter
        self._speaks = {}  # circle -> the _Epoch to speak under
        self._epochs = []  # all to listen to
        self._windows = {}  # (circle, source) -> ReplayWindow, the one heard last at the end of _order
        self._order = []
        self.refused = 0
        self.repeated = 0

    def set_keys(self, circle: int, epochs, spoken=None) -> None:
        """epochs: (number, link_keys) pairs to listen under, the first one to speak under as well.

        `spoken` is another pair to speak under. It must be given where a short id may occur on both sides of a circle:
        one key under which two nodes count by themselves would see a nonce twice. No epochs: no circle.
        """
        made = [_Epoch(circle, number, keys, spoken is not None) for number, keys in epochs]
        self._epochs = [epoch for epoch in self._epochs if epoch.circle != circle] + made
        if spoken is not None:
            self._speaks[circle] = _Epoch(circle, spoken[0], spoken[1])
        elif made:
            self._speaks[circle] = made[0]
        else:
            self._speaks.pop(circle, None)

    def secure(self, message) -> "bytes | None":
        """The frame for a link message of our own to the circle whose tag it bears, or None while there is no key.

        OSError where flash refuses to reserve counters.
        """
        epoch = self._speaks.get(message[1] << 8 | message[2])
        if epoch is None:
            return None
        header = self._source.to_bytes(2, "big") + self._next_counter().to_bytes(4, "big")
        first = bytes([VERSION << 4 | epoch.number & 15])
        inner = message[:1] + message[_LINK_HEAD_BYTES:]
        sealed = ccm.encrypt(epoch.key, header + _NONCE_TAIL, inner, first)
        return first + epoch.masked(header, sealed[-ccm.TAG_BYTES :]) + sealed

    def open(self, frame) -> "bytes | None":
        """The link message in a frame, or None for what no member sent, and for what was here before."""
        if not _LEAST_BYTES <= len(frame) <= link.MAX_BYTES + ADDED_BYTES or frame[0] >> 4 != VERSION:
            self.refused += 1
            return None
        first = frame[:1]
        for epoch in self._epochs:
            if epoch.number & 15 != frame[0] & 15:
                continue
            header = epoch.masked(frame[1 : 1 + _HEADER_BYTES], frame[-ccm.TAG_BYTES :])
            inner = ccm.decrypt(epoch.key, header + _NONCE_TAIL, frame[1 + _HEADER_BYTES :], first)
            if inner is not None:
                return self._take(epoch, header, inner)
        self.refused += 1
        return None

    def _take(self, epoch, header, inner):
        short = header[0] << 8 | header[1]
        source = (epoch.circle, short)
        counter = int.from_bytes(header[2:], "big")
        window = self._windows.get(source)
        if window is None:
            window = self._make_window(source)
        is_echo = short == self._source and not epoch.by_others
        if is_echo or not window.is_new(counter):
            self.repeated += 1
            return None
        window.take(counter)
        self._order.remove(source)
        self._order.append(source)
        return inner[:1] + epoch.circle.to_bytes(2, "big") + header[:2] + inner[1:]

    def _make_window(self, source):
        """Only members come this far: an attacker cannot push a neighbour out of the table."""
        if len(self._order) >= MAX_SOURCES:
            del self._windows[self._order.pop(0)]
        window = self._windows[source] = ReplayWindow()
        self._order.append(source)
        return window
