"""Group messages: from a group's secret to keys, hints and bodies, and back. Knows no member, no file and no clock.

Whoever holds the secret of a group can read it and write to it. A secret belongs to an epoch, a number whose upper part
is the generation (a fresh secret, given by a rekey document) and whose low byte is the step within it. The secret of
the next step follows from the one before by HKDF and not the other way: what was erased cannot be made again.

A body is hint (2) | step (1) | AES-CCM of the content. The nonce is source, epoch and sequence number, all of which
the receiver knows, so it is never sent; the primary block of the bundle is the associated data. The hint follows from
the secret, so it is another one in every epoch and tells nothing to others.

`suite` is the primitives of the side that runs this (hedgenode.crypto.suite and suite_long on a node):
extract(salt, secret), expand(key, info, count), encrypt(key, nonce, message, associated),
decrypt(key, nonce, sealed, associated).
"""

from hedgewire.bundle import IPN, Bundle, primary_block

ID_BYTES = 8
MAX_NAME_BYTES = 24
SEED_BYTES = 16
SECRET_BYTES = 32
HINT_BYTES = 2
ADDED_BYTES = HINT_BYTES + 1 + 8  # what a body has more than its content: hint, step and tag

STEPS = 256  # in a generation
MAX_GENERATION = 0x7FFF
# Messages of the present epoch and the two before it are read: one that a member sent before it heard of the last two
# changes of epoch still counts, and a captured member tells nothing older.
EPOCHS_KEPT = 3
MAX_AHEAD = 8  # epochs that one message may carry a member forward

_KEY_BYTES = 16
_MAX_NODE_BITS = 48
_MAX_SEQUENCE_BITS = 32


class Chain:
    """A member's key to one group: the secret of the oldest epoch that is still read, and the present epoch."""

    def __init__(self, group: bytes, epoch: int, oldest: int, secret: bytes):
        self.group = group
        self.epoch = epoch
        self.oldest = oldest
        self.secret = secret

    def secret_at(self, suite, epoch: int) -> bytes:
        """The secret of an epoch of this generation, the oldest one or a later one."""
        secret = self.secret
        for _ in range(epoch - self.oldest):
            secret = self._next(suite, secret)
        return secret

    def heard_secrets(self, suite):
        """Yield (epoch, secret) of every epoch in which another member may speak now, oldest first."""
        secret = self.secret
        for epoch in range(self.oldest, min(self.epoch + MAX_AHEAD, last_epoch(self.epoch)) + 1):
            yield epoch, secret
            secret = self._next(suite, secret)

    def _next(self, suite, secret):
        return suite.expand(secret, b"hedgerow group ratchet 1" + self.group, SECRET_BYTES)

    def advanced(self, suite, epoch: int) -> "Chain":
        """The chain at a later epoch; what is too old by then cannot be made from it any more."""
        if not self.epoch <= epoch < last_epoch(self.epoch) + 1:
            raise ValueError("a chain goes forward, within its generation")
        oldest = max(self.oldest, epoch - EPOCHS_KEPT + 1)
        return Chain(self.group, epoch, oldest, self.secret_at(suite, oldest))


def first_secret(suite, fleet: bytes, group: bytes, epoch: int, seed: bytes) -> bytes:
    """The secret of the first epoch of a generation, from the 16 random bytes that a rekey document carries."""
    return suite.extract(b"hedgerow group seed 1" + fleet + group + epoch.to_bytes(4, "big"), seed)


def next_generation(epoch: int) -> int:
    """The first epoch of the generation after that of `epoch`."""
    return (epoch // STEPS + 1) * STEPS


def last_epoch(epoch: int) -> int:
    """The last epoch of the generation of `epoch`: behind it only a rekey document leads on."""
    return epoch // STEPS * STEPS + STEPS - 1


def can_seal(bundle: Bundle) -> bool:
    """Whether the source and the sequence number of that bundle fit into a nonce."""
    source = bundle.source
    return source.scheme == IPN and source.node >> _MAX_NODE_BITS == 0 and bundle.sequence >> _MAX_SEQUENCE_BITS == 0


def seal(suite, chain: Chain, bundle: Bundle, content: bytes) -> bytes:
    """The body for a bundle whose primary block is settled.

    Source and sequence number of the bundle must never have served for another content in this epoch: the nonce is
    made of them.
    """
    if not can_seal(bundle):
        raise ValueError("the source or the sequence number of this bundle does not fit into a nonce")
    key, hint = _keys(suite, chain.group, chain.secret_at(suite, chain.epoch))
    closed = suite.encrypt(key, _nonce(bundle, chain.epoch), content, primary_block(bundle))
    return hint + bytes((chain.epoch % STEPS,)) + closed


def open_body(suite, chain: Chain, bundle: Bundle, body: bytes) -> "tuple | None":
    """(epoch, content) where a member of this group closed that body for this bundle in an epoch that is still read.

    None for everything else, without a reason: to somebody who is no member all of it looks alike.
    """
    if len(body) < ADDED_BYTES or not can_seal(bundle):
        return None
    epoch = chain.epoch // STEPS * STEPS + body[HINT_BYTES]
    if not chain.oldest <= epoch <= chain.epoch + MAX_AHEAD:
        return None
    key, hint = _keys(suite, chain.group, chain.secret_at(suite, epoch))
    if hint != bytes(body[:HINT_BYTES]):
        return None
    content = suite.decrypt(key, _nonce(bundle, epoch), body[HINT_BYTES + 1 :], primary_block(bundle))
    return None if content is None else (epoch, content)


def fits(suite, chain: Chain, start: bytes) -> bool:
    """Whether a body that begins with these 3 bytes may be of this group, and in an epoch that is still read."""
    if len(start) <= HINT_BYTES:
        return False
    epoch = chain.epoch // STEPS * STEPS + start[HINT_BYTES]
    if not chain.oldest <= epoch <= chain.epoch + MAX_AHEAD:
        return False
    return _keys(suite, chain.group, chain.secret_at(suite, epoch))[1] == bytes(start[:HINT_BYTES])


def _keys(suite, group, secret):
    made = suite.expand(secret, b"hedgerow group message 1" + group, _KEY_BYTES + HINT_BYTES)
    return made[:_KEY_BYTES], made[_KEY_BYTES:]


def _nonce(bundle, epoch):
    return bundle.source.node.to_bytes(6, "big") + epoch.to_bytes(3, "big") + bundle.sequence.to_bytes(4, "big")
