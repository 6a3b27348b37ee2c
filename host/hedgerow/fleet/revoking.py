"""Knows how keys are put out: of a node, a laptop or a steward. Refuses to know groups, ports and what follows there.

A revocation names everything that is revoked by now, so that one paper says it all. What a revoked laptop had taken in
stays in the fleet where another laptop vouches for it, which a person decides node by node.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from hedgenode.rules import trust as rules
from hedgerow.errors import UsageError
from hedgerow.fleet import charter as charters
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
    """Whom a person means by a name, or by KIND:NAME where a name is used twice; also who is put out already."""
    judged, roster = folder.standing, folder.roster
    here = {node.node for node in roster.nodes}
    nodes = [one for one in roster.claims if one.node in here or one.node_id in judged.revoked]
    found = [Target(NODE, node.name, node.node) for node in nodes]
    found += [Target(LAPTOP, one.name, one.laptop) for one in judged.certificates.values()]
    found += [Target(STEWARD, one.name, one.public) for one in folder.charter.stewards]
    former = [one for charter in judged.charters for one in charter.stewards]
    found += [Target(STEWARD, one.name, one.public) for one in former if keys.key_id(one.public) in judged.revoked]
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


def revoke(folder: FleetFolder, gone: Target, also: Iterable[bytes] = ()) -> list[Document]:
    """The papers that put it out, signed with the keys here and kept: a revocation, and for a steward a charter.

    `also` are ids of keys that go with it. Asked again, it signs and returns the papers that there are.
    """
    judged = folder.standing
    wanted = {keys.key_id(gone.public), *also}
    known = papers_of(folder, judged, gone, wanted)
    if known:
        return [_signed(folder, judged, paper, _charter_in(paper)) for paper in known]
    papers = []
    following: Charter | None = None
    if gone.kind == STEWARD and gone.public in {one.public for one in judged.charters[-1].stewards}:
        following = council.without_steward(judged, gone.name, revoke=True)
        papers.append(following.to_document())
    ids = {*judged.revoked, *wanted}
    if len(ids) > MAX_REVOKED:
        raise UsageError(
            f"{len(ids)} keys would be revoked, and a paper holds {MAX_REVOKED}",
            next_step="Let a new charter forget keys whose certificates have ended",
        )
    digest = None if following is None else following.digest
    papers.append(Revocation(judged.fleet, judged.version, tuple(sorted(ids)), digest).to_document())
    folder.add(papers)  # in one step: whoever repeats the command finds all of them
    return [_signed(folder, judged, paper, _charter_in(paper)) for paper in papers]


def papers_of(folder: FleetFolder, judged: Standing, gone: Target, wanted: set[bytes]) -> list[Document]:
    """The papers that say it already, in force or waiting; empty where there are none."""
    waiting = {paper.digest for paper in judged.pending}
    in_force = {judged.charters[-1].digest, *judged.revocations}
    found = []
    for paper in folder.registry.documents():
        said = charters.read_revocation(paper) if paper.kind == charters.REVOCATION else _charter_in(paper)
        names = said.keys if isinstance(said, Revocation) else said.revoked if isinstance(said, Charter) else ()
        if wanted <= set(names) and paper.digest in waiting | in_force:
            found.append(paper)
    if not wanted <= judged.revoked and gone.kind == STEWARD:
        found = found if any(paper.kind == charters.CHARTER for paper in found) else []
    return sorted(found, key=lambda paper: paper.kind)


def _charter_in(paper: Document) -> Charter | None:
    said = charters.read_charter(paper) if paper.kind == charters.CHARTER else None
    return said if isinstance(said, Charter) else None


def _signed(folder: FleetFolder, judged: Standing, paper: Document, following: Charter | None) -> Document:
    counting = rules.counting(judged.charters[-1]) | (rules.counting(following) if following else set())
    counting -= {public for public in counting if keys.key_id(public) in judged.revoked}
    seeds = [key.seed for key in folder.secrets.stewards.values() if key.public in counting]
    return folder.sign(paper, *seeds)
