"""What two neighbouring fleets share: from one seed, the secrets under which each of them speaks. Knows no radio.

Both hear each other and nothing else of each other: from these secrets follows no key of a message. Each fleet speaks
under a secret of its own, for a short id may occur in both.

`suite` as in hedgewire/group.py: extract(salt, secret), expand(key, info, count).
"""

import hashlib

from hedgewire.rekey import Rekey

ID_BYTES = 8
SECRET_BYTES = 32
WRAPPED_EPOCH = 0  # of every circle, where the wrapping of a row asks for one


def circle_id(one: bytes, other: bytes) -> bytes:
    """The id of the circle of two fleets, the same on both sides."""
    low, high = (one, other) if one < other else (other, one)
    return hashlib.sha256(b"hedgerow circle 1" + low + high).digest()[:ID_BYTES]


def rows(neighbour) -> Rekey:
    """What a NEIGHBOUR statement (hedgewire/trust.py) with members gives them, for rekey.open_steps."""
    group = circle_id(neighbour.fleet, neighbour.neighbour)
    return Rekey(neighbour.fleet, group, neighbour.name, WRAPPED_EPOCH, neighbour.ephemeral, neighbour.members)


def secret(suite, seed: bytes, one: bytes, other: bytes, epoch: int, speaker: bytes) -> bytes:
    """The secret under which the fleet `speaker`, one of the two, speaks in that epoch of their circle."""
    root = suite.extract(b"hedgerow circle seed 1" + circle_id(one, other) + epoch.to_bytes(4, "big"), seed)
    return suite.expand(root, b"hedgerow circle speaks 1" + speaker, SECRET_BYTES)
