"""network as far as the firmware needs it: a station that is active, has a MAC and a channel, and finds nobody; an
access point that the host sees come and go, and whose phones come over the computer's loopback (`board_socket`)."""

import _facts

STA_IF = 0
AP_IF = 1
STAT_IDLE = 1000
STAT_GOT_IP = 1010

_mac = bytes.fromhex(_facts.facts["uid"])[:6]
_state = {STA_IF: False, AP_IF: False}
_values = {"channel": 1, "ssid": "", "pm": 1, "txpower": 20.0, "hostname": "mpy", "protocol": 7, "reconnects": -1}
_listeners = []


def _changed():
    for listener in _listeners:
        listener()


def on_change(listener):
    """For `espnow` only: call it when the radio is switched or tuned."""
    _listeners.append(listener)


def is_on():
    return _state[STA_IF] or _state[AP_IF]


def current_channel():
    return _values["channel"]


def hostname(name=None):
    if name is None:
        return _values["hostname"]
    _values["hostname"] = name


def country(code=None):
    return "XX" if code is None else None


class WLAN:
    IF_STA = STA_IF
    IF_AP = AP_IF
    PM_NONE = 0
    PM_PERFORMANCE = 1
    PM_POWERSAVE = 2

    def __init__(self, interface=STA_IF):
        if interface not in _state:
            raise ValueError("invalid WLAN interface identifier")
        self._interface = interface

    def active(self, on=None):
        if on is not None:
            _state[self._interface] = bool(on)
            if self._interface == AP_IF:
                _facts.tell("access_point", _values["ssid"] if on else None)
            _changed()
        return _state[self._interface]

    def config(self, *names, **values):
        if values:
            if "channel" in values and not 1 <= values["channel"] <= 14:
                raise ValueError("invalid channel")
            _values.update(values)
            _changed()
            return None
        if names[0] == "mac":
            last = _mac[5] + self._interface & 0xFF
            return _mac[:5] + bytes([last])
        if names[0] not in _values:
            raise ValueError("unknown config param")
        return _values[names[0]]

    def connect(self, ssid=None, key=None, **others):
        if not _state[self._interface]:
            raise OSError("Wifi Not Started")

    def disconnect(self):
        pass

    def isconnected(self):
        return False

    def status(self, name=None):
        return STAT_IDLE

    def scan(self):
        return []

    def ifconfig(self, settings=None):
        own = "127.0.0.1" if self._interface == AP_IF else "0.0.0.0"
        return (own, "255.255.255.0", own, "0.0.0.0")
