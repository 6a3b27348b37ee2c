"""Knows how much a panel gives and what a battery makes of it; pure functions, no clock, no weather file.

Simple on purpose: a panel is its peak power times the light, a battery is a bucket with losses on the way in and a
voltage that follows its charge. Good enough to make a node live through a cloudy day or not.
"""

import math
from dataclasses import dataclass
from itertools import pairwise

_STANDARD_LIGHT_W_M2 = 1000.0
_SYSTEM_YIELD = 0.85  # dust, heat, a panel that does not face the sun
_PANEL_MP_MV = 5500.0  # voltage at the maximum power point in full light, of a panel sold as "6 V"
_PANEL_OPEN_RISE = 1.12
_CHARGE_EFFICIENCY = 0.9
# State of charge (0..1): resting voltage of a lithium-ion cell in mV.
_CELL_MV = ((0.0, 3000), (0.05, 3450), (0.1, 3570), (0.2, 3680), (0.4, 3760), (0.6, 3880), (0.8, 4030), (1.0, 4180))


@dataclass(frozen=True)
class Plant:
    """What a node lives from: its panel and its battery; and what it draws, at the battery."""

    panel_peak_w: float = 2.0
    battery_mwh: float = 11_100.0
    load_mw: float = 132.0


@dataclass(frozen=True)
class Flow:
    """Where energy went in one step, in mWh: `offered` = `stored` + `lost` + `used_at_once` + `refused`."""

    charge_mwh: float
    offered_mwh: float
    used_at_once_mwh: float
    stored_mwh: float
    lost_mwh: float
    refused_mwh: float
    drawn_mwh: float
    missing_mwh: float


def panel_mw(light_w_m2: float, peak_w: float) -> float:
    """Electrical power that the panel can give."""
    return max(0.0, light_w_m2) / _STANDARD_LIGHT_W_M2 * peak_w * 1000 * _SYSTEM_YIELD


def panel_reading(light_w_m2: float, peak_w: float, battery_full: bool) -> tuple[int, float]:
    """(mV, mA) between panel and charger. A full battery takes nothing, and the panel's voltage rises."""
    power_mw = panel_mw(light_w_m2, peak_w)
    if power_mw <= 0:
        return 0, 0.0
    voltage_mv = max(1000.0, _PANEL_MP_MV * (1 + 0.05 * math.log(light_w_m2 / _STANDARD_LIGHT_W_M2)))
    if battery_full:
        return round(voltage_mv * _PANEL_OPEN_RISE), 0.0
    return round(voltage_mv), power_mw * 1000 / voltage_mv


def battery_mv(charge_mwh: float, capacity_mwh: float) -> int:
    """Resting voltage of the cell, 3000 to 4180 mV."""
    state = min(1.0, max(0.0, charge_mwh / capacity_mwh))
    for (low, low_mv), (high, high_mv) in pairwise(_CELL_MV):
        if state <= high:
            return round(low_mv + (high_mv - low_mv) * (state - low) / (high - low))
    return _CELL_MV[-1][1]


def step(charge_mwh: float, plant: Plant, light_w_m2: float, hours: float) -> Flow:
    """The battery after `hours` of this light. The load takes from the panel first, then from the battery."""
    offered = panel_mw(light_w_m2, plant.panel_peak_w) * hours
    wanted = plant.load_mw * hours
    used_at_once = min(offered, wanted)
    left = offered - used_at_once
    accepted = min(left, (plant.battery_mwh - charge_mwh) / _CHARGE_EFFICIENCY)
    stored = accepted * _CHARGE_EFFICIENCY
    drawn = min(wanted - used_at_once, charge_mwh)
    return Flow(
        charge_mwh=min(plant.battery_mwh, max(0.0, charge_mwh + stored - drawn)),
        offered_mwh=offered,
        used_at_once_mwh=used_at_once,
        stored_mwh=stored,
        lost_mwh=accepted - stored,
        refused_mwh=left - accepted,
        drawn_mwh=drawn,
        missing_mwh=wanted - used_at_once - drawn,
    )
