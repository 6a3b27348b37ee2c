"""What a session protects: who is believed, what an eavesdropper hears, and what each refusal tells a person."""

import asyncio
import json
import stat
import sys
import time

import pytest
from guarded_node import LAPTOP_SEED, NODE_SEED, OTHER_SEED, GuardedNode, credentials

from hedgenode.rules.roles import LAPTOP, PERSON, STRANGER
from hedgerow.errors import LinkError, NotAllowedError, RemoteError
from hedgerow.fleet import keys
from hedgerow.session import Session
from hedgerow.session.credentials import DAY_S, KeptInFiles, KeptInMemory
from hedgewire import admin, frame
from hedgewire.protection import Resumption

QUICK_S = 0.2


def test_a_question_of_the_fleet_s_laptop_is_answered_and_nobody_reads_it(run):
    async def work():
        node = GuardedNode()
        async with Session(node, credentials=credentials()) as session:
            assert await session.ask("status") == {"said": "status"}
            heard = len(node.received), len(node.sent)
            assert await session.ask("status") == {"said": "status"}
        assert b"status" not in node.received[heard[0] :]
        assert b"said" not in node.sent[heard[1] :]
        assert node.asked[-2:] == [("status", LAPTOP)] * 2

    run(work())


def test_several_questions_at_once_begin_one_session(run):
    async def work():
        node = GuardedNode()
        async with Session(node, credentials=credentials()) as session:
            await asyncio.gather(*(session.ask("status") for _ in range(5)))
        assert [method for method, _ in node.asked].count("hello") == 1

    run(work())


def test_a_guest_is_told_how_to_be_somebody(run):
    async def work():
        async with Session(GuardedNode()) as session:
            assert (await session.ask("inbox"))["said"] == "inbox"
            with pytest.raises(NotAllowedError, match=r"not for everybody.*fleet's folder.*--fleet"):
                await session.ask("status")

    run(work())


def test_a_node_that_the_fleet_does_not_know_is_asked_as_a_guest(run):
    async def work():
        node = GuardedNode()
        async with Session(node, credentials=credentials(node_seed=None)) as session:
            assert (await session.ask("inbox"))["said"] == "inbox"
            with pytest.raises(NotAllowedError, match="not enrolled in this fleet"):
                await session.ask("status")
        assert {role for _, role in node.asked} == {STRANGER}

    run(work())


def test_a_laptop_that_the_node_was_never_told_of_is_refused_and_told(run):
    async def work():
        node = GuardedNode()
        async with Session(node, credentials=credentials(OTHER_SEED)) as session:
            with pytest.raises(NotAllowedError, match="this node knows no such key"):
                await session.ask("status")
            assert (await session.ask("inbox"))["said"] == "inbox"  # what is for everybody is for it, too

    run(work())


def test_a_key_that_may_not_ask_is_told_so(run):
    async def work():
        node = GuardedNode()
        node.trusted = {keys.public_of(LAPTOP_SEED): PERSON}
        async with Session(node, credentials=credentials()) as session:
            with pytest.raises(NotAllowedError, match="this key may not ask for status"):
                await session.ask("status")

    run(work())


def test_a_copy_of_a_node_without_its_key_learns_nothing(run):
    async def work():
        copy = GuardedNode(OTHER_SEED, claims=keys.key_id(keys.public_of(NODE_SEED)))
        async with Session(copy, credentials=credentials()) as session:
            with pytest.raises(RemoteError, match="does not show that it is this node"):
                await session.ask("status")
        assert keys.key_id(keys.public_of(LAPTOP_SEED)) not in copy.received

    run(work())


def test_a_forged_answer_is_not_believed(run):
    async def work():
        node = GuardedNode()
        async with Session(node, credentials=credentials()) as session:
            await session.ask("status")
            node.lies, node.guessed_numbers = True, range(session._seq, session._seq + 300)
            assert await session.ask("status") == {"said": "status"}

    run(work())


def test_forged_and_replayed_events_are_not_believed(run):
    events = []

    async def work():
        node = GuardedNode()
        async with Session(
            node, credentials=credentials(), events=lambda topic, fields: events.append(fields)
        ) as session:
            await session.ask("follow")
            node.say(frame.EVENT, admin.event("log", ["forged"]))
            node.last_asker.tell(admin.event("log", ["real"]))
            replayed = bytes(node.sent).rpartition(b"\x00\x00")[2] or bytes(node.sent)
            node._out.put_nowait(b"\x00" + replayed.strip(b"\x00") + b"\x00")
            await session.ask("status")

    run(work())
    assert events == [["real"]]


def test_the_second_session_of_a_day_costs_no_agreement(run):
    async def work():
        node, known = GuardedNode(), credentials()
        for expected in ("open", "resume", "resume"):
            node.received.clear()
            async with Session(node, credentials=known) as session:
                assert await session.ask("status") == {"said": "status"}
            assert (b"session_open" in node.received) == (expected == "open")
            assert (b"session_resume" in node.received) == (expected == "resume")

    run(work())


def test_a_node_that_was_restarted_is_greeted_anew_within_one_question(run):
    async def work():
        node = GuardedNode()
        async with Session(node, credentials=credentials()) as session:
            await session.ask("status")
            node.power_on()
            assert await session.ask("status", timeout_s=2.0) == {"said": "status"}

    run(work())


def test_a_restart_asked_in_a_session_that_is_gone_is_not_asked_again(run):
    async def work():
        node = GuardedNode()
        async with Session(node, credentials=credentials()) as session:
            await session.ask("status")
            node.power_on()
            with pytest.raises(LinkError, match="did not answer restart"):
                await session.ask("restart", timeout_s=QUICK_S)
            assert ("restart", LAPTOP) not in node.asked
            assert await session.ask("restart") == {"said": "restart"}

    run(work())


def test_no_sealed_question_contains_a_ctrl_c(run):
    async def work():
        node = GuardedNode()
        async with Session(node, credentials=credentials()) as session:
            await session.ask("status")
            node.received.clear()
            for _ in range(200):
                await session.ask("status")
            assert b"\x03" not in node.received

    run(work())


def test_what_is_kept_is_for_one_day_and_one_user(tmp_path):
    kept = KeptInFiles(tmp_path / "sessions")
    node = bytes(range(8))
    assert kept.get(node) is None
    kept.put(node, Resumption(b"12345678", bytes(32)))
    [path] = (tmp_path / "sessions").glob("*.json")
    if sys.platform != "win32":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    found = kept.get(node)
    assert found is not None
    assert (found.name, found.secret) == (b"12345678", bytes(32))
    assert kept.get(bytes(8)) is None
    path.write_text(json.dumps(json.loads(path.read_text()) | {"agreed_s": int(time.time()) - DAY_S}))
    assert kept.get(node) is None
    assert not path.exists()


@pytest.mark.parametrize("content", ["", "{}", "[]", "nonsense", '{"name": 5, "secret": "", "agreed_s": 0}'])
def test_a_damaged_record_is_none(tmp_path, content):
    kept = KeptInFiles(tmp_path)
    (tmp_path / f"{bytes(8).hex()}.json").write_text(content)
    assert kept.get(bytes(8)) is None


def test_a_place_that_cannot_be_written_costs_an_agreement_and_nothing_else(tmp_path):
    (tmp_path / "file").write_text("")
    kept = KeptInFiles(tmp_path / "file")
    kept.put(bytes(8), Resumption(b"12345678", bytes(32)))
    assert kept.get(bytes(8)) is None


def test_what_is_kept_in_memory_can_be_forgotten():
    kept = KeptInMemory()
    kept.put(b"node", Resumption(b"12345678", bytes(32)))
    assert kept.get(b"node") is not None
    kept.forget(b"node")
    kept.forget(b"node")
    assert kept.get(b"node") is None
