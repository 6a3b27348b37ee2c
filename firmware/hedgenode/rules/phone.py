"""What a neighbour with a phone may do at a node, and for how long the battery bears it. Numbers and texts only."""

from hedgenode.rules.power import LOW_MV, SAVE_MV, SURVIVE_MV

OPEN_MS = 600000
SHORT_MS = 180000  # where the battery is low: enough to read and to leave a message
LEAST_FREE_WORDS = 5500  # code, one reader's page and the code that posts, and some room for the rest of the node
MOST_VISITORS = 3  # served at one moment: each takes memory
MOST_LINES = 8  # connections, with those that browsers open ahead
MAX_TEXT_BYTES = 1200
MAX_TEXT_UNITS = 400  # what the page's own form lets in: at most three bytes each, so that it is never too long
MOST_POSTS = 20  # in one opening: each is a write to flash and airtime for everybody
POST_EVERY_MS = 2000
_MOST_LANGUAGES = 4
_MAX_HEADER = 200
_CONTROLS = bytes(range(10)) + bytes(range(11, 32)) + b"\x7f"  # all but the line feed


def open_ms(battery_mv: "int | None") -> int:
    """For how long the access point opens at the press of the button; 0 where the battery does not bear it.

    Ten minutes take a twentieth of a watt-hour and more of a board that else sleeps. None is a board on a cable.
    """
    if battery_mv is None or battery_mv >= SAVE_MV:
        return OPEN_MS
    return SHORT_MS if battery_mv >= LOW_MV else 0


def shut(battery_mv: "int | None", free_words: int) -> "str | None":
    """What is too low for the button to open anything, "battery" or "memory"; None where it opens.

    `free_words` of the heap: of 4 bytes on a board, of 8 on a virtual one.
    """
    if not open_ms(battery_mv):
        return "battery"
    return "memory" if free_words < LEAST_FREE_WORDS else None


def stays_open(battery_mv: "int | None") -> bool:
    """Whether it goes on. The radio's own current pulls the voltage down, so less will do than for opening."""
    return battery_mv is None or battery_mv >= SURVIVE_MV


def is_own(host: "str | None", address: str) -> bool:
    """Whether a request names this node. Every other name is one that a phone looked up, or that somebody made up."""
    return host is not None and host.partition(":")[0] == address


def post_fault(request, key: str, posts: int, since_ms: "int | None") -> "str | None":
    """Why a form is not taken, as the key of a sentence; None where it is.

    `key` stands in every form of this opening, so a page from elsewhere cannot make a phone post: it does not know it.
    `posts` were made so far, the last one `since_ms` ago.
    """
    if request.site not in (None, "same-origin", "none"):
        return "foreign"
    if request.origin is not None and request.origin != "http://%s" % request.host:
        return "foreign"
    if request.form.get("k") != key:
        return "old_page"
    if posts >= MOST_POSTS:
        return "too_many"
    return "too_fast" if since_ms is not None and since_ms < POST_EVERY_MS else None


def tidy(text: "str | None") -> "tuple[str, str | None]":
    """(text as it is posted, None), or (as far as it can be shown again, the key of a sentence that says why not)."""
    if text is None:
        return "", "not_text"
    made = text.replace("\r\n", "\n")
    for code in _CONTROLS:
        if chr(code) in made:
            made = made.replace(chr(code), " ")
    made = made.strip()
    if not made:
        return "", "empty"
    return made, "too_long" if len(made.encode()) > MAX_TEXT_BYTES else None


def languages(chosen: "str | None", header: "str | None") -> list:
    """Two or three letters of each language to try, best first: what was chosen on the page, then what the phone says.

    RFC 9110 section 12.5.4; variants such as de-AT count as their language.
    """
    ranked = []
    for part in (header or "")[:_MAX_HEADER].split(","):
        name, _, quality = part.partition(";")
        ranked.append((-_quality(quality), len(ranked), name))
    found = []
    for name in [chosen or ""] + [name for _, _, name in sorted(ranked)]:
        tag = name.strip().partition("-")[0].lower()
        if is_tag(tag) and tag not in found:
            found.append(tag)
    return found[:_MOST_LANGUAGES]


def is_tag(tag: str) -> bool:
    """Whether it can be the name of a language, and so part of a module's name."""
    if not 2 <= len(tag) <= 3:
        return False
    for character in tag:
        if not "a" <= character <= "z":
            return False
    return True


def _quality(text):
    _, _, number = text.strip().partition("q=")
    try:
        return float(number) if number else 1.0
    except ValueError:
        return 0.0


def span(milliseconds: int) -> "tuple[int, str]":
    """A time as a person says it: how many, and of what ("minutes", "hours" or "days")."""
    minutes = milliseconds // 60000
    if minutes < 120:
        return minutes, "minutes"
    return (minutes // 60, "hours") if minutes < 2880 else (minutes // 1440, "days")
