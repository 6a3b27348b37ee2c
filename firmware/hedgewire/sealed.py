"""Messages sealed to one key, a person's or a node's. Knows no name, makes no randomness.

A body is hint (4) | encapsulated key (32) | AES-CCM of the content, with the primary block of the bundle as associated
data. Key and nonce come from HPKE (RFC 9180, base mode, exported), so they serve once. The hint is a hash over the
recipient's public key and the primary block: another one for every message, and so cheap that a reader tries it on all
that it carries and pays for an X25519 only where it fits. It fits somebody else once in 2**32. Who knows the public key
can make the hint too, and so see that a message is for its holder; nobody else can, nor who wrote it.

`suite` as in hedgewire.group, and hpke_send_steps(recipient, info, ephemeral), hpke_receive_steps(encapsulated, info,
(secret, public)), hpke_export(exporter, context, count). Names that end in `_steps` are generators, as in
hedgenode.crypto.steps.
"""

import hashlib

from hedgewire.bundle import Bundle, primary_block

HINT_BYTES = 4
ENCAPSULATED_BYTES = 32
ADDED_BYTES = HINT_BYTES + ENCAPSULATED_BYTES + 8

_INFO = b"hedgerow sealed 1"
_CONTEXT = b"hedgerow sealed message 1"
_KEY_BYTES = 16
_NONCE_BYTES = 13


def hint(public: bytes, primary: bytes) -> bytes:
    """The mark of a message to the holder of that Ed25519 public key in the bundle with that primary block."""
    digest = hashlib.sha256(b"hedgerow sealed hint 1")
    digest.update(public)
    digest.update(primary)
    return digest.digest()[:HINT_BYTES]


def seal_steps(suite, public: bytes, agreement: bytes, ephemeral: bytes, bundle: Bundle, content: bytes):
    """Return the body, or None where the recipient's key is one that no honest holder has.

    public, agreement: the recipient's Ed25519 key and its X25519 form. ephemeral: 32 random bytes, used once.
    """
    primary = primary_block(bundle)
    sent = yield from suite.hpke_send_steps(agreement, _INFO, ephemeral)
    if sent is None:
        return None
    made = suite.hpke_export(sent[1], _CONTEXT, _KEY_BYTES + _NONCE_BYTES)
    closed = suite.encrypt(made[:_KEY_BYTES], made[_KEY_BYTES:], content, primary)
    return hint(public, primary) + sent[0] + closed


def open_steps(suite, public: bytes, keys: "tuple[bytes, bytes]", bundle: Bundle, body: bytes):
    """Return the content, or None where the body is not for this key or is not as it was sealed for this bundle.

    keys: X25519 (secret, public) of the reader, whose Ed25519 key is `public`.
    """
    primary = primary_block(bundle)
    if len(body) < ADDED_BYTES or bytes(body[:HINT_BYTES]) != hint(public, primary):
        return None
    encapsulated = bytes(body[HINT_BYTES : HINT_BYTES + ENCAPSULATED_BYTES])
    exporter = yield from suite.hpke_receive_steps(encapsulated, _INFO, keys)
    if exporter is None:
        return None
    made = suite.hpke_export(exporter, _CONTEXT, _KEY_BYTES + _NONCE_BYTES)
    return suite.decrypt(made[:_KEY_BYTES], made[_KEY_BYTES:], body[HINT_BYTES + ENCAPSULATED_BYTES :], primary)
