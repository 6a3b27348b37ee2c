"""Administration messages between host and node: requests, answers, events. Knows no method and no transport.

CBOR arrays that begin with the version: request [1, seq, method, params], answer [1, seq, code, result],
event [1, topic, fields].
"""

from hedgewire import cbor
from hedgewire.cbor import Damage

VERSION = 1

DONE = 0
PART = 1  # more answers follow for this seq; the result is a list. The caller joins them; DONE says how many items
UNKNOWN_METHOD = 16
BAD_PARAMS = 17
REFUSED = 18
NOT_FOUND = 19
STORAGE_FULL = 20
BUSY = 21
NOT_ALLOWED = 22  # not by whoever asked
INTERNAL = 31


class Request:
    """seq: int, method: str, params: dict."""

    def __init__(self, seq, method, params):
        self.seq = seq
        self.method = method
        self.params = params


class Answer:
    """seq: int, code: int, result: any value; for an error code a short English sentence."""

    def __init__(self, seq, code, result):
        self.seq = seq
        self.code = code
        self.result = result


class Event:
    """topic: str, fields: any value."""

    def __init__(self, topic, fields):
        self.topic = topic
        self.fields = fields


def request(seq: int, method: str, params: dict) -> bytes:
    return cbor.encode((VERSION, seq, method, params))


def answer(seq: int, code: int, result) -> bytes:
    return cbor.encode((VERSION, seq, code, result))


def event(topic: str, fields) -> bytes:
    return cbor.encode((VERSION, topic, fields))


def parse_request(data) -> "Request | Damage":
    fields = _fields(data, 4)
    if isinstance(fields, Damage):
        return fields
    _, seq, method, params = fields
    if not (_is_uint(seq) and isinstance(method, str) and isinstance(params, dict)):
        return Damage("shape", 0)
    return Request(seq, method, params)


def parse_answer(data) -> "Answer | Damage":
    fields = _fields(data, 4)
    if isinstance(fields, Damage):
        return fields
    _, seq, code, result = fields
    if not (_is_uint(seq) and _is_uint(code)) or (code == PART and not isinstance(result, list)):
        return Damage("shape", 0)
    return Answer(seq, code, result)


def parse_event(data) -> "Event | Damage":
    fields = _fields(data, 3)
    if isinstance(fields, Damage):
        return fields
    if not isinstance(fields[1], str):
        return Damage("shape", 0)
    return Event(fields[1], fields[2])


def _is_uint(value):
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _fields(data, count):
    """The list of a message of our version. The version is read first: a later one may have another shape."""
    value = cbor.decode(data)
    if isinstance(value, Damage):
        return value
    if not isinstance(value, list) or not value or not _is_uint(value[0]):
        return Damage("shape", 0)
    if value[0] != VERSION:
        return Damage("version", 1)
    if len(value) != count:
        return Damage("shape", 0)
    return value
