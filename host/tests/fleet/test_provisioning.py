"""Provisioning on real MicroPython: it works the first time, it resumes, it fails in clear words, it never lies."""

import asyncio
import binascii
import time

import pytest

from hedgerow.errors import InterruptedWork, LinkError, RefusedError, StorageError
from hedgerow.fleet import proposal
from hedgerow.fleet.folder import FleetFolder
from hedgerow.plans import clock, executor, report
from hedgerow.plans.provision import Consent, InstallFiles
from hedgerow.repl import Repl
from hedgerow.session import MAX_FRAME_BYTES, Session
from hedgerow.transports import ports
from hedgerow.virtual.pump import Pace
from hedgewire import frame

QUICK = Pace(460_800)  # slow enough that a cable can be pulled while something is on it


async def hello(port: str) -> dict:
    async with Session(await ports.connect(port)) as node:
        return await node.ask("hello")


async def on_board(port: str, code: str) -> str:
    """Run code at the board's prompt, then let it run its program again."""
    transport = await ports.connect(port)
    try:
        repl = Repl(transport)
        await repl.enter()
        printed = (await repl.exec(code)).decode()
        await repl.hard_reset()
        return printed
    finally:
        await transport.close()


def test_a_bare_board_becomes_the_node_that_was_wanted(workshop, run):
    async def story():
        async with workshop() as shop:
            await shop.must_provision()
            said = await hello(shop.ports[0])
            known = shop.fleet.roster.named("n1")
            assert (said["name"], said["short"], bytes(said["id"])) == ("n1", known.short, known.node_id)
            assert bytes(said["fleet"]) == shop.fleet.charter.fleet_id
            assert said["board"] == "ESP32_GENERIC_S3"
            assert {seen.kind for seen in shop.fleet.registry.observations(known.node_id)} == {"provisioned", "epochs"}

    run(story())


def test_provisioning_tells_the_node_the_time(workshop, run):
    async def story():
        async with workshop() as shop:
            await shop.must_provision()
            assert clock.correction_s((await hello(shop.ports[0]))["time_s"], int(time.time())) is None

    run(story())


def test_a_node_that_is_done_is_recognised_and_not_even_restarted(workshop, run):
    async def story():
        async with workshop() as shop:
            await shop.must_provision()
            before = (await hello(shop.ports[0]))["boots"]
            (result,) = await shop.provision()
            assert (result.passed, result.changes) == (True, [])
            assert (await hello(shop.ports[0]))["boots"] == before

    run(story())


def test_six_boards_at_once_pass_each_with_its_own_name_and_short_id(workshop, run):
    async def story():
        async with workshop(6) as shop:
            results = await shop.provision()
            assert [(result.node, result.short) for result in results] == [(f"n{i}", i) for i in range(1, 7)]
            assert all(result.passed for result in results)
            assert len({result.node_id for result in results}) == 6

    run(story())


def test_one_port_that_fails_stops_no_other(workshop, run):
    async def story():
        async with workshop(2) as shop:
            missing = str(shop.boards[0].directory / "nowhere")
            results = await shop.provision(ports=[missing, *shop.ports])
            assert [result.passed for result in results] == [False, True, True]
            assert isinstance(results[0].error, LinkError)
            assert [result.node for result in results] == [None, "n1", "n2"]

    run(story())


@pytest.mark.parametrize("writes", [1, 2, 9, 40, 90, 140])
def test_after_a_power_cut_at_any_write_the_same_command_finishes(workshop, run, writes):
    async def story():
        async with workshop() as shop:
            (board,) = shop.boards
            # Like a board with USB of its own, which takes its port along when it dies.
            board.on_event = lambda kind, how: board.pull_cable() if (kind, how) == ("end", "off") else None
            board.cut_after_writes(writes, half=True)
            (result,) = await shop.provision()
            assert isinstance(result.error, InterruptedWork)
            assert "same command" in str(result.error)
            board.plug()
            await board.power_on()
            await shop.must_provision()
            assert [node.name for node in shop.fleet.roster.nodes] == ["n1"]
            assert shop.fleet.roster.conflicts == []
            assert (await hello(shop.ports[0]))["name"] == "n1"

    run(story())


@pytest.mark.parametrize(
    ("moment", "stops_at"),
    [
        ("app.mpy", "install"),
        ("make an identity", "identity"),
        ("enrol", "documents"),  # the step that needs the cable next
        ("documents of the fleet", "documents"),
        ("configuration", "configuration"),
        ("restart", "keys of its groups"),
        ("keys of its groups", "keys of its groups"),
        ("compare", "compare"),
    ],
)
def test_after_a_cable_was_pulled_at_any_step_the_same_command_finishes(workshop, run, monkeypatch, moment, stops_at):
    monkeypatch.setattr(executor, "RETURN_WITHIN_S", 2.0)

    async def story():
        async with workshop(pace=QUICK) as shop:
            (board,) = shop.boards

            def tell(now):
                if moment in now.doing:
                    board.pull_cable()

            (result,) = await shop.provision(tell=tell)
            assert isinstance(result.error, InterruptedWork)
            assert stops_at in result.error.what
            assert result.error.exit_code == 7
            board.plug()
            monkeypatch.undo()
            await shop.must_provision()
            assert [(node.name, node.serial) for node in shop.fleet.roster.nodes] == [("n1", 1)]

    run(story())


def test_resuming_sends_only_what_had_not_arrived(workshop, run):
    async def story():
        async with workshop(pace=QUICK) as shop:
            (board,) = shop.boards
            (first,) = await shop.provision(tell=lambda now: "sampling.mpy" in now.doing and board.pull_cable())
            board.plug()
            (second,) = await shop.provision()
            (before,) = [len(step.files) for step in first.steps if isinstance(step, InstallFiles)]
            (after,) = [len(step.files) for step in second.steps if isinstance(step, InstallFiles)]
            assert second.passed
            assert 0 < after < before // 2

    run(story())


def test_a_dry_plan_changes_nothing_on_a_bare_board_and_does_not_restart_a_node(workshop, run):
    async def story():
        async with workshop(2) as shop:
            await shop.provision("n1", ports=shop.ports[:1])
            boots = (await hello(shop.ports[0]))["boots"]
            from hedgerow.plans.parallel import Bench

            results = await Bench(shop.fleet).plan(shop.ports)
            assert results[0].changes == []
            first_words = [change.split()[0] for change in results[1].changes]
            assert first_words == ["install", "make", "enrol", "give", "write", "give"]
            assert (await hello(shop.ports[0]))["boots"] == boots
            assert [node.name for node in shop.fleet.roster.nodes] == ["n1"]
            assert "a" not in await on_board(shop.ports[1], "import os\nprint(*os.listdir('/'))")

    run(story())


def test_the_wrong_board_is_refused_with_both_names_and_left_as_it_was(workshop, run):
    async def story():
        async with workshop(board_id="RPI_PICO") as shop:
            path = shop.fleet.path / "fleet.toml"
            path.write_text(path.read_text().replace("RPI_PICO", "ESP32_GENERIC_C3"))
            with FleetFolder(shop.fleet.path) as changed:
                shop.fleet = changed
                (result,) = await shop.provision()
            assert isinstance(result.error, RefusedError)
            assert "ESP32_GENERIC_C3" in str(result.error)
            assert "Raspberry Pi Pico" in str(result.error)
            assert "a" not in (await on_board(shop.ports[0], "import os\nprint(*os.listdir('/'))")).split()

    run(story())


def test_a_node_of_another_fleet_is_refused_until_somebody_says_take_over(workshop, run):
    async def story():
        async with workshop(name="river") as ours, workshop(name="hill") as theirs:
            await theirs.must_provision()
            (result,) = await ours.provision(ports=theirs.ports)
            assert isinstance(result.error, RefusedError)
            assert "--take-over" in str(result.error)
            assert bytes((await hello(theirs.ports[0]))["fleet"]) == theirs.fleet.charter.fleet_id
            (result,) = await ours.provision(ports=theirs.ports, consent=Consent(take_over=True))
            assert result.passed, result.error
            assert bytes((await hello(theirs.ports[0]))["fleet"]) == ours.fleet.charter.fleet_id
            assert ours.fleet.roster.nodes[0].node == theirs.fleet.roster.nodes[0].node

    run(story())


def test_a_node_does_not_move_against_its_custodian(workshop, run):
    async def story():
        async with workshop(name="river") as ours, workshop(name="hill") as theirs:
            path = theirs.fleet.path / "fleet.toml"
            path.write_text(path.read_text() + 'custodian = "Rosa"\n')
            with FleetFolder(theirs.fleet.path) as changed:
                theirs.fleet = changed
                await theirs.must_provision()
            (result,) = await ours.provision(ports=theirs.ports, consent=Consent(take_over=True))
            assert isinstance(result.error, RefusedError)
            assert "custodian" in str(result.error)

    run(story())


def test_a_full_flash_is_told_before_anything_is_written(workshop, run):
    async def story():
        async with workshop(board_id="RPI_PICO") as shop:
            fill = "f = open('/big', 'wb')\nfor _ in range(300): f.write(bytes(4096))\nf.close()\nprint('full')"
            assert "full" in await on_board(shop.ports[0], fill)
            (result,) = await shop.provision()
            assert isinstance(result.error, StorageError)
            assert result.error.exit_code == 5
            assert "Nothing was changed" in str(result.error)

    run(story())


def test_an_erased_board_gets_its_old_name_only_with_replace(workshop, run):
    async def story():
        async with workshop() as shop:
            await shop.must_provision()
            old = shop.fleet.roster.named("n1")
            await on_board(shop.ports[0], "import os\nos.remove('/identity.cbor')\nos.remove('/config.cbor')")
            (result,) = await shop.provision("n1")
            assert "--replace" in str(result.error)
            (result,) = await shop.provision("n1", consent=Consent(replace=True))
            assert result.passed, result.error
            (new,) = shop.fleet.roster.nodes
            assert new.replaces == old.digest
            assert new.node != old.node

    run(story())


def test_a_file_changed_behind_its_back_is_named_by_the_audit_and_mended_alone(workshop, run):
    async def story():
        async with workshop(2) as shop:
            await shop.must_provision()
            assert (await report.run(shop.fleet, shop.ports)).findings == []
            await on_board(shop.ports[1], "f = open('/a/hedgewire/link.mpy', 'ab')\nf.write(b'x')\nf.close()\nprint(1)")
            await asyncio.sleep(0.5)
            (finding,) = (await report.run(shop.fleet, shop.ports)).findings
            assert (finding.node, finding.kind, finding.path) == ("n2", "modified", "/a/hedgewire/link.mpy")
            results = await shop.provision()
            assert [result.changes for result in results] == [[], [results[1].changes[0]]]
            assert "install 1 file" in results[1].changes[0]
            assert (await report.run(shop.fleet, shop.ports)).findings == []

    run(story())


def test_a_module_that_does_not_belong_there_is_removed(workshop, run):
    async def story():
        async with workshop() as shop:
            await shop.must_provision()
            await on_board(shop.ports[0], "open('/a/hedgewire/spy.mpy', 'w').close()\nprint(1)")
            (result,) = await shop.provision()
            assert result.passed, result.error
            assert result.changes == ["remove /a/hedgewire/spy.mpy"]

    run(story())


def test_a_changed_fleet_toml_changes_the_node(workshop, run):
    async def story():
        async with workshop() as shop:
            await shop.must_provision()
            path = shop.fleet.path / "fleet.toml"
            path.write_text(path.read_text() + "sample_ms = 1234\n")
            with FleetFolder(shop.fleet.path) as changed:
                (finding,) = (await report.run(changed, shop.ports)).findings
                assert (finding.kind, finding.path) == ("configuration drift", "/config.cbor:sample_ms")
                shop.fleet = changed
                (result,) = await shop.provision()
                assert result.changes == ["write its configuration (sample_ms)"]
                assert (await report.run(changed, shop.ports)).findings == []

    run(story())


def test_the_seed_of_a_node_never_crosses_the_cable(workshop, run):
    async def story():
        async with workshop() as shop:
            heard = bytearray()  # as it came, and so every text
            frames = []  # what came framed: COBS writes other bytes for every 00, so `heard` may not hold it

            async def listening(port):
                transport = await ports.connect(port)
                receive = transport.receive
                decoder = frame.Decoder(MAX_FRAME_BYTES)

                async def noted():
                    data = await receive()
                    heard.extend(data)
                    frames.extend(payload for kind, payload in decoder.feed(data) if kind != frame.TEXT)
                    return data

                transport.receive = noted
                return transport

            await shop.must_provision(connect=listening)
            (result,) = await shop.provision(connect=listening)
            assert result.passed
            seed = await on_board(
                shop.ports[0],
                "d = open('/identity.cbor', 'rb').read()\ni = d.find(b'dseed\\x58\\x20') + 7\nprint(d[i:i+32].hex())",
            )
            seed = bytes.fromhex(seed.strip())
            assert len(seed) == 32
            # What may be heard was heard, so the lines after these can fail.
            assert any(result.node_id in payload for payload in frames)
            assert b"MicroPython" in heard
            for form in (seed, seed.hex().encode(), binascii.b2a_base64(seed).strip()):
                assert form not in heard
                assert not any(form in payload for payload in frames)

    run(story())


def test_a_node_that_is_not_in_fleet_toml_any_more_is_named_and_not_renamed(workshop, run):
    async def story():
        async with workshop() as shop:
            await shop.must_provision()
            path = shop.fleet.path / "fleet.toml"
            path.write_text(path.read_text().replace('"n1"', '"oak"'))
            with FleetFolder(shop.fleet.path) as changed:
                shop.fleet = changed
                (result,) = await shop.provision()
                assert "this is node n1 of your fleet" in str(result.error)
                (result,) = await shop.provision("oak", consent=Consent(take_over=True))
                assert result.passed, result.error
                assert [(node.name, node.short) for node in changed.roster.nodes] == [("oak", 1)]

    run(story())


def test_a_board_without_a_free_name_is_told_what_to_add(workshop, run):
    async def story():
        async with workshop() as shop:
            path = shop.fleet.path / "fleet.toml"
            path.write_text(proposal.first_text("river"))
            with FleetFolder(shop.fleet.path) as changed:
                shop.fleet = changed
                (result,) = await shop.provision()
            assert "[[node]]" in str(result.error)

    run(story())
