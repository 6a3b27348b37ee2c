"""A part of a fleet leaves it, and the nodes of both go on: by cable, by mule, through power cuts, and back again."""

import asyncio
import contextlib
import json
import sys
import time
from dataclasses import replace

import pytest

from hedgerow.errors import FleetError
from hedgerow.fleet import keys
from hedgerow.fleet.folder import FleetFolder
from hedgerow.fleet.people import Custodian
from hedgerow.plans import parting
from hedgerow.plans.moving import Carriage, Carrier
from hedgerow.session import Session
from hedgerow.transports import ports

HEARD_WITHIN_S = 40.0
EVERYONE = 0xFFFF


async def command(*arguments: str) -> tuple[int, str]:
    """Run hedgerow as its own program, while this event loop keeps the boards alive."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "hedgerow", *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    out, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode()


async def asked(*arguments: str, any_code: bool = False) -> dict:
    code, out = await command(*arguments, "--json")
    assert code == 0 or any_code, out
    return json.loads(out)


def household(fleet: FleetFolder, name: str, *nodes: str) -> None:
    """Make a household whose key lies on this laptop, and write into fleet.toml that these nodes are its own."""
    seed = keys.new_seed()
    fleet.keep_secrets(fleet.secrets.with_custodian(name, seed))
    fleet.add([Custodian(name, keys.public_of(seed)).to_document().signed(seed)])
    path = fleet.path / "fleet.toml"
    text = path.read_text()
    for node in nodes:
        text = text.replace(f'name = "{node}"', f'name = "{node}"\ncustodian = "{name}"')
    path.write_text(text)
    fleet.__dict__.pop("proposal", None)


async def ask(port: str, method: str, params=None):
    async with Session(await ports.connect(port), name=port) as session:
        return await session.ask(method, params, HEARD_WITHIN_S)


async def hello(port: str) -> dict:
    """Its hello, as soon as it runs."""
    end = time.monotonic() + HEARD_WITHIN_S
    while True:
        try:
            async with Session(await ports.connect(port), name=port) as session:
                found = (await session.recognise()).hello
                if found is not None:
                    return dict(found)
        except FleetError:
            pass
        assert time.monotonic() < end, f"{port} does not answer"
        await asyncio.sleep(0.1)


async def until(condition, within_s: float = HEARD_WITHIN_S):
    """Wait until an asynchronous question is answered with something true; that answer."""
    end = time.monotonic() + within_s
    while True:
        with contextlib.suppress(FleetError):
            if found := await condition():
                return found
        assert time.monotonic() < end, "it did not come to that"
        await asyncio.sleep(0.3)


def test_a_household_leaves_with_its_node_which_keeps_what_it_holds(workshop, run, tmp_path):
    async def story():
        async with workshop(2) as shop:
            household(shop.fleet, "Rosa", "n1")
            await shop.must_provision()
            one, two = shop.ports
            before = await hello(one)
            posted = await ask(one, "post", {"to": EVERYONE, "text": "before we go"})
            for_one = await ask(two, "post", {"to": before["short"], "text": "to n1"})
            samples = await ask(one, "samples")
            at = ("--fleet", str(shop.fleet.path))

            told = await asked("secede", "brook", "--mine", "--dry-run", "-p", one, "-p", two, *at)
            assert told["nodes"] == [{"node": "n1", "may_go": None, "messages_under_way": 1}]
            assert not (tmp_path / "brook").exists()
            assert for_one["id"]

            done = await asked("secede", "brook", "--mine", "-p", one, "-p", two, *at)
            assert done["moved"] == ["n1"]
            assert not done["failed"]
            after = await hello(one)
            assert after["fleet"].hex() == done["made"]["id"]
            assert [after[key] for key in ("id", "short", "name")] == [before[key] for key in ("id", "short", "name")]
            assert posted["id"] in [row[0] for row in await ask(one, "bundles")]
            assert (await ask(one, "samples"))[: len(samples)] == samples
            kinds = [row[1] for row in await ask(one, "documents")]
            assert kinds == ["charter", "laptop", "enrolment", "custodian"]
            assert [bytes(row[0]).hex() for row in await ask(one, "groups")] == [done["made"]["id"]]
            assert (await hello(two))["fleet"] == shop.fleet.fleet_id

            again = await asked("secede", "brook", "--mine", "-p", one, "-p", two, *at)
            assert again["moved"] == ["n1"]
            with FleetFolder(shop.fleet.path) as old, FleetFolder(tmp_path / "brook") as new:
                assert [node.name for node in old.roster.nodes] == ["n2"]
                assert [node.name for node in new.roster.nodes] == ["n1"]
                assert not old.roster.conflicts
                assert not new.roster.conflicts
                assert [str(split) for split in old.standing.splits]
            assert (await asked("audit", "-p", one, "--fleet", str(tmp_path / "brook")))["findings"] == []

    run(story())


def test_nobody_takes_a_households_node_along(workshop, run, tmp_path):
    async def story():
        async with workshop(1) as shop:
            household(shop.fleet, "Rosa", "n1")
            await shop.must_provision()
            shop.fleet.keep_secrets(replace(shop.fleet.secrets, custodians={}))  # Rosa keeps her key at home
            code, said = await command(
                "secede", "brook", "--nodes", "n1", "-p", shop.ports[0], "--fleet", str(shop.fleet.path)
            )
            assert code == 0, said
            assert "stays where it is: the household" in " ".join(said.split())
            assert (await hello(shop.ports[0]))["fleet"] == shop.fleet.fleet_id
            # Nor do all the stewards, however they sign.
            with FleetFolder(tmp_path / "brook") as made:
                [going] = parting.journeys(shop.fleet, made)
            council = [key.seed for key in shop.fleet.secrets.stewards.values()]
            forced = going.papers[0].signed(*council, shop.fleet.secrets.laptop_seed)
            with pytest.raises(FleetError, match="household"):
                await ask(shop.ports[0], "document_put", {"data": forced.encode()})
            assert (await hello(shop.ports[0]))["fleet"] == shop.fleet.fleet_id

    run(story())


CUTS = (1, 12, 18, 400)  # at these writes of a block, from the last paper on; the last one never comes
RESTARTED_WITHIN_S = 3


@pytest.mark.timeout(240)
def test_a_power_cut_anywhere_leaves_the_node_wholly_in_one_of_the_two_fleets(workshop, tmp_path):
    async def story():
        async with workshop(1) as shop:
            household(shop.fleet, "Rosa", "n1")
            await shop.must_provision()
            [port], [board] = shop.ports, shop.boards
            leaving = parting.chosen(shop.fleet, [], mine=True)
            with parting.found_for(tmp_path / "brook", "brook", [shop.fleet], [leaving], ["Rosa"]) as made:
                parting.prepare(shop.fleet, made, leaving)
                [going] = parting.journeys(shop.fleet, made)
                for paper in going.papers[:-1]:
                    await ask(port, "document_put", {"data": paper.encode()})
                assert "key" in (await ask(port, "move"))["lacks"]
                await board.kill()
                almost = board.image.read_bytes()  # of a node that is off
                in_the_new_one = 0
                for number, writes in enumerate(CUTS):
                    await board.kill()
                    board.image.write_bytes(almost)
                    await board.power_on()
                    await hello(port)
                    board.cut_after_writes(writes, half=number % 2 == 1)
                    last = asyncio.create_task(ask(port, "document_put", {"data": going.papers[-1].encode()}))
                    off = asyncio.create_task(board.wait_off(HEARD_WITHIN_S))
                    await asyncio.wait([last, off], return_when=asyncio.FIRST_COMPLETED)
                    with contextlib.suppress(TimeoutError):
                        await board.wait_off(RESTARTED_WITHIN_S)
                    for one in (last, off):
                        one.cancel()
                    await asyncio.gather(last, off, return_exceptions=True)
                    await board.kill()
                    await board.power_on()
                    there = await hello(port)
                    new = there["fleet"] == made.fleet_id
                    in_the_new_one += new
                    held = {bytes(row[0]) for row in await ask(port, "documents")}
                    ours, theirs = (made, shop.fleet) if new else (shop.fleet, made)
                    assert ours.charter.digest in held, writes
                    assert theirs.charter.digest not in held, writes
                    groups = [bytes(row[0]) for row in await ask(port, "groups")]
                    assert groups == [ours.fleet_id], writes
                    assert there["charter"] == ours.charter.version
                assert 0 < in_the_new_one < len(CUTS)
                # Wherever it stopped, the same command does the rest.
                report = await Carrier([port]).carry(Carriage(shop.fleet.fleet_id, (going,)))
                assert list(report.moved.values()) == ["n1"], report

    asyncio.run(asyncio.wait_for(story(), 200))
