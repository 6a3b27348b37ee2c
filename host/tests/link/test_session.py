"""Questions get whole answers or a sentence; repeating one never does a thing twice."""

import asyncio
import time

import pytest
from fake_node import FakeNode, Refusal

from hedgerow.errors import LinkError, LocalError, RefusedError, RemoteError, StorageError
from hedgerow.repl import Repl
from hedgerow.session import Answering, Session
from hedgerow.transports.ports import connect
from hedgewire import admin

QUICK_S = 0.1


def test_an_answer_in_parts_arrives_joined(run):
    async def work():
        node = FakeNode()
        async with Session(node) as session:
            assert (await session.ask("hello"))["name"] == "beech"
            assert await session.ask("samples", {"after": 1}) == node.samples[1:]
            assert await session.ask("inbox") == []
        assert node.closed

    run(work())


def test_several_questions_at_once_get_each_its_own_answer(run):
    async def work():
        async with Session(FakeNode()) as session:
            hello, log, status = await asyncio.gather(*(session.ask(one) for one in ("hello", "log", "status")))
            assert (hello["short"], len(log), status["battery_mv"]) == (7, 5, 3912)

    run(work())


def test_text_between_frames_goes_to_the_console_and_events_to_their_callback(run):
    heard, events = bytearray(), []

    async def work():
        node = FakeNode()
        node.says = b"hello from print()\r\n"
        session = Session(node, console=heard.extend, events=lambda topic, fields: events.append((topic, fields)))
        async with session:
            await session.ask("status")
            await session.ask("follow", {"topics": ["log"], "for_ms": 1000})
            await asyncio.sleep(0)

    run(work())
    assert bytes(heard) == b"hello from print()\r\n" * 2
    assert events == [("log", [6, 1_700_000_006, "warning", "battery low"])]


@pytest.mark.parametrize("number", [0, 0x03_0000, 0x2_03_FFF0])
def test_no_question_contains_a_ctrl_c_that_would_stop_a_node_just_restarting(run, number):
    sent = bytearray()

    class Recorded(FakeNode):
        async def send(self, data):
            sent.extend(data)
            await super().send(data)

    async def work():
        async with Session(Recorded()) as session:
            session._seq = number
            for _ in range(300):
                await session.ask("status")

    run(work())
    assert len(sent) > 300 * 10
    assert b"\x03" not in sent


def test_a_lost_answer_is_asked_for_again_once(run):
    async def work():
        node = FakeNode()
        async with Session(node) as session:
            node.lose_answers = 1
            assert (await session.ask("status", timeout_s=QUICK_S))["samples"] == 5
            assert [method for method, _ in node.asked] == ["status", "status"]

    run(work())


def test_a_repeated_post_is_one_message(run):
    async def work():
        node = FakeNode()
        async with Session(node) as session:
            node.lose_answers = 1
            answer = await session.ask("post", {"to": 9, "text": "ladder free on Saturday"}, timeout_s=QUICK_S)
            assert len(node.asked) == 2
            assert list(node.posted.values()) == [answer["id"]]
            second = await session.ask("post", {"to": 9, "text": "ladder free on Saturday"})
            assert second["id"] != answer["id"]  # said twice by a person, it is two messages

    run(work())


@pytest.mark.parametrize("method", ["restart", "dev"])
def test_a_restart_is_never_asked_twice(run, method):
    async def work():
        node = FakeNode()
        async with Session(node) as session:
            await session.ask("hello")
            node.lose_answers = 5
            with pytest.raises(LinkError, match=f"did not answer {method}"):
                await session.ask(method, timeout_s=QUICK_S)
            assert node.restarts == [method]

    run(work())


@pytest.mark.parametrize("damaged", [0, 1, 2, 3])
def test_a_damaged_part_never_makes_a_shorter_answer(run, damaged):
    async def work():
        node = FakeNode()
        async with Session(node) as session:
            node.damage_answer = damaged
            assert await session.ask("samples", timeout_s=QUICK_S) == node.samples
            assert len(node.asked) == 2

    run(work())


@pytest.mark.parametrize("lost", [0, 1, 2])
def test_a_part_that_vanished_without_a_trace_is_missed_all_the_same(run, lost):
    async def work():
        node = FakeNode()
        async with Session(node) as session:
            node.lose_part = lost
            assert await session.ask("samples", timeout_s=QUICK_S) == node.samples
            assert len(node.asked) == 2
            node.samples = []
            assert await session.ask("samples", timeout_s=QUICK_S) == []

    run(work())


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (admin.REFUSED, RefusedError),
        (admin.STORAGE_FULL, StorageError),
        (admin.NOT_FOUND, RemoteError),
        (99, RemoteError),
    ],
)
def test_a_refusal_is_the_nodes_own_sentence_under_our_exit_code(run, code, kind):
    async def work():
        node = FakeNode()
        node.methods["status"] = lambda params: Refusal(code, "the store has no room for it")
        async with Session(node, name="beech") as session:
            with pytest.raises(kind, match="beech: the store has no room for it"):
                await session.ask("status")
            assert len(node.asked) == 1  # a refusal is an answer: it is not asked for again

    run(work())


@pytest.mark.parametrize("times", [1, 2, 3])
def test_a_node_that_is_short_of_memory_for_a_moment_is_asked_again(run, monkeypatch, times):
    monkeypatch.setattr("hedgerow.session.BUSY_PAUSES_S", (0.0, 0.0))

    async def work():
        node = FakeNode()
        answers = [Refusal(admin.BUSY, "the node is short of memory")] * times + [{"samples": 5}]
        node.methods["status"] = lambda params: answers.pop(0)
        async with Session(node, name="beech") as session:
            if times < 3:
                assert await session.ask("status") == {"samples": 5}
                return
            with pytest.raises(LinkError, match="beech: the node is short of memory.*Try again"):
                await session.ask("status")
            assert len(node.asked) == 3

    run(work())


def test_an_unknown_method_points_to_the_audit(run):
    async def work():
        async with Session(FakeNode()) as session:
            with pytest.raises(RemoteError, match="does not know the method levitate.*audit"):
                await session.ask("levitate")

    run(work())


def test_a_parameter_that_cannot_be_sent_is_our_own_mistake(run):
    async def work():
        async with Session(FakeNode()) as session:
            with pytest.raises(LocalError):
                await session.ask("samples", {"after": 0.5})

    run(work())


def test_a_pulled_cable_ends_every_question_at_once(run):
    async def work():
        node = FakeNode()
        node.runs = False
        async with Session(node) as session:
            waiting = [asyncio.create_task(session.ask("status")) for _ in range(3)]
            await asyncio.sleep(0.02)
            node.pull(LinkError("the cable was pulled", node="fake:beech"))
            start = time.monotonic()
            for result in await asyncio.gather(*waiting, return_exceptions=True):
                assert isinstance(result, LinkError)
            assert time.monotonic() - start < 1
            with pytest.raises(LinkError, match="pulled"):
                await session.ask("status")

    run(work())


def test_silence_is_bounded_and_says_what_to_check(run):
    async def work():
        node = FakeNode()
        node.runs = False
        async with Session(node) as session:
            start = time.monotonic()
            with pytest.raises(LinkError, match="nothing answers.*cable carries data"):
                await session.ask("status", timeout_s=QUICK_S)
            assert time.monotonic() - start < 3

    run(work())


def test_a_node_is_recognised_by_its_hello_and_by_its_text(run):
    async def work():
        node = FakeNode()
        async with Session(node) as session:
            found = await session.recognise()
            assert (found.answering, found.hello["name"]) == (Answering.HEDGEROW, "beech")
            node.lose_answers = 9
            found = await session.recognise()
            assert (found.answering, found.hello) == (Answering.HEDGEROW, None)

    run(work())


def test_a_board_at_its_prompt_is_named_and_left_at_its_prompt(board, run):
    async def work():
        async with board() as one:
            async with Session(await connect(one.port)) as session:
                with pytest.raises(LinkError) as caught:
                    await session.ask("status", timeout_s=QUICK_S)
                said = str(caught.value)
                assert "the MicroPython prompt answers, Hedgerow does not run there" in said
                assert "hedgerow provision" in said
                assert "MicroPython v" in said
            transport = await connect(one.port)
            await transport.send(b"6*7\r")
            heard = b""
            while b"42" not in heard:
                heard += await asyncio.wait_for(transport.receive(), 2)
            await transport.close()

    run(work())


def test_another_program_is_recognised_and_goes_on_running(board, run):
    async def work():
        async with board() as one:
            transport = await connect(one.port)
            await Repl(transport).enter()
            program = b"import time\nwhile True:\n print('tomatoes 21 C')\n time.sleep_ms(100)\n"
            await transport.send(program + b"\x04")
            async with Session(transport) as session:
                assert (await session.recognise()).answering is Answering.PROGRAM
                with pytest.raises(LinkError, match="it is not Hedgerow"):
                    await session.ask("status", timeout_s=QUICK_S)
                assert b"tomatoes" in await asyncio.wait_for(transport_text(session), 2)

    async def transport_text(session):
        heard = bytearray()
        session.console = heard.extend
        while b"tomatoes" not in heard:
            await asyncio.sleep(0.02)
        return bytes(heard)

    run(work())


def test_the_prompt_takes_over_the_transport_that_a_session_releases(board, run):
    async def work():
        async with board() as one:
            session = Session(await connect(one.port))
            assert (await session.recognise()).answering is Answering.PROMPT
            transport = await session.release()
            async with Repl(transport) as repl:
                assert (await repl.exec("print(1)")).strip() == b"1"
            await transport.close()

    run(work())
