"""Weather, panel and battery: energy is neither made nor lost, and the numbers stay within what hardware does."""

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedgerow.errors import UsageError
from hedgerow.virtual import energy, world

_plants = st.builds(
    energy.Plant,
    panel_peak_w=st.floats(0, 50),
    battery_mwh=st.floats(100, 100_000),
    load_mw=st.floats(0, 5000),
)


@given(_plants, st.floats(0, 1), st.floats(0, 1400), st.floats(0, 24))
def test_every_milliwatt_hour_is_accounted_for(plant, state, light, hours):
    before = plant.battery_mwh * state
    flow = energy.step(before, plant, light, hours)
    used = flow.used_at_once_mwh + flow.stored_mwh + flow.lost_mwh + flow.refused_mwh
    assert used == pytest.approx(flow.offered_mwh, abs=1e-6)
    assert flow.charge_mwh == pytest.approx(before + flow.stored_mwh - flow.drawn_mwh, abs=1e-6)
    assert flow.used_at_once_mwh + flow.drawn_mwh + flow.missing_mwh == pytest.approx(plant.load_mw * hours, abs=1e-6)
    assert 0 <= flow.charge_mwh <= plant.battery_mwh
    assert min(flow.stored_mwh, flow.lost_mwh, flow.refused_mwh, flow.drawn_mwh, flow.missing_mwh) >= -1e-6


@given(st.floats(0, 20_000), st.floats(0, 20_000))
def test_a_fuller_battery_never_shows_less_voltage(a, b):
    low, high = sorted((a, b))
    assert 3000 <= energy.battery_mv(low, 11_100) <= energy.battery_mv(high, 11_100) <= 4180


@given(st.floats(0, 1400), st.floats(0.1, 20), st.booleans())
def test_the_panel_reads_as_its_power_says(light, peak_w, full):
    millivolts, milliamperes = energy.panel_reading(light, peak_w, full)
    assert 0 <= millivolts <= 7000
    power = 0 if full else energy.panel_mw(light, peak_w)
    assert millivolts * milliamperes / 1000 == pytest.approx(power, rel=0.01, abs=0.01)


def test_the_embedded_weather_is_five_days_of_which_one_is_dull():
    weather = world.read_weather()
    assert len(weather.hours) == 120
    days = [sum(hour.light_w_m2 for hour in weather.hours[day * 24 : day * 24 + 24]) for day in range(5)]
    assert max(days) > 7000
    assert min(days) < 3000
    assert all(-20 < hour.temperature_c < 45 and 900 < hour.pressure_hpa < 1050 for hour in weather.hours)


def test_weather_is_interpolated_and_begins_again():
    weather = world.read_weather()
    first, second = weather.hours[10], weather.hours[11]
    between = weather.at(weather.start_s + 10.25 * 3600)
    assert between.light_w_m2 == pytest.approx(first.light_w_m2 * 0.75 + second.light_w_m2 * 0.25)
    assert weather.at(weather.start_s + 3600 * 120 * 3) == weather.hours[0]


def test_noon_is_bright_in_local_time():
    """13:00 at Greensboro is 18:00 UTC."""
    weather = world.read_weather()
    assert weather.at(weather.start_s + 12 * 3600).light_w_m2 > 900
    assert weather.start_s % 86400 == 6 * 3600


def test_a_gzipped_file_is_read_and_another_file_is_refused(tmp_path):
    packed = tmp_path / "year.csv.gz"
    packed.write_bytes(gzip.compress(world.DEFAULT_FILE.read_bytes()))
    assert world.read_weather(packed) == world.read_weather()
    other = tmp_path / "other.csv"
    other.write_text("a,b\n1,2\n")
    with pytest.raises(UsageError, match="TMY3"):
        world.read_weather(other)
    with pytest.raises(UsageError, match="cannot read"):
        world.read_weather(tmp_path / "missing.csv")


def test_a_node_charges_by_day_and_drains_by_night():
    weather = world.read_weather()
    now = [0.0]
    clock = world.VirtualClock(weather.start_s, rate=3600.0, monotonic=lambda: now[0])
    place = world.Surroundings("node-1", weather, clock, energy.Plant())
    readings = []
    for hour in range(24):
        now[0] = float(hour)
        readings.append((place.now(), place.charge_mwh))
    charges = [charge for _, charge in readings]
    assert charges[4] < charges[0]
    assert charges[16] > charges[6]
    assert readings[2][0]["panel_ma"] == 0
    assert readings[12][0]["panel_mv"] > 4000


def test_the_same_node_sees_the_same_and_another_one_something_else():
    weather = world.read_weather()

    def now(name):
        clock = world.VirtualClock(weather.start_s + 40_000, monotonic=lambda: 0.0)
        return world.Surroundings(name, weather, clock, energy.Plant()).now()

    assert now("node-1") == now("node-1")
    assert now("node-1")["temperature_c"] != now("node-2")["temperature_c"]
