"""Knows what every node of a fleet is to be: proposal and roster joined. Knows no port and no file.

This is what plans compare the world with.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from hedgerow.fleet.boards import Board
from hedgerow.fleet.charter import Charter
from hedgerow.fleet.documents import Document
from hedgerow.fleet.people import Custodian
from hedgerow.fleet.proposal import Proposal, ProposedNode
from hedgerow.fleet.roster import Conflict, Enrolment, Roster

CONFIG_VERSION = 1


@dataclass(frozen=True)
class NodeSpec:
    """One node as it is to be. `enrolment` is None until a board was taken in under this name."""

    name: str
    board: Board
    fleet: bytes
    charter_version: int
    ipn_base: int
    settings: Mapping[str, object]
    custodian: Custodian | None = None
    custodian_name: str | None = None
    enrolment: Enrolment | None = None
    documents: tuple[Document, ...] = field(default=(), compare=False)
    """What the node is to hold, charters first: whom it trusts, and by what it belongs to the fleet."""
    groups: frozenset[bytes] = field(default=frozenset(), compare=False)
    """Ids of the groups that it is to be a member of, as far as this laptop can give it their keys."""

    @property
    def is_settled(self) -> bool:
        """Whether the enrolment says what the proposal says, so that no new one is needed."""
        known = self.enrolment
        public = self.custodian.public if self.custodian else None
        if known is None or (self.custodian_name is not None and self.custodian is None):
            return False
        return (known.name, known.board, known.custodian) == (self.name, self.board.id, public)

    @property
    def is_protected(self) -> bool:
        """Whether it is to ask who somebody is. A board without room for keys cannot, whatever fleet.toml says."""
        return bool(self.settings.get("protected")) and self.board.has_room_for_keys

    @property
    def is_on_ble(self) -> bool:
        """Whether it is to be reached over Bluetooth: where the board has that, and the node asks who somebody is."""
        return bool(self.settings.get("ble")) and "ble" in self.board.radios and self.is_protected

    @property
    def is_for_phones(self) -> bool:
        """Whether its button is to open it to phones nearby: where the board has Wi-Fi."""
        return bool(self.settings.get("phone")) and "wifi" in self.board.radios

    def config(self, enrolment: Enrolment) -> dict[str, object]:
        """The map of /config.cbor under this enrolment."""
        custodian = None if self.custodian is None else self.custodian.id
        return {
            "v": CONFIG_VERSION,
            "name": self.name,
            "short": enrolment.short,
            "id": enrolment.node_id,
            "fleet": self.fleet,
            "charter": self.charter_version,
            "board": self.board.id,
            "ipn_base": self.ipn_base,
            "custodian": custodian,
            "ledger": self.board.has_room_for_keys,
            **self.settings,
            "protected": self.is_protected,
            "ble": self.is_on_ble,
            "phone": self.is_for_phones,
        }


@dataclass(frozen=True)
class Inventory:
    """Everything that a fleet is to be, at one moment."""

    fleet: bytes
    nodes: tuple[NodeSpec, ...]
    roster: Roster

    def named(self, name: str) -> NodeSpec | None:
        return next((node for node in self.nodes if node.name == name), None)

    def with_id(self, node_id: bytes) -> NodeSpec | None:
        return self._by_id.get(node_id)

    @cached_property
    def _by_id(self) -> Mapping[bytes, NodeSpec]:
        return {node.enrolment.node_id: node for node in reversed(self.nodes) if node.enrolment}

    @property
    def conflicts(self) -> list[Conflict]:
        return self.roster.conflicts

    @property
    def unproposed(self) -> list[Enrolment]:
        """Nodes that are enrolled but that fleet.toml does not name (any more)."""
        names = {node.name for node in self.nodes}
        return [enrolment for enrolment in self.roster.nodes if enrolment.name not in names]


def join(proposal: Proposal, charter: Charter, roster: Roster, custodians: Mapping[str, Custodian]) -> Inventory:
    """What people want and who was taken in, node by node, in the order of fleet.toml."""

    def spec(node: ProposedNode) -> NodeSpec:
        return NodeSpec(
            name=node.name,
            board=node.board,
            fleet=charter.fleet_id,
            charter_version=charter.version,
            ipn_base=proposal.ipn_base,
            settings=node.settings,
            custodian=custodians.get(node.custodian) if node.custodian else None,
            custodian_name=node.custodian,
            enrolment=roster.named(node.name),
        )

    return Inventory(charter.fleet_id, tuple(spec(node) for node in proposal.nodes), roster)
