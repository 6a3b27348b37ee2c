"""bluetooth as on a board: the peripheral's half of MicroPython's module, on a radio that `virtual/bluetooth/air.py`
plays.

What the radio says is read in every call of the module, and fifty times a second between two steps of the program,
where the handler is called as well. A thread gives that beat and does nothing else: two threads that both allocate
end in a deadlock of MicroPython's unix port. There is no central's half: no scanning, no client.
"""

import _thread
import binascii
import json
import socket
import time as _time

import _console
import _facts
import micropython as _micropython

FLAG_READ = 0x02
FLAG_WRITE_NO_RESPONSE = 0x04
FLAG_WRITE = 0x08
FLAG_NOTIFY = 0x10
FLAG_INDICATE = 0x20

_IRQ_CENTRAL_CONNECT = 1
_IRQ_CENTRAL_DISCONNECT = 2
_IRQ_GATTS_WRITE = 3
_IRQ_MTU_EXCHANGED = 21
_CONNECTION = 0  # its number: there is one at a time
_ENOMEM = 12
_ENOTCONN = 128
_EINVAL = 22
_ENODEV = 19
_BUFFERS = 8  # notifications on their way
_DEFAULT_VALUE_BYTES = 20
_BEAT_MS = 20


class UUID:
    def __init__(self, value):
        self.text = value if isinstance(value, str) else "%04x" % value

    def __eq__(self, other):
        return isinstance(other, UUID) and other.text == self.text

    def __hash__(self):
        return hash(self.text)

    def __repr__(self):
        return "UUID(%r)" % self.text


class BLE:
    _only = None

    def __new__(cls):
        if BLE._only is None:
            BLE._only = object.__new__(cls)
            BLE._only._reset()
        return BLE._only

    def _reset(self):
        self._line = None
        self._handler = None
        self._unread = b""
        self._pumping = False
        self._pump_bound = self._pump
        self._values = []  # of each handle: [bytes so far, the most it keeps, whether it appends]
        self._connected = False
        self._on_the_way = 0
        self._settings = {"mtu": 256, "rxbuf": 512, "addr_mode": 0, "gap_name": "MPY BTSTACK"}

    def active(self, on=None):
        if on is None:
            return self._line is not None
        if on and self._line is None:
            address = _facts.facts.get("bluetooth")
            if not address:
                raise OSError(_ENODEV)
            self._line = socket.socket()
            self._line.connect(socket.getaddrinfo(address[0], address[1])[0][-1])
            self._line.setblocking(False)
            _console.expect_callbacks()
            _thread.start_new_thread(self._beat, (self._line,))
        elif not on and self._line is not None:
            line = self._line
            self._reset()
            line.close()
        return on

    def config(self, name=None, **settings):
        if name is not None:
            return (1, b"\0" * 6) if name == "mac" else self._settings[name]
        self._settings.update(settings)
        if "addr_mode" in settings:
            self._ask("address")

    def irq(self, handler):
        self._handler = handler

    def gap_advertise(self, interval_us=None, adv_data=None, *, resp_data=None, connectable=True):
        if interval_us is None:
            self._ask("hide")
            return
        if adv_data is not None and len(adv_data) > 31:
            raise OSError(_EINVAL)
        self._ask("advertise", interval_us, _hex(adv_data or b""))

    def gap_disconnect(self, connection):
        if not self._connected:
            return False
        self._ask("disconnect")
        return True

    def gatts_register_services(self, services):
        told = []
        handles = []
        for uuid, characteristics in services:
            told.append([uuid.text, [[one[0].text, one[1]] for one in characteristics]])
            handles.append(tuple([len(self._values) + index for index in range(len(characteristics))]))
            self._values += [[b"", _DEFAULT_VALUE_BYTES, False] for _ in characteristics]
        self._ask("services", told)
        return tuple(handles)

    def gatts_set_buffer(self, handle, most_bytes, append=False):
        self._values[handle][1:] = [most_bytes, append]

    def gatts_read(self, handle):
        self._pump()
        value = self._values[handle]
        data = value[0]
        if value[2]:
            value[0] = b""
        return data

    def gatts_write(self, handle, data, send_update=False):
        self._values[handle][0] = bytes(data)

    def gatts_notify(self, connection, handle, data=None):
        self._pump()
        if not self._connected:
            raise OSError(_ENOTCONN)
        if self._on_the_way >= _BUFFERS:
            raise OSError(_ENOMEM)
        self._on_the_way += 1
        self._ask("notify", handle, _hex(self._values[handle][0] if data is None else data))

    def _ask(self, *words):
        if self._line is None:
            raise OSError(_ENODEV)
        data = memoryview(json.dumps(words) + "\n")
        while data:
            written = self._line.write(data)
            if written:
                data = data[written:]
            else:  # the radio takes nothing just now
                _time.sleep_ms(1)

    # what the radio says

    def _beat(self, line):
        """Runs in a thread of its own, and must not allocate."""
        while line is self._line:
            _time.sleep_ms(_BEAT_MS)
            try:
                _micropython.schedule(self._pump_bound, None)
            except RuntimeError:
                pass  # the queue is full: with the next beat

    def _pump(self, _=None):
        """Take in what has come, and call the handler; once at a time, for the handler may call the module."""
        if self._pumping or self._line is None:
            return
        self._pumping = True
        try:
            while True:
                data = self._line.read(4096)
                if not data:
                    return
                *lines, self._unread = (self._unread + data).split(b"\n")
                for text in lines:
                    self._heard(*json.loads(text))
                if self._line is None:  # the handler switched it off
                    return
        except OSError:
            pass  # the radio is gone: nobody is in reach any more
        finally:
            self._pumping = False

    def _heard(self, word, *values):
        if word == "sent":
            self._on_the_way -= 1
            return
        if word == "connected":
            self._connected = True
            self._on_the_way = 0
            self._happened(_IRQ_CENTRAL_CONNECT, (_CONNECTION, 1, binascii.unhexlify(values[0])))
        elif word == "disconnected":
            self._connected = False
            self._happened(_IRQ_CENTRAL_DISCONNECT, (_CONNECTION, 1, b"\0" * 6))
        elif word == "mtu":
            self._happened(_IRQ_MTU_EXCHANGED, (_CONNECTION, values[0]))
        elif word == "write":
            self._keep(values[0], binascii.unhexlify(values[1]))
            self._happened(_IRQ_GATTS_WRITE, (_CONNECTION, values[0]))

    def _keep(self, handle, data):
        """What does not fit is lost, as on a board."""
        value = self._values[handle]
        value[0] = ((value[0] if value[2] else b"") + data)[: value[1]]

    def _happened(self, event, data):
        if self._handler:
            self._handler(event, data)


def _hex(data):
    return binascii.hexlify(bytes(data)).decode()
