"""The sensor drivers on a bus of fake chips: right numbers, and never a wrong one."""

import asyncio

from fake_bus import FakeBus, Ina219Chip, Lps22hbChip, Sht31Chip
from harness import raises

from hedgenode import drivers
from hedgenode.drivers.sht31 import crc8


def read(driver):
    """One reading, which ends within its bound or fails the test."""
    return asyncio.run(asyncio.wait_for(driver.read(), 2))


def read_chip(name, chip):
    address = 0x40
    return read(drivers.make(name, FakeBus({address: chip}), address))


def test_sht31_gives_hundredths():
    assert read_chip("sht31", Sht31Chip("6666938000a2")) == {"temperature_c100": 2500, "humidity_pc100": 5000}


def test_sht31_reaches_both_ends_of_its_scale():
    assert read_chip("sht31", Sht31Chip("000081000081")) == {"temperature_c100": -4500, "humidity_pc100": 0}
    assert read_chip("sht31", Sht31Chip("ffffacffffac")) == {"temperature_c100": 13000, "humidity_pc100": 10000}


def test_sht31_checksum_is_that_of_the_data_sheet():
    assert crc8(b"\xbe\xef", 0) == 0x92


def test_sht31_discards_every_reading_with_a_single_wrong_bit():
    right = bytes.fromhex("6666938000a2")
    for bit in range(48):
        damaged = bytearray(right)
        damaged[bit >> 3] ^= 1 << (bit & 7)
        assert read_chip("sht31", Sht31Chip(damaged.hex())) is None, bit


def test_sht31_is_told_nothing_but_to_measure():
    chip = Sht31Chip("6666938000a2")
    read_chip("sht31", chip)
    assert chip.written == ["2400"]


def test_lps22hb_gives_pascal():
    assert read_chip("lps22hb", Lps22hbChip(1013 << 12)) == {"pressure_pa": 101300}
    assert read_chip("lps22hb", Lps22hbChip((1013 << 12) + 1024)) == {"pressure_pa": 101325}


def test_lps22hb_waits_for_the_end_of_the_measurement_but_not_for_ever():
    assert read_chip("lps22hb", Lps22hbChip(busy_reads=5)) == {"pressure_pa": 101300}
    assert read_chip("lps22hb", Lps22hbChip(busy_reads=1000)) is None


def test_lps22hb_trusts_no_value_outside_its_range():
    for raw in (0, 259 << 12, 1261 << 12, 0xFFFFFF, 0x800000):
        assert read_chip("lps22hb", Lps22hbChip(raw)) is None, raw
    for raw in (260 << 12, 1260 << 12):
        assert read_chip("lps22hb", Lps22hbChip(raw)) == {"pressure_pa": (raw >> 12) * 100}, raw


class ResetInBetween(Lps22hbChip):
    """Loses its setting and its measurement to a brown-out right after they were written."""

    def write(self, data):
        super().write(data)
        if data[:2] == b"\x11\x11":
            self.registers[0x10] = 0x00
            self.registers[0x11] = 0x10


def test_lps22hb_notices_a_reset_in_between():
    chip = ResetInBetween()
    chip.registers[0x27] = 0x03  # a value is there, but nobody knows of when
    chip.registers[0x2A] = 0x3F
    assert read_chip("lps22hb", chip) is None


class NothingNew(Lps22hbChip):
    def _settle(self):
        super()._settle()
        self.registers[0x27] = 0x02  # a new temperature only


def test_lps22hb_does_not_report_an_old_value_again():
    assert read_chip("lps22hb", NothingNew()) is None


def test_ina219_gives_millivolts_and_tenths_of_a_milliampere():
    assert read_chip("ina219", Ina219Chip(5200, 1234)) == {"panel_mv": 5200, "panel_ma10": 1234}
    assert read_chip("ina219", Ina219Chip(0, -7)) == {"panel_mv": 0, "panel_ma10": -7}
    assert read_chip("ina219", Ina219Chip(26000, 31999)) == {"panel_mv": 26000, "panel_ma10": 31999}


def test_ina219_with_another_shunt():
    driver = drivers.make("ina219", FakeBus({0x40: Ina219Chip(5000, 1000)}))
    driver._shunt_mohm = 20
    assert read(driver) == {"panel_mv": 5000, "panel_ma10": 5000}


def test_ina219_sleeps_between_measurements():
    chip = Ina219Chip()
    read_chip("ina219", chip)
    assert chip.registers[0] & 7 == 0


def test_ina219_waits_for_the_conversion_but_not_for_ever():
    assert read_chip("ina219", Ina219Chip(busy_reads=5)) == {"panel_mv": 5200, "panel_ma10": 1234}
    assert read_chip("ina219", Ina219Chip(busy_reads=1000)) is None


def test_ina219_trusts_no_value_at_its_limit():
    for shunt in (32000, -32000, 32767, -32768):
        assert read_chip("ina219", Ina219Chip(5200, shunt)) is None, shunt


class Forgetful(Ina219Chip):
    """Falls back to its power-on setting by a brown-out right after a measurement was begun."""

    def write(self, data):
        super().write(data)
        if len(data) == 3:
            self.registers[0] = 0x399F


def test_ina219_notices_a_reset_in_between():
    assert read_chip("ina219", Forgetful()) is None


class AllOnes:
    """A bus without pull-ups, or a chip that another one talks over."""

    def write(self, data):
        pass

    def read(self, count):
        return b"\xff" * count


class AllZeros(AllOnes):
    def read(self, count):
        return bytes(count)


def test_a_disturbed_bus_yields_no_reading_and_no_chip():
    for kind in (AllOnes, AllZeros):
        for name in drivers.names():
            assert read_chip(name, kind()) is None, (kind, name)
        assert drivers.probe(FakeBus({address: kind() for address in range(128)})) == []


def test_an_absent_chip_is_an_oserror():
    for name in drivers.names():
        raises(OSError, read, drivers.make(name, FakeBus({}), 0x40))


def test_make_takes_the_usual_address_unless_told():
    readings = {"sht31": 0x44, "lps22hb": 0x5D, "ina219": 0x40}
    chips = {0x44: Sht31Chip("6666938000a2"), 0x5D: Lps22hbChip(), 0x40: Ina219Chip()}
    for name in drivers.names():
        assert read(drivers.make(name, FakeBus({readings[name]: chips[readings[name]]}))) is not None, name


def test_an_unknown_driver_is_named_with_the_known_ones():
    error = raises(ValueError, drivers.make, "bme999", FakeBus({}))
    assert str(error) == "unknown driver bme999; there are ina219, lps22hb, sht31"


def test_probe_finds_chips_at_every_address_they_may_have():
    assert drivers.probe(FakeBus({})) == []
    chips = {0x41: Ina219Chip(), 0x45: Sht31Chip(), 0x5C: Lps22hbChip(), 0x5D: Lps22hbChip()}
    wanted = [("ina219", 0x41), ("lps22hb", 0x5C), ("lps22hb", 0x5D), ("sht31", 0x45)]
    assert sorted(drivers.probe(FakeBus(chips))) == wanted


def test_probe_is_not_misled_by_another_chip():
    stranger = Lps22hbChip()
    stranger.registers[0x0F] = 0xB4
    assert drivers.probe(FakeBus({0x5D: stranger})) == []
