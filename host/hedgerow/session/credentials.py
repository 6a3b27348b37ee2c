"""Knows what a host needs to be somebody at a node: its own key, the nodes' keys, agreements kept. Reads no fleet."""

import json
import os
import secrets
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from hedgerow.transports.ble import Known
from hedgewire.protection import Resumption

DAY_S = 24 * 3600
_ALMOST_S = 600  # the node's clock counts otherwise than ours; who comes this late begins anew


class Kept(Protocol):
    """Where agreements with nodes are kept for a day."""

    def get(self, node_id: bytes) -> Resumption | None: ...

    def put(self, node_id: bytes, resumption: Resumption) -> None: ...

    def forget(self, node_id: bytes) -> None: ...


class KeptInMemory:
    """For one run of a program."""

    def __init__(self) -> None:
        self._kept: dict[bytes, Resumption] = {}

    def get(self, node_id: bytes) -> Resumption | None:
        return self._kept.get(node_id)

    def put(self, node_id: bytes, resumption: Resumption) -> None:
        self._kept[node_id] = resumption

    def forget(self, node_id: bytes) -> None:
        self._kept.pop(node_id, None)


class KeptInFiles:
    """One small file for each node, readable by its owner alone. What cannot be read or written is not kept."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, node_id: bytes) -> Resumption | None:
        try:
            found = json.loads(self._path(node_id).read_text(encoding="ascii"))
            name, secret = bytes.fromhex(found["name"]), bytes.fromhex(found["secret"])
            age_s = time.time() - found["agreed_s"]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        if not 0 <= age_s < DAY_S - _ALMOST_S:
            self.forget(node_id)
            return None
        return Resumption(name, secret)

    def put(self, node_id: bytes, resumption: Resumption) -> None:
        path = self._path(node_id)
        temporary = path.with_suffix(f".{secrets.token_hex(4)}")
        says = {"name": resumption.name.hex(), "secret": resumption.secret.hex(), "agreed_s": int(time.time())}
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            (self._folder / ".gitignore").write_text("*\n", encoding="ascii")  # whatever the folder above it says
            with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                json.dump(says, file)
            temporary.replace(path)
        except OSError:
            return  # the next session costs an agreement again, and that is all

    def forget(self, node_id: bytes) -> None:
        with suppress(OSError):
            self._path(node_id).unlink()

    def _path(self, node_id: bytes) -> Path:
        return self._folder / f"{node_id.hex()}.json"


@dataclass(frozen=True)
class OwnKey:
    """A key that lies here. `kid` is the id of the Ed25519 key; `secret()`, for X25519, may ask for a passphrase."""

    kid: bytes
    public: bytes
    secret: Callable[[], bytes] = field(repr=False)


@dataclass(frozen=True)
class Credentials:
    """What a fleet's folder lets a host be. All of it is asked for when a session begins, by the node's id.

    `own` gives the keys to try, the likeliest first; `node_key` the node's X25519 public key, or None for a node that
    the fleet does not know; `insists` whether the fleet wants that node to ask who somebody is; `known` the nodes that
    this host recognises on the air.
    """

    own: Callable[[bytes], Sequence[OwnKey]] = field(repr=False)
    node_key: Callable[[bytes], bytes | None] = field(repr=False)
    kept: Kept = field(default_factory=KeptInMemory, repr=False)
    insists: Callable[[bytes], bool] = field(default=lambda _: False, repr=False)
    known: Callable[[], Sequence[Known]] = field(default=tuple, repr=False)
