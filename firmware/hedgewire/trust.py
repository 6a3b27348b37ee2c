"""Documents by which a fleet says whom it trusts, as values: charter, laptop, revocation, enrolment, custodian; and how
nodes and fleets come to part: move, neighbour.

Knows what their fields must look like. Who signed, and what follows from it, is for hedgenode/rules/trust.py.
"""

from hedgewire import document
from hedgewire.cbor import Damage
from hedgewire.document import is_count, is_digest, is_key_id, is_public, is_text, or_none

CHARTER = "charter"
LAPTOP = "laptop"
REVOCATION = "revocation"
ENROLMENT = "enrolment"
CUSTODIAN = "custodian"
MOVE = "move"
NEIGHBOUR = "neighbour"

LOWEST_SHORT = 1
HIGHEST_SHORT = 0xFFFE  # 0xFFFF is everyone, 0 is nobody
MAX_STEWARDS = 16
MAX_ROWS = 64
ROW_BYTES = 24
MAX_REVOKED = 100  # key ids in one charter or revocation: one frame must hold it


class Statement:
    """A document that was understood: its fields as attributes, and the digest of its body where a caller gave one.

    CHARTER: name, version, stewards (Statements: name, public, until_version or None), threshold, fleet (None in the
    first one), parent (digest or None), revoked (list of key ids); joins (digest of the other parent) only where two
    fleets became one.
    LAPTOP: fleet, charter_version, name, laptop (public key), enrolments, first_short, short_count, until_version.
    REVOCATION: fleet, charter_version, keys (list of key ids), charter (digest of the one that follows, or None).
    ENROLMENT: fleet, node, short, name, board, custodian, laptop, certificate, serial, replaces, charter_version.
    CUSTODIAN: name, public.
    MOVE: fleet (that the node leaves), enrolment (digest of the one that it leaves, or None), node, to (fleet), charter
    (digest: the first one of that fleet which the node is to trust).
    NEIGHBOUR: fleet (that says so), neighbour (fleet), name, charter (digest of theirs), epoch, and what lets the nodes
    of both hear each other, or None: ephemeral (an X25519 public key) and members (rows as in hedgewire/rekey.py).
    """

    def __init__(self, fields, digest=None):
        self.digest = digest
        for name in fields:
            setattr(self, name, fields[name])

    def __getattr__(self, name):
        """Which attributes there are, the kind says; what a body does not say, nobody may ask for."""
        raise AttributeError(name)


def read(fields: dict, kind: str, digest: "bytes | None" = None) -> "Statement | Damage":
    """The statement of this kind that a body's fields make, or why they make none."""
    found = values(fields, kind)
    if isinstance(found, Damage):
        return found
    if kind == CHARTER:
        names = ("name", "public", "until_version")
        found["stewards"] = [Statement(dict(zip(names, item))) for item in found["stewards"]]  # noqa: B905 - no strict= on boards
    return Statement(found, digest)


def values(fields: dict, kind: str) -> "dict | Damage":
    """The same as a dict of plain values, a steward being [name, public, until_version]."""
    found = document.read(fields, kind, _SHAPES[kind])
    if isinstance(found, Damage):
        return found
    if kind == CHARTER and found["revoked"] is None:
        found["revoked"] = []  # a charter of the first release
    wrong = _CHECKS[kind](found) if kind in _CHECKS else None
    if kind == CHARTER and found["joins"] is None:
        del found["joins"]  # few have one
    return found if wrong is None else Damage("%s: %s" % (kind, wrong), 0)


def _charter_fault(found):
    publics = [item[1] for item in found["stewards"]]
    if not 1 <= found["threshold"] <= len(publics):
        return "threshold"
    if found["joins"] is not None and (found["parent"] in (None, found["joins"]) or found["fleet"] is not None):
        return "joins"  # two fleets that become one begin a new one, and they are two
    if len(set(publics)) < len(publics):
        return "a steward twice"  # one person would count as two
    return None


def _laptop_fault(found):
    first, count = found["first_short"], found["short_count"]
    return "block of short ids" if first < LOWEST_SHORT or first + count - 1 > HIGHEST_SHORT else None


def _enrolment_fault(found):
    if found["serial"] < 1:
        return "serial"
    return None if LOWEST_SHORT <= found["short"] <= HIGHEST_SHORT else "short"


def _move_fault(found):
    return "to" if found["to"] == found["fleet"] else None


def _neighbour_fault(found):
    if found["neighbour"] == found["fleet"]:
        return "neighbour"
    return "members" if (found["members"] is None) != (found["ephemeral"] is None) else None


def _are_rows(value):
    return isinstance(value, bytes) and 0 < len(value) <= MAX_ROWS * ROW_BYTES and len(value) % ROW_BYTES == 0


def _are_stewards(value):
    return isinstance(value, list) and 0 < len(value) <= MAX_STEWARDS and all(_is_steward(item) for item in value)


def _is_steward(item):
    if not isinstance(item, list) or len(item) != 3:
        return False
    return is_text(item[0]) and is_public(item[1]) and (item[2] is None or is_count(item[2]))


def _are_key_ids(value):
    """Ordered, none twice: one set has one form, and two laptops that make it make the same document."""
    if not isinstance(value, list) or len(value) > MAX_REVOKED or not all(is_key_id(item) for item in value):
        return False
    return value == sorted(set(value))


_SHAPES = {
    CHARTER: {
        "name": is_text,
        "version": is_count,
        "stewards": _are_stewards,
        "threshold": is_count,
        "fleet": or_none(is_key_id),
        "parent": or_none(is_digest),
        "joins": or_none(is_digest),
        "revoked": or_none(_are_key_ids),
    },
    LAPTOP: {
        "fleet": is_key_id,
        "charter_version": is_count,
        "name": is_text,
        "laptop": is_public,
        "enrolments": is_count,
        "first_short": is_count,
        "short_count": is_count,
        "until_version": or_none(is_count),
    },
    REVOCATION: {
        "fleet": is_key_id,
        "charter_version": is_count,
        "keys": lambda value: _are_key_ids(value) and len(value) > 0,
        "charter": or_none(is_digest),
    },
    ENROLMENT: {
        "fleet": is_key_id,
        "node": is_public,
        "short": is_count,
        "name": is_text,
        "board": is_text,
        "custodian": or_none(is_public),
        "laptop": is_public,
        "certificate": is_digest,
        "serial": is_count,
        "replaces": or_none(is_digest),
        "charter_version": or_none(is_count),
    },
    CUSTODIAN: {"name": is_text, "public": is_public},
    MOVE: {
        "fleet": is_key_id,
        "enrolment": or_none(is_digest),
        "node": is_public,
        "to": is_key_id,
        "charter": is_digest,
    },
    NEIGHBOUR: {
        "fleet": is_key_id,
        "neighbour": is_key_id,
        "name": is_text,
        "charter": is_digest,
        "epoch": is_count,
        "ephemeral": or_none(is_public),
        "members": or_none(_are_rows),
    },
}
_CHECKS = {
    CHARTER: _charter_fault,
    LAPTOP: _laptop_fault,
    ENROLMENT: _enrolment_fault,
    MOVE: _move_fault,
    NEIGHBOUR: _neighbour_fault,
}
