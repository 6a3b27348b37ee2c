"""Knows which nodes belong to a fleet: the union of all signed enrolments under certificates that count. Does no I/O.

Two laptops that worked apart merge by set union, in any order, any number of times. What union cannot decide
(two nodes with one name, short id or key; a certificate that was overdrawn) is shown as a conflict and is never settled
silently; at enrolment the same rules refuse. Nodes judge their own enrolment by them, too: hedgenode/rules/trust.py.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

from hedgenode.rules import trust as rules
from hedgerow.errors import RefusedError
from hedgerow.fleet import charter as charters
from hedgerow.fleet import documents, moving
from hedgerow.fleet.charter import LaptopCertificate
from hedgerow.fleet.documents import Document, unite
from hedgerow.fleet.keys import key_id
from hedgerow.fleet.standing import Standing, judge
from hedgewire import trust
from hedgewire.cbor import Damage

ENROLMENT = trust.ENROLMENT


@dataclass(frozen=True)
class Enrolment:
    """One node taken into a fleet by one laptop; `serial` counts within the laptop's certificate from 1."""

    fleet: bytes
    node: bytes  # public key
    short: int
    name: str
    board: str
    custodian: bytes | None  # public key of the household that the node belongs to
    laptop: bytes  # public key
    certificate: bytes  # digest
    serial: int
    replaces: bytes | None = None  # digest of the enrolment that this one takes the place of
    charter_version: int | None = None  # in force when it was made; None: that of the certificate

    @cached_property
    def node_id(self) -> bytes:
        return key_id(self.node)

    def to_document(self) -> Document:
        return documents.make(ENROLMENT, documents.values_of(self))

    @cached_property
    def digest(self) -> bytes:
        return self.to_document().digest


@dataclass(frozen=True)
class Conflict:
    """What a merge found and cannot settle; `nodes` are the names of the enrolments concerned."""

    what: str  # "name", "short", "key", "serial", "outside certificate"
    value: str
    nodes: tuple[str, ...]

    def __str__(self) -> str:
        sentence = {
            "name": f"two nodes are called {self.value}; give one of them another name",
            "short": f"short id {self.value} was given twice, to {_list(self.nodes)}; enrol one of them again",
            "key": f"key {self.value} was enrolled twice, as {_list(self.nodes)}; one of them is to be replaced",
            "serial": f"{_list(self.nodes)} share {self.value}; a copy of that laptop is at work",
            "outside certificate": f"{_list(self.nodes)}: {self.value}; it does not count as enrolled",
        }
        return sentence[self.what]


@dataclass(frozen=True)
class Roster:
    """Certificates that count and enrolments, as sets. Everything else is computed from them: union is merging."""

    certificates: frozenset[LaptopCertificate] = frozenset()
    claims: frozenset[Enrolment] = frozenset()
    signed: frozenset[tuple[bytes, bytes]] = frozenset()
    """Pairs of the digest of a claim and the public key of somebody whose signature of it is right."""
    revoked: frozenset[bytes] = frozenset()
    laptops: frozenset[bytes] = frozenset()
    """Public keys of laptops that may act now, and so vouch for what a revoked one took in."""
    elsewhere: frozenset[Enrolment] = frozenset()
    """Enrolments in the fleets that this one has come from, by which its first nodes belonged there."""
    left: frozenset[bytes] = frozenset()
    """Digests of enrolments that are over, because the node has moved to another fleet."""

    @staticmethod
    def of(found: Iterable[Document], standing: Standing) -> "Roster":
        """What these documents say about that fleet; other kinds, other fleets and damaged ones are passed over."""
        papers = unite(found)
        claims, signed, elsewhere = set(), set(), set()
        origins = _origins(papers, standing)
        for document in papers:
            claim = read_enrolment(document) if document.kind == ENROLMENT else None
            if claim is None or isinstance(claim, Damage):
                continue
            if claim.fleet == standing.fleet:
                claims.add(claim)
                signed |= {(claim.digest, signer) for signer in document.signers}
            elif (claim.certificate, claim.laptop) in origins and claim.laptop in document.signers:
                elsewhere.add(claim)
        return Roster(
            frozenset(standing.certificates.values()),
            frozenset(claims),
            frozenset(signed),
            standing.revoked,
            standing.laptops,
            frozenset(elsewhere),
            _left(papers, claims, standing),
        )

    @cached_property
    def _by_digest(self) -> dict[bytes, LaptopCertificate]:
        return {certificate.digest: certificate for certificate in self.certificates}

    @cached_property
    def _claim_by_digest(self) -> dict[bytes, Enrolment]:
        return {claim.digest: claim for claim in (*self.elsewhere, *self.claims)}

    @cached_property
    def _signers(self) -> dict[bytes, set[bytes]]:
        found: dict[bytes, set[bytes]] = defaultdict(set)
        for digest, signer in self.signed:
            found[digest].add(signer)
        return found

    def refusal(self, claim: Enrolment) -> str | None:
        """Why this enrolment does not count, or None. The same rule for our own and for merged ones."""
        certificate = self._by_digest.get(claim.certificate)
        if certificate is None:
            return "its laptop certificate is not known here, or does not count"
        signers = self._signers.get(claim.digest, set())
        former = self._claim_by_digest.get(claim.replaces or b"")
        counted = former is not None and (former in self.elsewhere or self.refusal(former) is None)
        return rules.enrolment_fault(claim, certificate, signers, self.revoked, self.laptops, former, counted)

    @cached_property
    def nodes(self) -> list[Enrolment]:
        """Enrolments that count: covered by their certificate and not replaced by another that is. By short id."""
        replaced = {claim.replaces for claim in self._covered} | self.left
        return [claim for claim in self._covered if claim.digest not in replaced]

    def named(self, name: str) -> Enrolment | None:
        return next((node for node in self.nodes if node.name == name), None)

    def with_key(self, public: bytes) -> Enrolment | None:
        return next((node for node in self.nodes if node.node == public), None)

    @cached_property
    def conflicts(self) -> list[Conflict]:
        nodes = self.nodes
        found = [
            *_shared("name", nodes, lambda node: node.name),
            *_shared("short", nodes, lambda node: str(node.short)),
            *_shared("key", nodes, lambda node: node.node_id.hex()),
            *_shared("serial", self._covered, self._serial_text),
        ]
        for claim in sorted(self.claims, key=_total_order):
            why = self.refusal(claim)
            if why is not None:
                found.append(Conflict("outside certificate", why, (claim.name,)))
        return found

    def next_enrolment(
        self,
        certificate: LaptopCertificate,
        node: bytes,
        name: str,
        board: str,
        custodian: bytes | None = None,
        *,
        replaces_lost: bool = False,
        place: int = 0,
        charter_version: int | None = None,
    ) -> Enrolment:
        """The enrolment that takes this key in under this name; the one that exists, if it says the same already.

        `place` is a wish: the short id at that place of the laptop's block, counted from 0, or the next free one.
        Raises RefusedError for a name that another key has (unless that node is lost and this one takes its place),
        and for a certificate that is used up.
        """
        known = self.with_key(node)
        if known is not None and (known.name, known.board, known.custodian) == (name, board, custodian):
            return known
        holder = self.named(name)
        if holder is not None and holder.node != node and (not replaces_lost or known is not None):
            raise RefusedError(
                f"the name {name} belongs to node {holder.node_id.hex()} already, and this board is another one",
                node=name,
                next_step="Give this board a name of its own in fleet.toml, or name that node on the command line",
            )
        serial = self._next_serial(certificate, name)
        short = (
            known.short
            if known is not None  # what is under way to it arrives
            else self._free_short(certificate, place)
        )
        enrolment = Enrolment(
            certificate.fleet,
            node,
            short,
            name,
            board,
            custodian,
            certificate.laptop,
            certificate.digest,
            serial,
            charter_version=charter_version,
        )
        # A replacement gets a short id of its own: the lost node may still turn up, and bundles are named by origin.
        former = known or holder
        return enrolment if former is None else replace(enrolment, replaces=former.digest)

    def _next_serial(self, certificate: LaptopCertificate, name: str) -> int:
        # Only what this laptop has signed uses its certificate up: a stranger's paper must not.
        own = [
            claim.serial
            for claim in self.claims
            if claim.certificate == certificate.digest and certificate.laptop in self._signers.get(claim.digest, ())
        ]
        serial = max(own, default=0) + 1
        if serial > certificate.enrolments:
            raise RefusedError(
                f"the certificate of laptop {certificate.name} allows {certificate.enrolments} enrolments, all used",
                node=name,
                next_step="Ask the stewards for a new certificate, or enrol the node from another laptop",
            )
        return serial

    def _free_short(self, certificate: LaptopCertificate, place: int) -> int:
        taken = {claim.short for claim in self._covered}
        first, count = certificate.first_short, certificate.short_count
        block = (first + (place + step) % count for step in range(count))
        short = next((short for short in block if short not in taken), None)
        if short is None:
            raise RefusedError(
                f"the block of short ids of laptop {certificate.name} is used up",
                next_step="Ask the stewards for a new certificate",
            )
        return short

    @cached_property
    def _covered(self) -> list[Enrolment]:
        return sorted((claim for claim in self.claims if self.refusal(claim) is None), key=_total_order)

    def _serial_text(self, claim: Enrolment) -> str:
        return f"enrolment {claim.serial} of laptop {self._by_digest[claim.certificate].name}"


@lru_cache(documents.READ_AT_ONCE)
def read_enrolment(document: Document) -> "Enrolment | Damage":
    """The enrolment that this document is, or why it is none."""
    found = trust.values(document.fields, ENROLMENT)
    if isinstance(found, Damage):
        return found
    claim = Enrolment(**found)
    claim.__dict__["digest"] = document.digest  # what a newer tool wrote beside our fields belongs to the body, too
    return claim


def _origins(papers: list[Document], standing: Standing) -> set[tuple[bytes, bytes]]:
    """Certificate and laptop of everybody who could enrol in a fleet that this one has parted from, or is made of."""
    first = standing.charters[0] if standing.charters else None
    found: set[tuple[bytes, bytes]] = set()
    for paper in papers:
        parent = charters.read_charter(paper) if paper.kind == charters.CHARTER else None
        if first is not None and isinstance(parent, charters.Charter) and parent.digest in (first.parent, first.joins):
            judged = judge(papers, parent.fleet_id, anchor=parent.digest)
            found |= {(digest, one.laptop) for digest, one in judged.certificates.items()}
    return found


def _left(papers: Iterable[Document], claims: Iterable[Enrolment], standing: Standing) -> frozenset[bytes]:
    """Enrolments that moves which count have ended."""
    households = {claim.digest: claim.custodian for claim in claims}
    ended = set()
    for paper in papers:
        move = moving.read_move(paper) if paper.kind == moving.MOVE else None
        if isinstance(move, moving.Move) and move.fleet == standing.fleet and move.enrolment in households:
            household = households[move.enrolment]
            if moving.fault(paper, household, standing.charters, standing.revoked) is None:
                ended.add(move.enrolment)
    return frozenset(ended)


def _shared(what: str, nodes: list[Enrolment], value_of) -> list[Conflict]:
    holders = defaultdict(list)
    for node in nodes:
        holders[value_of(node)].append(node.name)
    return [Conflict(what, value, tuple(names)) for value, names in sorted(holders.items()) if len(names) > 1]


def _total_order(claim: Enrolment) -> tuple:
    return claim.short, claim.name, claim.digest


def _list(names: tuple[str, ...]) -> str:
    return " and ".join(names)
