"""Judges what a new node says of itself: sensors, radio, battery, flash, clock. Numbers in, checks out; asks nobody.

A check that this board cannot be put to is ABSENT, which is no fault. What was measured stands on the card in any case.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hedgerow.fleet.inventory import NodeSpec
from hedgerow.plans.condition import CHANNELS
from hedgerow.station.card import Check, Verdict

_UNITS = {
    "c100": (0.01, "°C", 1),
    "pc100": (0.01, "%", 0),
    "pa": (0.01, "hPa", 0),
    "mv": (0.001, "V", 2),
    "ma10": (0.1, "mA", 1),
}
BATTERY_MV = (2500, 4400)  # of one lithium cell, LiFePO4 to Li-ion, with what a divider of 1 % adds
LEAST_FREE_BYTES = 65_536
DRIFT_PPM = 10_000  # a quartz keeps 100, an RC oscillator that stands in for a broken one does not keep this
WALL_CLOCK_WITHIN_S = 90


@dataclass(frozen=True)
class Ticked:
    """The node's clock beside ours, from a first answer to a last one, and how long the two answers took at most."""

    node_ms: int
    ours_ms: int
    doubt_ms: int


@dataclass(frozen=True)
class Findings:
    """What was asked. `latest`: the channels of the last sample; `kept`: whether a file read back from flash whole."""

    status: Mapping[str, object]
    latest: Mapping[str, int]
    neighbours: Sequence[Sequence[object]]
    kept: bool
    ticked: Ticked
    wall_clock_off_s: int | None


def judge(spec: NodeSpec, found: Findings) -> tuple[Check, ...]:
    """Every part of the self-test, in the order in which people read it."""
    return (
        *_sensors(spec, found),
        _radio(spec, found),
        _battery(found),
        _flash(found),
        _clock(found),
    )


def is_good(checks: Sequence[Check]) -> bool:
    return all(check.verdict is not Verdict.BAD for check in checks)


def _sensors(spec: NodeSpec, found: Findings) -> list[Check]:
    wanted = spec.settings.get("sensors") or ()
    names = [str(one["driver"]) for one in wanted if isinstance(one, Mapping)] if isinstance(wanted, Sequence) else []
    if not names:
        return [Check("sensors", Verdict.ABSENT, "fleet.toml names none for this node")]
    return [_sensor(name, found.latest) for name in names]


def _sensor(name: str, latest: Mapping[str, int]) -> Check:
    channels = CHANNELS.get(name, ())
    said = [_measured(channel, latest[channel]) for channel in channels if channel in latest]
    if channels and len(said) == len(channels):
        return Check(f"sensor {name}", Verdict.GOOD, ", ".join(said))
    return Check(
        f"sensor {name}",
        Verdict.BAD,
        "it does not answer",
        f"Check the four wires of the {name} (power, ground, SDA, SCL) and its address in fleet.toml, or take another"
        " sensor.",
    )


def _measured(channel: str, value: int) -> str:
    """`temperature 20.5 °C`."""
    what, _, unit = channel.rpartition("_")
    factor, name, digits = _UNITS[unit]
    return f"{what} {value * factor:.{digits}f} {name}"


def _radio(spec: NodeSpec, found: Findings) -> Check:
    if spec.settings.get("radio") == "none" or "espnow" not in spec.board.radios:
        return Check("radio", Verdict.ABSENT, "this node has none")
    radio = found.status.get("radio")
    remedy = (
        "Press its reset button and try this place again; if it stays so, the board's radio is broken: set it aside."
    )
    if not isinstance(radio, Mapping):
        return Check("radio", Verdict.BAD, "it did not start", remedy)
    sent, received, lost = (_number(radio.get(name)) for name in ("sent", "received", "lost"))
    if sent == 0 and lost > 0:
        return Check("radio", Verdict.BAD, f"{lost} frames could not be sent", remedy)
    heard = f"hears {len(found.neighbours)} nodes" if found.neighbours else "nobody else in reach"
    return Check("radio", Verdict.GOOD, f"on, {sent} frames sent, {received} received, {heard}")


def _battery(found: Findings) -> Check:
    battery_mv = found.status.get("battery_mv")
    if not isinstance(battery_mv, int):
        return Check("battery", Verdict.ABSENT, "this board does not measure it")
    seen = f"{battery_mv / 1000:.2f} V"
    least, most = BATTERY_MV
    if least <= battery_mv <= most:
        return Check("battery", Verdict.GOOD, seen)
    if battery_mv < least:
        return Check(
            "battery", Verdict.BAD, seen, "Is the battery plugged in, the right way round? Charge it, or take another."
        )
    return Check(
        "battery", Verdict.BAD, seen, "That is more than one cell has: check the two resistors of the divider."
    )


def _flash(found: Findings) -> Check:
    free, damaged = _number(found.status.get("free_bytes")), _number(found.status.get("damaged"))
    seen = f"{free // 1024} KiB free"
    worn = "The flash does not keep what is written: set this board aside."
    if not found.kept:
        return Check("flash", Verdict.BAD, "a file read back otherwise than it was written", worn)
    if damaged:
        return Check("flash", Verdict.BAD, f"{damaged} records are damaged", worn)
    if free < LEAST_FREE_BYTES:
        return Check("flash", Verdict.BAD, seen, "Erase the board with `hedgerow flash --erase`, then try it again.")
    return Check("flash", Verdict.GOOD, seen + ", a file was written and read back")


def _clock(found: Findings) -> Check:
    ticked = found.ticked
    off_ms = ticked.node_ms - ticked.ours_ms
    surely_off_ms = max(0, abs(off_ms) - ticked.doubt_ms)
    broken = "Its quartz is broken or missing: set this board aside."
    if ticked.ours_ms <= 0 or surely_off_ms * 1_000_000 > DRIFT_PPM * ticked.ours_ms:
        return Check("clock", Verdict.BAD, f"{off_ms:+d} ms in {ticked.ours_ms / 1000:.1f} s", broken)
    seen = f"{off_ms:+d} ms in {ticked.ours_ms / 1000:.1f} s, measured to {ticked.doubt_ms} ms"
    wall = found.wall_clock_off_s
    if wall is not None and abs(wall) > WALL_CLOCK_WITHIN_S:
        return Check(
            "clock", Verdict.BAD, f"its calendar is {wall:+d} s off", "It does not take the time: try this place again."
        )
    return Check("clock", Verdict.GOOD, seen)


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0
