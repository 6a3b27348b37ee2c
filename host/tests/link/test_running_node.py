"""The real firmware on a virtual board: asked, followed, interrupted, sent to its prompt; one cable for all of it."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from hedgerow.fleet import boards
from hedgerow.plans import dev_mode, firmware, reach
from hedgerow.repl import Repl
from hedgerow.repl.copy import FileToCopy, compare, copy_files
from hedgerow.session import Answering, Session
from hedgerow.transports.ports import connect
from hedgewire import cbor, frame

UP_WITHIN_S = 15
FLEET = bytes(range(8))
CONFIG = {
    "v": 1,
    "name": "beech",
    "short": 7,
    "id": bytes(8),
    "fleet": FLEET,
    "charter": 1,
    "board": "RPI_PICO",
    "ipn_base": 974848,
    "sample_ms": 60_000,
    "hello_ms": 30_000,
    "radio": "none",
    "radio_channel": 1,
    "radio_security": "open",
    "sensors": [],
    "console": "open",
    "custodian": None,
    "watchdog_ms": 60_000,
    "copies": 6,
}


@pytest.fixture(scope="module")
def files():
    return [*firmware.build(boards.load("RPI_PICO")).files, FileToCopy("/config.cbor", cbor.encode(CONFIG))]


@pytest.fixture
def node(board, files):
    """`async with node() as one:` is a virtual board on which the node has come up."""

    @asynccontextmanager
    async def started():
        async with board() as one:
            transport = await connect(one.port)
            repl = Repl(transport)
            await repl.enter()
            await copy_files(repl, files)
            await repl.exec(
                "import sys\nsys.path.insert(0, '/a')\nfrom hedgenode import identity\n"
                "identity.create(bytes(range(32)))",
                30,
            )
            await repl.hard_reset()
            await transport.close()
            await until_up(one.port)
            yield one

    return started


async def until_up(port: str) -> dict:
    async with asyncio.timeout(UP_WITHIN_S), Session(await connect(port)) as session:
        while (found := await session.recognise()).hello is None:
            await asyncio.sleep(0.1)
        return dict(found.hello)


def test_a_node_answers_every_question_of_the_commands(node, run):
    async def work():
        async with node() as one, Session(await connect(one.port)) as session:
            hello = await session.ask("hello")
            assert (hello["name"], hello["short"], bytes(hello["fleet"])) == ("beech", 7, FLEET)
            assert (await session.ask("status"))["samples"] >= 0
            assert (await session.ask("log"))[0][2] in ("info", "warning", "error")
            posted = await session.ask("post", {"to": 7, "text": "a note to itself"})
            inbox = await session.ask("inbox")
            assert [(bytes(row[1]), row[5]) for row in inbox] == [(bytes(posted["id"]), "a note to itself")]
            assert isinstance(await session.ask("samples"), list)
            assert isinstance(await session.ask("neighbours"), list)

    run(work())


def test_a_connection_and_another_one_leave_the_node_running(node, run):
    async def work():
        async with node() as one:
            before = len(one.resets)
            for _ in range(3):
                await until_up(one.port)
            assert len(one.resets) == before

    run(work())


def test_the_prompt_is_reached_from_a_running_node_even_behind_a_torn_frame(node, run, files):
    async def work():
        async with node() as one:
            transport = await connect(one.port)
            await transport.send(frame.encode(frame.REQUEST, bytes(40))[:20])
            async with Repl(transport) as repl:
                assert (await repl.exec("print(6 * 7)")).strip() == b"42"
                assert await compare(repl, files) == []
            await transport.close()

    run(work())


def test_ctrl_c_inside_a_frame_is_data(node, run):
    async def work():
        async with node() as one, Session(await connect(one.port)) as session:
            answer = await session.ask("post", {"to": 9, "text": "\x03" * 20})
            held = await session.ask("bundle", {"id": bytes(answer["id"])})
            assert b"\x03" * 20 in bytes(held["data"])
            assert (await session.recognise()).answering is Answering.HEDGEROW

    run(work())


def test_dev_mode_gives_the_prompt_until_power_is_cut(node, run):
    async def work():
        async with node() as one:
            done = await dev_mode.restart_in_dev_mode("beech", [one.port])
            assert done.node == "beech"
            assert "MicroPython" in (done.banner or "")
            transport = await connect(one.port)
            repl = Repl(transport)
            await repl.enter()
            await repl.hard_reset()
            await transport.close()
            await asyncio.sleep(1)
            [found] = await reach.behind([one.port])
            assert found.found is not None
            assert found.found.answering is Answering.PROMPT  # a reset does not end it
            await one.kill()
            await one.power_on()
            assert (await until_up(one.port))["name"] == "beech"

    run(work())
