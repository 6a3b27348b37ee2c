"""The page for phones as HTML, in pieces, so that a board never holds the whole of it. Knows words and values only.

Every value that comes from a person goes through `escape`; what stands here is the only HTML there is.
"""

from hedgenode.rules.phone import MAX_TEXT_UNITS, span
from hedgewire.http import escape

MAX_BYTES = 20000
MESSAGES_BYTES = 12000  # of messages in one page; one alone is never longer
_SLICE = 256  # characters that are escaped at once


class View:
    """What a page needs: `words` and `tag` of the language, `name` of the node, its languages as (tag, name)."""

    def __init__(self, words, tag, name, languages):
        self.words = words
        self.tag = tag
        self.name = name
        self.languages = languages


def begin(tag, style):
    """What comes before the first word."""
    yield '<!DOCTYPE html><html lang="%s"><head><meta charset="utf-8">' % tag
    yield '<meta name="viewport" content="width=device-width,initial-scale=1"><link rel="icon" href="data:,"><style>'
    yield style
    yield "</style>"


def title(view):
    said = escape(view.words["title"] % view.name)
    yield "<title>%s</title></head><body><header><h1>%s</h1>" % (said, said)


def lead(view):
    yield '<p>%s</p><a class="b" href="#w">%s</a></header><main>' % (
        escape(view.words["lead"]),
        escape(view.words["write"]),
    )


def messages(view, are_there):
    """What stands above the messages, or in their place."""
    yield "<h2>%s</h2><p class=%s>%s</p>" % (
        escape(view.words["messages"]),
        '"m"' if are_there else '"n"',
        escape(view.words["order" if are_there else "none"]),
    )


def further(view, begin, key):
    """A link to other messages."""
    yield '<a class="b q" href="/?l=%s&amp;from=%d">%s</a>' % (view.tag, begin, escape(view.words[key]))


def refusal(view, sentence):
    yield "</header><main>"
    for piece in notice(view.words[sentence]):
        yield piece
    yield '<a class="b q" href="/?l=%s">%s</a>' % (view.tag, escape(view.words["back"]))


def notice(sentence, good=False):
    """A sentence that a screen reader says by itself."""
    yield '<p class="n" role="%s"><span aria-hidden="true">%s</span> ' % (
        "status" if good else "alert",
        "✔" if good else "✘",
    )
    yield escape(sentence)
    yield "</p>"


def message(view, text, source, age_ms, signed):
    """One message; `source` is None for what was left here, age None where nobody knows."""
    words = view.words
    yield '<article><p dir="auto">'
    for at in range(0, len(text), _SLICE):
        yield escape(text[at : at + _SLICE])
    said = [words["here"] if source is None else words["there"] % source]
    if age_ms is not None:
        said.append(words["ago"] % time(view, age_ms))
    if signed:
        said.append(words["signed"])
    yield "</p><small>%s</small></article>" % escape(" · ".join(said))


def message_bytes(text) -> int:
    """At most how long `message` becomes."""
    size = 200 + len(text.encode())
    for character in "&<>\"'":
        size += 5 * text.count(character)
    return size


def form(view, key, nonce, text=""):
    """Where a message is written; `key` and `nonce` are ours."""
    words = view.words
    yield '<h2 id="w">%s</h2><form method="post" action="/" accept-charset="utf-8">' % escape(words["write"])
    yield '<input type="hidden" name="k" value="%s"><input type="hidden" name="n" value="%s">' % (key, nonce)
    yield '<input type="hidden" name="l" value="%s"><label for="t">%s</label>' % (view.tag, escape(words["text"]))
    yield '<textarea id="t" name="t" maxlength="%d" required dir="auto" aria-describedby="h">\n' % MAX_TEXT_UNITS
    for at in range(0, len(text), _SLICE):
        yield escape(text[at : at + _SLICE])
    yield '</textarea><p class="m" id="h">%s</p>' % escape(words["hint"])
    yield "<button>%s</button></form>" % escape(words["send"])


def state(view, rows):
    """`rows` of (key of a word, value as text)."""
    yield "<h2>%s</h2><dl>" % escape(view.words["state"])
    for key, value in rows:
        yield "<dt>%s</dt><dd>%s</dd>" % (escape(view.words[key]), escape(value))
    yield "</dl>"


def end(view):
    yield "</main>"
    if view.languages:
        yield '<footer><nav aria-label="%s"><ul>' % escape(view.words["languages"])
        for tag, name in view.languages:
            here = ' aria-current="true"' if tag == view.tag else ""
            yield '<li><a href="/?l=%s" lang="%s" hreflang="%s"%s>%s</a></li>' % (tag, tag, tag, here, escape(name))
        yield "</ul></nav></footer>"
    yield "</body></html>"


def time(view, milliseconds) -> str:
    count, unit = span(milliseconds)
    return view.words[unit] % count
