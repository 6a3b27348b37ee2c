"""Knows how nodes go from one fleet to another and fleets call each other neighbours, as documents. Does no I/O.

A move counts where the household has signed it that the node belongs to, or, for a node without one, k stewards; the
rule is the one that nodes run, hedgenode/rules/moving.py. The enrolment that it names is over then.
"""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from hedgenode.rules import moving as rules
from hedgenode.rules import trust
from hedgerow.errors import UsageError
from hedgerow.fleet import documents, keys, suite
from hedgerow.fleet.charter import Charter
from hedgerow.fleet.documents import Document
from hedgerow.fleet.suite import finish
from hedgewire import circle, rekey
from hedgewire import trust as wire
from hedgewire.cbor import Damage
from hedgewire.group import SEED_BYTES

MOVE = wire.MOVE
NEIGHBOUR = wire.NEIGHBOUR
MAX_NAME_CHARACTERS = 40


@dataclass(frozen=True)
class Move:
    """One node goes to another fleet."""

    fleet: bytes  # that it leaves
    node: bytes  # public key
    enrolment: bytes | None  # digest of the one that it leaves
    to: bytes  # fleet
    charter: bytes  # digest of the first charter of that fleet which it is to trust

    def to_document(self) -> Document:
        return documents.make(MOVE, documents.values_of(self))

    @cached_property
    def digest(self) -> bytes:
        return self.to_document().digest


@dataclass(frozen=True)
class Neighbour:
    """Another fleet whose public messages are exchanged, and by whose charter its signatures are checked."""

    fleet: bytes  # that says so
    neighbour: bytes  # fleet
    name: str
    charter: bytes  # digest
    epoch: int
    ephemeral: bytes | None = None
    members: bytes | None = None
    """Rows of a rekey document: the seed of the circle for each member of `fleet`."""

    def to_document(self) -> Document:
        return documents.make(NEIGHBOUR, documents.values_of(self))


def read_move(document: Document) -> "Move | Damage":
    """The move that this document is, or why it is none."""
    found = wire.values(document.fields, MOVE)
    return found if isinstance(found, Damage) else _named(Move(**found), document)


def read_neighbour(document: Document) -> "Neighbour | Damage":
    """The neighbour that this document is, or why it is none."""
    found = wire.values(document.fields, NEIGHBOUR)
    return found if isinstance(found, Damage) else Neighbour(**found)


def fault(document: Document, household: bytes | None, charters: Iterable, revoked=frozenset()) -> str | None:
    """Why nobody who may has signed a move, or None. Any charter that was in force since may have decided it."""
    faults = [rules.mover_fault(household, one, document.signers, revoked) for one in charters]
    if not faults:
        return "no charter of that fleet counts here"
    return None if None in faults else faults[-1]


def council_of(charter: Charter) -> set[bytes]:
    """Public keys of those whose signatures count under it."""
    return trust.counting(charter)


def lacking(charter: Charter, document: Document) -> int:
    """How many signatures of that charter's stewards a document lacks."""
    return trust.lacking(charter, document.signers)


def new_circle_seed() -> bytes:
    return secrets.token_bytes(SEED_BYTES)


def neighbours(
    fleet: bytes, other: bytes, name: str, charter: bytes, epoch: int, seed: bytes, members: Iterable[bytes]
) -> list[Neighbour]:
    """What `fleet` says of the other one, with the seed of their circle for these members (Ed25519 keys).

    One for each 64 of them. Raises UsageError for a key that nobody honest has.
    """
    found = sorted(set(members))
    made = []
    for at in range(0, len(found), rekey.MAX_MEMBERS):
        publics = [keys.agreement_public(one) for one in found[at : at + rekey.MAX_MEMBERS]]
        group, ephemeral = circle.circle_id(fleet, other), secrets.token_bytes(keys.SEED_BYTES)
        said = name[:MAX_NAME_CHARACTERS]
        # The rows alone are taken over; group and epoch of their wrapping follow from the two fleets.
        fields = None
        if None not in publics:
            fields = finish(
                rekey.make_steps(suite, fleet, group, "circle", circle.WRAPPED_EPOCH, seed, ephemeral, publics)
            )
        if fields is None:
            raise UsageError("one of these keys is nobody's")
        made.append(Neighbour(fleet, other, said, charter, epoch, fields["ephemeral"], fields["members"]))
    return made


def circle_seed(said: Neighbour, seed: bytes) -> bytes | None:
    """The seed of the circle, if the holder of that Ed25519 seed has a row."""
    if said.members is None:
        return None
    own = keys.agreement_secret(seed), keys.agreement_public(keys.public_of(seed)) or b""
    return finish(rekey.open_steps(suite, circle.rows(said), own))


def _named(move: Move, document: Document) -> Move:
    move.__dict__["digest"] = document.digest  # what a newer tool wrote beside our fields belongs to the body
    return move
