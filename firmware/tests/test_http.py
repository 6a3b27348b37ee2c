"""Requests of phones: read whole or in pieces, bounded, and what is wrong with one is a Fault, never an exception."""

from hedgewire import http

HEAD = b"GET /?l=de HTTP/1.1\r\nHost: 192.168.4.1\r\nAccept-Language: de\r\n\r\n"


def read(data, step=1000):
    reader = http.Reader()
    for at in range(0, len(data), step):
        said = reader.feed(data[at : at + step])
        if said is not None:
            return said
    return None


def form(body, length=None, kind=b"application/x-www-form-urlencoded"):
    length = len(body) if length is None else length
    return b"POST / HTTP/1.1\r\nContent-Type: " + kind + b"\r\nContent-Length: %d\r\n\r\n" % length + body


def status(data):
    said = read(data)
    return said.status if isinstance(said, http.Fault) else None


def test_a_request_reads_the_same_in_pieces_of_any_size():
    for step in (1, 2, 7, 1000):
        said = read(HEAD, step)
        assert (said.method, said.path, said.query) == ("GET", "/", {"l": "de"})
        assert (said.host, said.languages, said.origin) == ("192.168.4.1", "de", None)
        posted = read(form(b"t=a%20b+c%C3%A4&k=1"), step)
        assert (posted.method, posted.form) == ("POST", {"t": "a b cä", "k": "1"})


def test_what_is_too_much_is_refused_before_it_takes_memory():
    assert status(b"GET /" + b"x" * 3000) == http.HEAD_TOO_LARGE
    assert status(HEAD[:-2] + b"X: " + b"y" * 3000 + b"\r\n\r\n") == http.HEAD_TOO_LARGE
    assert status(form(b"", http.MAX_BODY_BYTES + 1)) == http.TOO_LARGE
    assert status(form(b"&".join([b"a%d=b" % n for n in range(20)]))) == http.BAD_REQUEST
    assert read(form(b"a=b", 10)) is None


def test_what_is_no_request_is_a_fault():
    for data in (
        b"\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/2\r\n\r\n",
        b"GET x HTTP/1.1\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost : a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\x00b\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: 5\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
    ):
        assert status(data) == http.BAD_REQUEST, data
    assert read(b"\x16\x03\x01", 1).status == http.BAD_REQUEST, "TLS is refused at its first byte"
    assert status(b"BREW / HTTP/1.1\r\n\r\n") == http.NO_SUCH_METHOD
    assert status(form(b"t=1", kind=b"text/plain")) == http.NOT_A_FORM


def test_text_that_is_no_utf8_or_cut_is_none():
    assert http.parse_form(b"t=%ff%fe") == {"t": None}
    assert http.parse_form(b"t=%e") == {"t": None}
    assert http.parse_form(b"t=%zz") == {"t": None}
    assert http.parse_form(b"t=%ed%a0%80") == {"t": None}, "half of a pair"
    assert http.parse_form(b"t") == {"t": ""}
    assert http.parse_form(b"") == {}


def test_html_has_no_way_out_of_a_text():
    assert http.escape("<a href='x'>\"&amp;") == "&lt;a href=&#39;x&#39;&gt;&quot;&amp;amp;"


def test_an_answer_ends_with_the_connection():
    assert http.head(200, (("A", "b"),)) == b"HTTP/1.0 200 OK\r\nConnection: close\r\nA: b\r\n\r\n"
