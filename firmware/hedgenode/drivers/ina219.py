"""TI INA219 between panel and charger, voltage and current, by section 8.6 of its data sheet. Knows no battery.

One averaged measurement a call: between calls the chip is powered down at 6 uA instead of 1 mA. It has no checksum, so
a reading counts only if the chip still holds the setting that was written and neither value is at its limit. The
current is computed here from the voltage over the shunt, because the chip's own calculation loses digits and needs a
calibration that a brown-out would erase unnoticed.
"""

import asyncio

_CONFIGURATION = 0x00
_SHUNT_VOLTAGE = 0x01
_BUS_VOLTAGE = 0x02
# Section 8.6.2.1: 32 V, 320 mV over the shunt, mean of 16 samples of 12 bits each (9.4 ms at most), both values once.
_MEASURE = b"\x3e\x63"
_POWER_DOWN = b"\x3e\x60"
_NEVER_SET = 0x4000  # bit 14 of the configuration and bit 2 of the bus voltage read as 0
_NEVER_SET_BUS = 0x0004
_CONVERSION_READY = 0x0002  # CNVR
_SHUNT_LIMIT = 32000  # 320 mV in steps of 10 uV
_WAIT_S = 0.01
_WAITS = 8


class Ina219:
    """Channels panel_mv (millivolts to ground behind the shunt) and panel_ma10 (tenths of a milliampere, signed)."""

    def __init__(self, bus, address: int, shunt_mohm: int = 100):
        self._bus = bus
        self._address = address
        self._shunt_mohm = shunt_mohm
        self._data = bytearray(2)

    @staticmethod
    def answers(bus, address: int) -> bool:
        """Whether the bits that the chip never sets are clear (it has no name). OSError where there is none."""
        data = bytearray(2)
        bus.readfrom_mem_into(address, _CONFIGURATION, data)
        configuration = data[0] << 8 | data[1]
        bus.readfrom_mem_into(address, _BUS_VOLTAGE, data)
        return configuration != 0 and not configuration & _NEVER_SET and not data[1] & _NEVER_SET_BUS

    async def read(self) -> "dict | None":
        """Measure. None where a value is not to be trusted, OSError where the chip does not answer."""
        self._bus.writeto_mem(self._address, _CONFIGURATION, _MEASURE)
        for _ in range(_WAITS):
            await asyncio.sleep(_WAIT_S)
            bus_voltage = self._register(_BUS_VOLTAGE)
            if bus_voltage & _CONVERSION_READY:
                break
        else:
            return None
        shunt = self._register(_SHUNT_VOLTAGE)
        if shunt & 0x8000:
            shunt -= 0x10000
        self._register(_CONFIGURATION)
        unchanged = self._data == _MEASURE
        self._bus.writeto_mem(self._address, _CONFIGURATION, _POWER_DOWN)
        if not unchanged or bus_voltage & _NEVER_SET_BUS or not -_SHUNT_LIMIT < shunt < _SHUNT_LIMIT:
            return None
        # Section 8.6.3: steps of 4 mV in bits 15 to 3, steps of 10 uV over the shunt.
        return {"panel_mv": (bus_voltage >> 3) * 4, "panel_ma10": shunt * 100 // self._shunt_mohm}

    def _register(self, register: int) -> int:
        self._bus.readfrom_mem_into(self._address, register, self._data)
        return self._data[0] << 8 | self._data[1]
