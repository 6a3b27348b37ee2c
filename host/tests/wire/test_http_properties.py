"""HTTP for phones: whatever comes, the reader gives facts or a fault and keeps little; a text shows as itself."""

import html
from html.parser import HTMLParser
from urllib.parse import urlencode

from hypothesis import given, settings
from hypothesis import strategies as st

from hedgenode.rules import phone
from hedgenode.tasks import phone_page
from hedgenode.words.en import WORDS
from hedgewire import http

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=400)
VIEW = phone_page.View(WORDS, "en", "oak", [("en", "English")])


def read(data: bytes, cuts: list[int]) -> http.Request | http.Fault | None:
    reader = http.Reader()
    said, at = None, 0
    for cut in [*sorted(cuts), len(data)]:
        said = reader.feed(data[at : max(at, cut)])
        kept = len(reader._data) + len(reader._body)
        assert kept <= http.MAX_HEAD_BYTES + http.MAX_BODY_BYTES + 512
        if said is not None:
            return said
        at = max(at, cut)
    return said


@given(st.binary(max_size=600), st.lists(st.integers(0, 600), max_size=5))
@settings(max_examples=300)
def test_any_bytes_are_a_request_a_fault_or_unfinished(data, cuts):
    assert isinstance(read(data, cuts), http.Request | http.Fault | None)


@given(st.binary(max_size=300))
def test_damage_anywhere_in_a_good_request_raises_nothing(noise):
    kind = b"Content-Type: application/x-www-form-urlencoded\r\n"
    good = b"POST /?l=de HTTP/1.1\r\nHost: a\r\n" + kind + b"Content-Length: 3\r\n\r\nt=x"
    for at in range(0, len(good), 7):
        said = read(good[:at] + noise[: at % 40] + good[at:], [at])
        assert isinstance(said, http.Request | http.Fault | None)


@given(st.dictionaries(TEXTS.filter(bool), TEXTS, max_size=4), st.lists(st.integers(0, 4000), max_size=5))
def test_a_form_is_read_as_the_standard_library_writes_it(form, cuts):
    body = urlencode(form).encode()
    head = f"POST / HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
    said = read(head.encode() + body, cuts)
    if len(body) > http.MAX_BODY_BYTES:
        assert isinstance(said, http.Fault)
    else:
        assert isinstance(said, http.Request)
        assert said.form == form


class Seen(HTMLParser):
    """Tags and text, as a browser takes them."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)

    def handle_data(self, data):
        self.text += data


@given(TEXTS | st.sampled_from(["<script>alert(1)</script>", "</p><img src=x onerror=y>", "&lt;", "'\"<!--", "]]>"]))
def test_a_text_shows_as_itself_and_as_nothing_else(text):
    text, _ = phone.tidy(text)
    seen = Seen()
    made = "".join(phone_page.message(VIEW, text, 7, 60000, False))
    seen.feed(made)
    seen.close()
    assert seen.tags == ["article", "p", "small"]
    assert seen.text == text + "from node 7 · 1 min ago"
    assert len(made.encode()) <= phone_page.message_bytes(text)
    area = "".join(phone_page.form(VIEW, "00", "00", text)).partition("<textarea")[2].partition("</textarea>")[0]
    assert html.unescape(area.partition(">\n")[2]) == text


@given(st.text(max_size=300), st.text(max_size=20))
def test_no_header_names_a_file_outside_of_the_words(header, chosen):
    assert all(phone.is_tag(tag) for tag in phone.languages(chosen, header))
