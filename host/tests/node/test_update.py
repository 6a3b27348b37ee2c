"""An update over the cable: what changed travels, the rest is copied on the node; what must not run is refused."""

import asyncio
import json
import shutil
from pathlib import Path

import pytest

from hedgerow import resources
from hedgerow.cli.main import main
from hedgerow.errors import RefusedError
from hedgerow.fleet import boards
from hedgerow.fleet.folder import FleetFolder
from hedgerow.plans import firmware, reach, release, update

NODE, BOARD = "pico", "RPI_PICO"


@pytest.fixture(autouse=True)
def names_as_on_the_table(monkeypatch):
    """Nodes here keep names that tests look into; a release for them has to be made alike."""
    tests = [path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("*.py")]
    plain = firmware.build
    monkeypatch.setattr(firmware, "build", lambda board, source=None, **_: plain(board, source, others=tests))


def built(nodes, tmp_path, sequence, source, *, sign=True):
    with FleetFolder(nodes._provisioned.path) as fleet:
        into = tmp_path / f"release-{sequence}-{source.name}"
        kept = release.build(boards.load(BOARD), fleet.fleet_id, sequence, into, source)
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


async def bring(node, kept):
    async with reach.one_node(None, [str(node.port)]) as reached:
        return await update.update(reached, kept, lambda _: None)


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
