"""Knows what is wrong with a node at this moment, by what it says of itself. Numbers in, findings out; asks nobody.

What it should be stands in the fleet's folder, and `audit` compares; here it is only whether the node is well.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hedgenode.rules import power
from hedgerow.plans.audit import EMPTY_BATTERY_MV, LOW_SPACE_PERCENT, NO_BATTERY_MV
from hedgerow.plans.clock import DTN_EPOCH_S, KNOWN_FROM_S
from hedgerow.plans.findings import LOW_BATTERY_MV, Finding, Severity

# Which channels a chip's driver gives (hedgenode/drivers; a test compares).
CHANNELS: Mapping[str, tuple[str, ...]] = {
    "sht31": ("temperature_c100", "humidity_pc100"),
    "lps22hb": ("pressure_pa",),
    "ina219": ("panel_mv", "panel_ma10"),
}
CLOCK_OFF_S = 120
LEAST_HEAP_BYTES = 8192
_HELLOS = 3  # so many of its own greetings later, everybody in reach has greeted too
_CHARGES_FROM_MA10 = 10


@dataclass(frozen=True)
class Seen:
    """What a node said at `now_s` (Unix seconds). None is what it did not say; `silent` names the questions.

    `sample`: its latest row of `samples`; `log`: its latest lines; the others as the methods of that name answer.
    """

    now_s: int
    port: str
    hello: Mapping[str, Any]
    status: Mapping[str, Any]
    config: Mapping[str, Any] | None = None
    neighbours: Sequence[Sequence[Any]] | None = None
    slots: Mapping[str, Any] | None = None
    sample: Sequence[Any] | None = None
    log: Sequence[Sequence[Any]] = ()
    silent: tuple[str, ...] = ()
    clock_was_set: bool = False

    @property
    def name(self) -> str:
        return str(self.hello["name"])

    @property
    def readings(self) -> Mapping[str, int]:
        """The channels of the latest sample."""
        return self.sample[4] if self.sample is not None else {}

    @property
    def clock_off_s(self) -> int | None:
        """How far its clock is ahead of this computer's; None where it was never set."""
        time_s = int(self.status.get("time_s") or 0) + DTN_EPOCH_S
        return None if time_s < KNOWN_FROM_S else time_s - self.now_s


def wrong(seen: Seen) -> list[Finding]:
    """What is wrong with it now, the gravest first; notes are worth knowing and no fault."""
    found = [*_power(seen), *_stores(seen), *_clock(seen), *_sensors(seen), *_radio(seen), *_running(seen)]
    return sorted(found, key=lambda one: -one.severity)


def battery_words(battery_mv: int | None) -> str:
    """The battery as a person calls it, by the rule that the node itself lives by."""
    if battery_mv is None:
        return "the board cannot measure its battery"
    volts = f"battery {battery_mv / 1000:.2f} V"
    if battery_mv < NO_BATTERY_MV:
        return f"{volts}: none connected"
    for least_mv, word in (
        (power.FULL_MV, "full"),
        (power.SAVE_MV, "good"),
        (power.LOW_MV, "low, it measures half as often"),
        (power.SURVIVE_MV, "very low, it carries nothing for others"),
    ):
        if battery_mv >= least_mv:
            return f"{volts}: {word}"
    return f"{volts}: nearly empty, it only keeps itself alive"


def panel_words(status: Mapping[str, Any]) -> str:
    """What the panel does, as far as a sensor tells."""
    panel_mv, panel_ma10 = status.get("panel_mv"), status.get("panel_ma10")
    if panel_mv is None or panel_ma10 is None:
        return "no sensor tells of a panel"
    does = "charging" if panel_ma10 >= _CHARGES_FROM_MA10 else "no sun on it, or no panel"
    return f"panel {panel_mv / 1000:.2f} V, {panel_ma10 / 10:.1f} mA: {does}"


def _finding(seen: Seen, kind: str, severity: Severity, what: str, next_step: str) -> Finding:
    return Finding(seen.name, kind, severity, what, next_step, "", port=seen.port)


def _power(seen: Seen) -> list[Finding]:
    battery_mv = seen.status.get("battery_mv")
    if battery_mv is None or not NO_BATTERY_MV <= battery_mv < LOW_BATTERY_MV:
        return []
    severity = Severity.ERROR if battery_mv < EMPTY_BATTERY_MV else Severity.WARNING
    what = f"the battery has only {battery_mv / 1000:.2f} V"
    return [_finding(seen, "battery", severity, what, "Clean the panel, look at its cable, or charge the battery")]


def _stores(seen: Seen) -> list[Finding]:
    found = []
    free, total = seen.status.get("free_bytes"), seen.status.get("total_bytes")
    if free is not None and total and free * 100 < total * LOW_SPACE_PERCENT:
        what = f"its flash is nearly full, {free // 1024} kB are free"
        found.append(_finding(seen, "space", Severity.WARNING, what, "Fetch its samples: `hedgerow samples --all`"))
    if damaged := seen.status.get("damaged"):
        what = f"{damaged} records in its stores are damaged"
        next_step = "Fetch its samples and messages now; if the number grows, replace the board"
        found.append(_finding(seen, "damage", Severity.ERROR, what, next_step))
    heap_free = seen.status.get("heap_free")
    if heap_free is not None and heap_free < LEAST_HEAP_BYTES:
        what = f"only {heap_free / 1024:.1f} kB of its memory are free"
        found.append(_finding(seen, "memory", Severity.WARNING, what, "Restart it, and tell us if it comes back"))
    return found


def _clock(seen: Seen) -> list[Finding]:
    off_s = seen.clock_off_s
    if off_s is not None and abs(off_s) <= CLOCK_OFF_S:
        return []
    what = (
        "its clock is not set" if off_s is None else f"its clock is {abs(off_s)} s {'ahead' if off_s > 0 else 'behind'}"
    )
    next_step = "Look at this computer's clock, then give any command that talks to the node: that sets it"
    return [_finding(seen, "clock", Severity.WARNING, what, next_step)]


def _sensors(seen: Seen) -> list[Finding]:
    if seen.config is None or seen.sample is None:
        return []
    found = []
    for sensor in seen.config.get("sensors") or ():
        driver = str(sensor.get("driver"))
        if any(channel not in seen.readings for channel in CHANNELS.get(driver, ())):
            what = f"its sensor {driver} does not answer"
            found.append(
                _finding(seen, "sensor", Severity.WARNING, what, "Check its four wires and its address in fleet.toml")
            )
    return found


def _radio(seen: Seen) -> list[Finding]:
    if seen.config is None or seen.config.get("radio") in (None, "none"):
        return []
    radio = seen.status.get("radio")
    if not isinstance(radio, Mapping):
        return [_finding(seen, "radio", Severity.ERROR, "its radio did not start", "Restart it; then set it aside")]
    if not radio["sent"] and radio["lost"]:
        what = f"its radio sends nothing, {radio['lost']} frames are lost"
        return [_finding(seen, "radio", Severity.ERROR, what, "Restart it; then set it aside")]
    long_enough = seen.hello["uptime_ms"] >= _HELLOS * seen.config["hello_ms"]
    if seen.neighbours == [] and long_enough:
        what = "it hears no other node"
        return [_finding(seen, "alone", Severity.NOTE, what, "Turn its antenna, or place it where another is in reach")]
    return []


def _running(seen: Seen) -> list[Finding]:
    found = []
    if seen.status.get("reset_cause") == "watchdog":
        what = "it hung, and its watchdog restarted it"
        found.append(
            _finding(seen, "watchdog", Severity.WARNING, what, "`hedgerow logs` and `hedgerow ledger` tell more")
        )
    if seen.slots is not None and seen.slots.get("tries") is not None:
        what = f"release {seen.slots['sequence']} is on trial"
        found.append(
            _finding(
                seen, "trial", Severity.NOTE, what, "It stands by itself after 30 s; `hedgerow update` confirms it"
            )
        )
    errors = [line for line in seen.log if line[2] == "error"]
    if errors:
        found.append(
            _finding(seen, "log", Severity.NOTE, f"its log has an error: {errors[-1][3]}", "`hedgerow logs` has all")
        )
    return found
