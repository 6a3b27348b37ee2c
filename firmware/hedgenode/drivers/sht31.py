"""Sensirion SHT31, air temperature and humidity, by its data sheet 'SHT3x-DIS'. Knows one chip, no calendar.

One measurement a call, highest repeatability, no clock stretching: between calls the chip sleeps at 0.2 uA.
"""

import asyncio

_MEASURE = b"\x24\x00"  # section 4.3
_READ_STATUS = b"\xf3\x2d"  # section 4.11
_MEASURE_S = 0.016  # table 4: at most 15.5 ms


class Sht31:
    """Channels temperature_c100 (hundredths of a degree Celsius) and humidity_pc100 (hundredths of a per cent)."""

    def __init__(self, bus, address: int):
        self._bus = bus
        self._address = address
        self._data = bytearray(6)

    @staticmethod
    def answers(bus, address: int) -> bool:
        """Whether the chip at this address has a status register with a right checksum. OSError where there is none."""
        data = bytearray(3)
        bus.writeto(address, _READ_STATUS)
        bus.readfrom_into(address, data)
        return crc8(data, 0) == data[2]

    async def read(self) -> "dict | None":
        """Measure. None where a checksum is wrong, OSError where the chip does not answer."""
        data = self._data
        self._bus.writeto(self._address, _MEASURE)
        await asyncio.sleep(_MEASURE_S)
        self._bus.readfrom_into(self._address, data)
        if crc8(data, 0) != data[2] or crc8(data, 3) != data[5]:
            return None
        # Section 4.13, rounded to the nearest hundredth.
        temperature = (17500 * (data[0] << 8 | data[1]) + 32767) // 65535 - 4500
        humidity = (10000 * (data[3] << 8 | data[4]) + 32767) // 65535
        return {"temperature_c100": temperature, "humidity_pc100": humidity}


def crc8(data, at: int) -> int:
    """Return the checksum of two bytes (section 4.12: polynomial 0x31, start 0xFF)."""
    crc = 0xFF
    for i in range(at, at + 2):
        crc ^= data[i]
        for _ in range(8):
            crc = (crc << 1 ^ 0x31 if crc & 0x80 else crc << 1) & 0xFF
    return crc
