"""Knows secrets.toml: the seeds that lie on this laptop, in clear or locked. Refuses to know what is done with them.

It never enters git, never leaves this machine, and is readable by its owner alone. A rewrite is atomic: whoever pulls
the plug keeps the old file or has the new one. Public keys stand beside the seeds, so that looking asks nobody.
"""

import json
import os
import secrets as random_names
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from hedgerow.errors import StorageError
from hedgerow.fleet import keys, passphrase
from hedgerow.fleet.key_lock import Ask, Lock

FILE_NAME = "secrets.toml"
STEWARD = "steward"
CUSTODIAN = "custodian"
PERSON = "person"
_LOCK_VERSION = 1
_HEAD = """\
# Keys of this laptop and of people who left theirs here. Never commit this file, never send it.
# A steward's or a custodian's key belongs to that person: hand it over on paper, then delete it here.
"""


@dataclass(frozen=True)
class Key:
    """One key at rest. Its seed is there, or comes out of `sealed` when it is asked for."""

    label: str
    public: bytes
    clear: bytes = field(default=b"", repr=False)
    sealed: bytes = field(default=b"", repr=False, compare=False)
    lock: Lock | None = field(default=None, repr=False, compare=False)

    @property
    def seed(self) -> bytes:
        """Asks for the passphrase where the key is locked. Raises UsageError for a wrong one."""
        if self.lock is None or not self.sealed:
            return self.clear
        seed = self.lock.open(self.label, self.sealed)
        if keys.public_of(seed) != self.public:
            raise StorageError(f"the key {self.label} is damaged", next_step="Restore it from its words or a backup")
        return seed


@dataclass(frozen=True)
class Secrets:
    """Keys by holder. Empty on a laptop that only looks at a fleet."""

    laptop_name: str = ""
    laptop_key: Key | None = None
    stewards: Mapping[str, Key] = field(default_factory=dict)
    custodians: Mapping[str, Key] = field(default_factory=dict)
    persons: Mapping[str, Key] = field(default_factory=dict)
    registry_url: str | None = field(default=None, repr=False)
    fleet: bytes | None = None
    """The id of the fleet that this folder is for, where more than one could be meant."""
    anchor: bytes | None = None
    """The digest of the charter that a person trusted when this laptop joined."""
    lock: Lock | None = None

    @property
    def laptop(self) -> bytes | None:
        """The laptop's public key, if it has one."""
        return self.laptop_key.public if self.laptop_key else None

    @property
    def laptop_seed(self) -> bytes:
        """Empty where there is none. Asks for the passphrase where the keys are locked."""
        return self.laptop_key.seed if self.laptop_key else b""

    @property
    def publics(self) -> frozenset[bytes]:
        """Of all keys that lie here."""
        own = [self.laptop_key] if self.laptop_key else []
        return frozenset(
            key.public for key in [*own, *self.stewards.values(), *self.custodians.values(), *self.persons.values()]
        )

    @property
    def is_locked(self) -> bool:
        return self.lock is not None

    def with_laptop(self, name: str, seed: bytes) -> "Secrets":
        return replace(self, laptop_name=name, laptop_key=_fresh("laptop", seed))

    def with_key(self, kind: str, name: str, seed: bytes) -> "Secrets":
        """`kind` is STEWARD, CUSTODIAN or PERSON."""
        held = {**getattr(self, f"{kind}s"), name: _fresh(f"{kind}.{name}", seed)}
        return replace(self, **{f"{kind}s": held})

    def with_custodian(self, name: str, seed: bytes) -> "Secrets":
        return self.with_key(CUSTODIAN, name, seed)

    def locked(self, lock: Lock) -> "Secrets":
        """The same keys under another lock; takes the present one off first."""
        return replace(self.unlocked(), lock=lock)

    def under(self, lock: Lock) -> "Secrets":
        """The same locked keys, opened by a lock that has asked for its passphrase already."""

        def moved(held: Mapping[str, Key]) -> dict[str, Key]:
            return {name: replace(key, lock=lock) for name, key in held.items()}

        laptop = None if self.laptop_key is None else replace(self.laptop_key, lock=lock)
        held = {f"{kind}s": moved(getattr(self, f"{kind}s")) for kind in (STEWARD, CUSTODIAN, PERSON)}
        return replace(self, laptop_key=laptop, lock=lock, **held)

    def unlocked(self) -> "Secrets":
        """The same keys in clear. Asks for the passphrase where there is one."""

        def opened(held: Mapping[str, Key]) -> dict[str, Key]:
            return {name: _fresh(key.label, key.seed) for name, key in held.items()}

        laptop = None if self.laptop_key is None else _fresh(self.laptop_key.label, self.laptop_key.seed)
        held = {f"{kind}s": opened(getattr(self, f"{kind}s")) for kind in (STEWARD, CUSTODIAN, PERSON)}
        return replace(self, laptop_key=laptop, lock=None, **held)


def read(path: Path, ask: Ask = passphrase.ask) -> Secrets:
    """The secrets in that file; none where there is no file. Raises StorageError for one that is damaged."""
    try:
        return _secrets(tomllib.loads(path.read_text(encoding="utf-8")), path, ask)
    except FileNotFoundError:
        return Secrets()
    except OSError as error:
        raise StorageError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StorageError(
            f"{path} is damaged: {error}", next_step="Restore it from your backup; the keys in it exist nowhere else"
        ) from error


def state(path: Path) -> tuple[int, int] | None:
    """Something that differs after the file was written anew; None where it is not there."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino


def write(path: Path, secrets: Secrets) -> None:
    """Replace the file, atomically."""
    text = _text(secrets)
    temporary = path.with_name(f".{path.name}.{random_names.token_hex(4)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def _secrets(table: dict[str, Any], path: Path, ask: Ask) -> Secrets:
    lock = _lock(table["lock"], path, ask) if "lock" in table else None

    def held(kind: str) -> dict[str, Key]:
        return {name: _key(f"{kind}.{name}", entry, lock) for name, entry in table.get(kind, {}).items()}

    laptop, fleet = table.get("laptop", {}), table.get("fleet", {})
    return Secrets(
        laptop.get("name", ""),
        _key("laptop", laptop, lock) if laptop.get("seed") or laptop.get("sealed") else None,
        held(STEWARD),
        held(CUSTODIAN),
        held(PERSON),
        table.get("registry", {}).get("url"),
        bytes.fromhex(fleet["id"]) if "id" in fleet else None,
        bytes.fromhex(fleet["anchor"]) if "anchor" in fleet else None,
        lock,
    )


def _lock(table: dict[str, Any], path: Path, ask: Ask) -> Lock:
    if table["v"] != _LOCK_VERSION or table["kdf"] != "scrypt":
        raise ValueError("its lock is of a kind that this hedgerow does not know")
    return Lock(bytes.fromhex(table["salt"]), str(path), ask, int(table["log2_n"]))


def _key(label: str, entry: dict[str, Any], lock: Lock | None) -> Key:
    if "sealed" in entry:
        if lock is None:
            raise ValueError(f"{label} is sealed, and [lock] is missing")
        return Key(label, bytes.fromhex(entry["public"]), sealed=bytes.fromhex(entry["sealed"]), lock=lock)
    return _fresh(label, bytes.fromhex(entry["seed"]))


def _fresh(label: str, seed: bytes) -> Key:
    return Key(label, keys.public_of(seed), seed)


def _text(secrets: Secrets) -> str:
    parts = [_HEAD, "[laptop]", f"name = {_quoted(secrets.laptop_name)}"]
    if secrets.laptop_key is not None:
        parts += _key_lines(secrets.laptop_key, secrets.lock)
    for kind in (STEWARD, CUSTODIAN, PERSON):
        for name, key in sorted(getattr(secrets, f"{kind}s").items()):
            parts += ["", f"[{kind}.{_quoted(name)}]", *_key_lines(key, secrets.lock)]
    for table, lines in (("fleet", _fleet_lines(secrets)), ("lock", _lock_lines(secrets.lock))):
        if lines:
            parts += ["", f"[{table}]", *lines]
    if secrets.registry_url is not None:
        parts += ["", "[registry]", f"url = {_quoted(secrets.registry_url)}"]
    return "\n".join(parts) + "\n"


def _key_lines(key: Key, lock: Lock | None) -> list[str]:
    if lock is None:
        return [f'public = "{key.public.hex()}"', f'seed = "{key.seed.hex()}"']
    sealed = key.sealed if key.lock == lock and key.sealed else lock.seal(key.label, key.seed)
    return [f'public = "{key.public.hex()}"', f'sealed = "{sealed.hex()}"']


def _lock_lines(lock: Lock | None) -> list[str]:
    if lock is None:
        return []
    return [f"v = {_LOCK_VERSION}", 'kdf = "scrypt"', f'salt = "{lock.salt.hex()}"', f"log2_n = {lock.log2_n}"]


def _fleet_lines(secrets: Secrets) -> list[str]:
    lines = [] if secrets.fleet is None else [f'id = "{secrets.fleet.hex()}"']
    return lines if secrets.anchor is None else [*lines, f'anchor = "{secrets.anchor.hex()}"']


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
