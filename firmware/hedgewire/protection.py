"""What a session does to administration messages: keys, seals, resumes. Knows no method and nobody's key.

A sealed frame (kind 5) is   session 4 bytes | counter u32 | AES-CCM-16-64-128 of (kind u8 | message)   where kind is
that of the frame which it replaces. Each direction has a key of its own and counts from 0; the nonce is the counter,
the session is associated data. A receiver takes each counter once; which ones are still new, a window tells that it is
given. The primitives come as a suite, as in hedgewire.edhoc.
"""

from hedgewire.cbor import Damage

SESSION_BYTES = 4
ADDED_BYTES = 17  # head 8, kind 1, tag 8
MAX_COUNTER = (1 << 30) - 1  # a small int of a board; at a thousand frames a second twelve days, a session lives one

# Labels of the EDHOC exporter (RFC 9528, 4.2.1) in its private range.
LABEL_KEYS = 32768
LABEL_RESUMPTION = 32769

RESUMPTION_ID_BYTES = 8
NONCE_BYTES = 16
PROOF_BYTES = 8

_KEY_BYTES = 16
_HEAD_BYTES = 8
_LEAST_BYTES = _HEAD_BYTES + 9
_NONCE_HEAD = bytes(9)
_RESUME = b"hedgerow resume 1"
_RESUMED_KEYS = b"hedgerow resumed keys 1"
_RESUMED_PROOF = b"hedgerow resumed proof 1"
_LABEL = b"hedgerow label 1"


class Resumption:
    """What both sides keep of an agreement, so that the next session costs no agreement: a name and a secret."""

    def __init__(self, name: bytes, secret: bytes):
        self.name = name
        self.secret = secret

    def proof(self, suite, nonce: bytes) -> bytes:
        """Of the side that asks to resume, before anything is kept for it."""
        return suite.expand(self.secret, _RESUME + nonce, PROOF_BYTES)

    def keys(self, suite, host_nonce: bytes, node_nonce: bytes, session: bytes):
        """(keys for `Protection`, proof of the node) of a resumed session."""
        secret = suite.extract(host_nonce + node_nonce, self.secret)
        keys = suite.expand(secret, _RESUMED_KEYS + session, 2 * _KEY_BYTES)
        return keys, suite.expand(secret, _RESUMED_PROOF + session, PROOF_BYTES)


def labelled(suite, secret: bytes, public: bytes) -> Resumption:
    """What the secret of a label stands for: an agreement with the node of that Ed25519 key, good until it is used."""
    kept = suite.expand(suite.extract(public, secret), _LABEL, RESUMPTION_ID_BYTES + 32)
    return Resumption(kept[:RESUMPTION_ID_BYTES], kept[RESUMPTION_ID_BYTES:])


def agreed(exchange):
    """(keys for `Protection`, Resumption) of a finished EDHOC exchange."""
    keys = exchange.export(LABEL_KEYS, b"", 2 * _KEY_BYTES)
    kept = exchange.export(LABEL_RESUMPTION, b"", RESUMPTION_ID_BYTES + 32)
    return keys, Resumption(kept[:RESUMPTION_ID_BYTES], kept[RESUMPTION_ID_BYTES:])


def same(one: bytes, other: bytes) -> bool:
    """Whether two proofs are equal, in a time that does not tell where they differ."""
    difference = len(one) ^ len(other)
    for a, b in zip(one, other):
        difference |= a ^ b
    return difference == 0


def session_of(payload) -> "bytes | Damage":
    """Which session a sealed frame names, before anything about it is believed."""
    if len(payload) < _LEAST_BYTES:
        return Damage("truncated", len(payload))
    return bytes(payload[:SESSION_BYTES])


class Protection:
    """One side of one session. `is_node` says which; `window` has is_new(counter) and take(counter)."""

    def __init__(self, suite, session: bytes, keys: bytes, window, is_node: bool):
        self.session = session
        self._suite = suite
        to_node, to_host = keys[:_KEY_BYTES], keys[_KEY_BYTES:]
        self._in, self._out = (to_node, to_host) if is_node else (to_host, to_node)
        self._window = window
        self._next = 0

    def seal(self, kind: int, message: bytes) -> bytes:
        """The payload of a sealed frame. ValueError when the counters are used up."""
        if self._next > MAX_COUNTER:
            raise ValueError("this session has no counters left")
        counter = self._next.to_bytes(4, "big")
        self._next += 1
        plain = bytes([kind]) + message
        return self.session + counter + self._suite.encrypt(self._out, _NONCE_HEAD + counter, plain, self.session)

    def open(self, payload) -> "tuple[int, bytes] | Damage":
        """(kind, message) of a sealed frame that is new and whole."""
        session = session_of(payload)
        if isinstance(session, Damage):
            return session
        counter = int.from_bytes(payload[SESSION_BYTES:_HEAD_BYTES], "big")
        if session != self.session or counter > MAX_COUNTER:
            return Damage("session", 0)
        if not self._window.is_new(counter):
            return Damage("seen before", SESSION_BYTES)
        nonce = _NONCE_HEAD + bytes(payload[SESSION_BYTES:_HEAD_BYTES])
        plain = self._suite.decrypt(self._in, nonce, payload[_HEAD_BYTES:], session)
        if plain is None:
            return Damage("tag", _HEAD_BYTES)
        self._window.take(counter)
        return plain[0], plain[1:]
