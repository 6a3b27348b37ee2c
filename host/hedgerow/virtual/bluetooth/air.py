"""Knows the Bluetooth air between virtual boards and hosts: a Bumble link, and a controller of it for everyone.

A board's `bluetooth` module (`runtime/board_bluetooth.py`) is one TCP connection with a JSON value in each line:
what MicroPython's API asks for goes up, events come down. Bumble's host stack stands for the NimBLE of a real board.
"""

import asyncio
import contextlib
import json
import secrets
from collections.abc import Callable
from typing import Any

from bumble import controller, device, gatt, hci, link
from bumble.host import Host
from bumble.transport.common import AsyncPipeSink

MTU = 247
MOST_LINE_BYTES = 65536
_FLAGS = {
    0x02: gatt.Characteristic.Properties.READ,
    0x04: gatt.Characteristic.Properties.WRITE_WITHOUT_RESPONSE,
    0x08: gatt.Characteristic.Properties.WRITE,
    0x10: gatt.Characteristic.Properties.NOTIFY,
    0x20: gatt.Characteristic.Properties.INDICATE,
}


class Air:
    """Start it, give its address to the boards; `host` gives one more on the same link."""

    def __init__(self) -> None:
        self._link = link.LocalLink()
        self._server: asyncio.Server | None = None
        self._boards: set[_Board] = set()

    async def start(self) -> tuple[str, int]:
        """Listen; the address for `VirtualBoard(bluetooth=...)`."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=MOST_LINE_BYTES)
        return self._server.sockets[0].getsockname()[:2]

    async def close(self) -> None:
        """Everybody is gone."""
        if self._server is not None:
            self._server.close()
        for board in list(self._boards):
            await board.leave()

    async def host(self, name: str) -> device.Device:
        """A Bumble host with a controller of its own on this air, powered on."""
        chip = controller.Controller(name, link=self._link)
        stack = Host(chip, AsyncPipeSink(chip))
        made = device.Device(
            config=device.DeviceConfiguration(
                name=name, address=_new_address(), gatt_service_enabled=False, gap_service_enabled=False
            ),
            host=stack,
        )
        made.le_chip = chip  # type: ignore[attr-defined]
        await made.power_on()
        return made

    def remove(self, gone: device.Device) -> None:
        """Take a host off the air."""
        with contextlib.suppress(KeyError):
            self._link.remove_controller(gone.le_chip)  # type: ignore[attr-defined]

    @staticmethod
    def stop_connecting(host: device.Device) -> None:
        """Give up the connection that this host waits for: Bumble's controller hears of that and waits on."""
        host.le_chip.pending_le_connection = None  # type: ignore[attr-defined]

    def break_links(self) -> None:
        """Let every connection fall, as when somebody walks out of reach."""
        for board in self._boards:
            board.break_link()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        board = _Board(self, writer)
        self._boards.add(board)
        try:
            while line := await reader.readline():
                await board.obey(*json.loads(line))
        except (ValueError, TypeError, OSError, asyncio.IncompleteReadError):
            pass  # a board whose power was cut, or that sends nonsense
        finally:
            self._boards.discard(board)
            await board.leave()
            writer.close()


class _Board:
    """One board's radio while its `bluetooth` module is in use."""

    def __init__(self, air: Air, writer: asyncio.StreamWriter) -> None:
        self._air = air
        self._writer = writer
        self._device: device.Device | None = None
        self._characteristics: list[gatt.Characteristic] = []
        self._connection: device.Connection | None = None
        self._obeys: dict[str, Callable[..., Any]] = {
            "services": self._services,
            "advertise": self._advertise,
            "hide": self._hide,
            "address": self._address,
            "notify": self._notify,
            "disconnect": self._disconnect,
        }

    async def obey(self, word: str, *values: Any) -> None:
        if self._device is None:
            self._device = await self._air.host("board")
            self._device.on("connection", self._connected)
        await self._obeys[word](self._device, *values)

    async def leave(self) -> None:
        gone, self._device = self._device, None
        if gone is None:
            return
        self.break_link()
        with contextlib.suppress(Exception):  # whatever state Bumble is in: it goes
            await asyncio.wait_for(gone.stop_advertising(), 1.0)
        self._air.remove(gone)

    def break_link(self) -> None:
        if self._connection is not None:
            task = asyncio.ensure_future(self._connection.disconnect())
            task.add_done_callback(lambda done: done.cancelled() or done.exception())

    def _tell(self, *words: Any) -> None:
        if not self._writer.is_closing():
            self._writer.write(json.dumps(words).encode() + b"\n")

    # what the board asks for

    async def _services(self, radio: device.Device, services: list) -> None:
        for uuid, characteristics in services:
            made = [self._characteristic(len(self._characteristics), *one) for one in characteristics]
            radio.add_service(gatt.Service(uuid, made))

    def _characteristic(self, index: int, uuid: str, flags: int) -> gatt.Characteristic:
        properties = gatt.Characteristic.Properties(0)
        for bit, meaning in _FLAGS.items():
            if flags & bit:
                properties |= meaning

        def written(_connection: Any, value: bytes) -> None:
            self._tell("write", index, bytes(value).hex())

        made = gatt.Characteristic(
            uuid,
            properties,
            gatt.Characteristic.Permissions(gatt.Characteristic.READABLE | gatt.Characteristic.WRITEABLE),
            gatt.CharacteristicValue(read=lambda _connection: b"", write=written),
        )
        self._characteristics.append(made)
        return made

    async def _advertise(self, radio: device.Device, interval_us: int, data: str) -> None:
        await radio.start_advertising(
            advertising_data=bytes.fromhex(data),
            advertising_interval_min=interval_us / 1000,
            advertising_interval_max=interval_us / 1000,
        )

    async def _hide(self, radio: device.Device) -> None:
        await radio.stop_advertising()

    async def _address(self, radio: device.Device) -> None:
        radio.random_address = _new_address()
        await radio.send_sync_command(hci.HCI_LE_Set_Random_Address_Command(random_address=radio.random_address))

    async def _notify(self, radio: device.Device, index: int, data: str) -> None:
        if self._connection is not None:
            await radio.notify_subscriber(self._connection, self._characteristics[index], bytes.fromhex(data))
            await self._connection.drain()
        self._tell("sent")

    async def _disconnect(self, _radio: device.Device) -> None:
        self.break_link()

    # what happens on the air

    def _connected(self, connection: device.Connection) -> None:
        self._connection = connection
        connection.on("disconnection", self._disconnected)
        connection.on("connection_att_mtu_update", lambda: self._tell("mtu", connection.att_mtu))
        self._tell("connected", bytes(connection.peer_address).hex())

    def _disconnected(self, *_reason: object) -> None:
        self._connection = None
        self._tell("disconnected")


def _new_address() -> hci.Address:
    """A static random address (Core Specification 5.4, Vol 6, Part B, 1.3.2.1)."""
    digits = bytearray(secrets.token_bytes(6))
    digits[5] |= 0xC0  # the most significant one, for addresses stand in little-endian order
    return hci.Address(bytes(digits), hci.Address.RANDOM_DEVICE_ADDRESS)
