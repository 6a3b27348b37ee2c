"""What a neighbour's phone is answered, and how it leaves a message. Knows no socket and no HTML.

Kept in memory only while the access point is open. A message is posted as everybody's who asks at the node's door: by
the method `post`, in the role of a stranger.
"""

import gc
import os
from binascii import b2a_base64, hexlify, unhexlify
from hashlib import sha256

from hedgenode import words as words_folder
from hedgenode.rarely import forget
from hedgenode.rules import phone
from hedgenode.rules.roles import STRANGER
from hedgewire import admin, frame, http, message

DEFAULT = "en"
_NONCE_BYTES = 8
_KEY_BYTES = 8
_FAULTS = {
    http.NOT_FOUND: "not_found",
    http.TIMEOUT: "slow",
    http.TOO_LARGE: "large",
    http.HEAD_TOO_LARGE: "large",
    http.UNAVAILABLE: "busy",
}
_STATUS = {
    "foreign": http.FORBIDDEN,
    "too_many": http.TOO_MANY,
    "too_fast": http.TOO_MANY,
    "too_long": http.TOO_LARGE,
    "no_room": http.UNAVAILABLE,
    "busy": http.UNAVAILABLE,
}


class Visit:
    """One opening of the access point. `address` is the node's own; `left_ms()` says for how long it stays open.

    `judged` and `others` are what phone_read knows of the store: the arrival number up to which it has looked, and of
    those the ones that are no public text.
    """

    def __init__(self, node, address, left_ms):
        self.node = node
        self.left_ms = left_ms
        self.key = _random(_KEY_BYTES)
        self.judged = 0
        self.others = set()
        self.tags = tags()
        self.languages = [(tag, (self.words(tag) or {}).get("language", tag)) for tag in self.tags]
        self._address = address
        self._posts = 0
        self._posted_ms = None
        style = b2a_base64(sha256(self.style().encode()).digest()).strip().decode()
        self._headers = (
            ("Content-Type", "text/html; charset=utf-8"),
            (
                "Content-Security-Policy",
                "default-src 'none'; style-src 'sha256-%s'; img-src data:; form-action 'self'; base-uri 'none'; "
                "frame-ancestors 'none'" % style,
            ),
            ("Cache-Control", "no-store"),
            ("Referrer-Policy", "same-origin"),  # without any, a browser would not say where a form comes from
            ("X-Content-Type-Options", "nosniff"),
            ("X-Frame-Options", "DENY"),
        )

    async def answer(self, asked, write) -> None:
        """Answer a Request or a Fault through `await write(bytes)`."""
        if isinstance(asked, http.Fault):
            await self._refuse(asked.status, _FAULTS.get(asked.status, "bad"), asked, write)
        elif not phone.is_own(asked.host, self._address):
            # A phone that looks whether there is an internet is shown the page by that; a form from there is not taken.
            if asked.method == "POST":
                await self._refuse(http.FORBIDDEN, "foreign", asked, write)
            else:
                await write(_redirect(302, "http://%s/" % self._address))
        elif asked.path != "/":
            await self._refuse(http.NOT_FOUND, "not_found", asked, write)
        elif asked.method == "POST":
            await self._post(asked, write)
        else:
            await write(http.head(http.OK, self._headers))
            if asked.method == "GET":
                await self._late("show", asked, write)

    async def _late(self, name, *arguments):
        """Call what makes pages, and let go of it."""
        from hedgenode.tasks import phone_read

        try:
            await getattr(phone_read, name)(self, *arguments)
        finally:
            for module in ("tasks.phone_read", "tasks.phone_page", "rules.inbox"):
                forget("hedgenode." + module)

    async def _refuse(self, status, sentence, asked, write, text=None):
        await write(http.head(status, self._headers))
        await self._late("refuse", sentence, asked, write, text)

    # ---- writing

    async def _post(self, asked, write):
        now_ms = self.node.clock.uptime_ms()
        since_ms = None if self._posted_ms is None else now_ms - self._posted_ms
        text, wrong = phone.tidy(asked.form.get("t", ""))
        wrong = phone.post_fault(asked, self.key, self._posts, since_ms) or wrong
        if wrong is None:
            self._posted_ms = now_ms  # before it is tried: what fails has cost as much
            wrong = await self._keep(text, _nonce(asked.form.get("n")))
        if wrong is None:
            self._posts += 1
            await write(_redirect(http.SEE_OTHER, "/?l=%s&done" % self.tag(asked)))
            return
        again = None if wrong in ("foreign", "too_many") else text
        await self._refuse(_STATUS.get(wrong, http.BAD_REQUEST), wrong, asked, write, again)

    async def _keep(self, text, nonce):
        """Post it; None once it is safe in flash, else the key of a sentence."""
        answers = []
        gc.collect()
        params = {"to": message.EVERYONE, "text": text, "nonce": nonce}

        def take(kind, data):
            answers.append(admin.parse_answer(data))

        await self.node.door.handle(frame.REQUEST, admin.request(1, "post", params), take, STRANGER)
        code = answers[-1].code if answers and isinstance(answers[-1], admin.Answer) else admin.INTERNAL
        if code == admin.DONE:
            return None
        return "no_room" if code == admin.STORAGE_FULL else "too_long" if code == admin.REFUSED else "busy"

    # ---- for phone_read

    def nonce(self):
        """What makes a form that is sent twice one message."""
        return _random(_NONCE_BYTES)

    def tag(self, asked):
        """The first of the reader's languages that there is a file of."""
        if not isinstance(asked, http.Fault):
            for tag in phone.languages(asked.form.get("l") or asked.query.get("l"), asked.languages):
                if tag in self.tags or (not self.tags and self.words(tag) is not None):
                    return tag
        return DEFAULT

    def words(self, tag) -> "dict | None":
        """What the page says in that language, None where there is no such file."""
        try:
            return __import__("hedgenode.words." + tag, None, None, ("WORDS",)).WORDS
        except ImportError:
            return None
        finally:
            forget("hedgenode.words." + tag)

    def style(self):
        from hedgenode.tasks import phone_style

        try:
            return phone_style.STYLE
        finally:
            forget("hedgenode.tasks.phone_style")


def tags() -> list:
    """The languages that this node has files of; none where they lie in a place that cannot be listed."""
    path = words_folder.__path__
    try:
        names = os.listdir(path if isinstance(path, str) else path[0])
    except OSError:
        return []
    found = [name.partition(".")[0] for name in names if name.rpartition(".")[2] in ("py", "mpy")]
    return sorted([tag for tag in set(found) if phone.is_tag(tag)])


def _redirect(status, place):
    return http.head(status, (("Location", place), ("Cache-Control", "no-store"), ("Content-Length", "0")))


def _random(count):
    return hexlify(os.urandom(count)).decode()


def _nonce(text):
    """As it came from the form; a new one where it is none."""
    try:
        return unhexlify(text)[:_NONCE_BYTES] or os.urandom(_NONCE_BYTES)
    except (TypeError, ValueError):
        return os.urandom(_NONCE_BYTES)
