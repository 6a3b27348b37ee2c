"""The station on real MicroPython: boards in, nodes out; one that fails stops nobody and is tried again alone."""

import asyncio
import json

import pytest
from station_table import SENSORS, at_rest, until

from hedgerow.session import Session
from hedgerow.station.card import Phase, Stage, Verdict
from hedgerow.transports import ports

pytestmark = pytest.mark.timeout(90)


async def hello(port: str) -> dict:
    async with Session(await ports.connect(port)) as node:
        return await node.ask("hello")


def test_plugged_boards_become_nodes_with_labels_and_records_and_a_bad_one_is_tried_again_alone(table):
    async def story():
        async with table(3) as bench:
            good = (bench.fleet.path / "fleet.toml").read_text()
            bench.write_fleet(good + SENSORS)  # of the last node: that address is empty
            places = [bench.port(1), bench.new_board(2), bench.port(3)]
            async with bench.station(places) as station:
                cards = await until(station, at_rest(3))
                bad = next(card for card in cards if card.node == "n3")
                assert [card.phase for card in cards if card is not bad] == [Phase.PASS] * 2, cards
                assert (bad.phase, bad.stage) == (Phase.FAIL, Stage.TEST)
                assert "lps22hb" in bad.problem and "wires" in bad.remedy
                verdicts = {check.name: check.verdict for check in bad.checks}
                assert verdicts["sensor sht31"] is Verdict.GOOD
                assert verdicts["sensor lps22hb"] is Verdict.BAD

                first = next(card for card in cards if card is not bad)
                boots = (await hello(first.port))["boots"]
                bench.write_fleet(good + SENSORS.replace("0x5c", "0x5d"))
                station.retry(bad.place)
                station.retry(bad.place)  # twice is once
                cards = await until(station, at_rest(3))
                assert [card.phase for card in cards] == [Phase.PASS] * 3, [card.problem for card in cards]
                assert (await hello(first.port))["boots"] == boots, "the others are left alone"
                assert sorted(card.run for card in cards) == [1, 1, 2]

            known = [json.loads(line) for line in (bench.fleet.path / "station" / "records.jsonl").open()]
            assert sorted((one["node"], one["result"]) for one in known) == [
                ("n1", "PASS"),
                ("n2", "PASS"),
                ("n3", "FAIL"),
                ("n3", "PASS"),
            ]
            flashed = [one for one in known if one["place"] == places[1]]
            assert flashed[0]["micropython"] == "1.22.0" and flashed[0]["mac"]
            assert "flash" in flashed[0]["stage_seconds"]
            assert sorted(path.name for path in (bench.fleet.path / "labels").iterdir()) == [
                "n1.png",
                "n2.png",
                "n3.png",
            ]

            # Somebody starts the station again: what is done is known, and not even restarted.
            async with bench.station([first.port]) as station:
                (again,) = await until(station, at_rest(1))
                assert "done already" in again.summary
                assert (await hello(again.port))["boots"] == boots

    asyncio.run(story())


def test_a_cable_that_is_pulled_and_plugged_in_again_goes_on_by_itself(table):
    async def story():
        async with table(1) as bench:
            (board,) = bench.boards
            async with bench.station([bench.port(1)]) as station:
                await until(station, lambda cards: cards[:1] and cards[0].stage is Stage.ENROL)
                board.pull_cable()
                (card,) = await until(station, at_rest(1))
                assert card.phase is Phase.FAIL
                await until(station, lambda cards: not cards[0].is_plugged)
                assert "plug" in card.remedy.lower() or "cable" in card.remedy.lower()
                board.plug()
                (card,) = await until(station, lambda cards: cards[0].phase is Phase.PASS)
                assert (card.node, card.run) == ("n1", 2)
            assert [node.name for node in bench.fleet.roster.nodes] == ["n1"]

    asyncio.run(story())
