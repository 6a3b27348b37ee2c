"""Radio frames that only members of the fleet can read, make or repeat. Knows keys and counters; knows no radio.

A link message (hedgewire/link.py) travels as

    0x20 | epoch & 15,  6 bytes: source u16 and counter u32, masked,  the rest of the message encrypted,  8-byte tag

A listener learns that somebody sent something of that length: who, to whom and which fleet is in what is masked or
encrypted. The fleet tag does not travel, the key takes its place. AES-CCM-16-64-128 (crypto/ccm.py) with source and
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
COUNTERS = 1 << 32

_ECB = 1
_HEADER_BYTES = 6
_LINK_HEAD_BYTES = 5  # version and type, fleet tag, source
_LEAST_BYTES = 1 + _HEADER_BYTES + 1 + ccm.TAG_BYTES
_NONCE_TAIL = bytes(ccm.NONCE_BYTES - _HEADER_BYTES)
_PURPOSE = b"hedgerow link 2"


class _Epoch:
    def __init__(self, number, secret):
        self.number = number
        keys = expand(secret, _PURPOSE, 2 * ccm.KEY_BYTES)
        self.key = keys[: ccm.KEY_BYTES]
        self.header_key = keys[ccm.KEY_BYTES :]

    def masked(self, header, tag) -> bytes:
        mask = cryptolib.aes(self.header_key, _ECB).encrypt(bytes(tag) + bytes(16 - ccm.TAG_BYTES))
        return bytes([one ^ other for one, other in zip(header, mask)])


class LinkSecurity:
    """One node's way onto the air and from it.

    `next_counter()` gives a number below 2**32 that this node has never used before, also not before a power cut.
    `refused` counts frames that no key of ours opens: noise, other fleets, attackers. `repeated` counts good frames
    that came before.
    """

    def __init__(self, fleet_tag: int, source: int, next_counter):
        self._tag = fleet_tag
        self._source = source
        self._next_counter = next_counter
        self._epochs = []
        self._windows = {}  # source -> ReplayWindow, the one heard last at the end of _order
        self._order = []
        self.refused = 0
        self.repeated = 0

    def set_secrets(self, epochs) -> None:
        """epochs: (number, secret of 32 bytes) pairs. The first one is used to send, each to receive."""
        self._epochs = [_Epoch(number, secret) for number, secret in epochs]

    def secure(self, message) -> "bytes | None":
        """The frame for a link message of our own, or None while there is no key. OSError where flash refuses."""
        if not self._epochs:
            return None
        epoch = self._epochs[0]
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
                return self._take(header, inner)
        self.refused += 1
        return None

    def _take(self, header, inner):
        source = header[0] << 8 | header[1]
        counter = int.from_bytes(header[2:], "big")
        window = self._windows.get(source)
        if window is None:
            window = self._make_window(source)
        if source == self._source or not window.is_new(counter):
            self.repeated += 1
            return None
        window.take(counter)
        self._order.remove(source)
        self._order.append(source)
        return inner[:1] + self._tag.to_bytes(2, "big") + header[:2] + inner[1:]

    def _make_window(self, source):
        """Only members come this far: an attacker cannot push a neighbour out of the table."""
        if len(self._order) >= MAX_SOURCES:
            del self._windows[self._order.pop(0)]
        window = self._windows[source] = ReplayWindow()
        self._order.append(source)
        return window
