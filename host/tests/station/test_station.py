"""The station on real MicroPython: boards in, nodes out; one that fails stops nobody and is tried again alone."""

import asyncio
import json
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from station_table import SENSORS, at_rest, made_images, until

from hedgerow.flash import bootsel, image
from hedgerow.fleet import boards, founding, proposal
from hedgerow.fleet.folder import FleetFolder
from hedgerow.plans import flash_pico
from hedgerow.plans.flash import FlashBench
from hedgerow.plans.parallel import Bench
from hedgerow.report.node_labels import LabelFiles
from hedgerow.session import Session
from hedgerow.station.bench import Station
from hedgerow.station.card import Phase, Stage, Verdict
from hedgerow.station.records import Records
from hedgerow.station.watch import UsbWatch
from hedgerow.station.work import Tools
from hedgerow.transports import ports
from hedgerow.transports.ports import PortFacts
from hedgerow.virtual import VirtualBoard
from hedgerow.virtual.bootsel import BootselPico

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


def test_a_new_pico_is_a_drive_first_and_goes_on_at_its_port(tmp_path, micropython):
    """It shows its drive, gets the image for the Pico that fleet.toml waits for, and is a port from then on."""

    async def story():
        founding.found(tmp_path / "orchard", "orchard").close()
        with (tmp_path / "orchard" / "fleet.toml").open("a") as file:
            file.write(proposal.node_text("n1", "RPI_PICO"))
        images = {
            "pico.uf2": image.read(made_images.uf2()),
            "w.uf2": image.read(made_images.uf2(machine=made_images.PICO_W)),
        }
        board = VirtualBoard(boards.load("RPI_PICO"), tmp_path / "pico", micropython, uid=bytes(8))
        drive = tmp_path / "RPI-RP2"
        link = str(board.link)

        def here() -> list[PortFacts]:
            return [PortFacts(link, vid=0x2E8A, location="1-1.4")] if board.link.exists() else []

        def drives() -> list[Path]:
            return [drive] if bootsel.is_drive(drive) else []

        async with AsyncExitStack() as stack:
            fleet = stack.enter_context(FleetFolder(tmp_path / "orchard"))
            stack.push_async_callback(board.close)
            await board.start()
            beside = asyncio.create_task(BootselPico(board, drive).serve())
            stack.callback(beside.cancel)
            await flash_pico.ask_into_bootloader(link, ports.connect)  # as if its button had been held
            while not drives():
                await asyncio.sleep(0.05)
            flash = FlashBench(images, drives=drives, here=here)
            tools = Tools(fleet, Bench(fleet), flash, Records(fleet.path), LabelFiles(fleet).one)
            async with Station(tools, UsbWatch(ports=here, drives=drives)) as station:
                cards = await until(station, lambda cards: any(card.phase is Phase.PASS for card in cards))
                assert [(card.title, card.phase) for card in cards] == [
                    (str(drive), Phase.EMPTY),
                    ("socket 1-1.4", Phase.PASS),
                ]
                assert (cards[1].node, cards[1].board, cards[1].run) == ("n1", "RPI_PICO", 1)

    asyncio.run(story())
