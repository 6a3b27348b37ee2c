"""Knows what copies of ledgers prove: forks, gaps, rollbacks, false signatures. Reads no file, asks no node.

A verdict depends on the set of records alone, not on who brought them or in which order. Every finding carries the
records that it rests on as pages, so that a third person checks it with nothing else.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from hedgenode.rules import ledger as rules
from hedgerow.fleet.keys import key_id, verify
from hedgerow.fleet.ledger import Copies, Head, Witness
from hedgewire import ledger
from hedgewire.ledger import Entry

FORK = "fork"
GAP = "gap"
ROLLBACK = "rollback"
BAD_SIGNATURE = "bad signature"
UNKNOWN_KEY = "unknown key"
BROKEN = "broken"
LOST = "lost"
UNSIGNED = "unsigned"
CONTRADICTED = "contradicted"
NOT_FETCHED = "not fetched"  # no finding of `judge`: what an audit says of a node that could not show its ledger
KINDS = (FORK, ROLLBACK, BROKEN, BAD_SIGNATURE, UNKNOWN_KEY, CONTRADICTED, LOST, GAP, UNSIGNED)


@dataclass(frozen=True, order=True)
class Finding:
    """One thing that is wrong with the ledger of `writer`; `evidence` are pages (hedgewire.ledger)."""

    writer: bytes
    kind: str
    what: str
    evidence: tuple[bytes, ...] = field(default=(), compare=False)


@dataclass
class Chain:
    """One writer's ledger as far as it is known: `entries` that the newest signed head covers, oldest first."""

    writer: bytes
    head: Head | None = None
    entries: list[Entry] = field(default_factory=list)
    gaps: list[tuple[int, int]] = field(default_factory=list)  # first and last number that is missing before others
    behind: tuple[int, int] | None = None  # the newest entries: signed or vouched for, and not fetched yet
    losses: list[Entry] = field(default_factory=list)  # the writer's own word for it
    broken: list[tuple[Entry, Entry | None]] = field(default_factory=list)  # an entry, and what it does not follow
    tail: list[Entry] = field(default_factory=list)  # entries that follow the head, and that no head covers
    digests: dict[int, bytes] = field(default_factory=dict)  # what the chain says stands where
    vouched: set[bytes] = field(default_factory=set)  # keys of the witnesses of any of its heads


@dataclass(frozen=True)
class Verdict:
    """All chains, by writer, and all findings in one order."""

    chains: Mapping[bytes, Chain]
    findings: tuple[Finding, ...]


def judge(copies: Copies, known: Mapping[bytes, str] | None = None) -> Verdict:
    """What these copies prove. `known`: names by public key; None: nobody can say whose keys they are."""
    chains: dict[bytes, Chain] = {}
    findings: set[Finding] = set()
    for writer in copies.writers:
        one = _Judge(copies, writer, known)
        chains[writer] = one.chain
        findings |= one.findings
    for chain in chains.values():
        findings |= _rollbacks(chain, chains, copies)
    order = {kind: place for place, kind in enumerate(KINDS)}
    return Verdict(chains, tuple(sorted(findings, key=lambda one: (one.writer, order[one.kind], one.what))))


def evidence(writer: bytes, entries: Iterable[Entry] = (), heads: Iterable[Head] = (), witnesses=()) -> bytes:
    return ledger.encode_page(writer, [entry.data for entry in entries], heads, witnesses)


def newest_good_head(copies: Copies, writer: bytes) -> Head | None:
    """The signed head with the highest number whose signature is right."""
    good = [head for head in copies.heads_of(writer) if _is_signed(writer, head)]
    return min(good, key=lambda head: (-head[0], head[1], head[2]), default=None)


@lru_cache(16384)  # an audit of fifty nodes asks it of the same heads fifty times
def _is_signed(writer: bytes, head: Head) -> bool:
    return verify(writer, head[2], ledger.head_statement(head[0], head[1]))


class _Judge:
    """Looks at the records of one writer."""

    def __init__(self, copies: Copies, writer: bytes, known: Mapping[bytes, str] | None) -> None:
        self.writer = writer
        self.chain = Chain(writer)
        self.findings: set[Finding] = set()
        self._entries = copies.entries_of(writer)
        self._heads: list[Head] = []
        self._known = known
        self._covered: set[bytes] = set()  # digests of entries that some good head covers
        if known is not None and writer not in known:
            self._find(UNKNOWN_KEY, f"key {key_id(writer).hex()} is nobody's that is known here")
        self._check_heads(copies.heads_of(writer))
        self._walk()
        self._look_for_forks()
        self._check_witnesses(copies.witnesses_of(writer))
        self._look_beyond_the_heads()
        self._tell()

    def _find(self, kind: str, what: str, entries=(), heads=(), witnesses=()) -> None:
        self.findings.add(Finding(self.writer, kind, what, (evidence(self.writer, entries, heads, witnesses),)))

    def _check_heads(self, heads: list[Head]) -> None:
        for head in heads:
            entry = self._entries.get(head[1])
            if not _is_signed(self.writer, head):
                self._find(BAD_SIGNATURE, f"the signature of head {head[0]} is not the writer's", heads=[head])
            elif entry is not None and entry.seq != head[0]:
                self._find(BROKEN, f"head {head[0]} names entry {entry.seq}", [entry], [head])
            else:
                self._heads.append(head)
        self._heads.sort(key=lambda head: (-head[0], head[1], head[2]))

    def _walk(self) -> None:
        """From the newest head back to the beginning; behind a gap from the next older head that is known."""
        if not self._heads:
            return
        chain = self.chain
        chain.head = self._heads[0]
        seq, digest = chain.head[0], chain.head[1]
        while seq > 0:
            chain.digests.setdefault(seq, digest)
            entry = self._entries.get(digest)
            if entry is None:
                older = next((head for head in self._heads if head[0] < seq and head[1] in self._entries), None)
                missing = (older[0] + 1 if older else 1, seq)
                if chain.entries:
                    chain.gaps.append(missing)
                else:
                    chain.behind = missing
                if older is None:
                    break
                seq, digest = older[0], older[1]
                continue
            chain.entries.append(entry)
            self._covered.add(digest)
            seq, digest = self._before(entry)
        chain.entries.reverse()
        chain.gaps.reverse()

    def _before(self, entry: Entry) -> tuple[int, bytes]:
        """Number and digest of what an entry follows; number 0 ends the walk."""
        before = entry.seq - 1
        if entry.kind == rules.LOST:
            after = entry.fields.get("after")
            if isinstance(after, int) and not isinstance(after, bool) and 0 <= after < entry.seq:
                before = after
                self.chain.losses.append(entry)
        known = self._entries.get(entry.previous)
        is_first = entry.previous == ledger.genesis(self.writer)
        if (known is not None and known.seq != before) or is_first != (before == 0):
            self.chain.broken.append((entry, known))
            return 0, b""
        return before, entry.previous

    def _look_for_forks(self) -> None:
        """Heads that the chain contradicts. Of several on one other branch the newest tells."""
        told: set[bytes] = set()
        for head in self._heads[1:]:
            there = self.chain.digests.get(head[0])
            if there == head[1] or head[1] in told:
                continue
            path = self._path(head)
            told |= {entry.digest for entry in path} | {head[1]}
            self._covered |= {entry.digest for entry in path}
            loss = next((e for e in self.chain.losses if e.fields["after"] < head[0] < e.seq), None)
            if there is None and loss is not None:
                what = f"says that it lost what followed entry {loss.fields['after']}, but has signed head {head[0]}"
                self._find(LOST, what, [loss, *path], [self._top, head])
            elif there is not None or self._parts(path):
                self._tell_fork(head, path)

    @property
    def _top(self) -> Head:
        assert self.chain.head is not None
        return self.chain.head

    def _path(self, head: Head) -> list[Entry]:
        """The entries of another branch, newest first, as far as they are known and not of the chain."""
        path: list[Entry] = []
        digest = head[1]
        while (entry := self._entries.get(digest)) is not None and digest not in self._covered:
            path.append(entry)
            digest = entry.previous
        return path

    def _parts(self, path: list[Entry]) -> bool:
        """Whether a branch leaves the chain: what its oldest entry follows is of the chain, or its place is taken."""
        if not path:
            return False
        oldest = path[-1]
        there = self.chain.digests.get(oldest.seq)
        return oldest.previous in self._covered or (there is not None and there != oldest.digest)

    def _tell_fork(self, head: Head, path: list[Entry]) -> None:
        branch = {entry.seq: entry for entry in path}
        first = min(branch, default=head[0])
        twin = next((entry for entry in self.chain.entries if entry.seq == first), None)
        where = f"at entry {first}" if twin is not None else f"at or before entry {first}"
        what = f"has told two stories {where}: head {self._top[0]} and head {head[0]} cannot both follow"
        # The way from where they part up to both heads, so that nothing else is needed to check it.
        ours = [entry for entry in self.chain.entries if entry.seq >= first]
        self._find(FORK, what, [*ours, *path], [self._top, head])

    def _check_witnesses(self, witnesses: list[Witness]) -> None:
        for witness in witnesses:
            seq, digest, by, signature = witness
            name = self._name(by)
            if not verify(by, signature, ledger.witness_statement(self.writer, seq, digest)):
                what = f"the counter-signature of head {seq} by {name} is not the witness's"
                self._find(BAD_SIGNATURE, what, witnesses=[witness])
                continue
            if self._known is not None and by not in self._known:
                self._find(
                    UNKNOWN_KEY, f"head {seq} is counter-signed by {name}, whom nobody here knows", (), (), [witness]
                )
                continue
            self._weigh(witness, name)

    def _weigh(self, witness: Witness, name: str) -> None:
        seq, digest, by, _ = witness
        there = self.chain.digests.get(seq)
        top = self.chain.head
        if there == digest:
            self.chain.vouched.add(by)
        elif any((head[0], head[1]) == (seq, digest) for head in self._heads):
            return  # the writer signed that one, too: a fork, told already, or a piece that a gap parts from the chain
        elif there is not None:
            what = f"{name} vouches for another head {seq} than the one that is known"
            self._find(CONTRADICTED, what, (), [top] if top else [], [witness])
        elif top is None or seq > top[0]:
            first, last = self.chain.behind or (top[0] + 1 if top else 1, 0)
            self.chain.behind = (first, max(last, seq))

    def _look_beyond_the_heads(self) -> None:
        """Entries without a head behind them: anybody can make such."""
        loose = [entry for entry in self._entries.values() if entry.digest not in self._covered]
        follows = {entry.previous: entry for entry in sorted(loose, key=lambda entry: entry.digest)}
        digest = self.chain.head[1] if self.chain.head else ledger.genesis(self.writer)
        while (entry := follows.get(digest)) is not None:  # no circle: each digest is of what holds the one before
            self.chain.tail.append(entry)
            digest = entry.digest
        stray = [entry for entry in loose if entry not in self.chain.tail]
        if stray:
            numbers = ", ".join(str(entry.seq) for entry in sorted(stray, key=lambda e: (e.seq, e.digest))[:8])
            what = f"{len(stray)} entries are covered by no signature and follow nothing that is ({numbers})"
            self._find(UNSIGNED, what.replace("1 entries are", "1 entry is"), stray)

    def _tell(self) -> None:
        chain = self.chain
        for entry, before in chain.broken:
            what = f"entry {entry.seq} does not follow what it says it follows"
            self._find(BROKEN, what, [entry] if before is None else [entry, before], [self._top])
        for first, last in chain.gaps:
            span = f"entry {first} is" if first == last else f"entries {first} to {last} are"
            above = [entry for entry in chain.entries if entry.seq > last][:1]
            self._find(GAP, f"{span} not here", above, [self._top])
        for entry in chain.losses:
            self._find(LOST, f"says that it lost what followed entry {entry.fields['after']}", [entry], [self._top])

    def _name(self, public: bytes) -> str:
        return (self._known or {}).get(public) or key_id(public).hex()


def _rollbacks(auditor: Chain, chains: Mapping[bytes, Chain], copies: Copies) -> set[Finding]:
    """Heads that one auditor noted of a node, one after the other in its own chain, and that went back."""
    found: set[Finding] = set()
    ids = {key_id(writer): writer for writer in chains}
    newest: dict[bytes, Entry] = {}
    for entry in auditor.entries:
        node, seq = entry.fields.get("node"), entry.fields.get("seq")
        if entry.kind != "audited" or not isinstance(node, bytes) or not isinstance(seq, int):
            continue
        before = newest.get(node)
        if before is not None and seq < before.fields["seq"] and node in ids and auditor.head is not None:
            writer = ids[node]
            shown = [head for head in copies.heads_of(writer) if head[0] in (seq, before.fields["seq"])]
            between = [one for one in auditor.entries if one.seq >= before.seq]
            what = f"showed head {before.fields['seq']} and later head {seq} to {key_id(auditor.writer).hex()}"
            pages = (evidence(writer, heads=shown), evidence(auditor.writer, between, [auditor.head]))
            found.add(Finding(writer, ROLLBACK, what, pages))
        if before is None or seq > before.fields["seq"]:
            newest[node] = entry
    return found
