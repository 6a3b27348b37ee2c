"""HPKE (RFC 9180), export mode: a secret that only one recipient can find out. Knows keys, makes no randomness.

DHKEM(X25519, HKDF-SHA256), HKDF-SHA256 and the export-only AEAD 0xFFFF, in the modes base (anybody sent it) and auth
(the holder of one key sent it, and it shows to the recipient alone). Both sides come to the same exporter secret, of
which `export` makes as many keys as are wanted; AES-CCM under such a key then seals the message. Modes with a
pre-shared key are left out.

An agreement takes half a second on a Pico and a public key a third of that, so a caller hands in public keys that it
has. Names that end in `_steps` are generators for `steps.finish` or `steps.finish_politely`. Not constant time, as
x25519 is not: who holds the node holds its keys anyway.
"""

from hedgenode.crypto import x25519
from hedgenode.crypto.hkdf import expand, extract

KEY_BYTES = 32
ENCAPSULATED_BYTES = 32
EXPORTER_BYTES = 32

_KEM = b"KEM\x00\x20"
_HPKE = b"HPKE\x00\x20\x00\x01\xff\xff"
_VERSION = b"HPKE-v1"
_BASE = b"\x00"
_AUTH = b"\x02"


def send_steps(recipient: bytes, info: bytes, ephemeral: bytes, sender: "tuple[bytes, bytes] | None" = None):
    """Return (32 bytes for the recipient, exporter secret), or None where a public key is a point of small order.

    recipient: its public key. ephemeral: 32 random bytes that have never served and never will again. sender: (secret
    key, public key) in mode auth, None in mode base. Sections 4.1 and 5.1.1 (SetupBaseS), 5.1.3 (SetupAuthS).
    """
    encapsulated = yield from x25519.public_steps(ephemeral)
    shared = yield from x25519.shared_steps(ephemeral, recipient)
    if shared is None:
        return None
    context = encapsulated + recipient
    if sender is not None:
        proof = yield from x25519.shared_steps(sender[0], recipient)
        if proof is None:
            return None
        shared += proof
        context += sender[1]
    return encapsulated, _exporter(shared, context, info, sender is not None)


def receive_steps(encapsulated: bytes, info: bytes, recipient: "tuple[bytes, bytes]", sender: "bytes | None" = None):
    """Return the exporter secret that `send_steps` came to, or None where what arrived cannot be such 32 bytes.

    recipient: (secret key, public key). sender: its public key in mode auth, None in mode base. A wrong sender, info
    or recipient is not found out here: the secret is then another one, and nothing sealed under it opens.
    """
    if len(encapsulated) != ENCAPSULATED_BYTES:
        return None
    secret, public = recipient
    shared = yield from x25519.shared_steps(secret, encapsulated)
    if shared is None:
        return None
    context = encapsulated + public
    if sender is not None:
        proof = yield from x25519.shared_steps(secret, sender)
        if proof is None:
            return None
        shared += proof
        context += sender
    return _exporter(shared, context, info, sender is not None)


def export(exporter: bytes, context: bytes, count: int) -> bytes:
    """Return count bytes, at most 8160, of an exporter secret for the purpose that context names (section 5.3)."""
    return _labeled_expand(_HPKE, exporter, b"sec", context, count)


def _exporter(agreed: bytes, kem_context: bytes, info: bytes, authenticated: bool) -> bytes:
    """Return the exporter secret: ExtractAndExpand of section 4.1, then KeySchedule of section 5.1 without a PSK."""
    shared = _labeled_expand(_KEM, _labeled_extract(_KEM, b"", b"eae_prk", agreed), b"shared_secret", kem_context, 32)
    context = _AUTH if authenticated else _BASE
    context += _labeled_extract(_HPKE, b"", b"psk_id_hash", b"") + _labeled_extract(_HPKE, b"", b"info_hash", info)
    secret = _labeled_extract(_HPKE, shared, b"secret", b"")
    return _labeled_expand(_HPKE, secret, b"exp", context, EXPORTER_BYTES)


def _labeled_extract(suite: bytes, salt: bytes, label: bytes, secret: bytes) -> bytes:
    """Section 4."""
    return extract(salt, _VERSION + suite + label + secret)


def _labeled_expand(suite: bytes, key: bytes, label: bytes, info: bytes, count: int) -> bytes:
    """Section 4."""
    return expand(key, count.to_bytes(2, "big") + _VERSION + suite + label + info, count)
