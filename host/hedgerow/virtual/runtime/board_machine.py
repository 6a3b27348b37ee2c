"""machine as on a board: pins, ADC, I2C, clock, watchdog and resets, answered by the host or by chip models.

An input reads what the host puts on it (`VirtualBoard.press`), else its pull (high without one). Pin interrupts are not
modelled: a handler given to `irq` is never called.
"""

import _thread
import select
import socket
import time as _time

import _clock
import _console
import _facts
import _sensors
import micropython as _micropython
from umachine import PinBase, Signal, idle  # noqa: F401

_ESP32 = _facts.facts["platform"] == "esp32"
PWRON_RESET = 1
WDT_RESET = 3
if _ESP32:
    HARD_RESET = 2
    DEEPSLEEP_RESET = 4
    SOFT_RESET = 5
    DEEPSLEEP = 4
    SLEEP = 2

_CAUSES = (
    {"power-on": 1, "hard": 2, "crash": 2, "watchdog": 3, "deepsleep": 4, "soft": 5}
    if _ESP32
    else {"power-on": 1, "hard": 3, "crash": 3, "watchdog": 3, "deepsleep": 3}
)
_PINS = _facts.facts["pins"]
_REFERENCE_UV = 3300000


def unique_id():
    return bytes.fromhex(_facts.facts["uid"])


def reset():
    _facts.end("hard")


def bootloader(timeout_ms=0):
    _facts.end("bootloader")


def soft_reset():
    raise SystemExit


def reset_cause():
    # A soft reset shows on an ESP32; an RP2040 goes on telling why its hardware started.
    return _CAUSES[_facts.facts["cause" if _ESP32 else "hard_cause"]]


def wake_reason():
    return 4 if _facts.facts["cause"] == "deepsleep" else 0


def freq(hz=None):
    return None if hz else 240000000 if _ESP32 else 125000000


def lightsleep(time_ms=1000):
    _time.sleep_ms(time_ms)


def deepsleep(time_ms=0):
    """The board goes out and comes back with a reset; 0 sleeps until the power is cycled."""
    _facts.end("deepsleep", time_ms)


def disable_irq():
    return 0


def enable_irq(state):
    pass


class Pin(PinBase):
    IN = 1
    OUT = 3 if _ESP32 else 1
    OPEN_DRAIN = 7 if _ESP32 else 2
    PULL_UP = 2 if _ESP32 else 1
    PULL_DOWN = 1 if _ESP32 else 2
    IRQ_RISING = 1 if _ESP32 else 8
    IRQ_FALLING = 2 if _ESP32 else 4
    if not _ESP32:
        IN = 0

    def __init__(self, id, mode=-1, pull=-1, value=None, **others):
        self.id = id
        self._out = False
        self._level = 1
        self.init(mode, pull, value=value)

    def init(self, mode=-1, pull=-1, value=None, **others):
        if mode != -1:
            self._out = mode in (Pin.OUT, Pin.OPEN_DRAIN)
        if pull == Pin.PULL_DOWN:
            self._level = 0
        if value is not None:
            self._set(value)

    def _set(self, level):
        level = 1 if level else 0
        if self._out and level != self._level:
            _facts.tell("pin", self.id, level)
        self._level = level

    def value(self, level=None):
        if level is None:
            outside = None if self._out else _facts.level(self.id)
            return self._level if outside is None else outside
        self._set(level)

    __call__ = value

    def on(self):
        self._set(1)

    def off(self):
        self._set(0)

    def toggle(self):
        self._set(1 - self._level)

    def irq(self, handler=None, trigger=0, **others):
        return None

    def __repr__(self):
        return "Pin(%s)" % self.id


class ADC:
    """The battery on the board's battery pin, through its divider; every other pin lies on ground."""

    ATTN_0DB, ATTN_2_5DB, ATTN_6DB, ATTN_11DB = 0, 1, 2, 3
    WIDTH_12BIT = 3
    CORE_TEMP = 4

    def __init__(self, pin, **others):
        self._pin = pin.id if isinstance(pin, Pin) else pin

    def _microvolts(self):
        if self._pin == _PINS.get("BATTERY_ADC_PIN") and self._pin is not None:
            microvolts = _facts.world()["battery_mv"] * 1000000 // _PINS.get("BATTERY_DIVIDER_X1000", 1000)
            return min(_REFERENCE_UV, int(microvolts))
        if not _ESP32 and self._pin == ADC.CORE_TEMP:
            return 706000 - int((_facts.world()["temperature_c"] - 27) * 1721)
        return 0

    def read_u16(self):
        return self._microvolts() * 65535 // _REFERENCE_UV

    if _ESP32:

        def read_uv(self):
            return self._microvolts()

        def read(self):
            return self._microvolts() * 4095 // _REFERENCE_UV

        def atten(self, attenuation):
            pass

        def width(self, bits):
            pass


class I2C:
    """Bus master; the chips on the bus are the models of `_sensors`, on the board's first bus."""

    _NOBODY = 19 if _ESP32 else 5  # ENODEV, EIO: what each port says when no chip answers

    def __init__(self, id=0, scl=None, sda=None, freq=400000, timeout=50000):
        buses = _PINS.get("I2C") or [[0]]
        self._chips = _sensors.chips() if id in (-1, buses[0][0]) else {}

    def init(self, **others):
        pass

    def deinit(self):
        pass

    def _chip(self, address):
        chip = self._chips.get(address)
        if chip is None:
            raise OSError(self._NOBODY)
        return chip

    def _refuse(self):
        raise OSError(self._NOBODY)

    def scan(self):
        return sorted(self._chips)

    def writeto(self, address, data, stop=True):
        if not self._chip(address).write(bytes(data)):
            self._refuse()
        return len(data)

    def writevto(self, address, vector, stop=True):
        return self.writeto(address, b"".join(bytes(part) for part in vector), stop)

    def readfrom(self, address, count, stop=True):
        data = self._chip(address).read(count)
        if data is None:
            self._refuse()
        return data

    def readfrom_into(self, address, buffer, stop=True):
        buffer[:] = self.readfrom(address, len(buffer))

    def writeto_mem(self, address, register, data, addrsize=8):
        self.writeto(address, register.to_bytes(addrsize // 8, "big") + bytes(data))

    def readfrom_mem(self, address, register, count, addrsize=8):
        self.writeto(address, register.to_bytes(addrsize // 8, "big"), False)
        return self.readfrom(address, count)

    def readfrom_mem_into(self, address, register, buffer, addrsize=8):
        buffer[:] = self.readfrom_mem(address, register, len(buffer), addrsize)


class SoftI2C(I2C):
    def __init__(self, scl, sda, freq=400000, timeout=50000):
        super().__init__(-1)


class UART:
    """A wire to another board where the host has laid one (`hedgerow.virtual.wire`); else nobody is at its end."""

    def __init__(self, id, baudrate=9600, **others):
        self._line = None
        self._poller = select.poll()
        address = _facts.facts["wire"]
        if address:
            self._line = socket.socket()
            self._line.connect(socket.getaddrinfo(address[0], address[1])[0][-1])
            self._line.setblocking(False)
            self._poller.register(self._line, select.POLLIN)

    def init(self, baudrate=9600, **others):
        pass

    def deinit(self):
        if self._line:
            self._line.close()
            self._line = None

    def any(self):
        return 1 if self._line and self._poller.poll(0) else 0

    def read(self, count=-1):
        if not self.any():
            return None
        data = self._line.read(count if count >= 0 else 4096)
        if data == b"":  # the host took the wire away
            self.deinit()
        return data or None

    def write(self, data):
        return self._line.write(data) if self._line else len(data)


class WDT:
    """The host keeps the time and takes the process down, whatever it is doing. No way to stop it, as on a board."""

    def __init__(self, id=0, timeout=5000):
        if not _ESP32 and timeout > 8388:
            raise ValueError("timeout too long")
        self._timeout_ms = timeout
        self.feed()

    def feed(self):
        _facts.facts["watchdog"] = True
        _facts.tell("feed", self._timeout_ms)


class _Registers:
    """The one register of the chip that our firmware reads: WATCHDOG CTRL of the RP2040 (data sheet 4.7.6)."""

    _CTRL = 0x40058000
    _ENABLE = 1 << 30

    def __getitem__(self, address):
        if address != self._CTRL:
            raise NotImplementedError("a virtual board has no register at 0x%08x" % address)
        return self._ENABLE if _facts.facts["watchdog"] else 0


if not _ESP32:
    mem32 = _Registers()


class RTC:
    """The virtual clock. What is set survives resets and deep sleep, not a power cut."""

    def __init__(self, id=0):
        pass

    def datetime(self, value=None):
        if value is None:
            now = _clock.now()
            date = _clock.gmtime(int(now) - _clock.EPOCH)
            return date[:3] + (date[6],) + date[3:6] + (int((now - int(now)) * 1000000) if _ESP32 else 0,)
        _clock.set_now(_clock.seconds_of(*value[:3], *value[4:7]))

    def init(self, value):
        self.datetime(value)

    if _ESP32:

        def memory(self, data=None):
            """2 kB that survive resets and deep sleep."""
            if data is None:
                return bytes.fromhex(_facts.facts["memory"])
            if len(data) > 2048:
                raise ValueError("buffer too long")
            _facts.facts["memory"] = bytes(data).hex()
            _facts.tell("memory", _facts.facts["memory"])


class Timer:
    """Fires `callback(timer)` between two steps of the program, at the earliest when a call that waits returns."""

    ONE_SHOT = 0
    PERIODIC = 1

    def __init__(self, id=-1, **settings):
        self._run = 0  # which start of the timer counts; a thread of an earlier one ends by itself
        if settings:
            self.init(**settings)

    def init(self, *, mode=1, freq=-1, period=-1, callback=None, hard=False):
        if period <= 0:
            period = int(1000 / freq)
        self.deinit()
        self._callback = callback
        _console.expect_callbacks()
        _thread.start_new_thread(self._tick, (self._run, period, mode))

    def deinit(self):
        self._run += 1

    def _tick(self, run, period_ms, mode):
        while True:
            _time.sleep_ms(period_ms)
            if run != self._run:
                return
            try:
                _micropython.schedule(self._fire, run)
            except RuntimeError:
                pass  # the queue is full: this tick is lost, as on a board
            if mode == Timer.ONE_SHOT:
                return

    def _fire(self, run):
        if run == self._run and self._callback:
            self._callback(self)
