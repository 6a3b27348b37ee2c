"""Knows what the slots of a node should hold: the release that it runs, or the firmware that a cable brought.

A node that was updated is right where it runs what its release says, in whichever slot; what this laptop carries as
firmware is then no measure. The other slot is where it goes back to during a trial, and a store of files for the next
update else: what is there boots only in the first case.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from hedgerow.plans.findings import Findings, NodeReport, Severity
from hedgerow.plans.firmware import AS_SOURCE, SLOT, FirmwareSet
from hedgerow.plans.look import RECORDS

SLOTS = ("/a", "/b")
_DIGEST_START_BYTES = 8  # what a node remembers of the release that it runs
_STALE_DAYS = 90


@dataclass(frozen=True)
class KnownRelease:
    """A release that lies in the fleet's folder. `is_signed`: by as many stewards as the charter asks for."""

    sequence: int
    version: str
    digest: bytes
    boards: tuple[str, ...]
    sha256: Mapping[str, bytes]  # by path below the slot
    is_signed: bool

    @cached_property
    def in_slots(self) -> Mapping[str, Mapping[str, bytes]]:
        """Slot -> whole path -> hash."""
        return {slot: {f"{slot}/{path}": digest for path, digest in self.sha256.items()} for slot in SLOTS}


def judge(
    findings: Findings, report: NodeReport, firmware: FirmwareSet | None, known: Sequence[KnownRelease] = ()
) -> None:
    """What is wrong with the slot that runs, with the other one, and with what starts them."""
    ours = [one for one in known if report.board in one.boards]
    slots = report.slots or {}
    sequence = slots.get("sequence", 0)
    if report.slots is None and any(path in report.sha256 for path in RECORDS):
        what = "it was updated once, and did not say which slot runs: its program cannot be judged"
        findings.add("slot not told", Severity.NOTE, what, "It was short of memory: audit it again", days=None)
        return
    if sequence:
        _of_a_release(findings, report, firmware, ours)
    else:
        _of_a_cable(findings, report, firmware)
    _stale(findings, report, ours, sequence)
    if slots.get("tries") is not None:
        findings.add(
            "on trial",
            Severity.NOTE,
            f"release {sequence} is on trial: {slots['tries']} starts are left to it",
            f"It stands by itself within a minute of running; else `hedgerow update {findings.node} -p PORT`",
            days=None,
        )
    _fallback(findings, report, firmware, ours)


def _of_a_cable(findings: Findings, report: NodeReport, firmware: FirmwareSet | None) -> None:
    if firmware is None:
        return
    again = f"Provision it again: `hedgerow provision {findings.node} -p PORT`"
    differ, missing, extra = compare(firmware.sha256, report.sha256, SLOT)
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
    _name(findings, (differ, missing, extra), f"version {firmware.version}", again)


def _of_a_release(
    findings: Findings, report: NodeReport, firmware: FirmwareSet | None, ours: Sequence[KnownRelease]
) -> None:
    assert report.slots is not None  # it has named a release
    sequence, running = report.slots["sequence"], report.slots["running"]
    release = _found(ours, sequence, report.slots["digest"])
    if release is None:
        twin = any(one.sequence == sequence for one in ours)
        findings.add(
            "wrong firmware" if twin else "unknown release",
            Severity.ERROR if twin else Severity.WARNING,
            f"runs release {sequence}, and the release {sequence} of this laptop is another one"
            if twin
            else f"runs release {sequence}, which this laptop does not have: its files cannot be judged",
            "Find out who signed two releases of one number; a steward builds the next one"
            if twin
            else "Copy that release's folder into releases/ of your fleet's folder, then audit again",
            days=0 if twin else 30,
        )
        return
    mend = f"A newer release mends it, or provision it again: `hedgerow provision {findings.node} -p PORT`"
    _name(findings, compare(release.in_slots[running], report.sha256, running), f"release {sequence}", mend)
    if firmware is not None:
        starters = {f"/{name}": firmware.sha256[f"/{name}"] for name in AS_SOURCE if f"/{name}" in firmware.sha256}
        differ, missing, _ = compare(starters, report.sha256, SLOT)
        # No release brings them: those of another version may be older, and are right.
        _name(findings, (differ if release.version == firmware.version else [], missing, []), release.version, mend)


def _stale(findings: Findings, report: NodeReport, ours: Sequence[KnownRelease], sequence: int) -> None:
    newest = max((one for one in ours if one.is_signed), key=lambda one: one.sequence, default=None)
    if newest is None or newest.sequence <= sequence:
        return
    update = f"`hedgerow update {findings.node} -p PORT`"
    if sequence:
        what = f"runs release {sequence}, and the fleet has release {newest.sequence}"
        findings.add("stale", Severity.WARNING, what, update, days=_STALE_DAYS)
    elif any(compare(newest.in_slots[SLOT], report.sha256, SLOT)[:2]):
        # Which of the two is newer nobody can tell: what a cable brought has no number.
        what = f"runs what a cable brought, and the fleet has release {newest.sequence}"
        findings.add("stale", Severity.NOTE, what, update, days=None)


def _fallback(
    findings: Findings, report: NodeReport, firmware: FirmwareSet | None, ours: Sequence[KnownRelease]
) -> None:
    """The slot that does not run. One finding at most: it may be half of an update that goes on tomorrow."""
    slots = report.slots
    if slots is None or "other_sequence" not in slots:  # a node of an earlier release tells of the running one only
        return
    other = SLOTS[1 - SLOTS.index(slots["running"])]
    there = sum(1 for path in report.sha256 if path.startswith(f"{other}/"))
    if slots["other_sequence"]:
        release = _found(ours, slots["other_sequence"], slots["other_digest"])
        wanted = None if release is None else release.in_slots[other]
        name = f"release {slots['other_sequence']}"
    else:
        wanted = None if firmware is None or other != SLOT else firmware.sha256
        name = "what a cable brought"
    boots_next = slots["stands"] == other
    if wanted is None and not (boots_next and not there):
        return
    if boots_next:
        count = there and sum(map(len, compare(wanted or {}, report.sha256, other)))
        if there and not count:
            return
        findings.add(
            "fallback",
            Severity.WARNING,
            f"{name} in {other}, to which it goes back if the trial fails, is "
            + (f"not as it was: {count} files differ" if there else "not there"),
            f"Wait for the trial to end; if the node falls silent, `hedgerow provision {findings.node} -p PORT`",
            path=other,
            days=1,
        )
        return
    differ, missing, extra = compare(wanted or {}, report.sha256, other)
    if there and (differ or missing or extra):
        findings.add(
            "fallback",
            Severity.NOTE,
            f"{other}, which does not run, is no longer {name}: {len(differ + missing + extra)} files differ",
            "Nothing boots from there; the next `hedgerow update` makes it anew",
            path=other,
            days=None,
        )


def _found(ours: Sequence[KnownRelease], sequence: int, digest: bytes) -> KnownRelease | None:
    start = bytes(digest)
    return next((one for one in ours if one.sequence == sequence and one.digest[:_DIGEST_START_BYTES] == start), None)


def compare(wanted: Mapping[str, bytes], there: Mapping[str, bytes], slot: str) -> tuple[list, list, list]:
    """(differ, missing, extra) as sorted paths; extra is what lies in the slot beside what is wanted."""
    differ = sorted(path for path, digest in wanted.items() if path in there and there[path] != digest)
    missing = sorted(path for path in wanted if path not in there)
    extra = sorted(path for path in there if path.startswith(f"{slot}/") and path not in wanted)
    return differ, missing, extra


def _name(findings: Findings, found: tuple[list, list, list], of: str, again: str) -> None:
    differ, missing, extra = found
    for path in missing:
        findings.add("missing", Severity.ERROR, f"{path} is missing", again, path=path)
    for path in differ:
        what = f"{path} is not the file of {of}"
        findings.add("modified", Severity.ERROR, what, f"Find out who changed it. {again}", path=path)
    for path in extra:
        findings.add("extra", Severity.WARNING, f"{path} does not belong to {of}", again, path=path, days=30)
