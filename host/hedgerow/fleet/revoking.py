"""Knows how keys are put out: of a node, a laptop or a steward. Refuses to know groups, ports and what follows there.

A revocation names everything that is revoked by now, so that one paper says it all. What a revoked laptop had taken in
stays in the fleet where another laptop vouches for it, which a person decides node by node.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from hedgenode.rules import trust as rules
from hedgerow.errors import UsageError
from hedgerow.fleet import council, keys
from hedgerow.fleet.charter import Charter, Revocation
from hedgerow.fleet.documents import Document
from hedgerow.fleet.folder import FleetFolder
from hedgerow.fleet.roster import ENROLMENT, Enrolment
from hedgerow.fleet.standing import Standing
from hedgewire.trust import MAX_REVOKED

NODE = "node"
LAPTOP = "laptop"
STEWARD = "steward"


@dataclass(frozen=True)
class Target:
    """What is to be put out: a kind, a name, a public key."""

    kind: str
    name: str
    public: bytes


def target(folder: FleetFolder, who: str) -> Target:
    """Whom a person means by a name, or by KIND:NAME where a name is used twice."""
    judged, roster = folder.standing, folder.roster
    found = [Target(NODE, node.name, node.node) for node in roster.nodes]
    found += [Target(LAPTOP, one.name, one.laptop) for one in judged.certificates.values()]
    found += [Target(STEWARD, one.name, one.public) for one in folder.charter.stewards]
    kind, colon, name = who.partition(":")
    called = {one for one in found if ((one.kind, one.name) == (kind, name) if colon else one.name == who)}
    if len(called) == 1:
        return called.pop()
    if not called:
        known = ", ".join(sorted({one.name for one in found}))
        raise UsageError(f"nobody here is called {who}", next_step=f"Known are {known}; a merge may bring others")
    kinds = " or ".join(sorted(f"{one.kind}:{one.name}" for one in called))
    raise UsageError(f"more than one is called {who}", next_step=f"Say {kinds}")


def taken_in_by(folder: FleetFolder, gone: Target) -> list[Enrolment]:
    """The nodes that would fall with a laptop: nobody else has vouched for them yet."""
    roster = folder.roster
    vouching = roster.laptops - {gone.public}
    signed = set(roster.signed)
    return [
        node
        for node in roster.nodes
        if gone.kind == LAPTOP
        and node.laptop == gone.public
        and not any((node.digest, public) in signed for public in vouching)
    ]


def vouch(folder: FleetFolder, nodes: Iterable[Enrolment]) -> None:
    """Sign enrolments of another laptop with this one's key. Raises RefusedError where this laptop may not act."""
    _ = folder.certificate
    wanted = {node.digest for node in nodes}
    for paper in folder.registry.documents(ENROLMENT):
        if paper.digest in wanted:
            folder.sign(paper, folder.secrets.laptop_seed)


def revoke(folder: FleetFolder, gone: Target) -> list[Document]:
    """The papers that put it out, signed with the keys here and kept: a revocation, and for a steward a charter."""
    judged = folder.standing
    papers = []
    following: Charter | None = None
    if gone.kind == STEWARD:
        following = council.without_steward(judged, gone.name, revoke=True)
        papers.append(_signed(folder, judged, following.to_document(), following))
    ids = {*judged.revoked, keys.key_id(gone.public)}
    if len(ids) > MAX_REVOKED:
        raise UsageError(
            f"{len(ids)} keys would be revoked, and a paper holds {MAX_REVOKED}",
            next_step="Let a new charter forget keys whose certificates have ended",
        )
    digest = None if following is None else following.digest
    said = Revocation(judged.fleet, judged.version, tuple(sorted(ids)), digest)
    papers.append(_signed(folder, judged, said.to_document(), None))
    return papers


def _signed(folder: FleetFolder, judged: Standing, paper: Document, following: Charter | None) -> Document:
    counting = rules.counting(judged.charters[-1]) | (rules.counting(following) if following else set())
    seeds = [key.seed for key in folder.secrets.stewards.values() if key.public in counting]
    return folder.sign(paper, *seeds)
