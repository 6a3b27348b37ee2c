"""Measures how fast bytes reach a node over Bluetooth, beside a bare GATT stream over the same virtual radio.

    python host/benchmarks/ble.py

The radio is Bumble's, the host's side real bleak on a D-Bus of its own, the node's side a virtual board. The bare
stream is what `bleak` gives without more: writes without response of the largest size, one after the other, to a
board that does nothing but count them; nobody checks them, and what does not fit is lost. Ours is a file, from
`put_begin` to the answer that says its SHA-256: in frames, encrypted, acknowledged, written to flash and read back.
kB are 1,000 bytes.
"""

import asyncio
import hashlib
import os
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

from bleak import BleakClient, BleakScanner

from hedgerow.fleet import boards, folder, founding, proposal
from hedgerow.plans import credentials
from hedgerow.plans.parallel import Bench
from hedgerow.plans.update import put_file
from hedgerow.repl import Repl
from hedgerow.session import Session
from hedgerow.transports import ble, ports
from hedgerow.virtual import VirtualBoard, interpreter
from hedgerow.virtual.bluetooth.air import Air
from hedgerow.virtual.bluetooth.bluez import ADDRESS_VARIABLE, Bluez, Bus
from hedgewire import beacon

BOARD = "ESP32_GENERIC_S3"
BYTES = 100_000
ROUNDS = 3
AT_LEAST_OF_BARE = 0.7
WITHIN_S = 60.0
COUNTER = b"""
import bluetooth
ble = bluetooth.BLE()
ble.active(True)
ble.config(mtu=247)
((to, back),) = ble.gatts_register_services(((bluetooth.UUID("%s"), (
    (bluetooth.UUID("%s"), bluetooth.FLAG_WRITE_NO_RESPONSE), (bluetooth.UUID("%s"), bluetooth.FLAG_NOTIFY))),))
ble.gatts_set_buffer(to, 8192, True)
count = 0
ble.gap_advertise(100000, adv_data=b"\\x02\\x01\\x06")
import time
while True:
    data = ble.gatts_read(to)
    before = count // 2000
    count += len(data)
    if count // 2000 != before:
        ble.gatts_notify(0, back, count.to_bytes(4, "big"))
    if not data:
        time.sleep_ms(1)
"""


async def bare(address: tuple[str, int], where: Path) -> float:
    """kB a second of a stream that nobody checks."""
    board = await _board(address, where / "bare")
    uuids = (beacon.SERVICE.encode(), beacon.TO_NODE.encode(), beacon.TAKEN.encode())
    transport = await ports.connect(str(board.port))
    repl = Repl(transport)
    await repl.enter()
    await transport.send(COUNTER % uuids + b"\x04")
    counted = 0
    done = asyncio.Event()

    def heard(_characteristic: object, data: bytearray) -> None:
        nonlocal counted
        counted = int.from_bytes(data, "big")
        if counted >= BYTES // 2000 * 2000:
            done.set()

    device = await BleakScanner.find_device_by_filter(lambda *_: True, timeout=5)
    assert device is not None
    async with BleakClient(device) as client:
        await client.start_notify(beacon.TAKEN, heard)
        characteristic = client.services.get_characteristic(beacon.TO_NODE)
        assert characteristic is not None
        size = characteristic.max_write_without_response_size
        began = time.perf_counter()
        for at in range(0, BYTES, size):
            await client.write_gatt_char(characteristic, bytes(min(size, BYTES - at)), response=False)
        await asyncio.wait_for(done.wait(), WITHIN_S)
        took = time.perf_counter() - began
    await transport.close()
    await board.close()
    return counted / 1000 / took


async def ours(address: tuple[str, int], where: Path) -> float:
    """kB a second of a file."""
    fleet_path = where / "fleet"
    with founding.found(fleet_path, "bench"):
        pass
    with (fleet_path / proposal.FILE_NAME).open("a") as text:
        text.write(proposal.node_text("oak", BOARD, {"ble": True}))
    board = await _board(address, where / "oak")
    with folder.FleetFolder(fleet_path) as fleet:
        [result] = await Bench(fleet).provision([str(board.port)], ["oak"])
    assert result.error is None, result.error
    keys = credentials.at(fleet_path)
    data = os.urandom(BYTES)
    async with Session(await ble.connect("ble:oak", keys.known()), credentials=keys) as session:
        assert await session.is_protected()
        began = time.perf_counter()
        await put_file(session, "/noise", data)
        took = time.perf_counter() - began
        held = {path: sha256 for path, _, sha256 in await session.ask("files", {"hash": True})}
        assert held["/noise"] == hashlib.sha256(data).digest()
    await board.close()
    return BYTES / 1000 / took


async def _board(address: tuple[str, int], where: Path) -> VirtualBoard:
    board = VirtualBoard(
        boards.load(BOARD), where, interpreter.ensure(), uid=b"\x02\0\0\0\0\x01\0\0", bluetooth=address, clock=time.time
    )
    await board.start()
    return board


async def one_round(measure) -> float:
    with tempfile.TemporaryDirectory() as folder_name:
        where = Path(folder_name)
        air, bus = Air(), Bus(where)
        address = await air.start()
        await bus.start()
        os.environ[ADDRESS_VARIABLE] = bus.address
        bluez = Bluez(air, bus.address)
        await bluez.start()
        try:
            return await measure(address, where)
        finally:
            await bluez.close()
            await air.close()
            await bus.close()


def main() -> int:
    if shutil.which("dbus-daemon") is None:
        print("there is no dbus-daemon here (apt-get install dbus)")
        return 1
    figures = {
        name: [asyncio.run(one_round(measure)) for _ in range(ROUNDS)]
        for name, measure in (("bare GATT stream", bare), ("hedgerow, a file", ours))
    }
    for name, rates in figures.items():
        print(f"{name:20} {statistics.median(rates):7.1f} kB/s   ({', '.join(f'{rate:.1f}' for rate in rates)})")
    share = statistics.median(figures["hedgerow, a file"]) / statistics.median(figures["bare GATT stream"])
    met = share >= AT_LEAST_OF_BARE
    print(f"share {share:.0%}, bar {AT_LEAST_OF_BARE:.0%}: {'met' if met else 'MISSED'}")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
