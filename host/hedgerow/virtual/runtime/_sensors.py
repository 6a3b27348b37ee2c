"""Knows four chips by their registers, as their data sheets give them; knows nothing of who drives them.

`write(data)` returns whether the chip acknowledged; `read(count)` returns bytes, or None when it did not.
The values are the world's at the moment when a measurement starts.
"""

import _facts
import utime

SHT31_ADDRESS = 0x44
LPS22HB_ADDRESS = 0x5D
INA219_ADDRESS = 0x40


def crc8(data):
    """Sensirion SHT3x, table 20: polynomial 0x31, start 0xFF."""
    crc = 0xFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ 0x31 if crc & 0x80 else crc << 1) & 0xFF
    return crc


class Sht31:
    """Sensirion SHT3x-DIS, sections 4.3 to 4.13: single shots, status, soft reset, heater."""

    # Command: duration in ms. High, medium and low repeatability, with and without clock stretching.
    _SHOTS = {0x2400: 15, 0x240B: 6, 0x2416: 4, 0x2C06: 15, 0x2C0D: 6, 0x2C10: 4}
    _STRETCHED = (0x2C06, 0x2C0D, 0x2C10)

    def __init__(self):
        self._answer = None
        self._ready_at = 0
        self._status = 0x8010  # an alert is pending and a reset was seen, as after power-on

    def write(self, data):
        command = int.from_bytes(data[:2], "big")
        if command in self._SHOTS:
            world = _facts.world()
            temperature = round((world["temperature_c"] + 45) * 65535 / 175)
            humidity = round(world["humidity_pc"] * 65535 / 100)
            self._answer = _word(temperature) + _word(humidity)
            wait_ms = 0 if command in self._STRETCHED else self._SHOTS[command]
            self._ready_at = utime.ticks_add(utime.ticks_ms(), wait_ms)
        elif command == 0xF32D:
            self._answer = _word(self._status)
            self._ready_at = utime.ticks_ms()
        elif command == 0x3041:
            self._status = 0
        elif command == 0x30A2:
            self._answer = None
            self._status = 0x8010
        return True

    def read(self, count):
        if self._answer is None or utime.ticks_diff(self._ready_at, utime.ticks_ms()) > 0:
            return None
        answer = self._answer
        self._answer = None
        return (answer + b"\xff" * count)[:count]


def _word(value):
    data = max(0, min(65535, value)).to_bytes(2, "big")
    return data + bytes([crc8(data)])


class Registers:
    """A chip of 8-bit registers with a pointer that moves on by itself."""

    def __init__(self):
        self.pointer = 0

    def write(self, data):
        if data:
            self.pointer = data[0]
            for value in data[1:]:
                self.set(self.pointer, value)
                self.pointer = (self.pointer + 1) & 0xFF
        return True

    def read(self, count):
        data = bytearray(count)
        for index in range(count):
            data[index] = self.get(self.pointer)
            self.pointer = (self.pointer + 1) & 0xFF
        return bytes(data)


class Lps22hb(Registers):
    """ST LPS22HB, section 9: WHO_AM_I, CTRL_REG1 and 2, STATUS, PRESS_OUT, TEMP_OUT."""

    _SHOT_MS = 13

    def __init__(self):
        super().__init__()
        self._reset()

    def _reset(self):
        self._control1 = 0
        self._control2 = 0x10
        self._status = 0
        self._ready_at = None
        self._data = bytes(5)

    def _measure(self):
        world = _facts.world()
        pressure = round(world["pressure_hpa"] * 4096)
        temperature = round(world["temperature_c"] * 100)
        self._data = pressure.to_bytes(3, "little") + (temperature & 0xFFFF).to_bytes(2, "little")

    def _settle(self):
        """A one-shot that is through, or a rate in CTRL_REG1, puts new data in place."""
        if self._ready_at is not None and utime.ticks_diff(utime.ticks_ms(), self._ready_at) >= 0:
            self._ready_at = None
            self._control2 &= 0xFE
            self._status = 3
        elif self._control1 & 0x70:
            self._measure()
            self._status = 3

    def set(self, register, value):
        if register == 0x10:
            self._control1 = value
        elif register == 0x11:
            if value & 0x04:
                self._reset()
            else:
                self._control2 = value
                if value & 1 and not self._control1 & 0x70:
                    self._measure()
                    self._ready_at = utime.ticks_add(utime.ticks_ms(), self._SHOT_MS)

    def get(self, register):
        if register == 0x0F:
            return 0xB1
        if register == 0x10:
            return self._control1
        if register == 0x11:
            self._settle()
            return self._control2
        if register == 0x27:
            self._settle()
            return self._status
        if 0x28 <= register <= 0x2C:
            self._settle()
            if register == 0x2A:
                self._status &= 2
            elif register == 0x2C:
                self._status &= 1
            return self._data[register - 0x28] if self._ready_at is None else 0
        return 0


class Ina219:
    """TI INA219, section 8.6: 16-bit registers, high byte first; 0.1 ohm between the panel and the charger."""

    _SHUNT_OHM_X10 = 1

    def __init__(self):
        self._pointer = 0
        self._configuration = 0x399F
        self._calibration = 0

    def write(self, data):
        if data:
            self._pointer = data[0]
        if len(data) >= 3:
            value = data[1] << 8 | data[2]
            if self._pointer == 0:
                if value & 0x8000:
                    value, self._calibration = 0x399F, 0
                self._configuration = value
            elif self._pointer == 5:
                self._calibration = value & 0xFFFE
        return True

    def _value(self):
        pointer = self._pointer
        if pointer == 0:
            return self._configuration
        if pointer == 5:
            return self._calibration
        world = _facts.world()
        shunt = round(world["panel_ma"] * self._SHUNT_OHM_X10 * 10)  # mA through 0.1 ohm, in 10 uV
        bus = round(world["panel_mv"] / 4)
        current = shunt * self._calibration // 4096
        return {1: shunt, 2: bus << 3 | 2, 3: current * bus // 5000, 4: current}.get(pointer, 0)

    def read(self, count):
        data = (self._value() & 0xFFFF).to_bytes(2, "big")
        return (data * (count // 2 + 1))[:count]


_chips = None


def chips():
    """The chips on the bus by address; they keep their state while the board runs."""
    global _chips
    if _chips is None:
        _chips = {SHT31_ADDRESS: Sht31(), LPS22HB_ADDRESS: Lps22hb(), INA219_ADDRESS: Ina219()}
    return _chips
