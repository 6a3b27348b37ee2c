"""What a person may call a port, and what the system knows of it."""

import asyncio
import threading
from dataclasses import dataclass

import pytest

from hedgerow.errors import LinkError
from hedgerow.fleet import boards
from hedgerow.transports import ports, serial
from hedgerow.transports.ports import PortFacts, describe_ports, guess_boards, resolve

PICO = PortFacts("/dev/ttyACM0", "Board in FS mode", 0x2E8A, 0x0005, "E6605838830B4C28")
CP2102 = PortFacts("/dev/ttyUSB1", "CP2102N", 0x10C4, 0xEA60, "0001")
OTHER = PortFacts("/dev/ttyUSB10", "CP2102N", 0x10C4, 0xEA60, "0002")
PORTS = [PICO, CP2102, OTHER]


@pytest.mark.parametrize(
    ("spec", "path"),
    [
        ("/dev/ttyACM0", "/dev/ttyACM0"),
        ("COM7", "COM7"),
        ("socket://box.local:2217", "socket://box.local:2217"),
        ("rfc2217://box.local:2217?ign_set_control", "rfc2217://box.local:2217?ign_set_control"),
        ("a0", "/dev/ttyACM0"),
        ("u12", "/dev/ttyUSB12"),
        ("c3", "COM3"),
        ("id:E6605838830B4C28", "/dev/ttyACM0"),
        ("id:e6605838830b4c28", "/dev/ttyACM0"),
        ("id:E660", "/dev/ttyACM0"),
        ("id:0002", "/dev/ttyUSB10"),
    ],
)
def test_every_name_of_a_port_is_understood(spec, path):
    assert resolve(spec, PORTS) == path


def test_an_unknown_serial_number_lists_what_is_plugged_in():
    with pytest.raises(LinkError) as caught:
        resolve("id:9999", PORTS)
    assert "id:E6605838830B4C28" in str(caught.value)


def test_a_number_that_fits_two_ports_is_refused_and_both_are_named():
    with pytest.raises(LinkError, match=r"/dev/ttyUSB1, /dev/ttyUSB10"):
        resolve("id:000", PORTS)


def test_an_empty_number_names_nothing():
    with pytest.raises(LinkError):
        resolve("id:", PORTS)


def test_where_nothing_is_plugged_in_the_charging_cable_is_mentioned():
    assert "only charges" in describe_ports([])


@dataclass
class Guess:
    id: str
    usb_ids: tuple[str, ...]


def test_the_board_is_guessed_by_its_usb_id_and_adapters_fit_several():
    known = [Guess("RPI_PICO", ("2e8a:0005",)), Guess("A", ("10c4:ea60",)), Guess("B", ("10c4:ea60", "1a86:7523"))]
    assert [one.id for one in guess_boards(PICO, known)] == ["RPI_PICO"]
    assert [one.id for one in guess_boards(CP2102, known)] == ["A", "B"]
    assert guess_boards(PortFacts("/dev/ttyS0"), known) == []


def test_the_boards_of_the_project_include_what_a_pico_answers_with():
    assert "RPI_PICO" in [one.id for one in guess_boards(PICO, boards.all_boards())]


def test_a_port_whose_opening_was_given_up_is_given_back(monkeypatch):
    began, may_go_on, closed = threading.Event(), threading.Event(), []

    class Opened:
        async def close(self):
            closed.append(True)

    def slowly(_url, _baud):
        began.set()
        may_go_on.wait(5)
        return Opened()

    monkeypatch.setattr(serial, "open_serial", slowly)

    async def work():
        opening = asyncio.create_task(ports.connect("/dev/slow"))
        await asyncio.to_thread(began.wait, 5)
        opening.cancel()
        await asyncio.gather(opening, return_exceptions=True)
        may_go_on.set()
        async with asyncio.timeout(5):
            while not closed:
                await asyncio.sleep(0.01)

    asyncio.run(work())
