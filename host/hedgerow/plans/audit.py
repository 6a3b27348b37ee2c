"""Knows how a fleet may differ from what it should be, and how bad each difference is. Looks at nothing itself.

Reports are what nodes say of themselves: a node in an attacker's hands can say anything, and no finding here proves
more than that.
"""

from collections.abc import Iterable, Mapping, Sequence

from hedgerow.fleet import verdict
from hedgerow.fleet.inventory import Inventory, NodeSpec
from hedgerow.fleet.verdict import Finding as LedgerFinding
from hedgerow.plans import audit_slots
from hedgerow.plans.audit_slots import KnownRelease
from hedgerow.plans.findings import DAY_S, Finding, Findings, NodeReport, Rules, Severity
from hedgerow.plans.firmware import FirmwareSet
from hedgerow.plans.provision import changed_fields

NODE_EPOCH_S = 946684800  # 2000-01-01: nodes count from there, as DTN does
CLOCK_IS_SET_FROM_S = 1704067200  # 2024-01-01: a clock before that was never set, which is no fault
EMPTY_BATTERY_MV = 3200
NO_BATTERY_MV = 1000  # below this nothing is connected to the pin
LOW_SPACE_PERCENT = 5
_LOOK_AT_THE_LEDGER = "`hedgerow ledger verify` shows the records; another copy of the fleet's folder may have more"


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


def audit(
    wanted: Inventory,
    seen: Sequence[NodeReport],
    firmware: Mapping[str, FirmwareSet],
    rules: Rules,
    ledgers: Mapping[str, Iterable[LedgerFinding]] | None = None,
    releases: Sequence[KnownRelease] = (),
) -> list[Finding]:
    """Every difference between what the fleet should be and what its nodes reported; worst first within each node.

    `seen` is the newest report of each node, old ones among them; `firmware` is by board id; `ledgers` are what the
    signed chains of nodes and laptops prove, by the name of the writer; `releases` are those of the fleet's folder.
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
            found += _known(spec, report, firmware.get(spec.board.id), rules, releases)
    for spec in wanted.nodes:
        if spec.enrolment is not None and spec.name not in reported:
            found += _never_seen(spec, rules)
    found += _of_the_roster(wanted, rules)
    for name, proved in sorted((ledgers or {}).items()):
        found += _of_a_ledger(name, proved, rules)
    return sorted(found, key=lambda finding: (finding.node, -finding.severity, finding.kind, finding.path or ""))


def _known(
    spec: NodeSpec,
    report: NodeReport,
    firmware: FirmwareSet | None,
    rules: Rules,
    releases: Sequence[KnownRelease],
) -> list[Finding]:
    findings = Findings(rules, spec.name, report.port)
    audit_slots.judge(findings, report, firmware, releases)
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


def _configuration(findings: Findings, spec: NodeSpec, report: NodeReport) -> None:
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


def _energy(findings: Findings, report: NodeReport) -> None:
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


def _stores(findings: Findings, report: NodeReport) -> None:
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


def _clock(findings: Findings, report: NodeReport) -> None:
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
    findings = Findings(rules, report.name, report.port)
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
    findings = Findings(rules, spec.name)
    findings.add(
        "stale",
        Severity.WARNING,
        "enrolled, but no report of it is known here",
        f"Visit it and run `hedgerow audit -p PORT`, or provision it again: `hedgerow provision {spec.name} -p PORT`",
        days=30,
    )
    return findings.found


def _of_a_ledger(name: str, proved: Iterable[LedgerFinding], rules: Rules) -> list[Finding]:
    findings = Findings(rules, name)
    for one in proved:
        severity, next_step = _LEDGER_FINDINGS.get(one.kind, (Severity.WARNING, _LOOK_AT_THE_LEDGER))
        days = {Severity.ERROR: 0, Severity.WARNING: 30, Severity.NOTE: None}[severity]
        findings.add(f"ledger: {one.kind}", severity, one.what, next_step, path="/store/ledger", days=days)
    return findings.found


def _of_the_roster(wanted: Inventory, rules: Rules) -> list[Finding]:
    found: list[Finding] = []
    for conflict in wanted.conflicts:
        findings = Findings(rules, ", ".join(dict.fromkeys(conflict.nodes)))
        findings.add("conflict", Severity.WARNING, str(conflict), "Settle it when you next meet", days=90)
        found += findings.found
    for enrolment in wanted.unproposed:
        findings = Findings(rules, enrolment.name)
        findings.add("not proposed", Severity.NOTE, "enrolled, but not in fleet.toml", "Add it there", days=None)
        found += findings.found
    for spec in wanted.nodes:
        if spec.enrolment is None:
            findings = Findings(rules, spec.name)
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
