"""A person as a mule: between nodes that never hear each other, by laptop, stick and file, by the commands to type."""

import asyncio
import json

import pytest

from hedgerow.cli import main, options


@pytest.fixture
def say(capsys, monkeypatch, provisioned):
    """`hedgerow WORDS` in the fleet's folder, off the event loop; what it prints, and a check of its exit code."""
    monkeypatch.chdir(provisioned.path)
    monkeypatch.setattr(options.console, "_width", 200)

    async def command(*words: object, expect: int = 0) -> str:
        code = await asyncio.to_thread(main.main, [str(word) for word in words])
        out, err = capsys.readouterr()
        assert code == expect, (out, err)
        return out if code == 0 else err

    return command


async def _held(nodes, board):
    return {bytes(row[0]): (row[3], row[6]) for row in await nodes.ask(board, "bundles")}


def test_a_message_crosses_a_gap_in_a_bag_and_is_delivered_once(nodes, say, tmp_path):
    async def story():
        oak, elm = await nodes.node("oak"), await nodes.node("elm")
        to = (await nodes.hello(elm))["short"]
        sealed = (await nodes.ask(oak, "post", {"to": to, "text": "for elm", "copies": 3}))["id"]
        public = (await nodes.ask(oak, "post", {"to": 0xFFFF, "text": "for all"}))["id"]
        bag = ("--folder", tmp_path / "bag")

        assert "took 2 messages" in await say("carry", "-p", oak.port, *bag)
        assert "nothing new" in await say("carry", "-p", oak.port, *bag)
        listed = json.loads(await say("carry", "--list", "--json", *bag))
        assert {one["id"] for one in listed} == {bytes(sealed).hex(), bytes(public).hex()}
        assert "for elm" not in json.dumps(listed)

        await asyncio.sleep(1.2)  # a message ages in a bag
        assert "brought 2, 1 of them for it" in await say("carry", "-p", elm.port, *bag)
        held = await _held(nodes, elm)
        assert held[bytes(sealed)][0] == "delivered"
        assert held[bytes(public)][0] == "stored"
        assert held[bytes(public)][1] >= 1000
        inbox = await nodes.ask(elm, "inbox")
        assert sorted(row[5] for row in inbox) == ["for all", "for elm"]

        facts = json.loads(await say("carry", "-p", oak.port, "--json", *bag))
        assert facts["visits"][0]["taken"] == 0, "what has reached its reader is not carried again"
        assert facts["carried"] == 1
        assert len(await _held(nodes, oak)) == 2, "nothing is removed from a node"

    nodes.run(story())


def test_a_stick_and_a_file_go_on_where_the_laptop_cannot(nodes, say, tmp_path):
    async def story():
        oak = await nodes.node("oak")
        await nodes.ask(oak, "post", {"to": 9, "text": "for a node far away", "copies": 3})
        (tmp_path / "stick").mkdir()
        ours, theirs = ("--folder", tmp_path / "ours"), ("--folder", tmp_path / "theirs")
        await say("carry", "-p", oak.port, *ours)
        assert "brought 1" in await say("carry", tmp_path / "stick", *ours)
        assert "took 1 message" in await say("carry", tmp_path / "stick", *theirs)
        await say("carry", "--out", tmp_path / "trip.zip", *ours)
        assert "took 1 message" in await say("carry", tmp_path / "trip.zip", "--folder", tmp_path / "third")

        elm = await nodes.node("elm")
        assert "brought 1." in await say("carry", "-p", elm.port, *theirs)
        assert [state for state, _ in (await _held(nodes, elm)).values()] == ["stored"]

        assert "there is no" in await say("carry", tmp_path / "nowhere", *ours, expect=2)
        assert "no ZIP file" in await say("carry", tmp_path / "stick" / "carried.jsonl", *ours, expect=2)
        assert "is no size" in await say("carry", "--most", "plenty", *ours, expect=2)

    nodes.run(story())


def test_a_table_gives_everything_to_everyone_and_goes_on_after_a_cut(nodes, say, tmp_path):
    async def story():
        table = [await nodes.node(name) for name in ("oak", "elm", "pico")]
        posted = set()
        for board in table:
            for number in range(3):
                text = {"to": 0xFFFF, "text": f"{number} from {board.port}"}
                posted.add(bytes((await nodes.ask(board, "post", text))["id"]))
        (tmp_path / "stick").mkdir()
        where = [word for board in table for word in ("-p", board.port)]
        words = ("gather", tmp_path / "stick", *where, "--folder", tmp_path / "bag", "--json")
        await table[2].kill()
        await say(*words, expect=3)  # one board has no power; the others are served all the same
        await table[2].power_on()
        await nodes.hello(table[2])
        await say(*words)
        for board in table:
            assert set(await _held(nodes, board)) == posted
        assert len(list((tmp_path / "stick").glob("*.bundle"))) == 9
        visits = json.loads(await say(*words))["visits"]
        assert [visit["taken"] + visit["brought"] for visit in visits] == [0, 0, 0, 0]

    nodes.run(story())
