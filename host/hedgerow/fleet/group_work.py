"""Knows how a laptop founds groups, lets members in, and what it gives to a node. Refuses to know ports and messages.

Everything is a document that this laptop signs: whoever holds the documents and a member's key can go on.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from hedgerow.fleet import groups
from hedgerow.fleet.groups import Group, GroupKey, Groups, Membership
from hedgerow.fleet.inventory import NodeSpec

if TYPE_CHECKING:
    from hedgerow.fleet.folder import FleetFolder

EPOCHS = "epochs"  # kind of the observation: how far a node's groups have gone


def found(fleet: "FleetFolder", group: Group) -> Group:
    """Keep a new group with its first secret, of which this laptop is the first member."""
    public = fleet.certificate.laptop  # raises for a laptop that may not act
    known = Groups.of(fleet.registry.documents(), fleet.standing)
    papers = [Membership(known.fleet, group.group, public).to_document(), groups.give(known, group, [public])]
    if group.group != known.fleet:
        papers.insert(0, group.to_document())
    fleet.add([paper.signed(fleet.secrets.laptop_seed) for paper in papers])
    return group


def add(fleet: "FleetFolder", group: Group, members: Iterable[bytes]) -> None:
    """Let these keys into a group: a membership for each, and its present secret for all of them."""
    public = fleet.certificate.laptop
    members = [member for member in members if member != public]
    known = _with_secret(fleet, group)
    seed = known.seed(group.group, [fleet.secrets.laptop_seed])
    papers = [Membership(known.fleet, group.group, member).to_document() for member in members]
    papers.append(groups.give(known, group, members, None if seed is None else seed[1]))
    fleet.add([paper.signed(fleet.secrets.laptop_seed) for paper in papers])


def keys_for(fleet: "FleetFolder", spec: NodeSpec) -> list[GroupKey]:
    """What a node is to have of its groups: the fleet's own, and those that it is a member of.

    The fleet's group gets its first secret here, where it has none yet. A group whose secret no key on this laptop
    opens is left out: another laptop gives it.
    """
    known = _with_secret(fleet, Group(groups.FLEET_NAME, fleet.fleet_id, fleet.fleet_id))
    node = spec.enrolment.node if spec.enrolment else b""
    seen = _epochs_seen(fleet)
    made = []
    for group in sorted(known.by_id.values()):
        if group.group == known.fleet or node in known.members.get(group.group, ()):
            chain = known.chain(group.group, [fleet.secrets.laptop_seed], seen.get(group.group, 0))
            if chain is not None:
                made.append(GroupKey(group.group, group.name, chain.epoch, chain.secret))
    return made


def wanted_of(known: Groups, laptop: bytes | None, spec: NodeSpec) -> frozenset[bytes]:
    """Ids of the groups that a node is to be in and whose keys this laptop can give: no passphrase is asked for."""
    if not spec.board.has_room_for_keys:
        return frozenset()
    node = spec.enrolment.node if spec.enrolment else b""
    meant = {known.fleet} | {group for group, members in known.members.items() if node in members}
    new = {known.fleet} - set(known.generations)  # it gets its first secret here
    return frozenset(group for group in meant if group in new or laptop in known.members.get(group, ()))


def _epochs_seen(fleet: "FleetFolder") -> dict[bytes, int]:
    furthest: dict[bytes, int] = {}
    for seen in fleet.registry.latest(EPOCHS).values():
        for name, epoch in seen.fields.items():
            group = bytes.fromhex(name)
            furthest[group] = max(epoch, furthest.get(group, 0))
    return furthest


def _with_secret(fleet: "FleetFolder", group: Group) -> Groups:
    """All groups; the fleet's own is given its first secret if it has none."""
    known = Groups.of(fleet.registry.documents(), fleet.standing)
    if group.group == known.fleet and group.group not in known.generations:
        found(fleet, group)
        known = Groups.of(fleet.registry.documents(), fleet.standing)
    return known
