"""Knows which key in a fleet's folder opens which node, and which nodes have to ask for one. Knows no port.

Nothing is read, and no passphrase asked for, before a node wants to see a key; what was agreed within the day needs
none.
"""

import contextlib
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from hedgerow.errors import FleetError
from hedgerow.fleet import keys
from hedgerow.fleet.folder import SESSIONS, FleetFolder
from hedgerow.fleet.roster import Enrolment
from hedgerow.fleet.secrets_file import Key
from hedgerow.session import Credentials, KeptInFiles, OwnKey
from hedgerow.transports.ble import Known

Opened = Callable[[], AbstractContextManager[FleetFolder]]


def of(fleet: FleetFolder, *others: FleetFolder) -> Credentials:
    """Those of folders that stay open; several while nodes go from one fleet to another."""
    return _made([_staying(one) for one in (fleet, *others)], fleet.path)


def at(path: Path) -> Credentials:
    """Those of the folder there, which is opened when a node asks."""
    return _made([lambda: FleetFolder(path)], path)


def _staying(fleet: FleetFolder) -> Opened:
    return lambda: contextlib.nullcontext(fleet)


def _made(opened: Sequence[Opened], path: Path) -> Credentials:
    shown = [_Keys(one) for one in opened]

    def own(node_id: bytes) -> Sequence[OwnKey]:
        return [key for one in shown for key in one.own(node_id)]

    def node_key(node_id: bytes) -> bytes | None:
        return next((key for one in shown if (key := one.node_key(node_id)) is not None), None)

    def insists(node_id: bytes) -> bool:
        return any(one.insists(node_id) for one in shown)

    def known() -> Sequence[Known]:
        return [node for one in shown for node in one.known()]

    return Credentials(own, node_key, KeptInFiles(path / SESSIONS), insists, known)


class _Keys:
    """Of one folder."""

    def __init__(self, opened: Opened) -> None:
        self._opened = opened
        self._nodes: dict[bytes, Enrolment] = {}

    def own(self, node_id: bytes) -> Sequence[OwnKey]:
        """This laptop's key, then those of stewards, then that of the node's household, as far as they lie here."""
        with self._opened() as fleet:
            held = fleet.secrets
            found = [] if held.laptop_key is None else [held.laptop_key]
            council = {steward.public for steward in fleet.charter_at_hand.stewards}
            found += [key for key in held.stewards.values() if key.public in council]
            node = self._node(node_id)
            found += [key for key in held.custodians.values() if node is not None and key.public == node.custodian]
            return [own for own in map(_as_own, found) if own is not None]

    def node_key(self, node_id: bytes) -> bytes | None:
        node = self._node(node_id)
        return None if node is None else keys.agreement_public(node.node)

    def insists(self, node_id: bytes) -> bool:
        """Whether fleet.toml says so of the node with that key. A fleet.toml with a fault says nothing."""
        with self._opened() as fleet, contextlib.suppress(FleetError):
            wanted = fleet.inventory.with_id(node_id)
            return wanted is not None and wanted.is_protected
        return False

    def known(self) -> Sequence[Known]:
        """Every enrolled node, as it is recognised on the air."""
        with self._opened() as fleet:
            fleet_id = fleet.charter_at_hand.fleet_id
            return [Known(one.name, one.short, one.node_id, fleet_id, one.node) for one in fleet.roster.nodes]

    def _node(self, node_id: bytes) -> Enrolment | None:
        if node_id not in self._nodes:  # it may have been enrolled since we looked
            with self._opened() as fleet:
                self._nodes = {one.node_id: one for one in fleet.roster.nodes}
        return self._nodes.get(node_id)


def _as_own(key: Key) -> OwnKey | None:
    public = keys.agreement_public(key.public)
    if public is None:
        return None
    return OwnKey(keys.key_id(key.public), public, lambda: keys.agreement_secret(key.seed))
