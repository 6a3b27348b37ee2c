"""Knows what follows when a key is put out, or when all keys are to be new: papers, and new keys for those who stay.

Everything is made and signed in the folder; carrying it is for plans/drill.py. Whatever interrupts this, the same call
finds what is there and does what is left: whom a key leaves out stands in the ledger of whoever made it, written first.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from hedgerow.errors import RefusedError, UsageError
from hedgerow.fleet import boards, keys, people, revoking, standing, verdict
from hedgerow.fleet import charter as charters
from hedgerow.fleet.charter import REVOCATION
from hedgerow.fleet.documents import Document
from hedgerow.fleet.folder import FleetFolder
from hedgerow.fleet.groups import Group, Groups, may_say
from hedgerow.fleet.revoking import NODE, Target
from hedgerow.fleet.roster import Roster
from hedgerow.fleet.standing import Standing
from hedgerow.plans import rekey
from hedgewire import group as wire
from hedgewire import rekey as rekeys

NOTED = "rekeyed"  # kind of the entry in a ledger
SHORT_BYTES = 8


@dataclass(frozen=True)
class Renewal:
    """A group that gets a new key: its documents as they are kept, signed by enough or not yet."""

    group: Group
    epoch: int
    documents: tuple[Document, ...]
    members: frozenset[bytes]
    """Ed25519 public keys of those who stay."""
    needs: str | None = None
    """Whose signatures are missing, in words; None once it is in force."""


@dataclass(frozen=True)
class Drill:
    """What was made: papers that put `gone` out (nobody: None), and the new keys of the groups concerned."""

    gone: Target | None
    papers: tuple[Document, ...]
    renewals: tuple[Renewal, ...]
    lent: tuple[str, ...] = ()
    """Persons whose keys the captured node lends: they are put out with it."""


def begin(folder: FleetFolder, gone: Target | None, *, again: bool = False) -> Drill:
    """Make what is not there yet. `gone` None: new keys for every group; `again`: even if the last ones wait.

    Raises RefusedError on a laptop that may not act.
    """
    if folder.secrets.laptop is not None or not folder.secrets.stewards:
        _ = folder.certificate  # raises for a laptop that may not act
    lent = _lent_by(folder, gone)
    ids = frozenset() if gone is None else frozenset([keys.key_id(gone.public), *(one.id for one in lent)])
    for paper in () if gone is None else revoking.revoke(folder, gone, [one.id for one in lent]):
        if paper.kind == REVOCATION:
            folder.note_once("revoked", {"document": paper.digest[:SHORT_BYTES]})
    for group in _concerned(folder, ids):
        known = _latest(folder, group)
        if known is None or not _serves(folder, known, ids, again=again):
            _renew(folder, group, ids, behind=known.epoch if known else 0)
        else:
            _sign(folder, known.documents)
    return look(folder, gone)


def look(folder: FleetFolder, gone: Target | None) -> Drill:
    """What there is of it now. Changes nothing."""
    lent = _lent_by(folder, gone)
    ids = frozenset() if gone is None else frozenset([keys.key_id(gone.public), *(one.id for one in lent)])
    judged = folder.standing
    papers = () if gone is None else tuple(revoking.papers_of(folder, judged, gone, set(ids)))
    found = []
    for one in _concerned(folder, ids):
        known = _latest(folder, one)
        if known is not None and known.epoch > wire.STEPS and _leaves_out(folder, known.documents, ids):
            found.append(known)
    return Drill(gone, papers, tuple(found), tuple(person.name for person in lent))


def members_of(folder: FleetFolder, groups: Groups, group: Group, without: Iterable[bytes] = ()) -> frozenset[bytes]:
    """Public keys of those who get a group's key once the key ids in `without` are put out."""
    judged = folder.standing
    after = replace(judged, revoked=judged.revoked | frozenset(without))
    roster = Roster.of(folder.registry.documents(), after)
    here = {node.node: node for node in roster.nodes}
    found = set(groups.members.get(group.group, ()))
    if group.group == groups.fleet:
        found |= rekey.everybody(after, roster)
    gone = {claim.node for claim in roster.claims} - set(here)
    small = {public for public, node in here.items() if not has_room(node.board)}
    return frozenset(one for one in found - gone - small if keys.key_id(one) not in after.revoked)


def has_room(board: str) -> bool:
    """Whether a board can hold keys of groups; one that is not known here gets a row."""
    try:
        return boards.load(board).has_room_for_keys
    except UsageError:
        return True


def for_nodes(folder: FleetFolder) -> list[Document]:
    """The newest keys in force of all groups, with the signatures that a node asks for and no more."""
    judged = folder.standing
    found = []
    for group in Groups.of(folder.registry.documents(), judged).by_id.values():
        known = _latest(folder, group, pending=False)
        if known is not None and known.epoch > wire.STEPS:
            found += [standing.trimmed(paper, judged) for paper in known.documents]
    return found


def short_digest(data: bytes) -> bytes:
    """What ledgers call a group or a document: the first eight bytes of the SHA-256 of its id or body."""
    return hashlib.sha256(data).digest()[:SHORT_BYTES]


def _lent_by(folder: FleetFolder, gone: Target | None) -> list[people.Person]:
    if gone is None or gone.kind != NODE:
        return []
    known = people.persons_in(folder.registry.documents(people.PERSON))
    return sorted((one for one in known if one.lent_by == keys.key_id(gone.public)), key=lambda one: one.name)


def _concerned(folder: FleetFolder, ids: frozenset[bytes]) -> list[Group]:
    """The groups whose keys these ids have held; all of them where nobody goes."""
    judged = folder.standing
    groups = Groups.of(folder.registry.documents(), judged)
    having = [groups.by_id[group] for group in groups.generations if group in groups.by_id]
    if not ids:
        return sorted(having)
    before = replace(judged, revoked=judged.revoked - ids)
    roster = Roster.of(folder.registry.documents(), before)
    found = []
    for one in having:
        held = set(groups.members.get(one.group, ()))
        if one.group == groups.fleet:
            held |= {node.node for node in roster.nodes if has_room(node.board)} | set(before.laptops)
        if ids & {keys.key_id(member) for member in held}:
            found.append(one)
    return sorted(found)


def _latest(folder: FleetFolder, group: Group, *, pending: bool = True) -> Renewal | None:
    """The newest generation of a group that counts or waits for signatures."""
    judged = folder.standing
    waiting = {paper.digest: paper for paper in judged.pending} if pending else {}
    by_epoch: dict[int, list[Document]] = {}
    for paper in folder.registry.documents(rekeys.KIND):
        said = rekeys.parse(paper.fields)
        if not isinstance(said, rekeys.Rekey) or (said.fleet, said.group) != (judged.fleet, group.group):
            continue
        if paper.digest in waiting or (may_say(paper, judged) and _is_original(paper, said.epoch, judged)):
            by_epoch.setdefault(said.epoch, []).append(paper)
    if not by_epoch:
        return None
    epoch = max(by_epoch)
    papers = tuple(sorted(by_epoch[epoch], key=lambda paper: paper.digest))
    needs = next((standing.lacks(paper, judged) for paper in papers if paper.digest in waiting), None)
    groups = Groups.of(folder.registry.documents(), judged)
    return Renewal(group, epoch, papers, members_of(folder, groups, group), needs)


def _is_original(paper: Document, epoch: int, judged: Standing) -> bool:
    """No copy for somebody who came later."""
    return epoch == wire.STEPS or standing.decides(paper, judged)


def _leaves_out(folder: FleetFolder, papers: Iterable[Document], ids: frozenset[bytes]) -> bool:
    """Whether all of these documents were made without these keys, as those who made them have noted and signed."""
    noted = _noted(folder)
    found = [noted.get(paper.digest[:SHORT_BYTES]) for paper in papers]
    return bool(found) and all(one is not None and ids <= one for one in found)


def _noted(folder: FleetFolder) -> dict[bytes, frozenset[bytes]]:
    """Key ids that a rekey document leaves out, by the start of its digest: the word of laptops and stewards."""
    judged = folder.standing
    makers = judged.laptops | {one.public for one in judged.charters[-1].stewards}
    found = {}
    for writer, chain in verdict.judge(folder.ledger.copies).chains.items():
        for entry in chain.entries if writer in makers else ():
            without = entry.fields.get("without")
            if entry.kind == NOTED and isinstance(without, bytes):
                parts = range(0, len(without), SHORT_BYTES)
                found[entry.fields.get("document")] = frozenset(without[at : at + SHORT_BYTES] for at in parts)
    return found


def _serves(folder: FleetFolder, known: Renewal, ids: frozenset[bytes], *, again: bool) -> bool:
    """Whether the newest key of a group is the one asked for: it leaves these out, or is a rotation on its way."""
    if known.epoch <= wire.STEPS or not _leaves_out(folder, known.documents, ids):
        return False
    if ids:
        return True
    from hedgerow.plans import seizure_report  # it looks at what this makes

    return not again and (known.needs is not None or bool(seizure_report.waiting(folder, [known])))


def _about_to_go(judged: Standing) -> frozenset[bytes]:
    """Ids that revocations name which wait for signatures: a key that is made meanwhile leaves them out, too."""
    said = [charters.read_revocation(paper) for paper in judged.pending if paper.kind == REVOCATION]
    return frozenset(one for found in said if isinstance(found, charters.Revocation) for one in found.keys)


def _renew(folder: FleetFolder, group: Group, ids: frozenset[bytes], behind: int) -> None:
    judged = folder.standing
    groups = Groups.of(folder.registry.documents(), judged)
    ids |= _about_to_go(judged)
    members = members_of(folder, groups, group, ids)
    made = rekey.renew(groups, group, members, threshold=judged.charters[-1].threshold, behind=behind)
    fields: Mapping[str, object] = {
        "group": short_digest(group.group),
        "epoch": made.epoch,
        "without": b"".join(sorted(judged.revoked | ids)),
    }
    seeds = _seeds(folder)
    if not seeds:
        raise RefusedError("there is no key on this laptop that could make new keys for groups")
    for paper in made.documents:
        folder.note(NOTED, {**fields, "document": paper.digest[:SHORT_BYTES]}, seed=seeds[0])
    folder.add([paper.signed(*seeds) for paper in made.documents])  # all of them in one step
    _sign(folder, made.documents)


def _sign(folder: FleetFolder, papers: Iterable[Document]) -> None:
    """With the keys here; what they have signed already stays as it is."""
    seeds = _seeds(folder)
    for paper in papers:
        folder.sign(paper, *seeds)


def _seeds(folder: FleetFolder) -> list[bytes]:
    own = [folder.secrets.laptop_seed] if folder.secrets.laptop is not None else []
    return own + _council(folder)


def _council(folder: FleetFolder) -> list[bytes]:
    """Seeds of stewards who decide now and whose keys are here; no more than are asked for."""
    judged = folder.standing
    counting = standing.deciding(judged)
    found = [key.seed for key in folder.secrets.stewards.values() if key.public in counting]
    return found[: judged.charters[-1].threshold]
