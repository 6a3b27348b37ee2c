"""An update over the cable: what changed travels, the rest is copied on the node; what must not run is refused."""

import asyncio
import json
import shutil
from pathlib import Path

import pytest

from hedgerow import resources
from hedgerow.cli.main import main
from hedgerow.errors import FleetError, RefusedError
from hedgerow.fleet import boards
from hedgerow.fleet.documents import Document
from hedgerow.fleet.folder import FleetFolder
from hedgerow.plans import firmware, reach, release, update
from hedgerow.transports import ports
from hedgewire import release as hedgewire_release

NODE, BOARD = "pico", "RPI_PICO"


@pytest.fixture(autouse=True)
def names_as_on_the_table(monkeypatch):
    """Nodes here keep names that tests look into; a release for them has to be made alike."""
    tests = [path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("*.py")]
    plain = firmware.build
    monkeypatch.setattr(firmware, "build", lambda board, source=None, **_: plain(board, source, others=tests))


def built(nodes, tmp_path, sequence, source, *, sign=True, board=BOARD):
    with FleetFolder(nodes._provisioned.path) as fleet:
        into = tmp_path / f"release-{sequence}-{source.name}"
        kept = release.build(boards.load(board), fleet.fleet_id, sequence, into, source)
        return release.sign(kept, fleet.secrets.stewards.values(), fleet.standing)[0] if sign else kept


def changed_source(tmp_path, name="changed"):
    source = tmp_path / name
    for package in ("hedgewire", "hedgenode"):
        shutil.copytree(resources.firmware_folder() / package, source / package)
    for one in ("slots.py", "boot.py", "main.py"):
        shutil.copy(resources.firmware_folder() / one, source / one)
    app = source / "hedgenode" / "app.py"
    app.write_text(app.read_text().replace('VERSION = "0', 'VERSION = "9'))
    return source


async def bring(node, kept, connect=ports.connect):
    async with reach.one_node(None, [str(node.port)], connect=connect) as reached:
        return await update.update(reached, kept, lambda _: None, connect=connect)


def test_one_changed_file_travels_and_the_node_stands_on_the_release(nodes, tmp_path, capsys):
    kept = built(nodes, tmp_path, 2, changed_source(tmp_path))

    async def story():
        node = await nodes.node(NODE)
        done = await bring(node, kept)
        assert (done.changed, done.files_sent) == (True, 1)
        assert (await nodes.hello(node))["app"].startswith("9")
        state = await nodes.ask(node, "slots")
        assert (state["running"], state["stands"], state["tries"], state["sequence"]) == ("/b", "/b", None, 2)
        command = ["update", NODE, "--release", str(kept.folder), "-p", str(node.port)]
        command += ["--fleet", str(nodes._provisioned.path), "--json"]
        assert await asyncio.to_thread(main, command) == 0
        (row,) = json.loads(capsys.readouterr().out)
        assert (row["result"], row["release"], row["changed"]) == ("PASS", 2, False)
        # The audit judges what runs, from /b: no drift while it is right, and the file is named when it is not.
        shutil.copytree(kept.folder, nodes.fleet_path / release.FOLDER / "RPI_PICO-2")
        asked = ["audit", NODE, "-p", str(node.port), "--fleet", str(nodes.fleet_path)]
        assert await asyncio.to_thread(main, [*asked, "--json"]) == 0
        said = json.loads(capsys.readouterr().out)
        assert said["nodes"][0]["slots"]["sequence"] == 2
        assert await asyncio.to_thread(main, asked) == 0
        out, err = capsys.readouterr()
        assert f"Release 2: {NODE}." in out
        assert "own words" in err
        await nodes.put(node, "/b/spy.mpy", b"x")
        assert await asyncio.to_thread(main, [*asked, "--json"]) == 1
        (named,) = [one for one in json.loads(capsys.readouterr().out)["findings"] if one["severity"] != "note"]
        assert (named["class"], named["path"]) == ("extra", "/b/spy.mpy")
        await nodes.ask(node, "remove", {"path": "/b/spy.mpy"})
        shutil.rmtree(nodes.fleet_path / release.FOLDER)
        # And on, into the slot that was left; what is old is refused and changes nothing.
        third = built(nodes, tmp_path, 3, resources.firmware_folder())
        assert (await bring(node, third)).files_sent <= 1
        assert (await nodes.ask(node, "slots"))["running"] == "/a"
        with pytest.raises(RefusedError, match="which is old: release 3 is here"):
            await bring(node, kept)
        assert (await nodes.ask(node, "slots"))["sequence"] == 3

    nodes.run(story(), within_s=60)


def test_a_node_refuses_what_is_not_signed_or_not_complete(nodes, tmp_path):
    unsigned = built(nodes, tmp_path, 2, resources.firmware_folder(), sign=False)

    async def story():
        node = await nodes.node(NODE)
        with pytest.raises(RefusedError, match="lacks 1 of 1 signatures"):
            await bring(node, unsigned)
        signed = built(nodes, tmp_path, 2, resources.firmware_folder())
        await nodes.put(node, "/release.cbor", signed.paper.encode())
        with pytest.raises(RefusedError, match="is missing"):
            await nodes.ask(node, "slot_try", timeout_s=20)
        assert (await nodes.ask(node, "slots"))["tries"] is None

    nodes.run(story(), within_s=60)


WRONG = (
    ({"fleet": b"anothers"}, "another fleet"),
    ({"boards": ["RPI_PICO_W"]}, "it is for the board RPI_PICO_W, and this is a RPI_PICO"),
    ({"chip": "ESP32"}, "it is for the chip ESP32"),
    ({"mpy": [7, 0, 0]}, "the MicroPython here loads 6"),
    ({"mpy": [6, 3, 7]}, "for arch 7"),
    ({"files": [[f"x{number}.mpy", 65536, bytes(32)] for number in range(10, 50)]}, "it needs 26[0-9]{5} bytes"),
)


def test_a_node_refuses_what_is_not_for_it_though_it_is_signed_and_stays_as_it_is(nodes, tmp_path):
    good = built(nodes, tmp_path, 2, resources.firmware_folder())

    async def story():
        node = await nodes.node(NODE)
        before = await nodes.ask(node, "slots")
        with FleetFolder(nodes._provisioned.path) as fleet:
            seeds = [key.seed for key in fleet.secrets.stewards.values()]
        for changes, sentence in WRONG:
            paper = Document(hedgewire_release.make({**vars(good.says), **changes})).signed(*seeds)
            await nodes.put(node, "/release.cbor", paper.encode())
            with pytest.raises(FleetError, match=sentence):
                await nodes.ask(node, "slot_prepare", timeout_s=20)
            with pytest.raises(FleetError, match="x10.mpy is missing" if "files" in changes else sentence):
                await nodes.ask(node, "slot_try", timeout_s=20)
        assert await nodes.ask(node, "slots") == before
        await bring(node, good)  # and it takes the right one

    nodes.run(story(), within_s=60)


def test_power_cut_at_any_moment_leaves_a_node_that_runs_and_the_same_command_does_the_rest(nodes, tmp_path):
    kept = built(nodes, tmp_path, 2, changed_source(tmp_path))

    async def story():
        node = await nodes.node(NODE)
        for after_s in (0.1, 0.3, 0.6, 0.9, 1.3):
            work = asyncio.create_task(bring(node, kept))
            await asyncio.sleep(after_s)
            await node.kill()
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
            await node.power_on()
            assert (await nodes.hello(node))["name"] == NODE, after_s
        await bring(node, kept)
        state = await nodes.ask(node, "slots")
        assert (state["running"], state["tries"], state["sequence"]) == ("/b", None, 2)

    nodes.run(story(), within_s=90)


def test_one_that_fails_stops_nobody_but_those_behind_canaries_and_the_same_command_does_the_rest(
    nodes, tmp_path, capsys
):
    kept = built(nodes, tmp_path, 2, resources.firmware_folder(), board="ESP32_GENERIC_S3")

    async def story():
        pico, oak = await nodes.node(NODE), await nodes.node("oak")
        gone = str(tmp_path / "gone")

        async def told(*words, answer):
            """What the command says with these ports and options, once it has ended with that exit code."""
            command = ["update", "--release", str(kept.folder), "--fleet", str(nodes._provisioned.path), *words]
            for port in (pico.port, oak.port):
                command += ["-p", str(port)]
            assert await asyncio.to_thread(main, command) == answer
            return capsys.readouterr().out

        # The release is not for a Pico: as the canary it keeps the other one waiting.
        said = await told("--all", "--canary", "1", answer=1)
        assert "✘ pico" in said
        assert "it is for the board ESP32_GENERIC_S3" in said
        assert "… oak: a node before it failed" in said
        assert "0 of 2 nodes run their release. Left: pico, oak." in said
        # Without canaries nobody waits, and a port where nobody is counts as a failure unless it is left out.
        said = await told("--all", "-p", gone, answer=1)
        assert "✔ oak runs release 2" in said
        assert "1 of 3 nodes run their release. Left: " in said
        assert "run the same command again" in said
        assert (await nodes.ask(oak, "slots"))["sequence"] == 2
        assert "✔ oak runs release 2 already" in await told("oak", "--online-only", "-p", gone, answer=0)
        assert "no node answered" in (await told("elm", "--online-only", answer=0)).lower()

    nodes.run(story(), within_s=80)


# ---- the whole of it, cut everywhere: minutes

WITHIN_S = 2300
CUT_WITHIN_S = 30


async def at_second_release(nodes, tmp_path):
    """A node that was updated once, so that both slots are full; its flash; and the release that comes next."""
    node = await nodes.node(NODE)
    await bring(node, built(nodes, tmp_path, 2, changed_source(tmp_path)))
    await node.kill()
    return node, node.image.read_bytes()


async def again(nodes, node, flash):
    """The node as it was before."""
    await node.kill()
    node.image.write_bytes(flash)
    node.cut_no_more()
    await node.power_on()
    await nodes.hello(node)


async def is_whole(nodes, node, after):
    """It runs one of the two releases, all of it."""
    assert (await nodes.hello(node))["name"] == NODE, after
    assert (await nodes.ask(node, "slots"))["sequence"] in (2, 3), after


async def comes_to_the_new_one(nodes, node, third, after):
    await bring(node, third)
    state = await nodes.ask(node, "slots")
    assert (state["sequence"], state["tries"], state["running"]) == (3, None, state["stands"]), after


@pytest.mark.long
@pytest.mark.timeout(2400)
def test_power_cut_at_every_write_leaves_a_node_that_runs_and_can_be_updated(nodes, tmp_path):
    async def story():
        node, flash = await at_second_release(nodes, tmp_path)
        third = built(nodes, tmp_path, 3, changed_source(tmp_path, "third"))
        cuts = 0
        while True:
            await again(nodes, node, flash)
            node.cut_after_writes(cuts + 1, half=cuts % 2 == 0)
            work = asyncio.create_task(bring(node, third))
            off = asyncio.create_task(node.wait_off(CUT_WITHIN_S))
            await asyncio.wait([work, off], return_when=asyncio.FIRST_COMPLETED)
            if work.done() and work.exception() is None:
                off.cancel()
                break  # the update has fewer writes than that
            await off
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
            cuts += 1
            await node.power_on()
            await is_whole(nodes, node, cuts)
            await comes_to_the_new_one(nodes, node, third, cuts)
        print(f"{cuts} cuts of power")
        assert cuts > 20

    nodes.run(story(), within_s=WITHIN_S)


class Pulled:
    """A cable that falls out at the frame with this number, counted over all connections: before or behind it."""

    def __init__(self, node, at, *, before):
        self._node, self._at, self._before = node, at, before
        self.sent = 0

    async def connect(self, port):
        transport = await ports.connect(port)
        plain = transport.send

        async def send(data):
            self.sent += 1
            if self.sent == self._at and self._before:
                self._node.pull_cable()
            await plain(data)
            if self.sent == self._at and not self._before:
                await asyncio.sleep(0.02)  # until the node has it; its answer meets no cable
                self._node.pull_cable()

        transport.send = send
        return transport


@pytest.mark.long
@pytest.mark.timeout(2400)
@pytest.mark.parametrize("before", [True, False])
def test_the_cable_pulled_at_every_frame_leaves_a_node_that_runs_and_can_be_updated(
    nodes, tmp_path, monkeypatch, before
):
    async def story():
        node, flash = await at_second_release(nodes, tmp_path)
        third = built(nodes, tmp_path, 3, changed_source(tmp_path, "third"))
        pulls = 0
        while True:
            await again(nodes, node, flash)
            try:
                await bring(node, third, Pulled(node, pulls + 1, before=before).connect)
                break  # it has fewer frames than that
            except FleetError:
                pulls += 1
            node.plug()
            await is_whole(nodes, node, pulls)
            await comes_to_the_new_one(nodes, node, third, pulls)
        print(f"{pulls} cables pulled")
        assert pulls > 8

    monkeypatch.setattr("hedgerow.plans.update.BACK_WITHIN_S", 3.0)
    nodes.run(story(), within_s=WITHIN_S)
