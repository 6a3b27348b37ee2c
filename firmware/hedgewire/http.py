"""HTTP as a page without scripts needs it: the bytes of one request in, its facts out. Knows no page and no socket.

RFC 9110 and 9112, of them GET, HEAD and POST with a form (application/x-www-form-urlencoded). Whatever is sent takes
at most MAX_HEAD_BYTES + MAX_BODY_BYTES of memory.
"""

from hedgewire.cbor import is_utf8

MAX_HEAD_BYTES = 2048  # phones send half a kilobyte to one kilobyte
MAX_BODY_BYTES = 4096
MAX_FIELDS = 8
_METHODS = ("GET", "HEAD", "POST")
_KEPT = ("host", "origin", "sec-fetch-site", "accept-language", "content-length", "content-type", "transfer-encoding")
_FORM = "application/x-www-form-urlencoded"

OK = 200
SEE_OTHER = 303
BAD_REQUEST = 400
FORBIDDEN = 403
NOT_FOUND = 404
NO_SUCH_METHOD = 405
TIMEOUT = 408
TOO_LARGE = 413
NOT_A_FORM = 415
TOO_MANY = 429
HEAD_TOO_LARGE = 431
UNAVAILABLE = 503

_ESCAPES = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"), ("'", "&#39;"))


class Request:
    """method, path (no query), query and form (name -> text), host, origin, site, languages; None where not said.

    A value that is no UTF-8 is None in query and form.
    """

    def __init__(self, method, path, query, headers, form):
        self.method = method
        self.path = path
        self.query = query
        self.form = form
        self.host = headers.get("host")
        self.origin = headers.get("origin")
        self.site = headers.get("sec-fetch-site")
        self.languages = headers.get("accept-language")


class Fault:
    """Why a request is not answered: `status` is one of the numbers above."""

    def __init__(self, status):
        self.status = status


class Reader:
    """Takes what comes from one visitor; `feed` gives None until there is a whole Request, or a Fault."""

    def __init__(self):
        self._data = b""
        self._head = None  # (method, path, query, headers) once it is complete
        self._body = bytearray()  # of its full length from the start: what grows finds no room on a small board
        self._filled = 0

    def feed(self, data) -> "Request | Fault | None":
        if self._head is None:
            self._data += data
            if self._data and not 0x41 <= self._data[0] <= 0x5A:  # TLS, or whatever it is: no method begins so
                return Fault(BAD_REQUEST)
            end = self._data.find(b"\r\n\r\n")
            if end < 0 and len(self._data) <= MAX_HEAD_BYTES:
                return None
            if end < 0 or end > MAX_HEAD_BYTES:
                self._data = b""
                return Fault(HEAD_TOO_LARGE)
            head = _parse_head(bytes(self._data[:end]))
            data = self._data[end + 4 :]
            self._data = b""
            if isinstance(head, Fault):
                return head
            self._head = head
            missing = _body_bytes(head)
            if missing < 0:
                return Fault(-missing)
            self._body = bytearray(missing)
        count = min(len(data), len(self._body) - self._filled)
        if count:
            self._body[self._filled : self._filled + count] = data[:count]
            self._filled += count
        if self._filled < len(self._body):
            return None
        method, path, query, headers = self._head
        form = parse_form(self._body) if method == "POST" else {}
        self._body = bytearray()
        return Fault(BAD_REQUEST) if form is None or query is None else Request(method, path, query, headers, form)


def _parse_head(head):
    lines = head.split(b"\r\n")
    for byte in head:
        if byte < 32 and byte not in (9, 10, 13):
            return Fault(BAD_REQUEST)
    words = lines[0].split(b" ")
    if len(words) != 3 or not words[2].startswith(b"HTTP/1.") or not _is_ascii(lines[0]):
        return Fault(BAD_REQUEST)
    method, target = str(words[0], "ascii"), str(words[1], "ascii")
    if method not in _METHODS:
        return Fault(NO_SUCH_METHOD)
    if target.startswith("http://"):  # as proxies are asked
        target = "/" + target[7:].partition("/")[2]
    if not target.startswith("/"):
        return Fault(BAD_REQUEST)
    headers = {}
    for line in lines[1:]:
        name, colon, value = line.partition(b":")
        if not colon or not name or not _is_ascii(name) or name.strip() != name:
            return Fault(BAD_REQUEST)
        name = str(name, "ascii").lower()
        if name in _KEPT:
            if name in headers or not _is_ascii(value):  # two that differ are how requests are smuggled
                return Fault(BAD_REQUEST)
            headers[name] = str(value, "ascii").strip()
    path, _, query = target.partition("?")
    return method, path, parse_form(query.encode()), headers


def _body_bytes(head) -> int:
    """How many bytes follow; a status below zero for a body that is not read."""
    method, _, _, headers = head
    length = headers.get("content-length")
    if method != "POST":
        return 0 if length in (None, "0") and "transfer-encoding" not in headers else -BAD_REQUEST
    if "transfer-encoding" in headers or length is None or not _is_number(length):
        return -BAD_REQUEST
    if headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        return -NOT_A_FORM
    return -TOO_LARGE if len(length) > 6 or int(length) > MAX_BODY_BYTES else int(length)


def parse_form(data) -> "dict | None":
    """name -> text of a form or a query; a value that is no UTF-8 is None, and so is a form of too many fields.

    A bytearray is decoded where it stands, and is of no use afterwards.
    """
    fields = {}
    if not isinstance(data, bytearray):
        data = bytearray(data)
    begin = 0
    while begin < len(data):
        if len(fields) >= MAX_FIELDS:
            return None
        end = data.find(b"&", begin)
        end = len(data) if end < 0 else end
        middle = data.find(b"=", begin, end)
        middle = end if middle < 0 else middle
        name = unquote(data, begin, middle)
        if name is None:
            return None
        fields[name] = unquote(data, min(middle + 1, end), end)
        begin = end + 1
    return fields


def unquote(data, begin, end) -> "str | None":
    """The text of a percent-encoded part of a bytearray, None where it is no UTF-8 or is cut. Decodes it in place."""
    to = at = begin
    while at < end:
        byte = data[at]
        at += 1
        if byte == 0x2B:  # +
            byte = 0x20
        elif byte == 0x25:  # %
            if at + 2 > end:
                return None
            high, low = _digit(data[at]), _digit(data[at + 1])
            if high < 0 or low < 0:
                return None
            byte = high << 4 | low
            at += 2
        data[to] = byte
        to += 1
    made = memoryview(data)[begin:to]
    return str(made, "utf-8") if is_utf8(made) else None


def _digit(byte):
    for first, least, count in ((0x30, 0, 10), (0x41, 10, 6), (0x61, 10, 6)):
        if 0 <= byte - first < count:
            return byte - first + least
    return -1


def escape(text: str) -> str:
    """A text as it stands in HTML, between tags and in quoted attributes."""
    for raw, escaped in _ESCAPES:
        text = text.replace(raw, escaped)
    return text


def head(status: int, lines=()) -> bytes:
    """The head of an answer that ends with the connection. `lines` are (name, value), none of them from a visitor."""
    said = ["HTTP/1.0 %d %s" % (status, "OK" if status < 400 else "Refused"), "Connection: close"]
    said += ["%s: %s" % line for line in lines]
    return ("\r\n".join(said) + "\r\n\r\n").encode()


def _is_ascii(data):
    for byte in data:
        if byte > 126:
            return False
    return True


def _is_number(text):
    for character in text:
        if not "0" <= character <= "9":
            return False
    return bool(text)
