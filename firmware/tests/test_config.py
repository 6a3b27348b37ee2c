"""The configuration of a node: what may stand there, and that nothing else ever gets into force."""

from harness import remove_folder, scratch_folder

from hedgenode import config
from hedgewire import cbor

GOOD = {"v": 1, "name": "oak", "short": 7, "id": b"12345678", "fleet": b"abcdefgh", "board": "RPI_PICO"}

WRONG = (
    ("v", 2),
    ("name", 5),
    ("name", "x" * 41),
    ("short", 0),
    ("short", 0xFFFF),
    ("short", "7"),
    ("short", None),
    ("id", b""),
    ("id", "12345678"),
    ("id", None),
    ("fleet", b"abc"),
    ("board", None),
    ("custodian", b"abc"),
    ("ipn_base", 0),
    ("ipn_base", 1 << 60),
    ("charter", -1),
    ("sample_ms", 0),
    ("sample_ms", 99),
    ("sample_ms", 86400001),
    ("sample_ms", [900000]),
    ("hello_ms", 0),
    ("hello_ms", "30000"),
    ("radio", ""),
    ("radio", "../lora"),
    ("radio", "lora" * 6),
    ("radio", None),
    ("radio", ["espnow"]),
    ("radio_channel", 0),
    ("radio_channel", 14),
    ("radio_security", "closed"),
    ("radio_security", None),
    ("console", "shut"),
    ("console", True),
    ("ble", 1),
    ("ble", True),  # of a node that is not protected
    ("protected", None),
    ("protected", 1),
    ("watchdog_ms", -1),
    ("watchdog_ms", 3600001),
    ("copies", 0),
    ("copies", 256),
    ("sensors", None),
    ("sensors", {}),
    ("sensors", ["sht31"]),
    ("sensors", [{}]),
    ("sensors", [{"driver": 31}]),
    ("sensors", [{"driver": "sht31", "bus": 4}]),
    ("sensors", [{"driver": "sht31", "bus": None}]),
    ("sensors", [{"driver": "sht31", "address": 7}]),
    ("sensors", [{"driver": "sht31", "address": "0x44"}]),
    ("sensors", [{"driver": "sht31"}] * 17),
)


def _with(key, value):
    made = dict(GOOD)
    made[key] = value
    return made


def test_what_was_not_told_has_a_default():
    read = config.parse(cbor.encode(GOOD))
    assert read["name"] == "oak"
    assert (read["sample_ms"], read["radio"], read["console"]) == (900000, "none", "open")


def test_every_wrong_value_is_named_in_a_sentence():
    for key, value in WRONG:
        read = config.parse(cbor.encode(_with(key, value)))
        assert isinstance(read, config.Unusable), (key, value)
        named = {"v": "version", "sensors": "sensor"}.get(key, key)
        assert named in read.sentence, (key, value, read.sentence)


def test_a_sensor_needs_a_driver_only():
    for sensor in (
        {"driver": "sht31"},
        {"driver": "ina219", "bus": 1, "address": 0x40},
        {"driver": "a", "address": None},
    ):
        assert config.fault(config.whole(_with("sensors", [sensor]))) is None, sensor


def test_true_is_no_number():
    assert not config.is_number(True, 0, 5)
    assert config.is_number(5, 0, 5)
    assert not config.is_number(6, 0, 5)


def test_unknown_keys_of_a_newer_tool_are_kept():
    assert config.parse(cbor.encode(_with("later", [1, 2])))["later"] == [1, 2]


def test_damage_of_any_byte_never_raises():
    data = cbor.encode(config.whole(GOOD))
    for at in range(len(data)):
        for flip in (0x01, 0x40, 0xFF):
            damaged = bytearray(data)
            damaged[at] ^= flip
            read = config.parse(bytes(damaged))
            assert isinstance(read, config.Unusable) or config.fault(read) is None, at
        assert isinstance(config.parse(data[:at]), config.Unusable)


def test_no_file_is_something_else_than_a_damaged_one():
    folder = scratch_folder()
    try:
        assert config.load(folder + "/config.cbor") is None
        with open(folder + "/config.cbor", "wb") as file:
            file.write(b"\xa1")
        assert isinstance(config.load(folder + "/config.cbor"), config.Unusable)
    finally:
        remove_folder(folder)
