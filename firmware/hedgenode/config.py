"""What this node was told to be (/config.cbor): what may stand there, and what holds where it was told nothing.

Values are checked before they are written and again at start, so that no configuration makes a node that cannot start.
Knows no hardware. Keys that it does not know are kept: a newer tool may have written them.
"""

from hedgewire import cbor

PATH = "/config.cbor"
VERSION = 1
MAX_BYTES = 1536  # fits one answer frame with room to spare
MAX_SENSORS = 16
RADIO_SECURITIES = ("open", "fleet")  # link messages as they are, or under the key of the fleet's own group
CONSOLES = ("open", "locked")

DEFAULTS = {
    "v": VERSION,
    "name": "unnamed",
    "charter": 0,
    "board": "",
    "ipn_base": 974848,
    "sample_ms": 900000,
    "hello_ms": 30000,
    "radio": "none",
    "radio_channel": 1,
    "radio_security": "open",
    "sensors": [],
    "console": "open",
    "custodian": None,
    "protected": False,  # whether administration asks who somebody is: sessions, and a role for each method
    "ble": False,  # whether people of the fleet find it over Bluetooth; only where it asks who somebody is
    "phone": False,  # whether its button opens an access point, with a page for neighbours
    "ledger": True,  # whether it keeps one: its signatures need more heap than a small board has beside messages
    "watchdog_ms": 60000,  # how late a task may be; 0 turns the watchdog off
    "copies": 6,
}

# Least and most. A short id is never given to nobody (0) nor to everybody (0xFFFF).
_NUMBERS = {
    "short": (1, 0xFFFE),
    "charter": (0, 0x3FFFFFFF),
    "ipn_base": (1, 281474976645119),
    "sample_ms": (100, 86400000),
    "hello_ms": (100, 86400000),
    "radio_channel": (1, 13),
    "watchdog_ms": (0, 3600000),
    "copies": (1, 31),
}
_TEXTS = {"name": 40, "board": 40}  # most characters
_MAX_WORD = 20
_ID_BYTES = 8


class Unusable:
    """Why a configuration cannot be used: a value, as a Damage is."""

    def __init__(self, sentence: str):
        self.sentence = sentence


def fault(values) -> "str | None":
    """What is wrong with a whole configuration, as a sentence that names the key; None where nothing is."""
    if not isinstance(values, dict) or values.get("v") != VERSION:
        return "this is no configuration of version %d" % VERSION
    for key, (least, most) in _NUMBERS.items():
        if not is_number(values.get(key), least, most):
            return "%s must be a number from %d to %d" % (key, least, most)
    for key, most in _TEXTS.items():
        if not isinstance(values.get(key), str) or len(values[key]) > most:
            return "%s must be a text of at most %d characters" % (key, most)
    for key in ("id", "fleet", "custodian"):
        value = values.get(key)
        if not (isinstance(value, bytes) and len(value) == _ID_BYTES) and (value is not None or key != "custodian"):
            return "%s must be %d bytes" % (key, _ID_BYTES)
    if not _is_word(values.get("radio")):
        return "radio must be a word of small letters and digits, or none"
    for key, allowed in (("console", CONSOLES), ("radio_security", RADIO_SECURITIES)):
        if values.get(key) not in allowed:
            return "%s must be one of %s" % (key, ", ".join(allowed))
    return _flags_fault(values) or _sensors_fault(values.get("sensors"))


def _flags_fault(values):
    for key in ("ble", "ledger", "phone", "protected"):
        if not isinstance(values.get(key), bool):
            return "%s must be true or false" % key
    if values["ble"] and not values["protected"]:
        return "ble needs protected, or whoever stands near would be master of this node"
    return None


def _is_word(value):
    """Whether it can be part of a module's name: each radio is a module of hal."""
    if not isinstance(value, str) or not 0 < len(value) <= _MAX_WORD:
        return False
    return all("a" <= character <= "z" or "0" <= character <= "9" for character in value)


def _sensors_fault(sensors):
    if not isinstance(sensors, list) or len(sensors) > MAX_SENSORS:
        return "sensors must be a list of at most %d" % MAX_SENSORS
    for wanted in sensors:
        if not isinstance(wanted, dict) or not isinstance(wanted.get("driver"), str):
            return "every sensor must name its driver"
        if not is_number(wanted.get("bus", 0), 0, 3):
            return "the bus of a sensor must be a number from 0 to 3"
        if wanted.get("address") is not None and not is_number(wanted["address"], 8, 119):
            return "the address of a sensor must be a number from 8 to 119"
    return None


def is_number(value, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def whole(values: dict) -> dict:
    """Those values, and the defaults where they say nothing."""
    made = dict(DEFAULTS)
    made.update(values)
    return made


def parse(data) -> "dict | Unusable":
    """The whole configuration in those bytes."""
    values = cbor.decode(data)
    if not isinstance(values, dict):
        return Unusable("it is damaged")
    made = whole(values)
    wrong = fault(made)
    return made if wrong is None else Unusable(wrong)


def load(path=PATH) -> "dict | Unusable | None":
    """The node's configuration; None when there is none, for the board is not provisioned yet."""
    try:
        with open(path, "rb") as f:
            return parse(f.read())
    except OSError:
        return None
