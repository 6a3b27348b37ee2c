"""Rekey documents: a new secret for a group, wrapped for each member that stays. Knows fields, keys and no signature.

A document is a map of kind "rekey", v 1, fleet, group, name, epoch (the first of its generation), ephemeral (an X25519
public key) and members: 24 bytes for each, AES-KW (RFC 3394) of 16 random bytes under a key that HKDF makes of the
member's X25519 agreement with the ephemeral key. The rows are sorted by their bytes and carry no name: a member tries
them all, an outsider learns only how many there are. Signatures are the envelope's; whose count is a rule of its own.

What was wrapped for a member can be unwrapped by whoever takes that member's long-term key later and has kept the
document: the ratchet protects what a member has erased, not what an eavesdropper has kept and can still unwrap.

`suite` as in hedgewire.group, and agree_steps(secret, public), public_steps(secret), wrap(key, secret),
unwrap(key, wrapped).
"""

from hedgewire.cbor import Damage
from hedgewire.group import ID_BYTES, MAX_GENERATION, MAX_NAME_BYTES, SEED_BYTES, STEPS

KIND = "rekey"
VERSION = 1
MAX_MEMBERS = 64
ROW_BYTES = SEED_BYTES + 8
_MAX_EPOCH = MAX_GENERATION * STEPS
_FLEET_BYTES = 8
_PUBLIC_BYTES = 32
_KEY_BYTES = 16


class Rekey:
    """The fields of a rekey document, checked."""

    def __init__(self, fleet, group, name, epoch, ephemeral, members):
        self.fleet = fleet
        self.group = group
        self.name = name
        self.epoch = epoch
        self.ephemeral = ephemeral
        self.members = members


def parse(fields) -> "Rekey | Damage":
    """The rekey in the map that a document's body decoded to."""
    if not isinstance(fields, dict) or fields.get("kind") != KIND:
        return Damage("shape", 0)
    if fields.get("v") != VERSION:
        return Damage("version", 0)
    members, epoch, name = fields.get("members"), fields.get("epoch"), fields.get("name")
    if not isinstance(members, bytes) or len(members) % ROW_BYTES or not 0 < len(members) <= MAX_MEMBERS * ROW_BYTES:
        return Damage("members", 0)
    if not isinstance(epoch, int) or isinstance(epoch, bool) or not _begins_generation(epoch):
        return Damage("epoch", 0)
    if not isinstance(name, str) or not 0 < len(name.encode()) <= MAX_NAME_BYTES:
        return Damage("name", 0)
    found = []
    for key, count in (("fleet", _FLEET_BYTES), ("group", ID_BYTES), ("ephemeral", _PUBLIC_BYTES)):
        value = fields.get(key)
        if not isinstance(value, bytes) or len(value) != count:
            return Damage(key, 0)
        found.append(value)
    return Rekey(found[0], found[1], name, epoch, found[2], members)


def make_steps(suite, fleet: bytes, group: bytes, name: str, epoch: int, seed: bytes, ephemeral: bytes, members):
    """Return the fields of a document that gives `seed` to the holders of these X25519 public keys.

    ephemeral: 32 random bytes, used for this document alone. None where a member's key is one that nobody honest has.
    """
    if not 0 < len(members) <= MAX_MEMBERS or len(seed) != SEED_BYTES:
        raise ValueError("a rekey document has 1 to %d members and a seed of %d bytes" % (MAX_MEMBERS, SEED_BYTES))
    public = yield from suite.public_steps(ephemeral)
    rows = []
    for member in members:
        agreed = yield from suite.agree_steps(ephemeral, member)
        if agreed is None:
            return None
        rows.append(suite.wrap(_wrapping_key(suite, agreed, group, epoch, public, member), seed))
    rows.sort()
    return {
        "kind": KIND,
        "v": VERSION,
        "fleet": fleet,
        "group": group,
        "name": name,
        "epoch": epoch,
        "ephemeral": public,
        "members": b"".join(rows),
    }


def open_steps(suite, rekey: Rekey, keys: "tuple[bytes, bytes]"):
    """Return the seed that was wrapped for the holder of these X25519 keys (secret, public), or None."""
    agreed = yield from suite.agree_steps(keys[0], rekey.ephemeral)
    if agreed is None:
        return None
    key = _wrapping_key(suite, agreed, rekey.group, rekey.epoch, rekey.ephemeral, keys[1])
    for at in range(0, len(rekey.members), ROW_BYTES):
        seed = suite.unwrap(key, rekey.members[at : at + ROW_BYTES])
        if seed is not None:
            return seed
        if at // ROW_BYTES % 8 == 7:
            yield
    return None


def _begins_generation(epoch):
    return 0 < epoch <= _MAX_EPOCH and epoch % STEPS == 0


def _wrapping_key(suite, agreed, group, epoch, ephemeral, member):
    info = b"hedgerow rekey 1" + group + epoch.to_bytes(4, "big") + ephemeral + member
    return suite.expand(suite.extract(b"", agreed), info, _KEY_BYTES)
