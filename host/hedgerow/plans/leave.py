"""Knows what must be right before a person goes away from a node, and says GO or STAY. Judging asks nobody.

Everything is a check with what was seen and what to do; one that fails is a reason to stay.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hedgerow.errors import FleetError
from hedgerow.fleet.folder import FleetFolder
from hedgerow.plans import condition, credentials, reach, report, status
from hedgerow.plans.condition import Seen
from hedgerow.plans.findings import Finding, Severity, is_bad

VISIT = "visit"
READ = "inbox"
PROBE_WITHIN_S = 15.0


@dataclass(frozen=True)
class Check:
    """One thing that was looked at. `next_step` is None where it is good."""

    name: str
    seen: str
    next_step: str | None = None

    @property
    def good(self) -> bool:
        return self.next_step is None

    def as_dict(self) -> dict[str, Any]:
        return {"check": self.name, "good": self.good, "seen": self.seen, "next_step": self.next_step}


@dataclass(frozen=True)
class Leave:
    """The outcome at one node."""

    node: str
    checks: tuple[Check, ...]

    @property
    def go(self) -> bool:
        return all(check.good for check in self.checks)

    def as_dict(self) -> dict[str, Any]:
        return {"node": self.node, "go": self.go, "checks": [check.as_dict() for check in self.checks]}


def judge(seen: Seen, findings: Sequence[Finding], unread: int, *, alone_in_fleet: bool) -> Leave:
    """GO or STAY. `findings`: of the quick audit of this node; `unread`: messages there that this laptop never read."""
    wrong = condition.wrong(seen)
    checks = [
        _of(wrong, "sensors", ("sensor",), _sensors(seen)),
        _radio(seen, wrong, alone_in_fleet=alone_in_fleet),
        _of(wrong, "battery", ("battery",), condition.battery_words(seen.status.get("battery_mv"))),
        _of(wrong, "clock", ("clock",), "right"),
        _of(wrong, "stores", ("space", "damage", "memory"), "whole, with room"),
        _of(wrong, "software", ("trial", "watchdog"), "no release is on trial", notes=True),
        _audit(findings),
        _messages(seen.name, unread),
    ]
    if seen.silent:
        checks.append(Check("answers", f"it did not answer {', '.join(seen.silent)} in time", "Give the command again"))
    return Leave(seen.name, tuple(checks))


async def leave(fleet: FleetFolder, who: str | None, port_names: Sequence[str] | None) -> tuple[Leave, Seen]:
    """Look at everything, note the visit in the registry, and say GO or STAY."""
    keys = credentials.of(fleet)
    async with reach.one_node(who, port_names, credentials=keys) as node:
        seen = await status.look(node)
        if not seen.neighbours and _has_radio(seen):
            seen = await _probed(node, seen)
        node_id = bytes(node.hello["id"])
        known = fleet.registry.latest(READ).get(node_id)
        after = int(known.fields.get("seq") or 0) if known is not None else 0
        unread = len(await node.session.ask("inbox", {"after": after, "layers": True}))
        port = node.port
    audited = await report.run(fleet, [port])
    if port in audited.errors:
        raise audited.errors[port]
    findings = [one for one in audited.findings if one.node == seen.name]
    others = [one for one in fleet.roster.nodes if one.name != seen.name]
    outcome = judge(seen, findings, unread, alone_in_fleet=not others)
    fleet.observe(node_id, VISIT, {"port": port, **outcome.as_dict(), "time_s": seen.now_s}, seen.now_s)
    return outcome, seen


def note_read(fleet: FleetFolder, node_id: bytes, highest: int) -> None:
    """Note that the messages of a node up to that number were shown on this laptop."""
    known = fleet.registry.latest(READ).get(node_id)
    if known is None or int(known.fields.get("seq") or 0) < highest:
        fleet.observe(node_id, READ, {"seq": highest})


async def _probed(node: reach.Reached, seen: Seen) -> Seen:
    """Ask on the air, where its table of neighbours is empty: it may have started just now."""
    try:
        rows = await node.session.ask("probe", {"rounds": 2}, PROBE_WITHIN_S)
    except FleetError:
        return seen  # older firmware, or busy
    heard = [[row[0], 0, row[2], 0] for row in rows]
    return Seen(**{**vars(seen), "neighbours": heard or seen.neighbours})


def _has_radio(seen: Seen) -> bool:
    return seen.config is not None and seen.config.get("radio") not in (None, "none")


def _of(wrong: Sequence[Finding], name: str, kinds: Sequence[str], seen: str, *, notes: bool = False) -> Check:
    least = Severity.NOTE if notes else Severity.WARNING
    for one in wrong:
        if one.kind in kinds and one.severity >= least:
            return Check(name, one.what, one.next_step)
    return Check(name, seen)


def _sensors(seen: Seen) -> str:
    drivers = [str(one["driver"]) for one in (seen.config or {}).get("sensors") or ()]
    return f"{', '.join(drivers)} answered" if drivers else "none are configured"


def _radio(seen: Seen, wrong: Sequence[Finding], *, alone_in_fleet: bool) -> Check:
    if not _has_radio(seen):
        return Check("radio", "this node has none")
    broken = _of(wrong, "radio", ("radio",), "")
    if not broken.good:
        return broken
    if seen.neighbours:
        return Check("radio", f"hears {len(seen.neighbours)} {'node' if len(seen.neighbours) == 1 else 'nodes'}")
    if alone_in_fleet:
        return Check("radio", "sends; there is no other node in this fleet yet")
    return Check("radio", "no other node is in reach", "Turn its antenna, or place it where another one is in reach")


def _audit(findings: Sequence[Finding]) -> Check:
    if not is_bad(findings):
        return Check("audit", "no findings")
    worst = max(findings, key=lambda one: one.severity)
    count = sum(one.severity > Severity.NOTE for one in findings)
    more = f", and {count - 1} more" if count > 1 else ""
    return Check("audit", f"{worst.kind}: {worst.what}{more}", worst.next_step)


def _messages(name: str, unread: int) -> Check:
    if not unread:
        return Check("messages", "none that this laptop has not read")
    is_are = "message waits" if unread == 1 else "messages wait"
    return Check("messages", f"{unread} {is_are} that this laptop has not read", f"`hedgerow inbox {name}` shows them")


def facts(outcome: Leave, seen: Seen) -> Mapping[str, Any]:
    """For programs."""
    return {**outcome.as_dict(), "port": seen.port, "id": bytes(seen.hello["id"]).hex()}
