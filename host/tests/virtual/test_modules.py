"""The modules of a virtual board answer as those of the board it stands for."""

import asyncio
import json
from pathlib import Path

import pytest

WORLD = {
    "temperature_c": 21.37,
    "humidity_pc": 48.2,
    "pressure_hpa": 1003.25,
    "panel_mv": 5480,
    "panel_ma": 182.4,
    "battery_mv": 3912,
}


async def _value(client, expression, before=""):
    """An expression's value on the board, through JSON."""
    out, error = await client.execute(f"{before}\nimport json\nprint(json.dumps({expression}))")
    assert error == ""
    return json.loads(out)


@pytest.mark.parametrize("kind", ["ESP32_GENERIC_S3", "ESP32_GENERIC", "RPI_PICO", "RPI_PICO_W"])
def test_a_board_says_its_own_name(bench, kind):
    async def story(bench):
        board = await bench.board(kind)
        client = await bench.at_raw_prompt(board)
        names = "[sys.platform, os.uname().machine, sys.implementation._machine, os.uname().sysname]"
        facts = board.board
        assert await _value(client, names, "import sys, os") == [
            facts.platform,
            facts.machine,
            facts.machine,
            facts.platform,
        ]

    bench.run(story)


@pytest.mark.parametrize(
    ("kind", "there", "missing"),
    [
        ("ESP32_GENERIC_S3", ["network", "espnow", "aioespnow", "esp32"], ["rp2", "bluetooth"]),
        ("RPI_PICO", ["rp2"], ["network", "espnow", "esp32", "bluetooth"]),
        ("RPI_PICO_W", ["rp2", "network"], ["espnow", "esp32", "bluetooth"]),
    ],
)
def test_a_board_has_the_modules_of_its_kind_and_no_others(bench, kind, there, missing):
    async def story(bench):
        client = await bench.at_raw_prompt(await bench.board(kind))
        for name in there:
            assert await client.execute(f"import {name}") == ("", "")
        for name in missing:
            assert f"ImportError: no module named '{name}'" in (await client.execute(f"import {name}"))[1]

    bench.run(story)


def test_the_computer_is_out_of_sight(bench):
    async def story(bench):
        client = await bench.at_raw_prompt(await bench.board())
        hidden = "[hasattr(os, 'system'), hasattr(vfs, 'VfsPosix'), dir(ffi) == dir(termios), os.listdir('/')]"
        assert await _value(client, hidden, "import os, vfs, ffi, termios") == [False, False, True, []]

    bench.run(story)


def test_the_heap_is_the_boards_twice(bench):
    async def story(bench):
        board = await bench.board("RPI_PICO_W")
        client = await bench.at_raw_prompt(board)
        free = await _value(client, "gc.mem_free()", "import gc\ngc.collect()")
        assert 0.95 <= free / (2 * board.board.heap_bytes) <= 1.05
        assert "MemoryError" in (await client.execute(f"bytearray({2 * board.board.heap_bytes})"))[1]

    bench.run(story)


def test_sht31_measures_single_shots_with_checksums(bench):
    shot = """
from machine import I2C, Pin
import time
i2c = I2C(0, scl=Pin(9), sda=Pin(8), freq=100000)
i2c.writeto(0x44, b"\\x24\\x00")
try:
    i2c.readfrom(0x44, 6)
    early = 0
except OSError as error:
    early = error.errno
time.sleep_ms(16)
data = i2c.readfrom(0x44, 6)
"""

    async def story(bench):
        client = await bench.at_raw_prompt(await bench.board(world=lambda: WORLD))
        scan, early, data = await _value(client, "[i2c.scan(), early, list(data)]", shot)
        assert scan == [0x40, 0x44, 0x5D]
        assert early == 19
        temperature = -45 + 175 * (data[0] << 8 | data[1]) / 65535
        humidity = 100 * (data[3] << 8 | data[4]) / 65535
        assert abs(temperature - WORLD["temperature_c"]) < 0.01
        assert abs(humidity - WORLD["humidity_pc"]) < 0.01
        assert data[2] == _crc8(data[:2])
        assert data[5] == _crc8(data[3:5])

    bench.run(story)


def _crc8(data):
    """Bit by bit as in the data sheet; CRC of 0xBEEF is 0x92 there."""
    crc = 0xFF
    for byte in data:
        for bit in range(8):
            mixed = (crc >> 7) ^ (byte >> (7 - bit) & 1)
            crc = (crc << 1 & 0xFF) ^ (0x31 if mixed else 0)
    return crc


def test_the_checksum_is_the_data_sheets():
    assert _crc8(b"\xbe\xef") == 0x92


def test_lps22hb_measures_once_when_told(bench):
    shot = """
from machine import I2C
import time
i2c = I2C(0)
who = i2c.readfrom_mem(0x5D, 0x0F, 1)[0]
i2c.writeto_mem(0x5D, 0x11, b"\\x11")
busy = i2c.readfrom_mem(0x5D, 0x11, 1)[0] & 1
time.sleep_ms(20)
status = i2c.readfrom_mem(0x5D, 0x27, 1)[0]
raw = int.from_bytes(i2c.readfrom_mem(0x5D, 0x28, 3), "little")
done = i2c.readfrom_mem(0x5D, 0x11, 1)[0] & 1
"""

    async def story(bench):
        client = await bench.at_raw_prompt(await bench.board(world=lambda: WORLD))
        who, busy, status, raw, done = await _value(client, "[who, busy, status, raw, done]", shot)
        assert (who, busy, status & 1, done) == (0xB1, 1, 1, 0)
        assert abs(raw / 4096 - WORLD["pressure_hpa"]) < 0.001

    bench.run(story)


def test_ina219_measures_the_panel(bench):
    async def story(bench):
        client = await bench.at_raw_prompt(await bench.board(world=lambda: WORLD))
        words = "[int.from_bytes(i2c.readfrom_mem(0x40, r, 2), 'big') for r in (0, 1, 2)]"
        configuration, shunt, bus = await _value(client, words, "from machine import I2C\ni2c = I2C(0)")
        assert configuration == 0x399F
        assert shunt * 10e-6 / 0.1 * 1000 == pytest.approx(WORLD["panel_ma"], abs=0.1)
        assert (bus >> 3) * 4 == WORLD["panel_mv"]

    bench.run(story)


def test_nobody_answers_at_another_address(bench):
    async def story(bench):
        for kind, errno in (("ESP32_GENERIC_S3", 19), ("RPI_PICO", 5)):
            client = await bench.at_raw_prompt(await bench.board(kind, kind))
            _, error = await client.execute("from machine import I2C\nI2C(0).writeto(0x23, b'x')")
            assert f"OSError: [Errno {errno}]" in error

    bench.run(story)


def test_the_battery_is_behind_the_boards_pin_and_divider(bench):
    async def story(bench):
        board = await bench.board(world=lambda: WORLD)
        client = await bench.at_raw_prompt(board)
        pins = {}
        exec(Path(board.board.board_py).read_text(encoding="utf-8"), pins)  # noqa: S102, ASYNC240 - our own constants
        pin, divider = pins["BATTERY_ADC_PIN"], pins["BATTERY_DIVIDER_X1000"]
        microvolts = await _value(client, f"ADC(Pin({pin})).read_uv()", "from machine import ADC, Pin")
        assert microvolts * divider / 1e6 == pytest.approx(WORLD["battery_mv"], abs=2)

    bench.run(story)


def test_the_calendar_runs_at_its_rate_and_ticks_do_not(bench):
    measure = """
import time
t, w = time.ticks_ms(), time.time()
time.sleep_ms(500)
passed = [time.ticks_diff(time.ticks_ms(), t), time.time() - w]
"""

    async def story(bench):
        client = await bench.at_raw_prompt(await bench.board(rate=3600.0))
        ticks, seconds = await _value(client, "passed", measure)
        assert 490 <= ticks <= 900
        assert 0.9 < seconds / (ticks * 3.6) < 1.1
        await client.execute("import machine\nmachine.RTC().datetime((2024, 2, 29, 3, 12, 30, 0, 0))")
        assert (await _value(client, "time.localtime()[0]")) < 2024  # the weather's clock is nobody's to set

    bench.run(story)


def test_a_clock_is_unset_until_it_is_set_or_has_a_battery(bench):
    async def story(bench):
        bare = await bench.at_raw_prompt(await bench.board(name="bare"))
        assert (await _value(bare, "time.localtime()[0]", "import time")) == 2000
        await bare.execute("import machine\nmachine.RTC().datetime((2024, 2, 29, 3, 12, 30, 0, 0))")
        assert (await _value(bare, "time.localtime()[:5]")) == [2024, 2, 29, 12, 30]
        assert (await _value(bare, "time.mktime((2000, 1, 2, 0, 0, 0, 0, 0))")) == 86400
        kept = await bench.at_raw_prompt(await bench.board(name="kept", clock=lambda: 1_700_000_000.0))
        assert (await _value(kept, "time.localtime()[:4]", "import time")) == [2023, 11, 14, 22]

    bench.run(story)


def test_the_lamp_is_seen_from_outside(bench):
    async def story(bench):
        board = await bench.board()
        client = await bench.at_raw_prompt(board)
        await client.execute("from machine import Pin\nlamp = Pin(2, Pin.OUT, value=0)\nlamp.on()")
        await asyncio.sleep(0.05)
        assert board.pins == {"2": 1}
        await client.execute("lamp.toggle()")
        await asyncio.sleep(0.05)
        assert board.pins == {"2": 0}

    bench.run(story)
