"""The node's own key pair, made here and kept here. Knows its file; tells nobody the seed.

The node id is the first eight bytes of SHA-256 of the public key. /identity.cbor is a map of v (1), seed and public.
One Ed25519 key serves to sign and, moved over to the Montgomery form of the curve, to agree on secrets.
"""

import hashlib
import os

from hedgenode.crypto.loaded import forget
from hedgenode.store.counters import read_whole, write_atomic
from hedgenode.store.files import Flash
from hedgewire import cbor

PATH = "/identity.cbor"
HOST_ENTROPY_BYTES = 16  # at least
KEY_ID_BYTES = 8
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
    kept = _read(path)
    return None if kept is None else kept[1]


def key_id(public_key: bytes) -> bytes:
    """Return the short form of anybody's public key: the first eight bytes of its SHA-256."""
    return hashlib.sha256(public_key).digest()[:KEY_ID_BYTES]


class Identity:
    """The node's key at work. Holds no seed: it is read from flash for each use and forgotten after it."""

    def __init__(self, public_key: bytes, path: str):
        """Use `load`."""
        self.public = public_key
        self.id = key_id(public_key)
        self._path = path

    def sign_steps(self, data):
        """Return the 64 bytes of the signature of data. A generator for crypto.steps, as all that takes so long."""
        from hedgenode.crypto.ed25519 import signing_key_steps  # large, and seldom needed

        key = yield from signing_key_steps(self._seed())
        signature = yield from key.sign_steps(data)
        forget()
        return signature

    def agreement_secret_steps(self):
        """Return the X25519 secret that belongs to this key: half of SHA-512 of the seed, clamped (RFC 8032, 5.1.5)."""
        from hedgenode.crypto.sha512 import digest_steps

        expanded = yield from digest_steps(self._seed())
        secret = bytearray(expanded[:_KEY_BYTES])
        secret[0] &= 248
        secret[31] = secret[31] & 127 | 64
        return bytes(secret)

    def agreement_secret(self) -> bytes:
        """Return what `agreement_secret_steps` returns, without a pause (40 ms on a Pico)."""
        from hedgenode.crypto.steps import finish

        return finish(self.agreement_secret_steps())

    @property
    def agreement_public(self) -> bytes:
        """The X25519 form of the public key; others derive it from `public` themselves (20 ms on a Pico)."""
        from hedgenode.crypto.x25519 import from_ed25519

        made = from_ed25519(self.public)
        if made is None:
            raise ValueError("%s is damaged" % self._path)  # no seed makes such a key
        return made

    def _seed(self) -> bytes:
        kept = _read(self._path)
        if kept is None or kept[1] != self.public:
            raise ValueError("%s is not what it was" % self._path)
        return kept[0]


def load(path: str = PATH) -> "Identity | None":
    """Return the identity of this node, or None where none was made yet. ValueError where the file is damaged."""
    key = public(path)
    return None if key is None else Identity(key, path)


def _read(path):
    """(seed, public) in the file, None without one. ValueError where it is damaged."""
    data = read_whole(Flash(), path)
    if data is None:
        return None
    values = cbor.decode(data)
    if isinstance(values, dict) and values.get("v") == _VERSION:
        seed, key = values.get("seed"), values.get("public")
        if isinstance(key, bytes) and isinstance(seed, bytes) and len(key) == len(seed) == _KEY_BYTES:
            return seed, key
    raise ValueError("%s is damaged" % path)
