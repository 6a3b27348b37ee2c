"""Knows enough of BlueZ (`org.bluez` on a D-Bus of its own) for `bleak` to scan, connect, write and be notified.

Behind it is a Bumble host on the `Air` of the virtual boards; the computer's own Bluetooth is never asked. Properties
and methods are those of BlueZ 5.66's API documents: org.bluez.Adapter, .Device, .GattService, .GattCharacteristic.
Needs `dbus-daemon`.
"""

# D-Bus signatures stand where Python has annotations (dbus-fast).
# ruff: noqa: F722, F821, N802

import asyncio
import contextlib
import shutil
import subprocess
from pathlib import Path
from typing import Any

from bumble import core, device
from dbus_fast import DBusError, PropertyAccess, Variant
from dbus_fast.aio import MessageBus
from dbus_fast.service import ServiceInterface, dbus_property, method

from hedgerow.errors import EnvironmentProblem
from hedgerow.virtual.bluetooth.air import MTU, Air

ADDRESS_VARIABLE = "DBUS_SYSTEM_BUS_ADDRESS"
_BUS_WITHIN_S = 5.0
_CONNECT_WITHIN_S = 5.0
_ADAPTER = "/org/bluez/hci0"
_FLAGS = (("read", 0x02), ("write-without-response", 0x04), ("write", 0x08), ("notify", 0x10), ("indicate", 0x20))
_CONFIGURATION = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type><listen>unix:path={socket}</listen><auth>EXTERNAL</auth>
  <policy context="default"><allow send_destination="*"/><allow receive_sender="*"/><allow own="*"/></policy>
</busconfig>
"""
_FAILED = "org.bluez.Error.Failed"
_read = PropertyAccess.READ


class Bus:
    """A D-Bus daemon of our own; `address` is what $DBUS_SYSTEM_BUS_ADDRESS must say for `bleak` to find it."""

    def __init__(self, folder: Path) -> None:
        self._socket = folder / "bus"
        self._configuration = folder / "bus.conf"
        self._process: asyncio.subprocess.Process | None = None

    @property
    def address(self) -> str:
        return f"unix:path={self._socket}"

    async def start(self) -> None:
        """Raises EnvironmentProblem without a dbus-daemon."""
        program = shutil.which("dbus-daemon")
        if program is None:
            raise EnvironmentProblem(
                "there is no dbus-daemon on this computer", next_step="Install the package dbus (apt-get install dbus)."
            )
        self._configuration.write_text(_CONFIGURATION.format(socket=self._socket), encoding="utf-8")
        self._process = await asyncio.create_subprocess_exec(
            program,
            "--nofork",
            "--nopidfile",
            "--print-address",
            f"--config-file={self._configuration}",
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert self._process.stdout is not None
        await asyncio.wait_for(self._process.stdout.readline(), _BUS_WITHIN_S)  # it listens

    async def close(self) -> None:
        if self._process is not None:
            self._process.terminate()
            await asyncio.wait_for(self._process.wait(), _BUS_WITHIN_S)


class Bluez:
    """`org.bluez` with one adapter, hci0."""

    def __init__(self, air: Air, address: str) -> None:
        self.air = air
        self._address = address
        self._objects: dict[str, ServiceInterface] = {}
        self._seen: dict[str, _Device] = {}

    async def start(self) -> None:
        self.radio: device.Device = await self.air.host("host")
        self.bus = await MessageBus(self._address).connect()
        self.export(_ADAPTER, _Adapter(self))
        self.radio.on("advertisement", self._advertised)
        await self.bus.request_name("org.bluez")

    async def close(self) -> None:
        with contextlib.suppress(Exception):  # whatever state Bumble is in: it goes
            await asyncio.wait_for(self.radio.stop_scanning(), 1.0)
        self.air.remove(self.radio)
        self.bus.disconnect()

    def export(self, path: str, interface: ServiceInterface) -> None:
        self._objects[path] = interface
        self.bus.export(path, interface)

    def unexport(self, path: str) -> None:
        self.bus.unexport(path, self._objects.pop(path))

    def remove(self, path: str) -> None:
        """As RemoveDevice does."""
        for address, known in list(self._seen.items()):
            if known.path == path:
                known.vanish()
                del self._seen[address]
                self.unexport(path)

    def _advertised(self, heard: Any) -> None:
        data = {company: bytes(value) for company, value in _manufacturer_data(heard.data)}
        address = str(heard.address).split("/")[0]
        known = self._seen.get(address)
        if known is None:
            known = self._seen[address] = _Device(self, heard.address, address, heard.rssi, data)
            self.export(known.path, known)
        else:
            known.heard_again(heard.rssi, data)


def _manufacturer_data(data: core.AdvertisingData) -> list[tuple[int, bytes]]:
    return list(data.get_all(core.AdvertisingData.MANUFACTURER_SPECIFIC_DATA))


class _Adapter(ServiceInterface):
    def __init__(self, bluez: Bluez) -> None:
        super().__init__("org.bluez.Adapter1")
        self._bluez = bluez
        self._discovering = False

    @dbus_property(access=_read)
    def Address(self) -> "s":
        return str(self._bluez.radio.random_address).split("/")[0]

    @dbus_property(access=_read)
    def Powered(self) -> "b":
        return True

    @dbus_property(access=_read)
    def Roles(self) -> "as":
        return ["central"]

    @dbus_property(access=_read)
    def Discovering(self) -> "b":
        return self._discovering

    @method()
    def SetDiscoveryFilter(self, _filter: "a{sv}"):
        pass

    @method()
    async def StartDiscovery(self):
        await self._bluez.radio.start_scanning(filter_duplicates=False)
        self._discovering = True
        self.emit_properties_changed({"Discovering": True})

    @method()
    async def StopDiscovery(self):
        await self._bluez.radio.stop_scanning()
        self._discovering = False
        self.emit_properties_changed({"Discovering": False})

    @method()
    def RemoveDevice(self, path: "o"):
        self._bluez.remove(path)


class _Device(ServiceInterface):
    """A peripheral that was heard, and, once connected, its services."""

    def __init__(self, bluez: Bluez, peer: Any, address: str, rssi_dbm: int, data: dict[int, bytes]) -> None:
        super().__init__("org.bluez.Device1")
        self._bluez = bluez
        self._peer = peer
        self._address = address
        self._rssi_dbm = rssi_dbm
        self._data = data
        self._connection: device.Connection | None = None
        self._resolved = False
        self._resolving: asyncio.Task[None] | None = None
        self._below: list[str] = []
        self.path = f"{_ADAPTER}/dev_{address.replace(':', '_')}"

    def heard_again(self, rssi_dbm: int, data: dict[int, bytes]) -> None:
        self._rssi_dbm, self._data = rssi_dbm, data
        self.emit_properties_changed({"RSSI": rssi_dbm, "ManufacturerData": self._variants()})

    def vanish(self) -> None:
        for path in reversed(self._below):
            self._bluez.unexport(path)
        self._below.clear()

    @dbus_property(access=_read)
    def Address(self) -> "s":
        return self._address

    @dbus_property(access=_read)
    def AddressType(self) -> "s":
        return "random"

    @dbus_property(access=_read)
    def Alias(self) -> "s":
        return self._address.replace(":", "-")

    @dbus_property(access=_read)
    def Adapter(self) -> "o":
        return _ADAPTER

    @dbus_property(access=_read)
    def Paired(self) -> "b":
        return False

    @dbus_property(access=_read)
    def Connected(self) -> "b":
        return self._connection is not None

    @dbus_property(access=_read)
    def ServicesResolved(self) -> "b":
        return self._resolved

    @dbus_property(access=_read)
    def UUIDs(self) -> "as":
        return []

    @dbus_property(access=_read)
    def RSSI(self) -> "n":
        return self._rssi_dbm

    @dbus_property(access=_read)
    def ManufacturerData(self) -> "a{qv}":
        return self._variants()

    def _variants(self) -> dict[int, Variant]:
        return {company: Variant("ay", data) for company, data in self._data.items()}

    @method()
    async def Connect(self):
        try:
            async with asyncio.timeout(_CONNECT_WITHIN_S):
                connection = await self._bluez.radio.connect(self._peer, timeout=None)
        except TimeoutError:
            self._bluez.air.stop_connecting(self._bluez.radio)
            raise DBusError(_FAILED, "le-connection-abort-by-local") from None
        except Exception as error:  # noqa: BLE001 - Bumble has many; BlueZ tells its callers one
            raise DBusError(_FAILED, str(error) or "le-connection-abort-by-local") from None
        self._connection = connection
        connection.on("disconnection", self._fallen)
        self.emit_properties_changed({"Connected": True})
        self._resolving = asyncio.ensure_future(self._resolve(connection))

    async def _resolve(self, connection: device.Connection) -> None:
        with contextlib.suppress(core.BaseBumbleError, asyncio.CancelledError, TimeoutError):
            peer = device.Peer(connection)
            mtu = await peer.request_mtu(MTU)
            await peer.discover_services()
            for service in peer.services:
                await peer.discover_characteristics(service=service)
                above = f"{self.path}/service{service.handle:04x}"
                self._export(above, _Service(self.path, service))
                for one in service.characteristics:
                    self._export(f"{above}/char{one.handle:04x}", _Characteristic(above, one, mtu))
            self._resolved = True
            self.emit_properties_changed({"ServicesResolved": True})

    def _export(self, path: str, interface: ServiceInterface) -> None:
        self._bluez.export(path, interface)
        self._below.append(path)

    def _fallen(self, *_reason: object) -> None:
        self._connection = None
        self._resolved = False
        if self._resolving is not None:
            self._resolving.cancel()
        self.emit_properties_changed({"Connected": False, "ServicesResolved": False})
        self.vanish()

    @method()
    async def Disconnect(self):
        if self._connection is not None:
            await self._connection.disconnect()


class _Service(ServiceInterface):
    def __init__(self, above: str, service: Any) -> None:
        super().__init__("org.bluez.GattService1")
        self._above = above
        self._service = service

    @dbus_property(access=_read)
    def UUID(self) -> "s":
        return _uuid(self._service)

    @dbus_property(access=_read)
    def Device(self) -> "o":
        return self._above

    @dbus_property(access=_read)
    def Primary(self) -> "b":
        return True


class _Characteristic(ServiceInterface):
    def __init__(self, above: str, characteristic: Any, mtu: int) -> None:
        super().__init__("org.bluez.GattCharacteristic1")
        self._above = above
        self._characteristic = characteristic
        self._mtu = mtu
        self._value = b""
        self._notifying = False

    @dbus_property(access=_read)
    def UUID(self) -> "s":
        return _uuid(self._characteristic)

    @dbus_property(access=_read)
    def Service(self) -> "o":
        return self._above

    @dbus_property(access=_read)
    def Value(self) -> "ay":
        return self._value

    @dbus_property(access=_read)
    def Notifying(self) -> "b":
        return self._notifying

    @dbus_property(access=_read)
    def Flags(self) -> "as":
        return [name for name, bit in _FLAGS if int(self._characteristic.properties) & bit]

    @dbus_property(access=_read)
    def MTU(self) -> "q":
        return self._mtu

    @method()
    async def WriteValue(self, value: "ay", options: "a{sv}"):
        kind = options.get("type")
        try:
            await self._characteristic.write_value(bytes(value), with_response=kind is None or kind.value == "request")
        except Exception as error:  # noqa: BLE001 - as above
            raise DBusError(_FAILED, str(error)) from None

    @method()
    async def StartNotify(self):
        await self._characteristic.subscribe(self._changed)
        self._notifying = True
        self.emit_properties_changed({"Notifying": True})

    @method()
    async def StopNotify(self):
        await self._characteristic.unsubscribe(self._changed)
        self._notifying = False
        self.emit_properties_changed({"Notifying": False})

    def _changed(self, value: bytes) -> None:
        self._value = bytes(value)
        self.emit_properties_changed({"Value": self._value})


def _uuid(attribute: Any) -> str:
    uuid: core.UUID = attribute.uuid
    digits = uuid.to_hex_str("-").lower()
    return digits if len(uuid.uuid_bytes) == 16 else f"0000{digits}-0000-1000-8000-00805f9b34fb"
