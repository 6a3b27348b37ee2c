"""Knows the weather around virtual boards at every moment of virtual time; knows nothing of processes.

Virtual time starts at a moment of the weather file and runs `rate` times as fast as real time. When the file is
over it begins again.
"""

import csv
import gzip
import hashlib
import io
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hedgerow.errors import UsageError
from hedgerow.virtual import energy

DEFAULT_FILE = Path(__file__).parent / "weather" / "greensboro_may_10_to_14.csv"
YEAR = 2026  # a typical year is put together of several; virtual time needs one
_HOUR_S = 3600
_STEP_S = 600.0
_LONGEST_CATCH_UP_S = 40 * 86400.0


@dataclass(frozen=True)
class Air:
    """The weather at one moment."""

    light_w_m2: float
    temperature_c: float
    humidity_pc: float
    pressure_hpa: float

    def towards(self, other: "Air", share: float) -> "Air":
        return Air(
            self.light_w_m2 + (other.light_w_m2 - self.light_w_m2) * share,
            self.temperature_c + (other.temperature_c - self.temperature_c) * share,
            self.humidity_pc + (other.humidity_pc - self.humidity_pc) * share,
            self.pressure_hpa + (other.pressure_hpa - self.pressure_hpa) * share,
        )


@dataclass(frozen=True)
class Weather:
    """One value an hour from `start_s` (Unix time) on."""

    start_s: float
    hours: tuple[Air, ...]

    def at(self, time_s: float) -> Air:
        """Interpolated between the hours; after the last one comes the first again."""
        position = (time_s - self.start_s) / _HOUR_S % len(self.hours)
        index = int(position)
        return self.hours[index % len(self.hours)].towards(self.hours[(index + 1) % len(self.hours)], position - index)


def read_weather(path: Path = DEFAULT_FILE) -> Weather:
    """Read a TMY3 file, plain or gzipped. Raises UsageError that says what is wrong with it."""
    try:
        raw = path.read_bytes()
        text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode("utf-8")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read the weather file {path}: {error}") from None
    try:
        return parse_weather(text)
    except (KeyError, ValueError, IndexError, StopIteration) as error:
        raise UsageError(f"{path} is no TMY3 weather file: {error!r}") from None


def parse_weather(text: str) -> Weather:
    lines = io.StringIO(text)
    zone_hours = float(next(csv.reader([next(lines)]))[3])
    rows = list(csv.DictReader(lines))
    month, day, _ = (int(part) for part in rows[0]["Date (MM/DD/YYYY)"].split("/"))
    hour = int(rows[0]["Time (HH:MM)"].split(":")[0])
    local = datetime(YEAR, month, day, tzinfo=UTC) + timedelta(hours=hour)
    return Weather(
        (local - timedelta(hours=zone_hours)).timestamp(),
        tuple(
            Air(
                float(row["GHI (W/m^2)"]),
                float(row["Dry-bulb (C)"]),
                float(row["RHum (%)"]),
                float(row["Pressure (mbar)"]),
            )
            for row in rows
        ),
    )


class VirtualClock:
    """Virtual time: `start_s` at this object's creation, then `rate` times as fast as `monotonic`."""

    def __init__(self, start_s: float, rate: float = 1.0, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.rate = rate
        self._start_s = start_s
        self._monotonic = monotonic
        self._started = monotonic()

    def now_s(self) -> float:
        return self._start_s + (self._monotonic() - self._started) * self.rate


class Surroundings:
    """What one node has around it: the weather, a little different in every garden, and its own panel and battery."""

    def __init__(
        self, name: str, weather: Weather, clock: VirtualClock, plant: energy.Plant, charge_mwh: float | None = None
    ) -> None:
        self.plant = plant
        self.charge_mwh = plant.battery_mwh * 0.6 if charge_mwh is None else charge_mwh
        self._weather = weather
        self._clock = clock
        self._at_s = clock.now_s()
        self._warmer_c, self._damper_pc, self._shade = _site(name)

    def now(self) -> dict[str, float]:
        """The world by the names of `runtime/_facts.py`."""
        now_s = self._clock.now_s()
        self._catch_up(now_s)
        air = self._weather.at(now_s)
        light = air.light_w_m2 * self._shade
        panel_mv, panel_ma = energy.panel_reading(
            light, self.plant.panel_peak_w, self.charge_mwh >= self.plant.battery_mwh * 0.999
        )
        return {
            "temperature_c": round(air.temperature_c + self._warmer_c, 2),
            "humidity_pc": round(min(100.0, max(0.0, air.humidity_pc + self._damper_pc)), 2),
            "pressure_hpa": round(air.pressure_hpa, 2),
            "panel_mv": panel_mv,
            "panel_ma": round(panel_ma, 2),
            "battery_mv": energy.battery_mv(self.charge_mwh, self.plant.battery_mwh),
        }

    def _catch_up(self, now_s: float) -> None:
        self._at_s = max(self._at_s, now_s - _LONGEST_CATCH_UP_S)
        while self._at_s < now_s:
            step_s = min(_STEP_S, now_s - self._at_s)
            light = self._weather.at(self._at_s + step_s / 2).light_w_m2 * self._shade
            self.charge_mwh = energy.step(self.charge_mwh, self.plant, light, step_s / _HOUR_S).charge_mwh
            self._at_s += step_s


def _site(name: str) -> tuple[float, float, float]:
    """Degrees warmer, percent damper and share of the light at this node, always the same for the same name."""
    a, b, c, *_ = hashlib.sha256(name.encode()).digest()
    return (a / 255 - 0.5) * 1.6, (b / 255 - 0.5) * 6, 0.7 + 0.3 * c / 255


def plant_of(board: object) -> energy.Plant:
    """A panel and battery for this board; what it draws is its board.toml's current when awake, if it says so."""
    states = getattr(board, "energy", {}) or {}
    awake = states.get("awake")
    if awake is None:
        return energy.Plant()
    return energy.Plant(load_mw=awake.current_ua / 1000 * getattr(board, "supply_mv", 3300) / 1000)
