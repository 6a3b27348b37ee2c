"""Knows what a set of documents amounts to: which charters and certificates count, who is revoked, what does not count.

Computed from the set alone, so that copies that merge in any order come to the same. Refuses to do I/O, and to know
nodes: the roster builds on it. The rules are those that nodes run, hedgenode/rules/trust.py.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from hedgenode.rules import trust as rules
from hedgerow.fleet import charter as charters
from hedgerow.fleet import people
from hedgerow.fleet.charter import Charter, LaptopCertificate
from hedgerow.fleet.documents import Document, unite
from hedgewire import group, rekey, trust
from hedgewire.cbor import Damage


@dataclass(frozen=True)
class Uncounted:
    """A document that says nothing here, and why."""

    kind: str
    name: str
    digest: bytes
    why: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name} ({self.digest[:4].hex()}) does not count: {self.why}"


@dataclass(frozen=True)
class Split:
    """Two charters that claim one place: a secession. `ours` is the one that is followed here."""

    version: int
    ours: Charter
    theirs: Charter

    def __str__(self) -> str:
        one, other = self.ours, self.theirs
        if other.fleet_id != one.fleet_id:
            return f"{other.name} ({other.fleet_id.hex()}) has left {one.name} and goes on with a charter of its own"
        return (
            f"a secession: there are two charters {self.version}, {_titled(one)} and {_titled(other)}; "
            f"here the first one is followed"
        )


@dataclass(frozen=True)
class Standing:
    """One fleet, judged. `charters` is the chain that counts, oldest first; empty where nobody has signed enough."""

    fleet: bytes
    charters: tuple[Charter, ...] = ()
    certificates: Mapping[bytes, LaptopCertificate] = field(default_factory=dict)
    revoked: frozenset[bytes] = frozenset()
    revocations: tuple[bytes, ...] = ()
    """Digests of those that say more than the charter in force and each other: what a node keeps."""
    splits: tuple[Split, ...] = ()
    pending: tuple[Document, ...] = ()
    """Charters, certificates, revocations, keys of groups and moves that would count with more signatures."""
    uncounted: tuple[Uncounted, ...] = ()

    @property
    def version(self) -> int:
        return self.charters[-1].version if self.charters else 0

    @property
    def laptops(self) -> frozenset[bytes]:
        """Public keys of laptops that may act now."""
        given = self.certificates.values()
        return frozenset(one.laptop for one in given if rules.is_in_force(one, self.version, self.revoked))

    def may_act(self, certificate: LaptopCertificate) -> bool:
        return rules.is_in_force(certificate, self.version, self.revoked)


def judge(
    found: Iterable[Document],
    fleet: bytes,
    *,
    anchor: bytes | None = None,
    mine: frozenset[bytes] = frozenset(),
    assuming: frozenset[bytes] = frozenset(),
) -> Standing:
    """What these documents say about one fleet.

    `anchor` is the digest of a charter that a person has trusted where the founding one is not at hand. `mine` are the
    public keys held here: where a fleet has split, the side on which they are stewards is ours. Charters in `assuming`
    are taken as if everybody had signed them: what would follow from them?
    """
    work = _Judging(unite(found), fleet, assuming)
    work.follow(anchor, mine)
    if work.chain:
        work.revocations()
        work.certificates()
        work.keys_of_groups()
        work.moves()
    work.people()
    return Standing(
        fleet,
        tuple(work.chain),
        work.certified,
        frozenset(work.revoked),
        tuple(work.telling_revocations()),
        tuple(work.splits),
        tuple(work.pending),
        tuple(work.uncounted),
    )


class _Judging:
    def __init__(self, found: list[Document], fleet: bytes, assuming: frozenset[bytes]) -> None:
        self.found, self.fleet, self.assuming = found, fleet, assuming
        self.chain: list[Charter] = []
        self.certified: dict[bytes, LaptopCertificate] = {}
        self.revoked: set[bytes] = set()
        self.striking: dict[bytes, set[bytes]] = {}  # key ids by the digest of the revocation
        self.splits: list[Split] = []
        self.pending: list[Document] = []
        self.uncounted: list[Uncounted] = []

    def follow(self, anchor: bytes | None, mine: frozenset[bytes]) -> None:
        """Find the charter that begins the fleet, then each that follows the one before."""
        papers = {one.digest: one for one in self.found if one.kind == charters.CHARTER}
        known = {digest: found for digest, one in papers.items() if (found := self._read(one, charters.read_charter))}
        first = next((one for one in known.values() if one.fleet is None and one.fleet_id == self.fleet), None)
        faults: dict[bytes, str] = {}
        if first is not None:
            signers = rules.counting(first) if first.digest in self.assuming else papers[first.digest].signers
            fault = rules.beginning_fault(first, signers)
        else:
            first, fault = known.get(anchor or b""), None
        if first is not None and fault is not None:
            faults[first.digest] = fault
            self._note_pending(papers[first.digest], first, None)
        current = first if fault is None else None
        while current is not None:
            self.chain.append(current)
            current = self._next(current, papers, known, faults, mine)
        self._tell_charters(papers, known, faults)

    def _next(
        self,
        current: Charter,
        papers: Mapping[bytes, Document],
        known: Mapping[bytes, Charter],
        faults: dict[bytes, str],
        mine: frozenset[bytes],
    ) -> Charter | None:
        following = []
        for digest, charter in known.items():
            if charter.parent != current.digest:
                continue
            signers = papers[digest].signers
            if digest in self.assuming:
                signers |= rules.counting(charter) | rules.counting(current)
            if charter.fleet is None:
                if rules.beginning_fault(charter, signers) is None:
                    self.splits.append(Split(charter.version, current, charter))
                continue
            fault = rules.following_fault(charter, current, current.digest, self.fleet, signers)
            if fault is None:
                following.append(charter)
            else:
                faults[digest] = fault
                self._note_pending(papers[digest], charter, current)
        following.sort(key=lambda one: (not mine & {steward.public for steward in one.stewards}, one.digest))
        self.splits += [Split(other.version, following[0], other) for other in following[1:]]
        return following[0] if following else None

    def _note_pending(self, paper: Document, charter: Charter, before: Charter | None) -> None:
        everyone = rules.counting(charter) | (rules.counting(before) if before else set())
        if before is None:
            fault = rules.beginning_fault(charter, everyone)
        else:
            fault = rules.following_fault(charter, before, before.digest, self.fleet, everyone)
        if fault is None:
            self.pending.append(paper)

    def _tell_charters(
        self, papers: Mapping[bytes, Document], known: Mapping[bytes, Charter], faults: Mapping[bytes, str]
    ) -> None:
        told = {charter.digest for charter in self.chain} | {paper.digest for paper in self.pending}
        told |= {split.theirs.digest for split in self.splits}
        for digest, charter in sorted(known.items()):
            if digest in told or charter.fleet_id != self.fleet:
                continue
            why = faults.get(digest, "the charter before it is not known here, or does not count")
            self._refuse(papers[digest], f"{charter.name}, version {charter.version}", why)

    def revocations(self) -> None:
        self.revoked |= set(self.chain[-1].revoked)
        for paper in self.found:
            if paper.kind != charters.REVOCATION:
                continue
            found = self._read(paper, charters.read_revocation)
            if found is None or found.fleet != self.fleet:
                continue
            fault = rules.revocation_fault(found, self.chain, self.fleet, paper.signers)
            if fault is None:
                self.revoked |= set(found.keys)
                self.striking[paper.digest] = set(found.keys)
            elif not set(found.keys) <= set(self.chain[-1].revoked):
                self._endorsable(paper, fault, rules.revocation_fault(found, self.chain, self.fleet, self._council))

    def telling_revocations(self) -> list[bytes]:
        named = set(self.chain[-1].revoked) if self.chain else set()
        others = self.striking.items()
        return [
            digest
            for digest, said in sorted(others)
            if not said <= named and not any(said < more or (said == more and digest > other) for other, more in others)
        ]

    def certificates(self) -> None:
        for paper in self.found:
            if paper.kind != charters.LAPTOP:
                continue
            found = self._read(paper, charters.read_certificate)
            if found is None or found.fleet != self.fleet:
                continue
            fault = rules.certificate_fault(found, self.chain, self.fleet, paper.signers, self.revoked)
            if fault is None:
                self.certified[paper.digest] = found
            else:
                full = rules.certificate_fault(found, self.chain, self.fleet, self._council, self.revoked)
                self._endorsable(paper, fault, full)

    def keys_of_groups(self) -> None:
        """A key in place of another waits for stewards. What nobody of the fleet has made waits for nobody."""
        given = self.certified.values()
        laptops = {one.laptop for one in given if rules.is_in_force(one, self.chain[-1].version, self.revoked)}
        newest: dict[bytes, int] = {}
        waiting = []
        for paper in self.found:
            said = rekey.parse(paper.fields) if paper.kind == rekey.KIND else None
            if not isinstance(said, rekey.Rekey) or said.fleet != self.fleet:
                continue
            if _decided(paper, self.chain):
                newest[said.group] = max(said.epoch, newest.get(said.group, 0))
            elif said.epoch > group.STEPS and paper.signers & (laptops | self._council):
                waiting.append((said, paper))
        self.pending += [paper for said, paper in waiting if said.epoch > newest.get(said.group, 0)]

    def moves(self) -> None:
        """A node that belongs to no household goes by the word of the stewards; any other waits for its household."""
        nobodys = set()
        for paper in self.found:
            if paper.kind == trust.ENROLMENT and paper.fields.get("custodian") is None:
                nobodys.add(paper.digest)
        for paper in self.found:
            said = trust.values(paper.fields, trust.MOVE) if paper.kind == trust.MOVE else None
            if not isinstance(said, dict) or said["fleet"] != self.fleet or said["enrolment"] not in nobodys:
                continue
            if all(rules.lacking(one, paper.signers, self.revoked) for one in self.chain):
                self.pending.append(paper)

    def people(self) -> None:
        for paper in self.found:
            if paper.kind in (people.CUSTODIAN, people.PERSON):
                fault = people.signature_fault(paper)
                if fault is not None:
                    self._refuse(paper, str(paper.fields.get("name", "")), fault)

    @property
    def _council(self) -> set[bytes]:
        return rules.counting(self.chain[-1])

    def _endorsable(self, paper: Document, fault: str, fault_with_all: str | None) -> None:
        if fault_with_all is None:
            self.pending.append(paper)
        else:
            self._refuse(paper, str(paper.fields.get("name", "")), fault)

    def _refuse(self, paper: Document, name: str, why: str) -> None:
        self.uncounted.append(Uncounted(paper.kind, name, paper.digest, why))

    def _read(self, paper: Document, read):
        found = read(paper)
        if isinstance(found, Damage):
            self._refuse(paper, str(paper.fields.get("name", "")), found.reason)
            return None
        return found


def decides(paper: Document, standing: Standing) -> bool:
    """Whether as many stewards have signed as some charter of this fleet asked for while it was in force."""
    return _decided(paper, standing.charters)


def deciding(standing: Standing) -> set[bytes]:
    """Public keys of the stewards who decide now."""
    return {one for one in rules.counting(standing.charters[-1]) if rules.key_id(one) not in standing.revoked}


def trimmed(paper: Document, standing: Standing) -> Document:
    """The paper with as many signatures of stewards in force as a node asks for, and no more: a bundle is small."""
    now = standing.charters[-1]
    counts = deciding(standing) & paper.signers
    good = [pair for pair in paper.signatures if pair[0] in counts]
    return Document(paper.body, tuple(good[: now.threshold]))


def _decided(paper: Document, chain: Iterable[Charter]) -> bool:
    return any(not rules.lacking(charter, paper.signers) for charter in chain)


def lacks(paper: Document, standing: Standing) -> str:
    """What a pending document still needs, as a sentence without a subject."""
    signers = paper.signers
    if paper.kind != charters.CHARTER:
        council = standing.charters[-1]
        return _missing(council, signers)
    found = charters.read_charter(paper)
    if isinstance(found, Damage):
        return found.reason
    before = [one for one in standing.charters if one.digest == found.parent]
    needs = [f"{_missing(found, signers)}"] if rules.lacking(found, signers) else []
    if before and rules.lacking(before[0], signers):
        needs.insert(0, f"{_missing(before[0], signers)} (of charter {before[0].version})")
    return ", and ".join(dict.fromkeys(needs))


def _missing(council: Charter, signers: frozenset[bytes]) -> str:
    short = rules.lacking(council, signers)
    counting = rules.counting(council)
    left = [steward.name for steward in council.stewards if steward.public in counting - signers]
    return f"{short} more of {', '.join(left)}"


def _titled(charter: Charter) -> str:
    council = ", ".join(steward.name for steward in charter.stewards)
    return f"'{charter.name}' of {council} ({charter.digest[:4].hex()})"
