"""Wi-Fi as an access point without a password, for phones that stand beside the node. Knows no page."""

import network

MOST_PHONES = 4
_OPEN = 0  # no password: what is behind it is public
_MAX_SSID_BYTES = 32


class AccessPoint:
    """`channel` is that of the node's radio, where it has one: both share the same antenna."""

    def __init__(self, name, channel):
        self.name = _cut("Hedgerow " + name)
        self._channel = channel
        self._wlan = network.WLAN(network.AP_IF)

    def open(self) -> str:
        """The node's own address there. OSError where the radio refuses."""
        wlan = self._wlan
        wlan.config(ssid=self.name, security=_OPEN, channel=self._channel)
        try:
            wlan.config(max_clients=MOST_PHONES)
        except (ValueError, TypeError, OSError):
            pass  # this port has a limit of its own
        wlan.active(True)
        return wlan.ifconfig()[0]

    def tick(self):
        """Do what has to be done now and then while it is open."""

    def close(self):
        self._wlan.active(False)


def _cut(name):
    """At most as many bytes as a network's name may have, and no half character."""
    while len(name.encode()) > _MAX_SSID_BYTES:
        name = name[:-1]
    return name
