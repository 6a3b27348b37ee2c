"""The reference build: the figures of its README follow from its budget, and its picture shows the real pins."""

import re
import tomllib
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from hedgerow.fleet import boards

FOLDER = Path(__file__).parents[3] / "boards" / "reference_build"
BUDGET = tomllib.loads((FOLDER / "budget.toml").read_text(encoding="utf-8"))
README = (FOLDER / "README.md").read_text(encoding="utf-8")


def battery_ma(mode: dict) -> float:
    """The average current that a way of running draws from the battery."""
    energy, radio, supply = boards.load("ESP32_GENERIC_S3").energy, BUDGET["radio"], BUDGET["supply"]
    awake = mode["awake_share"] * energy["awake"].current_ua / 1000
    asleep = (1 - mode["awake_share"]) * energy[mode["between"]].current_ua / 1000
    sending = mode["frames_per_hour"] * radio["frame_s"] / 3600 * radio["send_ma"]
    rail = awake + asleep + mode["listen_share"] * radio["receive_ma"] + sending + BUDGET["quiet"]["ma"]
    return rail * supply["rail_mv"] / supply["battery_mv"] / supply["converter_efficiency"]


def sun_mah(hours: float) -> float:
    return BUDGET["supply"]["panel_ma"] * BUDGET["supply"]["panel_losses"] * hours


def told(mode: str) -> list[float]:
    """The numbers of that row in the README: mA, mAh a day, days without sun."""
    (row,) = re.findall(rf"^\| {mode} \|.*\|$", README, re.MULTILINE)
    return [float(cell) for cell in re.findall(r"\| ([\d.]+) (?=\|)", row)]


@pytest.mark.parametrize("mode", BUDGET["modes"])
def test_the_table_says_what_follows_from_the_budget(mode):
    supply = BUDGET["supply"]
    current_ma = battery_ma(BUDGET["modes"][mode])
    usable_mah = supply["battery_mah"] * supply["battery_usable"]
    assert told(mode) == pytest.approx([current_ma, current_ma * 24, usable_mah / current_ma / 24], rel=0.02)
    carried = "yes" if current_ma * 24 <= sun_mah(supply["winter_sun_hours"]) else "no"
    (row,) = re.findall(rf"^\| {mode} \|.*\|$", README, re.MULTILINE)
    assert row.endswith(f"| {carried} |")


def test_the_yield_of_the_panel_is_the_one_told():
    supply = BUDGET["supply"]
    assert f"{sun_mah(supply['winter_sun_hours']):.0f} mAh on a winter day" in README
    assert f"{sun_mah(supply['summer_sun_hours']):,.0f} mAh on a summer day" in README


def test_sleep_is_what_carries_the_node_through_winter():
    winter_mah = sun_mah(BUDGET["supply"]["winter_sun_hours"])
    assert battery_ma(BUDGET["modes"]["awake"]) * 24 > winter_mah
    assert battery_ma(BUDGET["modes"]["dozing"]) * 24 < winter_mah / 5


def test_the_picture_is_an_svg_that_shows_the_pins_of_the_board():
    shown = {text.text for text in ET.parse(FOLDER / "wiring.svg").iter("{http://www.w3.org/2000/svg}text")}
    pins = (boards.load("ESP32_GENERIC_S3").folder / "board.py").read_text(encoding="utf-8")
    for name in ("BATTERY_ADC_PIN = 4", "(0, 9, 8,"):
        assert name in pins
    assert {"4", "9", "8"} <= shown
    for signal, pin in re.findall(r"^\| (SCK|MOSI|MISO|NSS|RESET|BUSY|DIO1) \| (\d+) \|", README, re.MULTILINE):
        assert {signal, pin} <= shown
