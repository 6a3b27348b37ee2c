"""Knows secrets.toml: the seeds that lie on this laptop. Refuses to know what is done with them.

It never enters git, never leaves this machine, and is readable by its owner alone. A rewrite is atomic: whoever pulls
the plug keeps the old file or has the new one.
"""

import json
import os
import secrets as random_names
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from hedgerow.errors import StorageError
from hedgerow.fleet import keys

FILE_NAME = "secrets.toml"
_HEAD = """\
# Keys of this laptop and of people who left theirs here. Never commit this file, never send it.
# A steward's or a custodian's key belongs to that person: hand it over on paper, then delete it here.
"""


@dataclass(frozen=True)
class Secrets:
    """Seeds by holder. Empty on a laptop that only looks at a fleet."""

    laptop_name: str = ""
    laptop_seed: bytes = field(default=b"", repr=False)
    stewards: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    custodians: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    registry_url: str | None = field(default=None, repr=False)

    @property
    def laptop(self) -> bytes | None:
        """The laptop's public key, if it has one."""
        return keys.public_of(self.laptop_seed) if self.laptop_seed else None

    def with_custodian(self, name: str, seed: bytes) -> "Secrets":
        return replace(self, custodians={**self.custodians, name: seed})


def read(path: Path) -> Secrets:
    """The secrets in that file; none where there is no file. Raises StorageError for one that is damaged."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        laptop = table.get("laptop", {})
        return Secrets(
            laptop.get("name", ""),
            bytes.fromhex(laptop.get("seed", "")),
            {name: bytes.fromhex(entry["seed"]) for name, entry in table.get("steward", {}).items()},
            {name: bytes.fromhex(entry["seed"]) for name, entry in table.get("custodian", {}).items()},
            table.get("registry", {}).get("url"),
        )
    except FileNotFoundError:
        return Secrets()
    except OSError as error:
        raise StorageError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StorageError(
            f"{path} is damaged: {error}", next_step="Restore it from your backup; the keys in it exist nowhere else"
        ) from error


def write(path: Path, secrets: Secrets) -> None:
    """Replace the file, atomically."""
    temporary = path.with_name(f".{path.name}.{random_names.token_hex(4)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(_text(secrets))
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def _text(secrets: Secrets) -> str:
    parts = [_HEAD, "[laptop]", f"name = {_quoted(secrets.laptop_name)}", f'seed = "{secrets.laptop_seed.hex()}"']
    for table, seeds in (("steward", secrets.stewards), ("custodian", secrets.custodians)):
        for name, seed in sorted(seeds.items()):
            parts += ["", f"[{table}.{_quoted(name)}]", f'seed = "{seed.hex()}"']
    if secrets.registry_url is not None:
        parts += ["", "[registry]", f"url = {_quoted(secrets.registry_url)}"]
    return "\n".join(parts) + "\n"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
