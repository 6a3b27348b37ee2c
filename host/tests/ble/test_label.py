"""Whoever holds a label takes its node in, over Bluetooth and once; a stranger, and whoever comes later, does not."""

import json
import time

import pytest

from hedgerow.errors import LinkError, NotAllowedError, RefusedError
from hedgerow.fleet import boards, folder, founding, label, proposal
from hedgerow.fleet.label import WaitingLabel
from hedgerow.plans import adopt, labels, reach
from hedgerow.plans.adopt import Adoption
from hedgerow.plans.look import NOBODY
from hedgerow.plans.prepare import PrepareBench
from hedgerow.session import Session
from hedgerow.transports import ble
from hedgerow.transports.ble import Known
from hedgerow.virtual.board import VirtualBoard

BOARD = "ESP32_GENERIC_S3"


@pytest.fixture(scope="session")
def waiting(provisioned):
    """The flash of a prepared board and its label; made once, put on boards that forget what was done to them."""
    return {}


async def waiting_node(place, waiting):
    """A board that waits, its cable out: (board, label)."""
    uid = bytes([2, 0, 0, 0, 0, 99, 0, 0])
    board = VirtualBoard(
        boards.load(BOARD), place.path / "waiting", place._micropython, uid=uid, bluetooth=place.address,
        clock=time.time,
    )  # fmt: skip
    place._stack.push_async_callback(board.close)
    if waiting:
        board.directory.mkdir(parents=True)
        board.image.write_bytes(waiting["flash"])
        await board.start()
    else:
        await board.start()
        [made] = await PrepareBench(boards.load(BOARD)).prepare([str(board.port)])
        assert made.result.error is None, made.result.error
        waiting["label"] = made.label
        await board.kill()
        waiting["flash"] = board.image.read_bytes()
        await board.power_on()
    board.pull_cable()
    return board, waiting["label"]


def fleet_for_it(place, name="oak2"):
    """Another laptop's fleet with one free name."""
    path = place.path / "garden"
    with founding.found(path, "garden"):
        pass
    with (path / proposal.FILE_NAME).open("a", encoding="utf-8") as text:
        text.write(proposal.node_text(name, BOARD, {"protected": True, "ble": True, "sample_ms": 700}))
    return path


async def taken_in(path, one, **options):
    with folder.FleetFolder(path) as fleet:
        return await Adoption(fleet, one, adopt.BY_AIR, **options).run()


def test_a_node_is_taken_in_by_its_label_over_the_air(place, waiting):
    async def story(place):
        _, one = await waiting_node(place, waiting)
        place.fleet_path = fleet_for_it(place)
        code, out, err = await place.cli("provision", "oak2", "--label", one.text().lower(), "--json")
        assert code == 0, err
        [said] = json.loads(out)["ports"]
        assert (said["node"], said["result"], said["id"]) == ("oak2", "PASS", one.node_id.hex())
        async with reach.one_node("oak2", ["ble:"], credentials=place.keys) as node:
            config = await node.session.ask("config")
            assert (config["name"], config["sample_ms"], config["protected"]) == ("oak2", 700, True)
            paths = [path for path, *_ in await node.session.ask("files", {"hash": False})]
            assert "/label" not in paths
        again = await taken_in(place.fleet_path, one)
        assert again.error is None
        assert again.changes == []

    place.run(story)


def test_a_label_opens_its_node_once(place, waiting):
    async def story(place):
        _, one = await waiting_node(place, waiting)
        mine = fleet_for_it(place)
        assert (await taken_in(mine, one)).error is None
        place.path = place.path / "thief"
        place.path.mkdir()
        theirs = fleet_for_it(place)
        result = await taken_in(theirs, one)  # it shows itself as my fleet's, so they do not even find it
        assert result.error is not None
        assert "not heard" in str(result.error)
        with folder.FleetFolder(mine) as fleet:
            known = Known("waiting", 1, one.node_id, fleet.fleet_id, one.public)
        async with Session(await ble.connect("ble:", [known]), credentials=labels.shown(one)) as session:
            with pytest.raises(NotAllowedError):
                await session.ask("move")

    place.run(story)


def test_who_only_knows_the_node_gets_nothing_but_its_greeting(place, waiting):
    async def story(place):
        _, one = await waiting_node(place, waiting)
        forged = WaitingLabel(one.public, bytes(16), one.board)
        result = await taken_in(fleet_for_it(place), forged)
        assert isinstance(result.error, RefusedError)
        assert "opens it no more" in str(result.error)
        known = Known("waiting", 1, one.node_id, NOBODY, one.public)
        async with Session(await ble.connect("ble:", [known])) as session:
            assert (await session.ask("hello"))["name"] == "waiting"
            for method in ("status", "config", "post", "document_put"):
                with pytest.raises(RefusedError):
                    await session.ask(method, {"data": b""})
        result = await taken_in(place.path / "garden", one)  # and the right label still opens it
        assert result.error is None

    place.run(story)


@pytest.mark.parametrize(
    "cut", [pytest.param(1, marks=pytest.mark.long), 2, pytest.param(3, marks=pytest.mark.long), 4]
)
def test_whatever_paper_was_the_last_the_same_command_does_the_rest(place, waiting, cut, monkeypatch):
    """The laptop fails behind each paper, the node loses its power, and the person tries again."""

    async def story(place):
        board, one = await waiting_node(place, waiting)
        path = fleet_for_it(place)
        brought = []
        real = adopt.put

        async def put(session, paper):
            await real(session, paper)
            brought.append(paper.kind)
            if len(brought) == cut:
                raise LinkError("the laptop's battery went")

        monkeypatch.setattr(adopt, "put", put)
        first = await taken_in(path, one)
        monkeypatch.setattr(adopt, "put", real)
        assert isinstance(first.error, LinkError), brought
        await board.kill()
        await board.power_on()
        board.pull_cable()
        second = await taken_in(path, one)
        assert second.error is None, second.error

    place.run(story)


def test_a_board_that_belongs_to_a_fleet_is_not_given_away(place):
    async def story(place):
        board = await place.node()
        code, out, err = await place.cli("prepare", "-p", str(board.port), "--board", BOARD, fleet=False)
        assert code == 4, err
        assert "node oak of a fleet" in out

    place.run(story)


def test_prepare_prints_the_label_that_opens_the_node(place, tmp_path):
    async def story(place):
        board = VirtualBoard(
            boards.load(BOARD), place.path / "new", place._micropython, uid=bytes(8), bluetooth=place.address,
            clock=time.time,
        )  # fmt: skip
        place._stack.push_async_callback(board.close)
        await board.start()
        words = ("prepare", "-p", str(board.port), "--board", BOARD, "--json", "-o", str(tmp_path / "labels.pdf"))
        code, out, err = await place.cli(*words, fleet=False)
        assert code == 0, err
        first = label.read(json.loads(out)["ports"][0]["label"])
        assert (tmp_path / "labels.pdf").read_bytes().startswith(b"%PDF")
        code, out, err = await place.cli(*words, fleet=False)
        assert code == 0, err
        second = label.read(json.loads(out)["ports"][0]["label"])
        assert (first.public, first.secret != second.secret) == (second.public, True)
        path = fleet_for_it(place)
        with folder.FleetFolder(path) as fleet:  # by the cable's frames as well as by air
            refused = await Adoption(fleet, first, str(board.port)).run()
            assert "opens it no more" in str(refused.error)
            assert (await Adoption(fleet, second, str(board.port)).run()).error is None

    place.run(story)
