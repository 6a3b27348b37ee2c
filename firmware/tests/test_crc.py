"""CRC-16/X.25 and CRC-32C against the check values of their catalogue and against vectors/crc.json."""

from harness import vectors

from hedgewire.crc import crc16, crc32c


def test_check_values():
    assert crc16(b"123456789") == 0x906E
    assert crc32c(b"123456789") == 0xE3069283


def test_vectors():
    for case in vectors("crc"):
        data = bytes.fromhex(case["data"])
        assert crc16(data) == int(case["crc16"], 16), case
        assert crc32c(data) == int(case["crc32c"], 16), case


def test_a_crc_continues_over_pieces():
    data = bytes(range(256))
    for cut in (0, 1, 100, 255, 256):
        assert crc16(data[cut:], crc16(data[:cut])) == crc16(data)
        assert crc32c(data[cut:], crc32c(data[:cut])) == crc32c(data)


def test_any_buffer_will_do():
    data = b"hedgerow"
    assert crc16(bytearray(data)) == crc16(memoryview(data)) == crc16(data)
    assert crc32c(bytearray(data)) == crc32c(memoryview(data)) == crc32c(data)
