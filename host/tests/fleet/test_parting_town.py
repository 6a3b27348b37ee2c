"""Nodes on one radio: some leave by cable and some by mule, power goes in the middle, and all become one again."""

import asyncio
import contextlib
from pathlib import Path

import pytest
from test_parting import ask, asked, hello, household, until

from hedgerow.fleet import boards, founding, proposal
from hedgerow.fleet.folder import FleetFolder
from hedgerow.plans.parallel import Bench
from hedgerow.virtual import VirtualBoard
from hedgerow.virtual.radio import Ether

BOARD = "ESP32_GENERIC_S3"
SETTINGS = {"hello_ms": 400}
TOWN_WITHIN_S = 400
MULE_WITHIN_S = 120


class Town:
    """A fleet whose nodes n1, n2, … are all in reach of each other on the air."""

    def __init__(self, path: Path, fleet: FleetFolder, nodes: list[VirtualBoard], air: Ether) -> None:
        self.path, self.fleet, self.boards, self.air = path, fleet, nodes, air

    def port(self, number: int) -> str:
        return str(self.boards[number - 1].link)

    def ports(self, *numbers: int) -> list[str]:
        return [word for number in numbers for word in ("-p", self.port(number))]

    async def fleets(self) -> list[str]:
        found = await asyncio.gather(*(hello(self.port(number)) for number in range(1, len(self.boards) + 1)))
        return [bytes(one["fleet"]).hex() for one in found]

    async def cut_and_on(self, number: int, writes: int) -> None:
        """Let the power of a node fail at its n-th write from now on, and come back."""
        board = self.boards[number - 1]
        board.cut_after_writes(writes)
        with contextlib.suppress(TimeoutError):
            await board.wait_off(MULE_WITHIN_S)
            await board.power_on()


@contextlib.asynccontextmanager
async def town(tmp_path: Path, micropython, count: int, *, keys: bool = False, **households: list[int]):
    async with contextlib.AsyncExitStack() as stack:
        air = Ether(seed=1, loss=0.05)
        stack.push_async_callback(air.close)
        ether = await air.start()
        path = tmp_path / "river"
        founding.found(path, "river").close()
        with (path / "fleet.toml").open("a", encoding="utf-8") as file:
            for number in range(1, count + 1):
                file.write(proposal.node_text(f"n{number}", BOARD, SETTINGS))
        if keys:
            text = (path / "fleet.toml").read_text()
            (path / "fleet.toml").write_text(text.replace("[defaults]\n", '[defaults]\nradio_security = "fleet"\n'))
        fleet = stack.enter_context(FleetFolder(path))
        for name, numbers in households.items():
            household(fleet, name, *(f"n{number}" for number in numbers))
        made = []
        for number in range(1, count + 1):
            board = VirtualBoard(
                boards.load(BOARD),
                tmp_path / f"board-{number}",
                micropython,
                uid=bytes([2, 0, 0, 0, 0, number, 0, 0]),
                ether=ether,
            )
            air.name(board.uid[:6], f"n{number}")
            stack.push_async_callback(board.close)
            await board.start()
            made.append(board)
        results = await Bench(fleet).provision([str(board.link) for board in made], [])
        for result in results:
            assert result.passed, result.error
        yield Town(path, fleet, made, air)


async def part_and_join(place: Town, tmp_path: Path, by_cable: list[int], by_mule: list[int], stays: list[int]) -> None:
    """by_mule: nodes that no cable reaches; the first of `stays` carries their papers."""
    names = ",".join(f"n{number}" for number in by_cable + by_mule)
    at = ("--fleet", str(place.path))
    before = [await hello(place.port(number)) for number in by_cable + by_mule]
    kept = {
        number: await ask(place.port(number), "post", {"to": 0xFFFF, "text": f"from n{number}"}) for number in by_mule
    }
    # One of those who go loses its power in the middle of its move.
    cut = asyncio.create_task(place.cut_and_on(by_cable[0], 30))
    done = await asked("secede", "brook", "--nodes", names, *place.ports(*by_cable, stays[0]), *at, any_code=True)
    cut.cancel()
    await asyncio.gather(cut, return_exceptions=True)
    brook = done["made"]["id"]
    await hello(place.port(by_cable[0]))
    done = await asked("secede", "brook", "--nodes", names, *place.ports(*by_cable, stays[0]), *at)
    assert {f"n{number}" for number in by_cable} <= set(done["moved"]), done
    assert not done["waiting"]

    async def all_there():
        found = await place.fleets()
        return all(found[number - 1] == brook for number in by_cable + by_mule)

    await until(all_there, MULE_WITHIN_S)
    after = [await hello(place.port(number)) for number in by_cable + by_mule]
    assert [one["short"] for one in after] == [one["short"] for one in before]
    found = await place.fleets()
    assert {found[number - 1] for number in stays} == {place.fleet.fleet_id.hex()}
    for number, posted in kept.items():
        assert posted["id"] in [row[0] for row in await ask(place.port(number), "bundles")]

    everywhere = place.ports(*range(1, len(place.boards) + 1))
    done = await asked("secede", "brook", "--nodes", names, *everywhere, *at)
    assert len(done["moved"]) == len(by_cable + by_mule)
    assert "river" in done["new_key"]
    for number in stays:  # those who have left have no part in it
        [epoch] = [row[2] for row in await ask(place.port(number), "groups") if row[0] == place.fleet.fleet_id]
        assert epoch >= 512, number

    cut = asyncio.create_task(place.cut_and_on(stays[-1], 40))
    await asked("merge", str(tmp_path / "brook"), "--name", "delta", *everywhere, *at, any_code=True)
    cut.cancel()
    await asyncio.gather(cut, return_exceptions=True)
    await hello(place.port(stays[-1]))
    done = await asked("merge", str(tmp_path / "brook"), "--name", "delta", *everywhere, *at)
    assert len(done["moved"]) == len(place.boards), done
    assert set(await place.fleets()) == {done["made"]["id"]}
    with FleetFolder(tmp_path / "delta") as one:
        assert len(one.roster.nodes) == len(place.boards)
        assert not one.roster.conflicts
        assert len({node.short for node in one.roster.nodes}) == len(place.boards)


@pytest.mark.timeout(TOWN_WITHIN_S)
def test_four_nodes_part_by_cable_and_by_mule_and_become_one_again(tmp_path, micropython):
    async def story():
        async with town(tmp_path, micropython, 4, Rosa=[1], Ben=[2]) as place:
            await part_and_join(place, tmp_path, by_cable=[1], by_mule=[2], stays=[3, 4])

    asyncio.run(asyncio.wait_for(story(), TOWN_WITHIN_S - 10))


@pytest.mark.timeout(TOWN_WITHIN_S)
def test_those_who_left_and_those_who_stayed_hear_what_is_public_and_nothing_else(tmp_path, micropython):
    async def story():
        async with town(tmp_path, micropython, 2, keys=True, Rosa=[1]) as place:
            at = ("--fleet", str(place.path))
            await asked("secede", "brook", "--mine", *place.ports(1, 2), *at)
            one, two = place.port(1), place.port(2)
            ours = (await hello(one))["short"]
            await ask(two, "post", {"to": 0xFFFF, "text": "for all"})
            await ask(two, "post", {"to": ours, "text": "for one"})
            await ask(one, "post", {"to": 0xFFFF, "text": "and for you"})

            async def heard():
                here = [row[5] for row in await ask(one, "inbox")]
                there = [row[5] for row in await ask(two, "inbox")]
                return here if "for all" in here and "and for you" in there else None

            assert "for one" not in await until(heard, MULE_WITHIN_S)
            assert (await hello(one))["fleet"] != (await hello(two))["fleet"]

    asyncio.run(asyncio.wait_for(story(), TOWN_WITHIN_S - 10))


@pytest.mark.long
@pytest.mark.timeout(TOWN_WITHIN_S)
def test_twelve_nodes_part_by_cable_and_by_mule_and_become_one_again(tmp_path, micropython):
    async def story():
        async with town(tmp_path, micropython, 12, Rosa=[1, 2], Ben=[3], Cy=[9]) as place:
            await part_and_join(place, tmp_path, by_cable=[1, 5], by_mule=[2, 3], stays=[4, 6, 7, 8, 9, 10, 11, 12])

    asyncio.run(asyncio.wait_for(story(), TOWN_WITHIN_S - 10))
