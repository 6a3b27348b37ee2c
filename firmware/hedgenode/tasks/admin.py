"""Answers the host's requests: finds the method, checks its parameters, sends its parts, turns failures into sentences.

Knows no transport and no method's meaning.
"""

import asyncio
import gc

from hedgenode.rules import roles
from hedgewire import admin, frame

PART_ITEMS = 8  # rows in one answer frame; keeps the frame, and the RAM it takes, small
PART_BYTES = 1024  # of long rows fewer
_MANY = 0xFFFFFFFF
_ENOSPC = 28


class Refusal(Exception):
    """A method's way to say no: (code, sentence)."""

    def __init__(self, code, sentence):
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence


class Params:
    """What came with a request. Gives values of the wanted kind, or refuses in a sentence that names the parameter.

    None as `default` means that the parameter must be there. Parameters that nobody asks for are left alone: the host
    may be newer than the node.
    """

    def __init__(self, values: dict):
        self._values = values

    def __contains__(self, name):
        return self._values.get(name) is not None

    def number(self, name: str, default: "int | None" = None, least: int = 0, most: int = _MANY) -> int:
        value = self._values.get(name, default)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise _wrong(name, "a number from %d to %d" % (least, most))
        return value

    def text(self, name: str) -> str:
        value = self._values.get(name)
        if not isinstance(value, str):
            raise _wrong(name, "a text")
        return value

    def data(self, name: str, count: "int | None" = None) -> bytes:
        value = self._values.get(name)
        if not isinstance(value, bytes) or (count is not None and len(value) != count):
            raise _wrong(name, "bytes" if count is None else "%d bytes" % count)
        return value

    def mapping(self, name: str) -> dict:
        value = self._values.get(name)
        if not isinstance(value, dict):
            raise _wrong(name, "a map")
        return value

    def items(self, name: str) -> list:
        value = self._values.get(name)
        if not isinstance(value, list):
            raise _wrong(name, "a list")
        return value

    def flag(self, name: str, default: bool) -> bool:
        value = self._values.get(name, default)
        if not isinstance(value, bool):
            raise _wrong(name, "true or false")
        return value


def _wrong(name, wanted):
    return Refusal(admin.BAD_PARAMS, "%s must be %s" % (name, wanted))


class Asker:
    """Whoever asks: its role (rules.trust), and `send(kind, message)`, the way back to it and to nobody else."""

    def __init__(self, role, send):
        self.role = role
        self.send = send

    def tell(self, message):
        """Send an event, now or later."""
        self.send(frame.EVENT, message)


class Rows:
    """Collects rows and sends them as PART answers, a few at a time. The others get their turn after every part."""

    def __init__(self, send, asker):
        self.asker = asker
        self._send = send
        self._rows = []
        self._bytes = 0
        self.sent = 0

    async def add(self, row, size_bytes=0):
        """`size_bytes` counts where a row may be long."""
        if self._bytes + size_bytes > PART_BYTES:
            await self.flush()
        self._rows.append(row)
        self._bytes += size_bytes
        if len(self._rows) >= PART_ITEMS:
            await self.flush()

    def alive(self):
        """Say that an answer is on its way, while it takes long to work out: a part without rows."""
        self._send(admin.PART, [])

    async def flush(self):
        if self._rows:
            self._send(admin.PART, self._rows)
            self.sent += len(self._rows)
            self._rows = []
            self._bytes = 0
            await asyncio.sleep_ms(0)


class Admin:
    """`groups` are objects whose `methods` map a name to `async def (params, rows) -> result`.

    A method that has rows to give adds them to `rows` and returns None: their number closes the answer, so that the
    asker sees whether a part is missing. Without any an empty list is the answer. `late` has take(name) and
    give_back(): methods that are not in memory before they are asked for.
    """

    def __init__(self, groups, journal, late=None):
        self._late = late
        self._methods = {}
        for group in groups:
            self._methods.update(group.methods)
        self._journal = journal

    def names(self) -> list:
        """What can be asked."""
        return sorted(self._methods)

    async def handle(self, data, asker):
        """Answer one request to an Asker; what is no request is not answered."""
        request = admin.parse_request(data)
        if isinstance(request, admin.Damage):
            return

        def reply(code, result):
            asker.send(frame.ANSWER, admin.answer(request.seq, code, result))

        method = self._methods.get(request.method)
        if method is None and self._late is not None:
            try:
                method = self._late.take(request.method)
            except MemoryError:  # a module needs a long free stretch
                gc.collect()
                reply(admin.BUSY, "the node is short of memory; ask again later")
                return
        if method is None:
            reply(admin.UNKNOWN_METHOD, "this node does not know the method %s" % request.method[:40])
            return
        refusal = roles.refusal(request.method, asker.role)
        if refusal is not None:
            reply(admin.NOT_ALLOWED, refusal)
            return
        rows = Rows(reply, asker)
        try:
            result = await method(Params(request.params), rows)
            await rows.flush()
            reply(admin.DONE, (rows.sent or []) if result is None else result)
        except Refusal as no:
            reply(no.code, no.sentence)
        except MemoryError:
            gc.collect()
            reply(admin.BUSY, "the node is short of memory; ask again later")
        except OSError as e:
            full = e.args and e.args[0] == _ENOSPC
            reply(admin.STORAGE_FULL if full else admin.INTERNAL, "the file system refused: %s" % e)
        except Exception as e:  # noqa: BLE001 - our own fault in one method must not end the answering of all others
            sentence = "%s failed on the node: %s %s" % (request.method, type(e).__name__, e)
            self._journal.say("error", sentence)
            reply(admin.INTERNAL, sentence[:160])
        if self._late is not None:
            method = None  # nothing of it is held when its module goes
            self._late.give_back()
