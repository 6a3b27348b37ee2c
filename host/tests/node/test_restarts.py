"""What restarts a node, what leaves it at its prompt, and for how long."""

import asyncio

import pytest

from hedgerow.errors import FleetError, LinkError
from hedgewire import cbor

HANG = """
    from hedgenode.hal import watchdog
    from hedgenode.tasks import sampling
    watchdog.TIMEOUT_MS = 700
    async def hang(self):
        while True:
            pass
    sampling.SamplingTask.read = hang
"""
FALL_ASLEEP = """
    from hedgenode import app
    from hedgenode.tasks import sampling
    import asyncio
    app._LEAST_GRACE_MS = 200
    app.EARLY_RESTART_DELAY_S = 0
    sampling._READING_MS = 200
    async def sleep(self):
        await asyncio.sleep(3600)
    sampling.SamplingTask.read = sleep
"""
FAIL = """
    from hedgenode import app
    from hedgenode.tasks import sampling
    app.EARLY_RESTART_DELAY_S = 0
    async def fail(self):
        raise ValueError("the sensor fell into the pond")
    sampling.SamplingTask.read = fail
"""
FAIL_TO_START = """
    from hedgenode import app
    def fail(self, settings, board, cable):
        raise OSError(28)
    app.Node.__init__ = fail
"""
SHORT_WATCHDOG = """
    from hedgenode.hal import watchdog
    watchdog.TIMEOUT_MS = 3000
"""


def test_a_task_that_hangs_is_ended_by_the_watchdog(nodes):
    async def story():
        node = await nodes.node()
        boots = (await nodes.hello(node))["boots"]
        await nodes.change_once(node, HANG)
        await nodes.ask(node, "restart")
        await nodes.ends(node, "watchdog")
        assert (await nodes.hello(node))["boots"] == boots + 2

    nodes.run(story())


def test_a_task_that_never_comes_back_restarts_the_node_with_its_name(nodes):
    async def story():
        node = await nodes.node()
        boots = (await nodes.hello(node))["boots"]
        await nodes.ask(node, "configure", {"config": {"watchdog_ms": 1}})
        await nodes.change_once(node, FALL_ASLEEP)
        assert b"sampling failed" in await nodes.restart(node, b"in time")
        assert (await nodes.hello(node))["boots"] == boots + 2

    nodes.run(story())


def test_without_a_watchdog_a_late_task_restarts_nothing(nodes):
    async def story():
        node = await nodes.node()
        await nodes.ask(node, "configure", {"config": {"watchdog_ms": 0}})
        await nodes.change_once(node, FALL_ASLEEP)
        await nodes.ask(node, "restart")
        await nodes.ends(node, "hard")
        boots = (await nodes.hello(node))["boots"]
        await asyncio.sleep(1)
        assert (await nodes.hello(node))["boots"] == boots

    nodes.run(story())


def test_a_task_that_fails_restarts_the_node_with_its_reason(nodes):
    async def story():
        node = await nodes.node()
        boots = (await nodes.hello(node))["boots"]
        await nodes.change_once(node, FAIL)
        assert b"sampling failed" in await nodes.restart(node, b"pond")
        assert (await nodes.hello(node))["boots"] == boots + 2

    nodes.run(story())


def test_a_start_that_fails_waits_where_ctrl_c_gives_the_prompt(nodes):
    async def story():
        node = await nodes.node()
        await nodes.change_once(node, FAIL_TO_START)
        assert b"restarts in 60 s" in await nodes.restart(node, b"OSError")
        await nodes.hear(node, b">>> ", b"\x03")
        await nodes.hear(node, b"42", b"print(6 * 7)\r")

    nodes.run(story())


def test_a_failure_opens_no_locked_console(nodes):
    async def story():
        node = await nodes.node()
        await nodes.configure(node, console="locked")
        await nodes.change_once(node, FAIL_TO_START + "    app.EARLY_RESTART_DELAY_S = 2\n")
        await nodes.restart(node, b"Its console is locked")
        assert b">>>" not in await nodes.hear(node, b"is up", b"\x03\r\n\x03", within_s=20)

    nodes.run(story())


def test_the_prompt_is_held_against_the_watchdog_and_then_given_back(nodes):
    async def story():
        node = await nodes.node()
        await nodes.change_once(node, SHORT_WATCHDOG)
        await nodes.ask(node, "restart")
        await nodes.ends(node, "hard")
        boots = (await nodes.hello(node))["boots"]
        node.resets.clear()
        async with nodes.prompt(node) as repl:
            await asyncio.sleep(4)  # longer than the watchdog waits
            assert (await repl.exec("print(6 * 7)")).strip() == b"42"
            assert "watchdog" not in node.resets
            await repl.exec("from hedgenode.hal import watchdog; watchdog.HOLD_MS = 0")
        await nodes.ends(node, "hard")
        assert (await nodes.hello(node))["boots"] == boots + 1

    nodes.run(story())


@pytest.mark.parametrize("name", ["oak", "pico"])
def test_dev_mode_outlives_every_reset_and_ends_with_the_power(nodes, name):
    async def story():
        node = await nodes.node(name)
        boots = (await nodes.hello(node))["boots"]
        await nodes.ask(node, "dev")
        await nodes.ends(node, "hard")
        await nodes.hear(node, b">>> ", b"\r")
        for how in ("soft", "hard", "soft"):
            async with nodes.prompt(node) as repl:
                await (repl.soft_reset() if how == "soft" else repl.hard_reset())
            async with nodes.prompt(node) as repl:
                assert b"True" in await repl.exec("import os; print('dev' in os.listdir('/'))")
                held = await repl.exec("from hedgenode.hal import watchdog; print(watchdog._wdt, watchdog._timer)")
                assert held.split() == [b"None", b"None"]
        await node.kill()
        await node.power_on()
        assert (await nodes.hello(node))["boots"] == boots + 1

    nodes.run(story())


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(b"\xa1", b"damaged"), (cbor.encode({"v": 1, "short": 1}), b"must be"), (cbor.encode({"v": 2}), b"version 1")],
)
def test_a_damaged_configuration_leads_to_the_prompt_with_a_sentence(nodes, content, sentence):
    async def story():
        node = await nodes.node()
        async with nodes.prompt(node) as repl:
            await repl.exec(f"open('/config.cbor', 'wb').write({content!r})")
        node.resets.clear()
        said = await nodes.reset(node, b">>> ")
        assert sentence in said
        assert b"hedgerow provision" in said
        await asyncio.sleep(0.5)
        assert node.resets == ["hard"]

    nodes.run(story())


def test_a_board_that_is_no_node_yet_answers_only_at_its_prompt(nodes):
    async def story():
        node = await nodes.node()
        async with nodes.prompt(node) as repl:
            await repl.exec("import os; os.remove('/config.cbor')")
        await nodes.reset(node, b"not provisioned")
        for method in ("hello", "config", "document_put", "put_begin", "session_open"):
            async with nodes.session(node) as session:
                with pytest.raises(LinkError, match="prompt answers"):
                    await session.ask(method, timeout_s=0.3)
        async with nodes.prompt(node) as repl:
            said = await repl.exec("import os; print('config.cbor' in os.listdir('/'))")
            assert said.strip() == b"False"

    nodes.run(story())


def test_half_a_firmware_says_so_at_the_prompt(nodes):
    async def story():
        node = await nodes.node()
        await nodes.ask(node, "remove", {"path": "/a/hedgenode/rules/quota.mpy"})
        assert b"not complete" in await nodes.restart(node, b">>> ")

    nodes.run(story())


def test_a_configuration_that_cannot_work_is_refused_and_a_good_one_holds_after_the_restart(nodes):
    async def story():
        node = await nodes.node("pico")
        before = await nodes.ask(node, "config")
        async with nodes.session(node) as session:
            for wrong in (
                {"sample_ms": 0},
                {"sample_ms": "often"},
                {"radio": "espnow"},  # a Pico has no radio
                {"short": 0xFFFF},
                {"sensors": [{"bus": 0}]},
                {"fleet": b"anothers"},
                {"id": b"anothers"},
                {"v": 2},
                {"name": None},
                {"note": "x" * 1500},
            ):
                with pytest.raises(FleetError):
                    await session.ask("configure", {"config": wrong})
            with pytest.raises(FleetError):
                await session.ask("configure", {"config": [1]})
            assert (await session.ask("configure", {"config": {"name": "ash", "copies": 9}}))["copies"] == 9
            assert (await session.ask("config")) == before
            await session.ask("restart")
        await nodes.ends(node, "hard")
        assert (await nodes.hello(node))["name"] == "ash"

    nodes.run(story())
