"""The board as numbers: battery, buses, lamp, identity of the chip, restart. Decides nothing."""

import gc
import os
import sys

import machine

_CAUSES = (
    ("PWRON_RESET", "power"),
    # The RP2040 resets itself by its watchdog, also when it is asked to.
    ("WDT_RESET", "reset or watchdog" if sys.platform == "rp2" else "watchdog"),
    ("HARD_RESET", "reset"),
    ("DEEPSLEEP_RESET", "sleep"),
    ("SOFT_RESET", "restart"),
)


def restart():
    machine.reset()


class Hardware:
    """`board` is the module board.py of this board: its pins and what hangs on them."""

    def __init__(self, board):
        self.board = board
        self._adc = None
        if board.BATTERY_ADC_PIN is not None:
            self._adc = machine.ADC(machine.Pin(board.BATTERY_ADC_PIN))
            attenuate = getattr(self._adc, "atten", None)
            if attenuate is not None:  # ESP32: without it the range ends below one volt
                attenuate(getattr(machine.ADC, "ATTN_11DB"))  # noqa: B009 - the other port has no such name
        self._led = None
        if board.LED_PIN is not None:
            self._led = machine.Pin(board.LED_PIN, machine.Pin.OUT)
            self.lamp(False)
        self._buses = {}

    def battery_mv(self):
        """Battery voltage in millivolts, or None where the board cannot measure it."""
        if self._adc is None:
            return None
        read_uv = getattr(self._adc, "read_uv", None)
        if read_uv is not None:  # ESP32: calibrated
            pin_uv = read_uv()
        else:
            pin_uv = self._adc.read_u16() * 3300 // 65535 * 1000  # RP2040: reference is the 3.3 V rail
        return pin_uv // 1000 * self.board.BATTERY_DIVIDER_X1000 // 1000

    @property
    def has_lamp(self) -> bool:
        return self._led is not None

    def lamp(self, on):
        if self._led is not None:
            self._led.value(1 if bool(on) == bool(self.board.LED_ACTIVE) else 0)

    def i2c(self, bus):
        """The I2C bus of that number, made on first use; ValueError when board.py has none such."""
        if bus not in self._buses:
            for number, scl, sda, frequency_hz in self.board.I2C:
                if number == bus:
                    self._buses[bus] = machine.I2C(bus, scl=machine.Pin(scl), sda=machine.Pin(sda), freq=frequency_hz)
                    break
            else:
                raise ValueError("no I2C bus %d on this board" % bus)
        return self._buses[bus]

    def reset_cause(self):
        """Why the board started, in a word."""
        cause = machine.reset_cause()
        for name, word in _CAUSES:
            if getattr(machine, name, None) == cause:
                return word
        return "unknown"

    def restart(self):
        restart()

    def flash_bytes(self):
        """(free, total) bytes of the file system."""
        s = os.statvfs("/")
        return s[0] * s[3], s[0] * s[2]

    def heap_bytes(self):
        gc.collect()
        return gc.mem_free(), gc.mem_alloc()

    def versions(self):
        """(MicroPython version as text, .mpy version word)."""
        i = sys.implementation
        return ".".join([str(part) for part in i.version[:3]]), getattr(i, "_mpy", 0)
