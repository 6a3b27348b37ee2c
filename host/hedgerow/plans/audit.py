"""Knows how a fleet may differ from what it should be, and how bad each difference is. Looks at nothing itself.

Reports are what nodes say of themselves: a node in an attacker's hands can say anything, and no finding here proves
more than that. Each finding says what to do and until when it can wait; nothing nags about what can wait.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from enum import IntEnum
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from hedgerow.fleet import verdict
from hedgerow.fleet.inventory import Inventory, NodeSpec
from hedgerow.fleet.verdict import Finding as LedgerFinding
from hedgerow.plans.firmware import FirmwareSet
from hedgerow.plans.provision import changed_fields
from hedgewire import cbor

DAY_S = 86400
NODE_EPOCH_S = 946684800  # 2000-01-01: nodes count from there, as DTN does
CLOCK_IS_SET_FROM_S = 1704067200  # 2024-01-01: a clock before that was never set, which is no fault
CLOCK_OFF_S = 120
STALE_AFTER_S = 30 * DAY_S
LOW_BATTERY_MV = 3400
EMPTY_BATTERY_MV = 3200
NO_BATTERY_MV = 1000  # below this nothing is connected to the pin
LOW_SPACE_PERCENT = 5
_LOOK_AT_THE_LEDGER = "`hedgerow ledger verify` shows the records; another copy of the fleet's folder may have more"


class Severity(IntEnum):
    """A note is worth knowing and changes no exit code."""

    NOTE = 0
    WARNING = 1
    ERROR = 2


# What a ledger can prove against its writer, and what to do about it; the other kinds are warnings.
_LEDGER_FINDINGS = {
    verdict.FORK: (
        Severity.ERROR,
        "Its key was copied, or its store erased or restored: find out; `hedgerow ledger verify` shows the proof",
    ),
    verdict.ROLLBACK: (
        Severity.ERROR,
        "It was set back to an older state: find out who had it in hands; `hedgerow ledger verify` shows the proof",
    ),
    verdict.BROKEN: (Severity.ERROR, _LOOK_AT_THE_LEDGER),
    verdict.NOT_FETCHED: (Severity.NOTE, "`hedgerow ledger collect` tries it again"),
}


@dataclass(frozen=True)
class NodeReport:
    """What one node said at `time_s` of this laptop's clock. `sha256` maps paths to hashes."""

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
class _Findings:
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


def audit(
    wanted: Inventory,
    seen: Sequence[NodeReport],
    firmware: Mapping[str, FirmwareSet],
    rules: Rules,
    ledgers: Mapping[str, Iterable[LedgerFinding]] | None = None,
) -> list[Finding]:
    """Every difference between what the fleet should be and what its nodes reported; worst first within each node.

    `seen` is the newest report of each node, old ones among them; `firmware` is by board id; `ledgers` are what the
    signed chains of nodes and laptops prove, by the name of the writer.
    """
    found: list[Finding] = []
    reported: set[str] = set()
    for report in sorted(seen, key=lambda report: (report.name, report.node_id)):
        spec = wanted.with_id(report.node_id)
        if spec is None:
            found += _stranger(wanted, report, rules)
            reported.update(_whose_place_it_holds(wanted, report))
        else:
            reported.add(spec.name)
            found += _known(spec, report, firmware.get(spec.board.id), rules)
    for spec in wanted.nodes:
        if spec.enrolment is not None and spec.name not in reported:
            found += _never_seen(spec, rules)
    found += _of_the_roster(wanted, rules)
    for name, proved in sorted((ledgers or {}).items()):
        found += _of_a_ledger(name, proved, rules)
    return sorted(found, key=lambda finding: (finding.node, -finding.severity, finding.kind, finding.path or ""))


def is_bad(findings: Iterable[Finding]) -> bool:
    """Whether the exit code says findings."""
    return any(finding.severity > Severity.NOTE for finding in findings)


def _known(spec: NodeSpec, report: NodeReport, firmware: FirmwareSet | None, rules: Rules) -> list[Finding]:
    findings = _Findings(rules, spec.name, report.port)
    _files(findings, report, firmware)
    _configuration(findings, spec, report)
    _energy(findings, report)
    _stores(findings, report)
    _clock(findings, report)
    age_s = rules.now_s - report.time_s
    if age_s > rules.stale_after_s:
        findings.add(
            "stale",
            Severity.WARNING,
            f"not seen for {age_s // DAY_S} days",
            "Visit it, or ask its neighbours with `hedgerow audit` on a node nearby",
            days=30,
        )
    return findings.found


def _files(findings: _Findings, report: NodeReport, firmware: FirmwareSet | None) -> None:
    if firmware is None:
        return
    wanted, there = firmware.sha256, report.sha256
    differ = sorted(path for path, digest in wanted.items() if path in there and there[path] != digest)
    missing = sorted(path for path in wanted if path not in there)
    extra = sorted(path for path in there if path.startswith("/a/") and path not in wanted)
    again = f"Provision it again: `hedgerow provision {findings.node} -p PORT`"
    if report.app != firmware.version:
        count = len(differ) + len(missing) + len(extra)
        findings.add(
            "wrong firmware",
            Severity.WARNING,
            f"runs version {report.app}, this tool carries {firmware.version} ({count} files differ)",
            again,
            days=90,
        )
        return
    for path in missing:
        findings.add("missing", Severity.ERROR, f"{path} is missing", again, path=path)
    for path in differ:
        what = f"{path} is not the file of version {firmware.version}"
        findings.add("modified", Severity.ERROR, what, f"Find out who changed it. {again}", path=path)
    for path in extra:
        what = f"{path} does not belong to version {firmware.version}"
        findings.add("extra", Severity.WARNING, what, again, path=path, days=30)


def _configuration(findings: _Findings, spec: NodeSpec, report: NodeReport) -> None:
    if spec.enrolment is None:
        return
    wanted = spec.config(spec.enrolment)
    for key in changed_fields(wanted, report.config):
        said = report.config.get(key)
        findings.add(
            "configuration drift",
            Severity.WARNING,
            f"{key} is {_shown(said)}, fleet.toml says {_shown(wanted[key])}",
            f"Provision it again, or write what is right into fleet.toml: `hedgerow plan {spec.name} -p PORT` compares",
            path=f"/config.cbor:{key}",
            days=30,
        )


def _energy(findings: _Findings, report: NodeReport) -> None:
    battery_mv = report.status.get("battery_mv")
    if battery_mv is None or not NO_BATTERY_MV <= battery_mv < findings.rules.low_battery_mv:
        return
    empty = battery_mv < EMPTY_BATTERY_MV
    findings.add(
        "low battery",
        Severity.ERROR if empty else Severity.WARNING,
        f"the battery has {battery_mv} mV",
        "Clean the panel and look at its cable; charge the battery if the weather stays dark",
        days=1 if empty else 7,
    )


def _stores(findings: _Findings, report: NodeReport) -> None:
    free, total = report.status.get("free_bytes"), report.status.get("total_bytes")
    if free is not None and total and free * 100 < total * LOW_SPACE_PERCENT:
        findings.add(
            "low space",
            Severity.WARNING,
            f"{free} of {total} bytes are free",
            "Fetch its samples, then remove files that do not belong to it",
            days=30,
        )
    damaged = report.status.get("damaged") or 0
    if damaged:
        findings.add(
            "store damage",
            Severity.ERROR,
            f"{damaged} records in its stores are damaged",
            "Fetch its samples and messages now; if the number grows, replace the board",
            path="/store",
            days=7,
        )


def _clock(findings: _Findings, report: NodeReport) -> None:
    time_s = report.status.get("time_s")
    if time_s is None or time_s + NODE_EPOCH_S < CLOCK_IS_SET_FROM_S:
        return
    off_s = time_s + NODE_EPOCH_S - report.time_s
    if abs(off_s) > findings.rules.clock_off_s:
        findings.add(
            "clock",
            Severity.NOTE,
            f"its clock is {_span(abs(off_s))} {'ahead' if off_s > 0 else 'behind'}",
            "Any command that talks to it sets it, as `hedgerow inbox`; times of samples depend on it, messages do not",
            days=None,
        )


def _stranger(wanted: Inventory, report: NodeReport, rules: Rules) -> list[Finding]:
    """A node whose id nobody enrolled: under a known name it is in another's place, else it is simply unknown."""
    findings = _Findings(rules, report.name, report.port)
    known = wanted.named(report.name)
    if known is not None and known.enrolment is not None and report.config.get("fleet") == wanted.fleet:
        findings.add(
            "wrong identity",
            Severity.ERROR,
            f"calls itself {report.name} with id {report.node_id.hex()}, but {report.name} is"
            f" {known.enrolment.node_id.hex()}",
            "Do not trust it: it is a copy, or its identity was made anew. Provision it under a name of its own",
        )
    else:
        findings.add(
            "unknown key",
            Severity.ERROR,
            f"id {report.node_id.hex()} is in no enrolment that this laptop knows",
            "Merge the registry of the laptop that enrolled it, or enrol it with `hedgerow provision`",
        )
    return findings.found


def _whose_place_it_holds(wanted: Inventory, report: NodeReport) -> list[str]:
    known = wanted.named(report.name)
    return [] if known is None or report.config.get("fleet") != wanted.fleet else [known.name]


def _never_seen(spec: NodeSpec, rules: Rules) -> list[Finding]:
    findings = _Findings(rules, spec.name)
    findings.add(
        "stale",
        Severity.WARNING,
        "enrolled, but no report of it is known here",
        f"Visit it and run `hedgerow audit -p PORT`, or provision it again: `hedgerow provision {spec.name} -p PORT`",
        days=30,
    )
    return findings.found


def _of_a_ledger(name: str, proved: Iterable[LedgerFinding], rules: Rules) -> list[Finding]:
    findings = _Findings(rules, name)
    for one in proved:
        severity, next_step = _LEDGER_FINDINGS.get(one.kind, (Severity.WARNING, _LOOK_AT_THE_LEDGER))
        days = {Severity.ERROR: 0, Severity.WARNING: 30, Severity.NOTE: None}[severity]
        findings.add(f"ledger: {one.kind}", severity, one.what, next_step, path="/store/ledger", days=days)
    return findings.found


def _of_the_roster(wanted: Inventory, rules: Rules) -> list[Finding]:
    found: list[Finding] = []
    for conflict in wanted.conflicts:
        findings = _Findings(rules, ", ".join(dict.fromkeys(conflict.nodes)))
        findings.add("conflict", Severity.WARNING, str(conflict), "Settle it when you next meet", days=90)
        found += findings.found
    for enrolment in wanted.unproposed:
        findings = _Findings(rules, enrolment.name)
        findings.add("not proposed", Severity.NOTE, "enrolled, but not in fleet.toml", "Add it there", days=None)
        found += findings.found
    for spec in wanted.nodes:
        if spec.enrolment is None:
            findings = _Findings(rules, spec.name)
            findings.add(
                "not enrolled",
                Severity.NOTE,
                "in fleet.toml, but no board is that node yet",
                f"`hedgerow provision {spec.name} -p PORT`",
                days=None,
            )
            found += findings.found
    return found


def _shown(value: object) -> str:
    if isinstance(value, (bytes, bytearray)):
        return bytes(value).hex()
    return "not set" if value is None else str(value)


def _span(seconds: int) -> str:
    for size_s, name in ((DAY_S, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size_s:
            return f"{seconds // size_s} {name}"
    return f"{seconds} seconds"
