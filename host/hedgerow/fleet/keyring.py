"""Knows who is who by key, and opens and signs with the keys on this laptop. Refuses to know ports and bundles' ways.

Outside a fleet's folder a keyring is empty: nobody has a key then, and nothing can be proved.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from hedgerow.errors import UsageError
from hedgerow.fleet import boards, keys, people
from hedgerow.fleet.groups import Group, Groups
from hedgewire.group import Chain

if TYPE_CHECKING:
    from hedgerow.fleet.folder import FleetFolder  # it brings a database with it; most runs have no fleet at hand

NODE = "node"
PERSON = "person"
LAPTOP = "laptop"


@dataclass(frozen=True)
class Holder:
    """Somebody with a public key. `short` is a node's number; `lent_by` names the node whose key a person uses."""

    name: str
    kind: str
    public: bytes
    short: int | None = None
    lent_by: str | None = None
    too_small: str | None = None  # the board of a node that has no room to open what is sealed to it

    def __str__(self) -> str:
        return f"node {self.name}" if self.kind == NODE else self.name


@dataclass(frozen=True)
class Own:
    """A key on this laptop; its seed may ask for a passphrase."""

    holder: Holder
    seed: Callable[[], bytes] = field(repr=False)


@dataclass(frozen=True)
class Keyring:
    """Everybody whom the documents of a fleet name, and the keys that lie here."""

    holders: Mapping[bytes, Holder] = field(default_factory=dict)  # by key id
    own: Mapping[bytes, Own] = field(default_factory=dict)  # by key id
    names: Mapping[int, str] = field(default_factory=dict)  # of nodes, by short number
    groups: Groups = field(default_factory=lambda: Groups(b""))

    @staticmethod
    def of(fleet: "FleetFolder") -> "Keyring":
        found = fleet.registry.documents()
        standing = fleet.standing
        nodes = {one.node_id: one for one in fleet.roster.nodes}
        holders = {
            node_id: Holder(one.name, NODE, one.node, short=one.short, too_small=_too_small(one.board))
            for node_id, one in nodes.items()
        }
        for certificate in standing.certificates.values():
            holders.setdefault(keys.key_id(certificate.laptop), Holder(certificate.name, LAPTOP, certificate.laptop))
        for person in people.persons_in(found):
            lender = nodes.get(person.lent_by or b"")
            lent_by = None if person.lent_by is None else lender.name if lender else person.lent_by.hex()
            holders[person.id] = Holder(person.name, PERSON, person.public, lender.short if lender else None, lent_by)
        return Keyring(
            holders, _own(fleet, holders), {one.short: one.name for one in nodes.values()}, Groups.of(found, standing)
        )

    def named(self, name: str) -> Holder | None:
        """The person or node that this name or number means; None for nobody. Raises UsageError where it is several."""
        found = [one for one in self.holders.values() if one.kind != LAPTOP and _is_called(one, name)]
        if len(found) > 1:
            raise UsageError(
                f"{name} is the name of {len(found)}: {', '.join(sorted(f'{one} ({one.kind})' for one in found))}",
                next_step="Give a node by its number, or a person by the first digits of their key's id.",
            )
        return found[0] if found else None

    def node(self, short: int) -> Holder | None:
        """The node with that number."""
        return next((one for one in self.holders.values() if one.kind == NODE and one.short == short), None)

    def author(self, name: str | None) -> Own | None:
        """Whose name a message is signed in: the person asked for, or the only one whose key lies here."""
        persons = [one for one in self.own.values() if one.holder.kind == PERSON]
        if name is None:
            return persons[0] if len(persons) == 1 else None
        chosen = [one for one in persons if one.holder.name == name]
        if len(chosen) == 1:
            return chosen[0]
        raise UsageError(
            f"the key of {name} is not on this laptop",
            state="Keys here: " + (", ".join(sorted(one.holder.name for one in persons)) or "none"),
            next_step="`hedgerow person new NAME` makes one.",
        )

    def reader(self, group: Group) -> Chain | None:
        """What this laptop reads a group's messages with, if one of its keys is a member's."""
        return self.groups.reader(group.group, self.seeds())

    def seeds(self) -> Iterator[bytes]:
        """Of all keys here; asks for the passphrase at the first one if they are locked."""
        for one in self.own.values():
            yield one.seed()


def at_hand(folder: Path | None) -> Keyring:
    """The keyring of the fleet in that folder; an empty one without a fleet."""
    if folder is None:
        return Keyring()
    from hedgerow.fleet.folder import FleetFolder

    with FleetFolder(folder) as fleet:
        return Keyring.of(fleet)


def _own(fleet: "FleetFolder", holders: Mapping[bytes, Holder]) -> dict[bytes, Own]:
    held = fleet.secrets
    made = {}
    if (laptop := held.laptop_key) is not None:
        holder = Holder(held.laptop_name, LAPTOP, laptop.public)
        made[keys.key_id(laptop.public)] = Own(holder, lambda: laptop.seed)
    for name, key in held.persons.items():
        key_id = keys.key_id(key.public)
        made[key_id] = Own(holders.get(key_id, Holder(name, PERSON, key.public)), lambda key=key: key.seed)
    return made


def _too_small(board_id: str) -> str | None:
    """The board, if it has less memory than opening takes beside all else; one that is not known here gets a try."""
    try:
        return None if boards.load(board_id).has_room_for_keys else board_id
    except UsageError:
        return None


def _is_called(one: Holder, name: str) -> bool:
    if one.kind == NODE and name.isdecimal():
        return int(name) == one.short
    return one.name == name or (len(name) >= 8 and keys.key_id(one.public).hex().startswith(name.lower()))
