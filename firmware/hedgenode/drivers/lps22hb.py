"""ST LPS22HB, air pressure, by the register description of its data sheet (section 9). Knows one chip, no altitude.

One measurement a call: between calls the chip is powered down at 1 uA. It has no checksum, so a reading counts only if
the chip still holds the setting that was written, says that the value is new, and stays within its range.
"""

import asyncio

_WHO_AM_I = 0x0F
_IDENTITY = 0xB1
_CTRL_REG1 = 0x10  # CTRL_REG2 follows it
_CTRL_REG2 = 0x11
_BLOCK_DATA_UPDATE = b"\x02"  # BDU: the three bytes of a value belong together; rate 0: single measurements
_ONE_SHOT = b"\x11"  # IF_ADD_INC and ONE_SHOT, which the chip clears when it is through
_STATUS = 0x27  # the three bytes of PRESS_OUT follow it, least first
_PRESSURE_NEW = 0x01  # P_DA
_MIN_PA = 26000
_MAX_PA = 126000
_WAIT_S = 0.01
_WAITS = 8


class Lps22hb:
    """Channel pressure_pa (pascal, as measured: not reduced to sea level)."""

    def __init__(self, bus, address: int):
        self._bus = bus
        self._address = address
        self._control = bytearray(2)
        self._data = bytearray(4)

    @staticmethod
    def answers(bus, address: int) -> bool:
        """Whether the chip at this address names itself an LPS22HB. OSError where there is none."""
        data = bytearray(1)
        bus.readfrom_mem_into(address, _WHO_AM_I, data)
        return data[0] == _IDENTITY

    async def read(self) -> "dict | None":
        """Measure. None where the value is not to be trusted, OSError where the chip does not answer."""
        self._bus.writeto_mem(self._address, _CTRL_REG1, _BLOCK_DATA_UPDATE)
        self._bus.writeto_mem(self._address, _CTRL_REG2, _ONE_SHOT)
        if not await self._through():
            return None
        data = self._data
        self._bus.readfrom_mem_into(self._address, _STATUS, data)
        if not data[0] & _PRESSURE_NEW:
            return None
        # 4096 steps a hectopascal; the range excludes negative values.
        pressure_pa = ((data[1] | data[2] << 8 | data[3] << 16) * 25 + 512) >> 10
        return {"pressure_pa": pressure_pa} if _MIN_PA <= pressure_pa <= _MAX_PA else None

    async def _through(self) -> bool:
        """Wait for the end of the measurement; False where it does not come or the setting is not ours any more."""
        control = self._control
        for _ in range(_WAITS):
            await asyncio.sleep(_WAIT_S)
            self._bus.readfrom_mem_into(self._address, _CTRL_REG1, control)
            if control[0] != _BLOCK_DATA_UPDATE[0]:
                return False
            if control[1] == _ONE_SHOT[0] & 0xFE:
                return True
        return False
