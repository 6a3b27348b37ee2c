"""Knows groups, their members and the rekey documents that give them secrets. Refuses to do I/O, and to know messages.

A group is a document, and so is every membership: union merges them. The fleet's own group needs none, it bears the
fleet's id. Who may say so: a laptop that may act, or a steward. A fresh secret for a group that has one already, which
leaves somebody out, needs as many stewards as the charter asks for.

No group secret lies on a laptop: it is unwrapped from the documents with a key that is a member's. So a laptop that
holds the documents of a fleet and a member's key has the secret of every generation, and can let others in.
"""

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from hedgerow.errors import RefusedError, UsageError
from hedgerow.fleet import documents, keys, suite
from hedgerow.fleet.documents import Document, is_key_id, is_public, is_text
from hedgerow.fleet.standing import Standing, decides
from hedgerow.fleet.suite import finish
from hedgewire import group as wire
from hedgewire import rekey
from hedgewire.cbor import Damage
from hedgewire.rekey import Rekey

GROUP = "group"
MEMBERSHIP = "membership"
FLEET_NAME = "fleet"  # what people call the group of everybody


@dataclass(frozen=True, order=True)
class Group:
    """Some people and nodes who read what is written to them together."""

    name: str
    fleet: bytes
    group: bytes  # its id

    def to_document(self) -> Document:
        return documents.make(GROUP, documents.values_of(self))


@dataclass(frozen=True)
class Membership:
    """Somebody's key belongs to a group."""

    fleet: bytes
    group: bytes
    member: bytes  # Ed25519 public key

    def to_document(self) -> Document:
        return documents.make(MEMBERSHIP, documents.values_of(self))


@dataclass(frozen=True)
class GroupKey:
    """What a node needs to be a member from an epoch on."""

    id: bytes
    name: str
    epoch: int
    secret: bytes = field(repr=False)


@dataclass(frozen=True)
class Generation:
    """A secret that some rekey documents give: the epoch that it begins with, and those documents."""

    epoch: int
    papers: tuple[tuple[bytes, Rekey], ...] = field(compare=False)  # by digest
    digests: tuple[bytes, ...] = ()


@dataclass(frozen=True)
class Groups:
    """What a set of documents says about the groups of one fleet."""

    fleet: bytes
    by_id: Mapping[bytes, Group] = field(default_factory=dict)
    members: Mapping[bytes, frozenset[bytes]] = field(default_factory=dict)
    generations: Mapping[bytes, Generation] = field(default_factory=dict)
    """The newest one of each group that has a secret."""

    @staticmethod
    def of(found: Iterable[Document], standing: Standing) -> "Groups":
        """Documents that too few have signed, or others than may, say nothing."""
        found = list(found)
        known = {standing.fleet: Group(FLEET_NAME, standing.fleet, standing.fleet)}
        members: dict[bytes, set[bytes]] = {}
        for document in found:
            if document.kind not in (GROUP, MEMBERSHIP) or not may_say(document, standing):
                continue
            said = read_group(document) if document.kind == GROUP else read_membership(document)
            if isinstance(said, Damage) or said.fleet != standing.fleet:
                continue
            if isinstance(said, Membership):
                members.setdefault(said.group, set()).add(said.member)
            elif said.group != standing.fleet:
                known[said.group] = min(said, known.get(said.group, said))  # of two names, the same everywhere
        rekeys = [document for document in found if document.kind == rekey.KIND]
        return Groups(
            standing.fleet,
            known,
            {group: frozenset(held) for group, held in members.items()},
            _generations(rekeys, standing),
        )

    def named(self, name: str) -> Group:
        """The group of that name, or whose id begins so. Raises UsageError where there is none or more than one."""
        found = [one for one in self.by_id.values() if one.name == name] or [
            one for one in self.by_id.values() if len(name) >= 4 and one.group.hex().startswith(name.lower())
        ]
        if len(found) == 1:
            return found[0]
        names = ", ".join(sorted(one.name for one in self.by_id.values()))
        raise UsageError(
            f"more than one group is called {name}" if found else f"there is no group {name}",
            state=f"Groups here: {names}",
            next_step="Name one by the first digits of its id: `hedgerow group show`."
            if found
            else f"Make it with `hedgerow group new {name}`.",
        )

    def seed(self, group: bytes, held: Iterable[bytes]) -> tuple[int, bytes] | None:
        """(epoch, seed) of the newest generation, if one of these Ed25519 seeds is a member's."""
        generation = self.generations.get(group)
        if generation is None:
            return None
        for one in held:
            own = keys.agreement_secret(one), keys.agreement_public(keys.public_of(one)) or b""
            for _, paper in generation.papers:
                if (found := finish(rekey.open_steps(suite, paper, own))) is not None:
                    return generation.epoch, found
        return None

    def chain(self, group: bytes, held: Iterable[bytes], epoch: int = 0) -> wire.Chain | None:
        """A member's chain at that epoch, or at the first one of the newest generation if that is later."""
        found = self.seed(group, held)
        if found is None:
            return None
        first, seed = found
        secret = wire.first_secret(suite, self.fleet, group, first, seed)
        at = min(max(first, epoch), wire.last_epoch(first))
        return wire.Chain(group, at, at, wire.Chain(group, first, first, secret).secret_at(suite, at))

    def reader(self, group: bytes, held: Iterable[bytes]) -> wire.Chain | None:
        """A chain that reads every epoch of the newest generation: what a laptop can do that has the documents."""
        found = self.seed(group, held)
        if found is None:
            return None
        first, seed = found
        secret = wire.first_secret(suite, self.fleet, group, first, seed)
        return wire.Chain(group, wire.last_epoch(first), first, secret)


def give(groups: Groups, group: Group, members: Iterable[bytes], seed: bytes | None = None) -> Document:
    """The unsigned rekey document that gives these keys the group's present seed, or the first one if it has none.

    Raises UsageError for a key that nobody honest has, or for too many members.
    """
    generation = groups.generations.get(group.group)
    epoch = generation.epoch if generation else wire.next_generation(0)
    if (seed is None) != (generation is None):
        raise RefusedError(
            f"the secret of group {group.name} cannot be read with the keys on this laptop",
            next_step="Use a laptop that is a member, or ask it to add this one with `hedgerow group add`.",
        )
    publics = [keys.agreement_public(member) for member in sorted(set(members))]
    if len(publics) > rekey.MAX_MEMBERS or None in publics:
        raise UsageError(f"a rekey document is for 1 to {rekey.MAX_MEMBERS} sound keys, not for these {len(publics)}")
    fresh = seed or secrets.token_bytes(wire.SEED_BYTES)
    ephemeral = secrets.token_bytes(keys.SEED_BYTES)
    fields = finish(rekey.make_steps(suite, groups.fleet, group.group, group.name, epoch, fresh, ephemeral, publics))
    if fields is None:
        raise UsageError("one of these keys is nobody's")
    return documents.make(rekey.KIND, {key: value for key, value in fields.items() if key not in ("kind", "v")})


def new_group(fleet: bytes, name: str) -> Group:
    """A group of that name with an id of its own. Raises UsageError for a name that does not fit."""
    if not 0 < len(name.encode()) <= wire.MAX_NAME_BYTES or name == FLEET_NAME:
        raise UsageError(
            f"{name!r} cannot be the name of a group",
            next_step=f"Give it 1 to {wire.MAX_NAME_BYTES} bytes, and not {FLEET_NAME!r}: that is everybody.",
        )
    return Group(name, fleet, secrets.token_bytes(wire.ID_BYTES))


def may_say(document: Document, standing: Standing) -> bool:
    """Whether a laptop that may act, or a steward, has signed it."""
    stewards = {one.public for one in standing.charters[-1].stewards} if standing.charters else set()
    return bool(document.signers & (standing.laptops | stewards))


def read_group(document: Document) -> "Group | Damage":
    """The group that this document is, or why it is none."""
    fields = documents.read(document, GROUP, {"name": is_text, "fleet": is_key_id, "group": is_key_id})
    return fields if isinstance(fields, Damage) else Group(**fields)


def read_membership(document: Document) -> "Membership | Damage":
    """The membership that this document is, or why it is none."""
    fields = documents.read(document, MEMBERSHIP, {"fleet": is_key_id, "group": is_key_id, "member": is_public})
    return fields if isinstance(fields, Damage) else Membership(**fields)


def _generations(papers: Iterable[Document], standing: Standing) -> dict[bytes, Generation]:
    """The newest generation of each group whose documents count.

    The first one may come from whoever may say what groups there are; a later one leaves somebody out, and that is for
    stewards. Copies of it for those who come later may again come from a laptop. Where two laptops have begun a group
    apart, they may disagree on its seed: whoever holds both documents follows the one that it can open and that has the
    lower digest, those that stewards have signed first.
    """
    found: dict[bytes, dict[int, list[tuple[bool, bytes, Rekey]]]] = {}
    for paper in papers:
        said = rekey.parse(paper.fields)
        if isinstance(said, Damage) or said.fleet != standing.fleet or not may_say(paper, standing):
            continue
        is_copy = said.epoch > wire.STEPS and not decides(paper, standing)
        found.setdefault(said.group, {}).setdefault(said.epoch, []).append((is_copy, paper.digest, said))
    made = {}
    for group, by_epoch in found.items():
        sound = [epoch for epoch, rows in by_epoch.items() if not all(is_copy for is_copy, _, _ in rows)]
        if sound:
            ordered = sorted(by_epoch[max(sound)], key=lambda row: row[:2])
            papers_of = tuple((digest, said) for _, digest, said in ordered)
            made[group] = Generation(max(sound), papers_of, tuple(digest for digest, _ in papers_of))
    return made
