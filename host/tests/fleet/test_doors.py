"""A node that asks for keys, on real MicroPython: who is let in, every command with the fleet's key, and who is not."""

import asyncio
import subprocess
import sys
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from hedgerow.cli.main import main
from hedgerow.errors import LinkError, NotAllowedError, RemoteError
from hedgerow.fleet import founding, keys
from hedgerow.plans import credentials
from hedgerow.session import Credentials, KeptInMemory, OwnKey, Session
from hedgerow.transports import ports
from hedgewire import frame

UP_WITHIN_S = 15


@pytest.fixture
def guarded(workshop):
    """`async with guarded() as shop:` is a fleet whose one node asks for keys."""

    @asynccontextmanager
    async def opened(**settings):
        async with workshop() as shop:
            path = shop.fleet.path / "fleet.toml"
            lines = "".join(f"{key} = {value}\n" for key, value in settings.items())
            text = path.read_text().replace("protected = false", "protected = true")
            path.write_text(text.replace("[defaults]\n", "[defaults]\n" + lines, 1))
            await shop.must_provision()
            yield shop

    return opened


@asynccontextmanager
async def session(shop, keys: Credentials | None, **options):
    async with Session(await ports.connect(shop.ports[0]), credentials=keys, **options) as opened:
        yield opened


async def up(shop) -> dict:
    """Its hello, as soon as it runs again."""
    async with session(shop, None) as node:
        return await answering(node)


async def answering(node: Session) -> dict:
    async with asyncio.timeout(UP_WITHIN_S):
        while True:
            try:
                return await node.ask("hello", timeout_s=0.5)
            except LinkError:
                await asyncio.sleep(0.1)


@pytest.fixture
def say(capsys):
    """Run a command in the fleet's folder: its exit code, and what it said."""

    async def said(shop, *words: str, fleet=None) -> tuple[int, str]:
        where = ["-p", shop.ports[0], "--fleet", str(fleet or shop.fleet.path)]
        code = await asyncio.to_thread(main, [*words, *where])
        out, err = capsys.readouterr()
        return code, out + err

    return said


def test_every_command_works_at_a_node_that_asks_for_keys(guarded, run, say, tmp_path):
    async def story():
        async with guarded() as shop:
            assert (await up(shop))["protected"] is True
            for command in (
                ("audit",),
                ("plan",),
                ("provision",),
                ("logs",),
                ("samples",),
                ("send", "--public", "the gate is open"),
                ("inbox",),
                ("ledger", "collect"),
                ("fleet", "give"),
                ("report", "-o", str(tmp_path / "report.html")),
                ("carry",),
                ("gather",),
                ("rotate",),
                ("dev",),
            ):
                code, told = await say(shop, *command)
                assert code == 0, (command, told)
            kept = list((shop.fleet.path / "sessions").glob("*.json"))
            assert len(kept) == 1, "agreed once, and taken up again by all the others"

    run(story())


def test_a_laptop_of_another_fleet_is_told_so_and_changes_nothing(guarded, run, say, tmp_path):
    async def story():
        async with guarded() as shop:
            founding.found(tmp_path / "strangers", "strangers").close()
            for command in (("logs",), ("samples",), ("dev",)):
                code, told = await say(shop, *command, fleet=tmp_path / "strangers")
                assert code == 4, (command, told)
                assert "this node answers it to its fleet's laptops and to its custodian" in told
                assert "is not enrolled in this fleet" in told
            assert (await up(shop))["boots"] == 1, "it was not restarted"

    run(story())


def test_keys_that_open_and_keys_that_do_not(guarded, run):
    """The node itself judges: by the key that is shown, and by what was asked for."""

    async def story():
        async with guarded() as shop:
            shown = credentials.of(shop.fleet)
            held = shop.fleet.secrets
            [steward] = held.stewards.values()
            async with session(shop, None) as guest:
                with pytest.raises(NotAllowedError, match="name that with --fleet"):
                    await guest.ask("status")
            async with session(shop, with_key(shown, keys.new_seed())) as stranger:
                with pytest.raises(NotAllowedError, match="this node knows no such key"):
                    await stranger.ask("status")
            async with session(shop, with_key(shown, held.laptop_seed)) as laptop:
                await laptop.ask("configure", {"config": {"console": "locked"}})
                for opening in ({"protected": False}, {"name": "elm", "protected": False}):
                    with pytest.raises(NotAllowedError, match="only a steward or the custodian"):
                        await laptop.ask("configure", {"config": opening})
                assert (await laptop.ask("config"))["protected"] is True
            async with session(shop, with_key(shown, steward.seed)) as council:
                said = await council.ask("configure", {"config": {"protected": False, "console": "open"}})
                assert said["protected"] is False

    run(story())


def test_an_agreement_is_taken_up_again_within_the_day_and_needs_no_key(guarded, run):
    async def story():
        async with guarded() as shop:
            shown = credentials.of(shop.fleet)
            async with session(shop, shown) as node:
                await node.ask("status")
            async with session(shop, replace(shown, own=lambda _: [])) as node:
                assert await node.is_protected()
            asked = replace(shown, own=lambda _: [], kept=KeptInMemory())
            async with session(shop, asked) as node:
                assert not await node.is_protected()

    run(story())


def test_a_node_that_says_it_asks_nobody_is_told_nothing(guarded, run):
    """Somebody on the line who leaves out of its greeting that the node asks for keys."""

    async def story():
        async with guarded() as shop:
            async with session(shop, replace(credentials.of(shop.fleet), insists=lambda _: True)) as node:
                await node.ask("status")
            [steward] = shop.fleet.secrets.stewards.values()
            async with session(shop, with_key(credentials.of(shop.fleet), steward.seed)) as node:
                await node.ask("configure", {"config": {"protected": False}})
                await node.ask("restart")
            await asyncio.sleep(0.5)
            assert (await up(shop))["protected"] is False
            async with session(shop, credentials.of(shop.fleet)) as node:
                with pytest.raises(RemoteError, match="asks nobody for a key"):
                    await node.ask("status")
            await shop.must_provision()
            assert (await up(shop))["protected"] is True

    run(story())


def test_what_is_replayed_or_one_bit_off_is_not_done(guarded, run):
    async def story():
        async with guarded() as shop:
            heard = []
            transport = Overheard(await ports.connect(shop.ports[0]), heard)
            async with Session(transport, credentials=credentials.of(shop.fleet)) as node:
                await node.ask("set_time", {"time_s": 900_000_000})
                request = heard[-1]
                await node.ask("set_time", {"time_s": 800_000_000})
                await transport.send(request)
                [(_, payload)] = frame.Decoder(4096).feed(request)
                for bit in (0, 4 * 8, 8 * 8, len(payload) * 8 - 1):
                    damaged = bytearray(payload)
                    damaged[bit // 8] ^= 1 << bit % 8
                    await transport.send(frame.encode(frame.SEALED, bytes(damaged)))
                said = (await node.ask("status"))["time_s"]
                assert 800_000_000 <= said < 800_000_100, "the clock was not set back by what was not said anew"

    run(story())


def test_a_node_that_restarts_in_the_middle_is_greeted_anew(guarded, run):
    async def story():
        async with guarded() as shop, session(shop, credentials.of(shop.fleet)) as node:
            await node.ask("status")
            await shop.boards[0].kill()
            await shop.boards[0].power_on()
            assert (await answering(node))["boots"] == 2
            assert (await node.ask("status"))["samples"] >= 0

    run(story())


def with_key(shown: Credentials, seed: bytes) -> Credentials:
    """The same fleet in the hand of somebody with that key alone, who has agreed on nothing yet."""
    public = keys.public_of(seed)
    form = keys.agreement_public(public)
    assert form is not None
    mine = OwnKey(keys.key_id(public), form, lambda: keys.agreement_secret(seed))
    return replace(shown, own=lambda _: [mine], kept=KeptInMemory())


def test_a_locked_console_lets_in_only_who_may_ask_for_it(guarded, run, say, tmp_path):
    """With the real mpremote, which knows nothing of Hedgerow."""

    async def story():
        async with guarded(console='"locked"') as shop:
            code, told = await mpremote(shop, "exec", "print('in')")
            assert code != 0, told
            assert "raw repl" in told.lower()
            assert (await up(shop))["boots"] == 1
            founding.found(tmp_path / "strangers", "strangers").close()
            code, told = await say(shop, "dev", fleet=tmp_path / "strangers")
            assert code == 4, told

            path = shop.fleet.path / "fleet.toml"
            path.write_text(path.read_text().replace("[defaults]\n", "[defaults]\ncopies = 5\n", 1))
            code, told = await say(shop, "provision")
            assert code == 0, told
            async with session(shop, credentials.of(shop.fleet)) as node:
                held = await node.ask("config")
                assert (held["copies"], held["console"]) == (5, "locked"), "changed, and locked again"

            code, told = await say(shop, "dev")
            assert code == 0, told
            code, told = await mpremote(shop, "exec", "print('in')")
            assert (code, told.strip()) == (0, "in")

    run(story())


async def mpremote(shop, *words: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "mpremote", "connect", shop.ports[0], *words,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        out, _ = await asyncio.wait_for(process.communicate(), 30)
    except TimeoutError:
        process.kill()
        raise
    assert process.returncode is not None
    return process.returncode, out.decode()


class Overheard:
    """A transport, and everything that goes into it."""

    def __init__(self, transport, heard: list[bytes]) -> None:
        self.name = transport.name
        self._transport, self._heard = transport, heard

    async def send(self, data: bytes) -> None:
        self._heard.append(data)
        await self._transport.send(data)

    async def receive(self) -> bytes:
        return await self._transport.receive()

    async def close(self) -> None:
        await self._transport.close()
