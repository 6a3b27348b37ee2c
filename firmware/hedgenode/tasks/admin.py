"""Answers the host's requests: finds the method, sends its parts, turns failures into sentences. No transport."""

from hedgewire import admin

PART_ITEMS = 8  # rows in one answer frame; keeps the frame, and the RAM it takes, small


class Refusal(Exception):
    """A method's way to say no: (code, sentence)."""

    def __init__(self, code, sentence):
        Exception.__init__(self, sentence)
        self.code = code
        self.sentence = sentence


class Rows:
    """Collects rows and sends them as PART answers, a few at a time."""

    def __init__(self, send):
        self._send = send
        self._rows = []

    def add(self, row):
        self._rows.append(row)
        if len(self._rows) >= PART_ITEMS:
            self.flush()

    def flush(self):
        if self._rows:
            self._send(admin.PART, self._rows)
            self._rows = []


class Admin:
    """`groups` are objects whose `methods` map a name to `async def (params, rows) -> result`.

    A method that has rows to give adds them to `rows`; its return value closes the answer. None then means: the
    rows were the answer (an empty list closes them).
    """

    def __init__(self, groups, journal):
        self._methods = {}
        for group in groups:
            self._methods.update(group.methods)
        self._journal = journal

    async def handle(self, data, send):
        """Answer one request frame through `send(answer_bytes)`; what is no request is not answered."""
        request = admin.parse_request(data)
        if isinstance(request, admin.Damage):
            return

        def reply(code, result):
            send(admin.answer(request.seq, code, result))

        method = self._methods.get(request.method)
        if method is None:
            reply(admin.UNKNOWN_METHOD, "this node does not know the method %s" % request.method)
            return
        rows = Rows(reply)
        try:
            result = await method(request.params, rows)
        except Refusal as no:
            reply(no.code, no.sentence)
        except (KeyError, TypeError, ValueError) as e:
            reply(admin.BAD_PARAMS, "%s: %s" % (request.method, _words(e)))
        except OSError as e:
            full = e.args and e.args[0] == 28  # ENOSPC
            reply(admin.STORAGE_FULL if full else admin.INTERNAL, "the file system refused: %s" % e)
        except MemoryError:
            reply(admin.BUSY, "the node is short of memory; ask again later")
        else:
            rows.flush()
            reply(admin.DONE, [] if result is None else result)


def _words(e):
    if isinstance(e, KeyError):
        return "parameter %s is missing" % e.args[0]
    return str(e) or "wrong parameters"
