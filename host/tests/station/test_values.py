"""What the station knows beside the boards: places, plugs, records, and what a self-test means."""

import asyncio
import csv
import json
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedgerow import resources
from hedgerow.errors import UsageError
from hedgerow.fleet import boards
from hedgerow.fleet.inventory import NodeSpec
from hedgerow.station import self_test, slots
from hedgerow.station.bench import WATCH_EVERY_S, Station
from hedgerow.station.card import Card, Phase, Verdict
from hedgerow.station.records import LINES, TABLE, Record, Records
from hedgerow.station.self_test import Findings, Ticked
from hedgerow.station.watch import NamedWatch
from hedgerow.transports.ports import PortFacts

LEFT = PortFacts("/dev/ttyACM3", location="1-1.4:1.0", serial_number="E66")


# ---- places


def test_a_place_is_known_by_socket_by_path_or_by_serial_number(tmp_path):
    for port in ("1-1.4", "1-1.4:1.0", "/dev/ttyACM3", "id:E66"):
        (tmp_path / slots.FILE).write_text(f'[[place]]\nname = "left 1"\nport = "{port}"\n')
        assert slots.place_of(LEFT, slots.read(tmp_path)) == ("left 1", "left 1")
    assert slots.place_of(LEFT, ()) == ("1-1.4:1.0", "socket 1-1.4")
    assert slots.place_of(PortFacts("/tmp/pty"), ()) == ("/tmp/pty", "/tmp/pty")


def test_without_a_map_there_are_no_named_places(tmp_path):
    assert slots.read(tmp_path) == ()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[[place]", "no TOML|not TOML"),
        ('[[place]]\nname = "a"\n', "place 1 needs name"),
        ('[[place]]\nname = "a"\nport = 3\n', "place 1 needs name"),
        ('[[place]]\nname = " "\nport = "x"\n', "empty name"),
        ('[[place]]\nname = "a"\nport = "x"\n[[place]]\nname = "b"\nport = "x"\n', 'two places have port = "x"'),
        ("place = 3\n", "nothing but"),
        ("[hub]\n", "nothing but"),
    ],
)
def test_a_wrong_map_is_answered_in_a_sentence(tmp_path, text, says):
    (tmp_path / slots.FILE).write_text(text)
    with pytest.raises(UsageError, match=says):
        slots.read(tmp_path)


def test_named_ports_come_and_go_with_their_paths(tmp_path):
    port, watch = tmp_path / "port", NamedWatch([str(tmp_path / "port"), "socket://localhost:1", "id:nowhere"])
    assert [facts.path for facts in watch.here()] == ["socket://localhost:1"]
    port.symlink_to("/dev/null")
    assert next((facts.path, facts.location) for facts in watch.here()) == (str(port), str(port))


# ---- records

RECORD = Record("2026-05-01T20:00:00", "PASS", "left 1", "/dev/ttyACM0", node="oak", id="ab" * 8, board="RPI_PICO")


def test_a_record_is_a_line_of_json_and_a_row_of_csv(tmp_path):
    records = Records(tmp_path)
    records.add(RECORD)
    records.add(replace(RECORD, result="FAIL", problem="=cmd()", node=None))
    lines = (records.folder / LINES).read_text().splitlines()
    assert [json.loads(line)["result"] for line in lines] == ["PASS", "FAIL"]
    with (records.folder / TABLE).open() as file:
        rows = list(csv.DictReader(file))
    assert [row["node"] for row in rows] == ["oak", ""]
    assert rows[1]["problem"] == "'=cmd()", "no spreadsheet takes it for a formula"


def test_who_starts_the_station_again_finds_what_was_done(tmp_path):
    Records(tmp_path).add(RECORD)
    again = Records(tmp_path)
    assert again.passed_before(bytes.fromhex("ab" * 8)) == RECORD
    assert again.passed_before(bytes(8)) is None
    again.add(replace(RECORD, result="FAIL"))
    assert again.passed_before(bytes.fromhex("ab" * 8)) is None, "the last word counts"


@given(cut=st.integers(0, 400))
def test_a_torn_line_takes_no_other_with_it(tmp_path_factory, cut):
    folder = tmp_path_factory.mktemp("records")
    records = Records(folder)
    records.add(RECORD)
    records.add(replace(RECORD, node="elm"))
    path = records.folder / LINES
    first = path.read_bytes().index(b"\n") + 1
    path.write_bytes(path.read_bytes()[: first + cut])
    again = Records(folder)
    again.add(replace(RECORD, node="ash"))
    names = [one.node for one in Records(folder).all]
    assert names[0] == "oak"
    assert names[-1] == "ash"
    assert set(names) <= {"oak", "elm", "ash"}


def test_how_long_a_step_takes_is_learnt_from_the_boards_before(tmp_path):
    records = Records(tmp_path)
    assert records.usual_s("flash", "RPI_PICO") is None
    for seconds in (10, 12, 60):
        records.add(replace(RECORD, stage_seconds={"flash": seconds}))
    assert records.usual_s("flash", "RPI_PICO") == 12
    assert records.usual_s("flash", "ESP32_GENERIC") is None


# ---- the self-test

SPEC = NodeSpec(
    "oak",
    boards.load("ESP32_GENERIC_S3"),
    bytes(8),
    1,
    974848,
    {"sensors": [{"driver": "sht31"}, {"driver": "ina219"}]},
)
GOOD = Findings(
    status={
        "battery_mv": 3900,
        "free_bytes": 500_000,
        "damaged": 0,
        "radio": {"sent": 3, "received": 0, "lost": 0},
    },
    latest={"temperature_c100": 2150, "humidity_pc100": 4000, "panel_mv": 5000, "panel_ma10": 3},
    neighbours=[],
    kept=True,
    ticked=Ticked(3002, 3000, 20),
    wall_clock_off_s=0,
)


def bad(found: Findings, spec: NodeSpec = SPEC) -> list[str]:
    """Names of the checks that failed; each says what to do."""
    checks = self_test.judge(spec, found)
    failed = [check for check in checks if check.verdict is Verdict.BAD]
    assert self_test.is_good(checks) == (not failed)
    assert all(check.remedy and check.remedy.endswith(".") for check in failed)
    return [check.name for check in failed]


def test_a_sound_node_passes_everything():
    assert bad(GOOD) == []
    names = [check.name for check in self_test.judge(SPEC, GOOD)]
    assert names == ["sensor sht31", "sensor ina219", "radio", "battery", "flash", "clock"]


def test_each_fault_is_named_and_no_other():
    status = GOOD.status
    faults = {
        "sensor sht31": replace(GOOD, latest={"panel_mv": 1, "panel_ma10": 1}),
        "radio": replace(GOOD, status={**status, "radio": None}),
        "battery": replace(GOOD, status={**status, "battery_mv": 900}),
        "flash": replace(GOOD, kept=False),
        "clock": replace(GOOD, ticked=Ticked(3200, 3000, 20)),
    }
    for name, found in faults.items():
        assert bad(found) == [name]
    assert bad(replace(GOOD, status={**status, "battery_mv": 5100})) == ["battery"]
    assert bad(replace(GOOD, status={**status, "damaged": 2})) == ["flash"]
    assert bad(replace(GOOD, status={**status, "radio": {"sent": 0, "received": 0, "lost": 4}})) == ["radio"]
    assert bad(replace(GOOD, wall_clock_off_s=-86_400)) == ["clock"]


def test_what_a_board_does_not_have_is_no_fault():
    bare = replace(SPEC, settings={"radio": "none"})
    found = replace(GOOD, status={**GOOD.status, "battery_mv": None, "radio": None}, latest={}, wall_clock_off_s=None)
    checks = {check.name: check.verdict for check in self_test.judge(bare, found)}
    assert [checks[name] for name in ("sensors", "radio", "battery")] == [Verdict.ABSENT] * 3
    assert bad(found, bare) == []


@given(st.integers(-5000, 5000), st.integers(0, 5000))
def test_a_clock_is_blamed_only_for_what_the_measurement_can_tell(off_ms, doubt_ms):
    blamed = "clock" in bad(replace(GOOD, ticked=Ticked(3000 + off_ms, 3000, doubt_ms)))
    assert blamed == (abs(off_ms) - doubt_ms > 30)


def test_every_driver_has_its_channels_here():
    folder = resources.firmware_folder() / "hedgenode" / "drivers"
    for path in folder.glob("[a-z]*.py"):
        text = path.read_text()
        for channel in self_test.CHANNELS[path.stem]:
            assert re.search(rf'"{channel}":', text), f"{path.name} gives no {channel}"
    assert {path.stem for path in folder.glob("[a-z]*.py")} == set(self_test.CHANNELS)


# ---- a laptop that sleeps


def test_a_laptop_that_slept_is_noticed_by_its_wall_clock():
    """Whatever was at work then may begin anew by itself; what was at rest stays as it is."""

    async def story() -> None:
        now_s = 1_000_000.0
        station = Station(None, NamedWatch([]), wall_s=lambda: now_s)
        station._cards = {
            name: Card(name, name, name, phase, 1, is_plugged=True)
            for name, phase in (("work", Phase.WORKING), ("done", Phase.PASS))
        }
        async with station:
            await asyncio.sleep(3 * WATCH_EVERY_S)
            assert not station.card("work").may_go_on
            now_s += 8 * 3600
            async with asyncio.timeout(5):
                while not station.card("work").may_go_on:
                    await station.changed(station.version)
            assert station.card("done").may_go_on is False

    asyncio.run(story())
