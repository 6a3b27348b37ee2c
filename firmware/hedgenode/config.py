"""What this node was told to be (/config.cbor) and the values that stand where it was told nothing. No hardware."""

from hedgewire import cbor

PATH = "/config.cbor"
VERSION = 1

DEFAULTS = {
    "v": VERSION,
    "name": "unnamed",
    "short": 0,
    "id": b"",
    "fleet": b"\x00" * 8,
    "charter": 0,
    "board": "",
    "ipn_base": 974848,
    "sample_ms": 900000,
    "hello_ms": 30000,
    "radio": "none",
    "radio_channel": 1,
    "sensors": [],
    "console": "open",
    "custodian": None,
    "watchdog_ms": 60000,
    "copies": 6,
}


def parse(data):
    """The configuration in those bytes with defaults filled in, or None when they are damaged or of another version."""
    values = cbor.decode(data)
    if isinstance(values, cbor.Damage) or not isinstance(values, dict) or values.get("v") != VERSION:
        return None
    whole = dict(DEFAULTS)
    whole.update(values)
    return whole


def load(path=PATH):
    """The node's configuration, or None when there is none that can be used (the board is not provisioned)."""
    try:
        with open(path, "rb") as f:
            return parse(f.read())
    except OSError:
        return None
