"""What a person does beside a pole, on boards that are nodes: find the node, see how it is, and leave it."""

import asyncio
import json
import sys

import pytest

from hedgerow.fleet import boards
from hedgerow.plans import condition, estimate, firmware, leave

COMMAND_WITHIN_S = 25.0


async def cli(nodes, *words):
    """(exit code, stdout, stderr) of a command, as a person runs it."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "hedgerow", *words, "--fleet", str(nodes.fleet_path),
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        out, err = await asyncio.wait_for(process.communicate(), COMMAND_WITHIN_S)
    except TimeoutError:
        process.kill()
        raise
    return process.returncode, out.decode(), err.decode()


def test_a_node_blinks_and_one_without_a_lamp_says_so(nodes):
    async def story():
        pico, oak = await nodes.node("pico"), await nodes.node("oak")
        ports = ["-p", str(pico.port), "-p", str(oak.port)]
        seen = set()

        async def watch():
            while True:
                seen.add(pico.pins.get("25"))
                await asyncio.sleep(0.02)

        watching = asyncio.create_task(watch())
        code, out, err = await cli(nodes, "identify", "--for", "2", *ports)
        await asyncio.sleep(0.5)
        watching.cancel()
        assert code == 4
        assert "pico (RPI_PICO on" in out
        assert "blinks for 2 s" in out
        assert "oak: this board has no lamp" in err
        assert seen >= {0, 1}
        code, out, _ = await cli(nodes, "identify", "pico", "--for", "1", "--json", *ports)
        assert code == 0
        assert [one["node"] for one in json.loads(out)["blinking"]] == ["pico"]

    nodes.run(story())


def test_one_screen_within_five_seconds_tells_who_it_is_and_whom_it_hears(nodes):
    async def story():
        ether = await nodes.ether(0.0)
        oak, elm = await nodes.node("oak", ether), await nodes.node("elm", ether)
        await until(nodes, oak, lambda rows: rows)
        began = asyncio.get_running_loop().time()
        code, out, err = await cli(nodes, "status", "oak", "-p", str(oak.port), "--json")
        assert asyncio.get_running_loop().time() - began < 5
        assert code == 0, err
        said = json.loads(out)
        hello = await nodes.hello(oak)
        assert (said["id"], said["name"], said["board"]) == (hello["id"].hex(), "oak", hello["board"])
        assert [row["name"] for row in said["neighbours"]] == ["elm"]
        assert said["readings"]["battery_mv"] == said["status"]["battery_mv"]
        assert said["slot"]["running"] == "/a"
        assert said["not_answered"] == []
        assert (await nodes.hello(elm))["name"] == "elm"
        code, out, err = await cli(nodes, "status", "-p", str(oak.port))
        assert code == 0, err
        assert max(len(line) for line in out.splitlines()) <= 80
        assert len(out.splitlines()) <= 24
        for words in ("oak, number", "slot /a", "elm, 0 s ago", "✔ nothing, as far as it can tell", "heap free"):
            assert words in out

    nodes.run(story())


def test_what_is_wrong_now_is_a_sentence_and_an_exit_code(nodes):
    async def story():
        oak = await nodes.node("oak", world=lambda: {"battery_mv": 3100})
        await nodes.configure(oak, sensors=[{"driver": "sht31", "address": 0x45}])
        await until(nodes, oak, lambda rows: rows, "samples")
        code, out, _ = await cli(nodes, "status", "-p", str(oak.port))
        assert code == 1
        assert "✘ the battery has only 3.1" in out
        assert "▲ its sensor sht31 does not answer." in out

    nodes.run(story())


def test_who_answers_a_probe_is_listed_with_both_directions(nodes):
    async def story():
        ether = await nodes.ether(0.0)
        oak = await nodes.node("oak", ether)
        code, out, err = await cli(nodes, "neighbours", "--probe", "--rounds", "1", "-p", str(oak.port))
        assert code == 1
        assert "Nobody answers." in out
        assert "about 2 s" in err
        await nodes.node("elm", ether)
        code, out, err = await cli(nodes, "neighbours", "--probe", "--rounds", "2", "-p", str(oak.port), "--json")
        assert code == 0, err
        [row] = json.loads(out)
        assert (row["name"], row["answers"]) == ("elm", 2)
        assert row["rssi_dbm"] < 0
        assert row["their_rssi_dbm"] < 0
        assert row["snr_db"] is None
        assert row["their_snr_db"] is None
        code, out, err = await cli(nodes, "neighbours", "-p", str(oak.port))
        assert code == 0, err
        assert "elm" in out

    nodes.run(story())


def test_a_node_without_a_radio_refuses_to_probe(nodes):
    async def story():
        pico = await nodes.node("pico")
        code, _, err = await cli(nodes, "neighbours", "--probe", "-p", str(pico.port))
        assert code == 4
        assert "pico: this node has no radio" in err

    nodes.run(story())


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"status": {"battery_mv": 3300}}, "battery"),
        ({"status": {"battery_mv": 3900, "time_s": 5}}, "clock"),
        ({"status": {"battery_mv": 3900, "damaged": 2}}, "stores"),
        ({"status": {"battery_mv": 3900, "radio": None}}, "radio"),
        ({"status": {"battery_mv": 3900, "reset_cause": "watchdog"}}, "software"),
        ({"slots": {"sequence": 4, "tries": 2, "running": "/b"}}, "software"),
        ({"sample": [1, 0, 0, 1, {"battery_mv": 3900}]}, "sensors"),
        ({"neighbours": []}, "radio"),
        ({"silent": ("log",)}, "answers"),
    ],
)
def test_each_thing_that_is_wrong_is_a_reason_to_stay(changed, reason):
    good = {
        "now_s": 1_800_000_000,
        "port": "p",
        "hello": {"name": "oak", "uptime_ms": 100_000},
        "status": {
            "battery_mv": 3900, "time_s": 1_800_000_000 - 946_684_800, "damaged": 0, "reset_cause": "power",
            "free_bytes": 50, "total_bytes": 100, "heap_free": 90_000, "radio": {"sent": 9, "received": 9, "lost": 0},
        },
        "config": {"radio": "espnow", "hello_ms": 500, "sensors": [{"driver": "sht31"}]},
        "neighbours": [[2, 0, -60, 9]],
        "slots": {"sequence": 4, "tries": None, "running": "/b"},
        "sample": [1, 0, 0, 1, {"temperature_c100": 1, "humidity_pc100": 1}],
    }  # fmt: skip
    assert leave.judge(condition.Seen(**good), [], 0, alone_in_fleet=False).go
    bad = {**good, **changed}
    if "status" in changed:
        bad["status"] = {**good["status"], **changed["status"]}
    outcome = leave.judge(condition.Seen(**bad), [], 0, alone_in_fleet=False)
    assert [check.name for check in outcome.checks if not check.good] == [reason]


async def until(nodes, node, wanted, method="neighbours", within_s=10.0):
    async with asyncio.timeout(within_s):
        while not wanted(await nodes.ask(node, method)):
            await asyncio.sleep(0.1)


def test_an_estimate_has_no_more_digits_than_it_knows():
    told = [estimate.words(seconds) for seconds in (0, 4, 12, 24, 47, 150)]
    assert told == ["about 1 s", "about 4 s", "about 10 s", "about 20 s", "about 50 s", "about 2 min"]
    assert estimate.sending_s(90_000) == 10
    assert 0.8 < firmware.build(boards.load("RPI_PICO")).size_bytes / estimate.firmware_bytes() < 1.25
    assert estimate.slower(["/dev/ttyACM0"]) == ""
    assert "minutes" in estimate.slower(["ble:oak", "mesh:elm@ble:oak"])


def test_long_work_says_how_long_before_it_starts_and_stays_silent_for_programs(nodes):
    async def story():
        for command in ("audit", "provision"):
            code, _, err = await cli(nodes, command, "-p", "/dev/ttyNONE")
            assert code == 3
            assert "about " in err.splitlines()[0]
            _, _, err = await cli(nodes, command, "-p", "/dev/ttyNONE", "--json")
            assert "about " not in err

    nodes.run(story())
