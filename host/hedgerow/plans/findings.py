"""Knows what a node's report and a finding of an audit are, as values. Judges nothing.

Each finding says what to do and until when it can wait; nothing nags about what can wait.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from enum import IntEnum
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from hedgewire import cbor

DAY_S = 86400
STALE_AFTER_S = 30 * DAY_S
LOW_BATTERY_MV = 3400
CLOCK_OFF_S = 120


class Severity(IntEnum):
    """A note is worth knowing and changes no exit code."""

    NOTE = 0
    WARNING = 1
    ERROR = 2


@dataclass(frozen=True)
class NodeReport:
    """What one node said at `time_s` of this laptop's clock. `sha256`: path -> hash; `slots`: its answer."""

    time_s: int
    port: str | None
    node_id: bytes
    name: str
    board: str
    app: str
    mp: str
    sha256: Mapping[str, bytes]
    config: Mapping[str, Any]
    status: Mapping[str, Any]
    slots: Mapping[str, Any] | None = None  # None where it knows of no slots

    def as_fields(self) -> dict[str, Any]:
        """As a CBOR map, for the registry. The hashes are a string of their own, the same one for most nodes."""
        hashes = cbor.encode(dict(self.sha256))
        return {**asdict(self), "sha256": hashes, "config": dict(self.config), "status": dict(self.status)}

    @classmethod
    def of_fields(cls, fields: Mapping[str, Any]) -> "NodeReport | None":
        """The report in such a map; None for one that a version wrote which knew other fields."""
        try:
            return cls(**{**fields, "port": None, "sha256": _hashes(fields["sha256"])})
        except (TypeError, KeyError):
            return None


def _hashes(kept: bytes | Mapping[str, bytes]) -> Mapping[str, bytes]:
    return _decoded(kept) if isinstance(kept, bytes) else kept  # an older version wrote the map itself


@lru_cache(64)
def _decoded(data: bytes) -> Mapping[str, bytes]:
    found = cbor.decode(data)
    return MappingProxyType(found) if isinstance(found, dict) else {}


@dataclass(frozen=True)
class Finding:
    """One difference. `until_s` is None for what can wait for the next visit; `waits` says the same in words."""

    node: str
    kind: str
    severity: Severity
    what: str
    next_step: str
    waits: str
    path: str | None = None
    until_s: int | None = None
    port: str | None = None

    def as_dict(self) -> dict[str, Any]:
        return {
            "node": self.node,
            "class": self.kind,
            "path": self.path,
            "severity": self.severity.name.lower(),
            "what": self.what,
            "next_step": self.next_step,
            "waits": self.waits,
            "until_s": self.until_s,
            "port": self.port,
        }


@dataclass(frozen=True)
class Rules:
    """Thresholds, and the moment of the audit (Unix seconds)."""

    now_s: int
    stale_after_s: int = STALE_AFTER_S
    low_battery_mv: int = LOW_BATTERY_MV
    clock_off_s: int = CLOCK_OFF_S


@dataclass
class Findings:
    """Collects findings about one node, with its name and port filled in."""

    rules: Rules
    node: str
    port: str | None = None
    found: list[Finding] = field(default_factory=list)

    def add(
        self, kind: str, severity: Severity, what: str, next_step: str, *, days: int | None = 0, path: str | None = None
    ) -> None:
        until_s, waits = None, "it can wait for the next visit"
        if days is not None:
            until_s = self.rules.now_s + days * DAY_S
            day = datetime.fromtimestamp(until_s, UTC).date().isoformat()
            waits = f"it can wait until {day}" if days else "it should not wait"
        self.found.append(Finding(self.node, kind, severity, what, next_step, waits, path, until_s, self.port))


def is_bad(findings: Iterable[Finding]) -> bool:
    """Whether the exit code says findings."""
    return any(finding.severity > Severity.NOTE for finding in findings)
