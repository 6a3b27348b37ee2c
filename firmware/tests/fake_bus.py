"""An I2C bus with chips that are register maps, for tests of drivers. Behaves as machine.I2C does; knows no driver."""


class FakeBus:
    """`chips`: address to an object with `write(data)` and `read(count) -> bytes`; either may raise OSError."""

    def __init__(self, chips):
        self._chips = chips

    def _chip(self, address):
        if address not in self._chips:
            raise OSError(5, "no acknowledgement")
        return self._chips[address]

    def writeto(self, address, data):
        self._chip(address).write(bytes(data))

    def readfrom_into(self, address, buffer):
        buffer[:] = self._chip(address).read(len(buffer))

    def writeto_mem(self, address, register, data):
        self.writeto(address, bytes([register]) + bytes(data))

    def readfrom_mem_into(self, address, register, buffer):
        self.writeto(address, bytes([register]))
        self.readfrom_into(address, buffer)


class Sht31Chip:
    """Answers a command with what a test put into `answers`; what it was told stands in `written`."""

    def __init__(self, measurement="6666938000a2"):
        self.answers = {"2400": bytes.fromhex(measurement), "f32d": bytes.fromhex("8010e1")}
        self.written = []
        self._answer = None

    def write(self, data):
        self.written.append(data.hex())
        self._answer = self.answers[data.hex()]

    def read(self, count):
        if self._answer is None:
            raise OSError(5, "nothing measured yet")
        answer = self._answer[:count]
        self._answer = None
        return answer


class Lps22hbChip:
    """Registers of 8 bits. A measurement that was begun is through when CTRL_REG2 was read `busy_reads` times."""

    def __init__(self, raw=1013 << 12, busy_reads=1):
        self.registers = {0x0F: 0xB1, 0x10: 0x00, 0x11: 0x10, 0x27: 0x00, 0x28: 0, 0x29: 0, 0x2A: 0}
        self.raw = raw
        self._busy_reads = busy_reads
        self._left = 0
        self._pointer = 0

    def write(self, data):
        self._pointer = data[0]
        for value in data[1:]:
            self.registers[self._pointer] = value
            if self._pointer == 0x11 and value & 1:
                self._left = self._busy_reads
            self._pointer += 1

    def read(self, count):
        values = []
        for register in range(self._pointer, self._pointer + count):
            if register == 0x11 and self.registers[0x11] & 1:
                self._settle()
            values.append(self.registers[register])
        return bytes(values)

    def _settle(self):
        if self._left:
            self._left -= 1
            return
        self.registers[0x11] &= 0xFE
        self.registers[0x27] = 0x03
        for i in range(3):
            self.registers[0x28 + i] = self.raw >> 8 * i & 0xFF


class Ina219Chip:
    """Registers of 16 bits. A measurement that was begun is ready when the bus voltage was read `busy_reads` times."""

    def __init__(self, panel_mv=5200, shunt=1234, busy_reads=1):
        self.registers = {0: 0x399F, 1: shunt & 0xFFFF, 2: panel_mv // 4 << 3}
        self._busy_reads = busy_reads
        self._left = 0
        self._pointer = 0

    def write(self, data):
        self._pointer = data[0]
        if len(data) == 3:
            self.registers[self._pointer] = data[1] << 8 | data[2]
            self.registers[2] &= 0xFFFD
            self._left = self._busy_reads

    def read(self, count):
        assert count == 2
        if self._pointer == 2:
            if self._left == 0:
                self.registers[2] |= 2
            self._left -= 1
        return self.registers[self._pointer].to_bytes(2, "big")
