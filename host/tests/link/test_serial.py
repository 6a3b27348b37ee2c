"""A port is held open alone, disturbs nothing, and says what happened when it goes away."""

import asyncio
import errno
import os
import pty
import socket
import termios
import threading
import time
import tty

import pytest
import serial

from hedgerow.errors import EnvironmentProblem, LinkError
from hedgerow.transports import serial as serial_transport
from hedgerow.transports.serial import SerialTransport, open_port, open_serial


@pytest.fixture
def cable():
    """(master descriptor, path of the slave): what is written to the one comes out of the other."""
    master, slave = pty.openpty()
    tty.setraw(slave)
    path = os.ttyname(slave)
    os.close(slave)
    ends = [master]
    yield ends, path
    for end in ends:
        os.close(end)


class WatchedPort:
    """A pyserial port that notes every attempt to move a control line."""

    def __init__(self) -> None:
        self.moved: list[str] = []
        self.in_waiting = 0
        self.closed = threading.Event()

    def __setattr__(self, name, value):
        if name in ("dtr", "rts", "break_condition"):
            self.moved.append(name)
        object.__setattr__(self, name, value)

    def setDTR(self, value):  # noqa: N802 - pyserial's name
        self.moved.append("dtr")

    setRTS = setDTR  # noqa: N815

    def send_break(self, duration=0.25):
        self.moved.append("break")

    def read(self, size=1):
        time.sleep(0.01)
        return b""

    def write(self, data):
        return len(data)

    def close(self):
        self.closed.set()


def test_bytes_go_both_ways(cable, run):
    ends, path = cable

    async def work():
        port = open_serial(path)
        await port.send(b"ping")
        assert os.read(ends[0], 10) == b"ping"
        os.write(ends[0], b"pong")
        assert await port.receive() == b"pong"
        await port.close()

    run(work())


def test_connecting_sending_and_closing_move_no_control_line(monkeypatch, run):
    port, asked = WatchedPort(), {}

    def fake(url, **settings):
        asked.update(settings)
        return port

    monkeypatch.setattr(serial, "serial_for_url", fake)

    async def work():
        transport = open_serial("/dev/ttyUSB0")
        await transport.send(b"x")
        await transport.close()

    run(work())
    assert port.moved == []
    assert port.closed.is_set()
    assert asked["exclusive"] is True
    assert not {"dsrdtr", "rtscts"} & set(asked)


def test_a_missing_port_is_named_together_with_what_is_there():
    with pytest.raises(LinkError) as caught:
        open_serial("/dev/ttyNOWHERE7")
    assert "there is no such port" in str(caught.value)
    assert caught.value.node == "/dev/ttyNOWHERE7"
    assert "lugged in" in str(caught.value)


def test_a_busy_port_says_whom_to_ask(cable, run):
    _, path = cable

    async def work():
        first = open_serial(path)
        with pytest.raises(LinkError, match="another program has this port open"):
            open_serial(path)
        await first.close()
        await open_serial(path).close()  # and after it was closed there it opens

    run(work())


def test_a_forbidden_port_points_to_the_doctor(monkeypatch):
    def refuse(url, **settings):
        raise serial.SerialException(errno.EACCES, "could not open port: Permission denied")

    monkeypatch.setattr(serial, "serial_for_url", refuse)
    with pytest.raises(EnvironmentProblem, match="hedgerow doctor"):
        open_serial("/dev/ttyUSB0")


def test_a_pulled_cable_is_a_link_error_that_names_it(cable, run):
    ends, path = cable

    async def work():
        port = open_serial(path)
        waiting = asyncio.create_task(port.receive())
        await asyncio.sleep(0.05)
        os.close(ends.pop())
        with pytest.raises(LinkError, match="the cable was pulled"):
            await asyncio.wait_for(waiting, 3)
        with pytest.raises(LinkError):
            await port.send(b"x")
        await port.close()

    run(work())


def test_what_arrived_before_the_cable_was_pulled_can_still_be_read(cable, run):
    ends, path = cable

    async def work():
        port = open_serial(path)
        os.write(ends[0], b"last words")
        await asyncio.sleep(0.1)
        os.close(ends.pop())
        await asyncio.sleep(0.1)
        assert await port.receive() == b"last words"
        with pytest.raises(LinkError):
            await port.receive()
        await port.close()

    run(work())


def test_a_cancelled_receive_loses_no_byte(cable, run):
    ends, path = cable

    async def work():
        port = open_serial(path)
        for _ in range(5):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(port.receive(), 0.01)
        os.write(ends[0], b"still here")
        assert await asyncio.wait_for(port.receive(), 1) == b"still here"
        await port.close()

    run(work())


def test_a_port_that_takes_nothing_is_given_up_in_bounded_time(monkeypatch, run):
    monkeypatch.setattr(serial_transport, "WRITE_STALL_S", 0.2)
    stuck = WatchedPort()
    release = threading.Event()
    stuck.write = lambda data: release.wait(5)

    async def work():
        port = SerialTransport(stuck, "stuck")
        start = time.monotonic()
        with pytest.raises(LinkError, match="taken nothing"):
            await port.send(b"x")
        assert time.monotonic() - start < 1
        release.set()
        await port.close()

    run(work())


def test_a_closed_port_refuses_and_closing_twice_is_harmless(cable, run):
    _, path = cable

    async def work():
        port = open_serial(path)
        await port.close()
        await port.close()
        with pytest.raises(LinkError, match="closed"):
            await port.receive()

    run(work())


def test_a_socket_url_is_a_port_like_any_other(run):
    server = socket.create_server(("127.0.0.1", 0))
    number = server.getsockname()[1]

    def echo():
        client, _ = server.accept()
        with client:
            while data := client.recv(100):
                client.sendall(data)

    threading.Thread(target=echo, daemon=True).start()

    async def work():
        port = open_serial(f"socket://127.0.0.1:{number}")
        await port.send(b"over the network")
        heard = b""
        while len(heard) < 16:
            heard += await asyncio.wait_for(port.receive(), 2)
        assert heard == b"over the network"
        await port.close()

    run(work())
    server.close()


def test_an_address_where_nothing_listens_says_so():
    unused = socket.create_server(("127.0.0.1", 0))
    number = unused.getsockname()[1]
    unused.close()
    with pytest.raises(LinkError, match="nothing answers at this address"):
        open_serial(f"socket://127.0.0.1:{number}")


def test_nonsense_in_a_url_is_told_as_such():
    with pytest.raises(LinkError, match="no port that I understand"):
        open_serial("nonsense://x")


def test_a_port_that_goes_away_while_it_is_opened_is_a_broken_link_and_no_fault_of_ours(monkeypatch):
    def gone(*_, **__):
        raise termios.error(errno.EIO, "Input/output error")  # as pyserial lets it through

    monkeypatch.setattr(serial, "serial_for_url", gone)
    with pytest.raises(LinkError, match="went away while it was opened"):
        open_port("/dev/ttyACM0")
