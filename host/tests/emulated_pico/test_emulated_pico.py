"""The emulated Pico behaves as the board on the bench: files, power cuts, resets, ports, time."""

import asyncio
import dataclasses
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import serial
from mpremote.transport import TransportExecError
from mpremote.transport_serial import SerialTransport

from hedgerow.errors import EnvironmentProblem, LinkError, VerificationError
from hedgerow.flash import image
from hedgerow.plans import flash_pico
from hedgerow.transports.ports import connect
from hedgerow.virtual.emulated_pico import EmulatedPico, find_parts
from hedgerow.virtual.emulated_pico import pico as pico_module
from hedgerow.virtual.emulated_pico.pico import CAUSE_FORCED, CAUSE_TIMER

POWER_ON_CAUSE, WATCHDOG_CAUSE = 1, 3  # machine.reset_cause()


@pytest.fixture(scope="module")
def uf2() -> Path:
    try:
        return find_parts().uf2
    except EnvironmentProblem as problem:
        pytest.skip(str(problem))


@pytest.fixture
def with_pico(uf2: Path, tmp_path: Path) -> Callable[[Callable[[EmulatedPico], Awaitable[None]]], None]:
    """Run one coroutine function with a fresh Pico."""

    def run(test: Callable[[EmulatedPico], Awaitable[None]]) -> None:
        async def body() -> None:
            async with EmulatedPico(uf2, tmp_path / "pico") as pico:
                await test(pico)

        asyncio.run(asyncio.wait_for(body(), 60))

    return run


def run_on_board(port: str, code: str, timeout_s: int = 20) -> str:
    """What the code prints, run over the raw REPL of the real mpremote."""
    transport = SerialTransport(port)
    try:
        transport.enter_raw_repl(soft_reset=False)
        output, error = transport.exec_raw(code, timeout=timeout_s)
        if error:
            raise TransportExecError(error, error.decode())
        return output.decode().strip()
    finally:
        transport.close()


async def told(pico: EmulatedPico, code: str) -> str:
    return await asyncio.to_thread(run_on_board, pico.port, code)


def start_on_board(port: str, code: str) -> None:
    """Start code that will not come back, and leave."""
    transport = SerialTransport(port)
    try:
        transport.enter_raw_repl(soft_reset=False)
        transport.exec_raw_no_follow(code)
    finally:
        transport.close()


def test_a_file_survives_a_power_cut_and_the_port_keeps_its_name(with_pico) -> None:
    async def test(pico: EmulatedPico) -> None:
        port = pico.port
        await told(pico, "f = open('kept', 'w'); f.write('x' * 5000); f.close()")
        await pico.kill()
        assert pico.pid is None
        await pico.power_on()
        assert pico.port == port
        assert await told(pico, "import machine; print(len(open('kept').read()), machine.reset_cause())") == (
            f"5000 {POWER_ON_CAUSE}"
        )

    with_pico(test)


@pytest.mark.parametrize("operations", [1, 4, 9])
def test_power_can_fail_within_any_flash_operation(with_pico, operations: int) -> None:
    async def test(pico: EmulatedPico) -> None:
        await told(pico, "f = open('kept', 'w'); f.write('x' * 5000); f.close()")
        await pico.cut_after_flash_operations(operations, torn=True)
        start_on_board(
            pico.port, "i = 0\nwhile True:\n f = open('new%d' % i, 'w'); f.write('y' * 3000); f.close(); i += 1"
        )
        await pico.wait_power_lost(20)
        await pico.power_on()
        assert await told(pico, "print(open('kept').read() == 'x' * 5000)") == "True"
        assert (await pico.flash_stats()).programs < 100, "the file system must not have been made anew"

    with_pico(test)


def test_the_cut_comes_after_exactly_the_operations_asked_for(with_pico) -> None:
    async def test(pico: EmulatedPico) -> None:
        await told(pico, "import rp2; f = rp2.Flash(); f.ioctl(6, 300)")
        await pico.cut_after_flash_operations(2)
        start_on_board(pico.port, "for i in range(3): f.writeblocks(300, bytes([i]) * 256, i * 256)")
        await pico.wait_power_lost(20)
        # The file system's block 300 lies 0xA0000 behind the start of a 2 MB chip.
        block = pico.snapshot_flash()[0xA0000 + 300 * 4096 :][:768]
        assert block == b"\0" * 256 + b"\1" * 256 + b"\xff" * 256

    with_pico(test)


def test_reset_causes_are_told_apart(with_pico) -> None:
    async def test(pico: EmulatedPico) -> None:
        cause = "import machine; print(machine.reset_cause())"
        assert await told(pico, cause) == str(POWER_ON_CAUSE)
        start_on_board(pico.port, "import machine; machine.reset()")
        await until(lambda: CAUSE_FORCED in pico.reset_reasons)
        assert await told(pico, cause) == str(WATCHDOG_CAUSE)
        await pico.press_reset()
        await until(lambda: len(pico.reset_reasons) == 2)
        assert await told(pico, cause) == str(POWER_ON_CAUSE)

    with_pico(test)


def test_an_unfed_watchdog_resets_the_board(with_pico) -> None:
    async def test(pico: EmulatedPico) -> None:
        start_on_board(pico.port, "import machine, time; w = machine.WDT(timeout=300)\nwhile True: time.sleep_ms(10)")
        await until(lambda: pico.reset_reasons == [CAUSE_TIMER])
        assert await told(pico, "print('alive')") == "alive"

    with_pico(test)


def test_idle_chip_time_follows_the_chosen_speed(with_pico) -> None:
    async def test(pico: EmulatedPico) -> None:
        await pico.set_speed(20)
        started = time.monotonic()
        assert await told(pico, "import time; a = time.ticks_ms(); time.sleep(5); print(time.ticks_ms() - a)") == "5000"
        assert time.monotonic() - started < 4
        assert await pico.chip_time_ms() >= 5000

    with_pico(test)


def test_a_slow_reader_loses_nothing(with_pico) -> None:
    async def test(pico: EmulatedPico) -> None:
        start_on_board(pico.port, "for i in range(3000): print('%07d' % i)")
        lines = await asyncio.to_thread(read_slowly, pico.port, 3000 * 9)
        numbers = [line for line in lines.decode().splitlines() if line.isdigit()]
        assert numbers == [f"{i:07}" for i in range(int(numbers[0]), 3000)]
        assert len(numbers) > 2900

    with_pico(test)


def read_slowly(port: str, wanted_bytes: int) -> bytes:
    with serial.Serial(port, timeout=3) as line:
        got = b""
        while len(got) < wanted_bytes - 900 or not got.endswith(b"\x04>"):
            piece = line.read(500)
            if not piece:
                break
            got += piece
            time.sleep(0.01)
        return got


def test_a_board_that_nobody_reads_goes_on(with_pico) -> None:
    async def test(pico: EmulatedPico) -> None:
        start_on_board(pico.port, "for i in range(3000): print('x' * 60)\nopen('done', 'w').close()")
        await asyncio.sleep(4)
        assert "done" in await told(pico, "import os; print(os.listdir())")

    with_pico(test)


def test_uarts_are_ports_of_their_own(with_pico) -> None:
    async def test(pico: EmulatedPico) -> None:
        with serial.Serial(pico.uart_ports[0], timeout=5) as line:
            await told(pico, "import machine; u = machine.UART(0, 115200); u.write(b'from the board')")
            assert await asyncio.to_thread(line.read, 14) == b"from the board"
            line.write(b"to the board")
            assert await told(pico, "import time; time.sleep_ms(50); print(u.read())") == "b'to the board'"

    with_pico(test)


def test_pins_and_voltages_can_be_set_from_outside(with_pico) -> None:
    async def test(pico: EmulatedPico) -> None:
        await told(pico, "import machine; p = machine.Pin(5, machine.Pin.IN, machine.Pin.PULL_UP); a = machine.ADC(0)")
        assert await told(pico, "print(p.value())") == "1"
        await pico.set_pin(5, level=False)
        await pico.set_adc_mv(0, 1650)
        value, raw = (await told(pico, "print(p.value(), a.read_u16())")).split()
        assert value == "0"
        assert int(raw) == pytest.approx(0x8000, abs=64)
        await pico.set_pin(5, level=None)
        assert await told(pico, "print(p.value())") == "1"

    with_pico(test)


def test_a_snapshot_moves_a_board_into_another_chip(uf2: Path, tmp_path: Path) -> None:
    async def body() -> None:
        async with EmulatedPico(uf2, tmp_path / "one") as first:
            await told(first, "f = open('who', 'w'); f.write('first'); f.close()")
            image = first.snapshot_flash()
        second = EmulatedPico(uf2, tmp_path / "two", uid=bytes(range(8)))
        (tmp_path / "two").mkdir()
        second.load_flash(image)
        async with second:
            who = "import machine; print(open('who').read(), machine.unique_id().hex())"
            assert await told(second, who) == "first 0001020304050607"

    asyncio.run(asyncio.wait_for(body(), 60))


def test_a_board_without_power_says_so(with_pico) -> None:
    async def test(pico: EmulatedPico) -> None:
        await pico.kill()
        with pytest.raises(LinkError, match="no power"):
            await pico.status()

    with_pico(test)


def test_firmware_that_does_not_start_is_told(uf2: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pico_module, "_USB_READY_S", 2.0)

    async def body() -> None:
        pico = EmulatedPico(uf2, tmp_path / "pico")
        (tmp_path / "pico").mkdir()
        pico.load_flash(bytes(2 * 1024 * 1024))
        with pytest.raises(EnvironmentProblem, match="shows no USB port"):
            await pico.start()
        await pico.close()

    asyncio.run(asyncio.wait_for(body(), 60))


async def until(condition: Callable[[], bool], timeout_s: float = 20) -> None:
    async with asyncio.timeout(timeout_s):
        while not condition():
            await asyncio.sleep(0.05)


def test_its_own_micropython_reads_the_flash_back_and_finds_a_flipped_bit(with_pico, uf2) -> None:
    """What `hedgerow flash` asks a Pico after its drive took an image."""
    flashed = image.read(uf2.read_bytes())
    spoilt = bytearray(flashed.payload)
    spoilt[len(spoilt) // 2] ^= 1

    async def test(pico: EmulatedPico) -> None:
        await flash_pico.check(pico.port, flashed, connect)
        with pytest.raises(VerificationError, match="is not what was written"):
            await flash_pico.check(pico.port, dataclasses.replace(flashed, payload=bytes(spoilt)), connect)

    with_pico(test)
