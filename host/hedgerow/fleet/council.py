"""Knows how stewards come to a decision on paper: propose a charter, say what a paper means, sign what may be signed.

Refuses to print and to ask: what is to be signed is a value, and a person looks at it first.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from hedgenode.rules import trust as rules
from hedgerow.errors import UsageError
from hedgerow.fleet import charter as charters
from hedgerow.fleet import keys, standing
from hedgerow.fleet.charter import Charter, Steward
from hedgerow.fleet.documents import Document, unite
from hedgerow.fleet.secrets_file import Key
from hedgerow.fleet.standing import Standing
from hedgewire import rekey, trust
from hedgewire.cbor import Damage


@dataclass(frozen=True)
class Task:
    """A paper that waits for signatures, what it says, and the names of keys here that may give theirs."""

    paper: Document
    says: str
    lacks: str
    signers: tuple[str, ...]
    refused: str | None = None
    """Why the keys here do not sign it all the same."""


def propose(judged: Standing, **changes: object) -> Charter:
    """The charter that would follow the one in force. It names all that is revoked by now, so that it speaks alone."""
    now = judged.charters[-1]
    following = replace(
        now,
        version=now.version + 1,
        fleet=judged.fleet,
        parent=now.digest,
        revoked=tuple(sorted({*judged.revoked, *_ids(changes.pop("revoke", ()))})),
        **changes,
    )
    everyone = rules.counting(now) | rules.counting(following)
    fault = rules.following_fault(following, now, now.digest, judged.fleet, everyone)
    if not 1 <= following.threshold <= len(following.stewards):
        fault = f"{following.threshold} of {len(following.stewards)} stewards cannot decide anything"
    if fault is not None:
        raise UsageError(f"no such charter can follow: {fault}")
    return following


def with_steward(judged: Standing, steward: Steward, threshold: int | None = None) -> Charter:
    """The charter in force and one more steward."""
    now = judged.charters[-1]
    if now.steward(steward.name) is not None:
        raise UsageError(f"there is a steward {steward.name} already", next_step="Choose another name")
    if steward.public in {other.public for other in now.stewards}:
        raise UsageError(f"that is the key of another steward already, and {steward.name} would count twice")
    if keys.key_id(steward.public) in judged.revoked:
        raise UsageError(f"that key was revoked; {steward.name} needs a new one")
    return propose(judged, stewards=(*now.stewards, steward), threshold=threshold or now.threshold)


def without_steward(judged: Standing, name: str, threshold: int | None = None, *, revoke: bool = False) -> Charter:
    """The charter in force without that steward. Revoked, what the steward signed for others falls, too."""
    now = judged.charters[-1]
    leaving = now.steward(name)
    if leaving is None:
        names = ", ".join(steward.name for steward in now.stewards)
        raise UsageError(f"there is no steward {name}", next_step=f"The stewards are {names}")
    left = tuple(steward for steward in now.stewards if steward is not leaving)
    fewer = threshold or min(now.threshold, len(left))
    return propose(judged, stewards=left, threshold=fewer, revoke=(leaving.public,) if revoke else ())


def tasks(found: Iterable[Document], held: Mapping[str, Key], *, anchor: bytes | None = None) -> list[Task]:
    """What waits for signatures among these documents, of every fleet in them, and which keys here may sign it."""
    papers = unite(found)
    read = [charters.read_charter(paper) for paper in papers if paper.kind == charters.CHARTER]
    fleets = sorted({one.fleet_id for one in read if not isinstance(one, Damage)})
    listed = []
    for fleet in fleets:
        judged = standing.judge(papers, fleet, anchor=anchor)
        waiting = {paper.digest: (paper, judged) for paper in judged.pending}
        for paper in judged.pending:
            # What falls when this charter comes into force is put before the stewards together with it.
            if paper.kind == charters.CHARTER:
                after = standing.judge(papers, fleet, anchor=anchor, assuming=frozenset([paper.digest]))
                waiting = {other.digest: (other, after) for other in after.pending} | waiting
        listed += [_task(paper, judgement, papers, held) for paper, judgement in waiting.values()]
    return sorted(listed, key=lambda task: (task.paper.kind != charters.CHARTER, task.paper.digest))


def sign(chosen: Iterable[Task], held: Mapping[str, Key]) -> list[Document]:
    """The papers with the signatures that the keys here may give. Asks for the passphrase of a locked key."""
    return [
        task.paper.signed(*(held[name].seed for name in task.signers)) if task.refused is None else task.paper
        for task in chosen
    ]


def for_others(everything: list[Document], left: Iterable[Task], given: Iterable[Document]) -> list[Document]:
    """What the next steward needs: the charters so far and what waits; and what came in a file goes back in it."""
    left = list(left)
    wanted = {task.paper.digest for task in left} | {paper.digest for paper in given}
    wanted |= {task.paper.fields["enrolment"] for task in left if task.paper.kind == trust.MOVE}
    by_laptops = any(task.paper.kind == rekey.KIND for task in left)  # who made it has to be known
    kinds = {charters.CHARTER, charters.LAPTOP, charters.REVOCATION} if by_laptops else {charters.CHARTER}
    return [paper for paper in everything if paper.digest in wanted or paper.kind in kinds]


def describe(paper: Document, judged: Standing) -> str:
    """What a paper would change, in words."""
    match paper.kind:
        case charters.CHARTER:
            said = charters.read_charter(paper)
            return said.reason if isinstance(said, Damage) else _charter_words(said, judged)
        case charters.LAPTOP:
            one = charters.read_certificate(paper)
            if isinstance(one, Damage):
                return one.reason
            until = "" if one.until_version is None else f", until charter {one.until_version}"
            last = one.first_short + one.short_count - 1
            return f"laptop {one.name} may enrol {one.enrolments} nodes, short ids {one.first_short} to {last}{until}"
        case charters.REVOCATION:
            gone = charters.read_revocation(paper)
            return gone.reason if isinstance(gone, Damage) else f"revoke {', '.join(key.hex() for key in gone.keys)}"
        case rekey.KIND | trust.MOVE:
            return _key_or_move_words(paper)
        case kind:
            return f"a {kind}"


def _key_or_move_words(paper: Document) -> str:
    key, move = rekey.parse(paper.fields), trust.values(paper.fields, trust.MOVE)
    if isinstance(key, rekey.Rekey):
        count = len(key.members) // rekey.ROW_BYTES
        return f"a new key for group {key.name}, from epoch {key.epoch} on, for {count} who stay"
    if isinstance(move, dict):
        return f"node {keys.key_id(move['node']).hex()} moves to fleet {move['to'].hex()}"
    return f"a damaged {paper.kind}"


def _task(paper: Document, judged: Standing, papers: list[Document], held: Mapping[str, Key]) -> Task:
    council: set[bytes] = set()
    said = charters.read_charter(paper) if paper.kind == charters.CHARTER else None
    parent = said.parent if isinstance(said, Charter) else None
    if isinstance(said, Charter):
        council |= rules.counting(said)
        council |= {public for one in judged.charters if one.digest == parent for public in rules.counting(one)}
    else:
        council |= rules.counting(judged.charters[-1])
    may = tuple(name for name, key in held.items() if key.public in council - paper.signers)
    publics = {key.public for key in held.values()}
    refused = None
    for other in papers if parent is not None else ():
        one = charters.read_charter(other) if other.kind == charters.CHARTER and other.digest != paper.digest else None
        if isinstance(one, Charter) and one.parent == parent and other.signers & publics:
            refused = f"a key here has signed another charter {one.version} already; to sign both would split the fleet"
    return Task(paper, describe(paper, judged), standing.lacks(paper, judged), may, refused)


def _charter_words(said: Charter, judged: Standing) -> str:
    council = ", ".join(
        steward.name if steward.until_version is None else f"{steward.name} until charter {steward.until_version}"
        for steward in said.stewards
    )
    words = [f"charter {said.version} of {said.name}: {said.threshold} of {council} decide"]
    before = next((one for one in judged.charters if one.digest == said.parent), None)
    if before is not None:
        words += [f"{one.name} joins" for one in said.stewards if before.steward(one.name) is None]
        words += [f"{one.name} leaves" for one in before.stewards if said.steward(one.name) is None]
    gone = set(said.revoked) - set(before.revoked if before else ())
    words += [f"{len(gone)} more keys are revoked"] if gone else []
    return "; ".join(words)


def _ids(publics: object) -> list[bytes]:
    return [keys.key_id(public) for public in publics] if isinstance(publics, tuple) else []
