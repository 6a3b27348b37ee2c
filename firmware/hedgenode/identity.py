"""The node's own key pair, made here and kept here. Knows its file; tells nobody the seed.

The node id is the first eight bytes of SHA-256 of the public key. /identity.cbor is a map of v (1), seed and public.
"""

import hashlib
import os

from hedgenode.store.counters import read_whole, write_atomic
from hedgenode.store.files import Flash
from hedgewire import cbor

PATH = "/identity.cbor"
HOST_ENTROPY_BYTES = 16  # at least
_VERSION = 1
_KEY_BYTES = 32


def create(host_entropy: bytes, path: str = PATH) -> bytes:
    """Return the public key of this node; make the identity if there is none yet (0.25 s on a Pico).

    The seed mixes randomness of the chip with bytes from the host, so that a weakness of either one alone gives nothing
    away. Whole or not at all after a power cut. OSError where flash refuses, ValueError for too little entropy and
    where the file that is there is damaged: a new identity would be another node.
    """
    if len(host_entropy) < HOST_ENTROPY_BYTES:
        raise ValueError("the host gives at least %d random bytes" % HOST_ENTROPY_BYTES)
    existing = public(path)
    if existing is not None:
        return existing
    from hedgenode.crypto import ed25519  # needed once in a node's life, and large

    mixed = hashlib.sha256(b"hedgerow identity 1")
    mixed.update(os.urandom(_KEY_BYTES))
    mixed.update(host_entropy)
    seed = mixed.digest()
    made = ed25519.public_key(seed)
    write_atomic(Flash(), path, cbor.encode({"v": _VERSION, "seed": seed, "public": made}))
    return made


def public(path: str = PATH) -> "bytes | None":
    """Return the public key of this node, or None where none was made yet. ValueError where the file is damaged."""
    data = read_whole(Flash(), path)
    if data is None:
        return None
    values = cbor.decode(data)
    if isinstance(values, dict) and values.get("v") == _VERSION:
        key = values.get("public")
        if _is_key(key) and _is_key(values.get("seed")):
            return key
    raise ValueError("%s is damaged" % path)


def _is_key(value) -> bool:
    return isinstance(value, bytes) and len(value) == _KEY_BYTES
