"""Keeps the node's own ledger: notes what happened, signs its head, shows it to neighbours and vouches for theirs.

This part stays in memory and is small. The rest (ledger_book.py, ledger_start.py, ledger_meet.py) and the mathematics
of signatures are loaded when there is something to do, and let go again. What takes long goes in small steps.
"""

import asyncio
import gc

from hedgenode.crypto.steps import finish_politely
from hedgenode.rarely import Rarely

MAX_WAITING = 4  # heads and counter-signatures; what comes beyond that is said again
MAX_NOTES = 8
_STEP_MS = 1000
_POLL_MS = 20
_LOOK_EVERY_S = 10  # whether to sign, and whether somebody near has not seen our head
_PAUSE_S = 600  # after a failure
# Free heap that leaves enough for radio and messages beside the mathematics: a node that is asked signs, one that
# merely could vouch for a neighbour needs more, for a check takes more.
_FREE_TO_SIGN_BYTES = 30000
_FREE_TO_VOUCH_BYTES = 48000
_PROMISE_MS = 30000  # one check and one signature, on a chip that does much else meanwhile


class LedgerTask:
    """`facts` are those of rules.ledger.at_start without the digests; `config_path` is the file that one is of, and
    `program` computes the one of the program files (None: those of this board).

    `note` may be called by every task, at any time; the entry is in flash within a second, or when `flush` returns.
    """

    def __init__(self, files, identity, clock, journal, facts, config_path=None, program=None):
        self.files = files
        self.journal = journal
        self._identity = identity
        self._clock = clock
        self._at_start = (facts, config_path, program)
        self._notes = []
        self._unsigned = 0
        self._unsigned_since_s = clock.uptime_s()
        self._look_s = 0
        self._busy = False
        self._exchange = None
        self._heard = []
        self.asked = {}  # see rules/ledger_pace.py
        self.used = [0, 0, 0]
        self.head = None  # the newest signed one: (seq, digest, signature)
        self.damaged = 0

    @property
    def public(self):
        return self._identity.public

    def meet(self, exchange, say) -> None:
        """There is a radio: hear of ledgers through the exchange, and speak by `say(frame)`."""
        self._exchange = exchange
        self.say = say
        exchange.of_ledgers = self._hear

    def note(self, kind: str, fields: dict) -> bool:
        """Have an entry added. False where too many wait."""
        if len(self._notes) >= MAX_NOTES:
            return False
        self._notes.append((kind, fields))
        return True

    def note_failure(self, boot: int) -> None:
        """The application is about to restart because a task failed or was late: note that now, if it can be done."""
        try:
            self.with_book(lambda book: self.add(book, book.to_note_of_a_restart(boot)))
        except (MemoryError, OSError) as e:
            self.journal.say("error", "ledger: the restart is not noted: %s" % e)

    async def run(self, promise):
        pause_until_s = 0
        while True:
            promise(_PROMISE_MS)
            await asyncio.sleep_ms(_STEP_MS)
            now_s = self._clock.uptime_s()
            if now_s < pause_until_s:
                continue
            try:
                await self.turn(promise)
            except (MemoryError, OSError) as e:  # messages go on without; what is left to do comes later
                self.journal.say("warning", "ledger: %s; again in %d s" % (e, _PAUSE_S))
                pause_until_s = now_s + _PAUSE_S

    async def turn(self, promise):
        """Whatever there is to do now."""
        await self.start()
        self.flush()
        if self._heard and not _has_room(_FREE_TO_VOUCH_BYTES):
            self._heard = []
        while self._heard:
            promise(_PROMISE_MS)
            await self._alone(self._take, self._heard.pop(0))
        now_s = self._clock.uptime_s()
        if now_s - self._look_s >= _LOOK_EVERY_S or self._look_s == 0:
            self._look_s = now_s
            if self._unsigned and self._sign_due(now_s):
                promise(_PROMISE_MS)
                await self.sign()
            if self.head is not None and self._exchange is not None and self._exchange.peers:
                with Rarely():
                    from hedgenode.tasks.ledger_meet import show

                    show(self, self._exchange, now_s)

    def with_book(self, call):
        """call(book) with the ledger opened; what it returns. Keep nothing of it, and do not wait inside."""
        with Rarely():
            from hedgenode.tasks.ledger_book import Book

            book = Book(self.files, self.public, self.used)
            try:
                return call(book)
            finally:
                self.head = book.store.head
                self._unsigned = book.store.unsigned
                self.damaged = book.damaged
                book.close()

    def add(self, book, notes) -> None:
        """Write entries into the opened book."""
        for kind, fields in notes:
            if not book.store.unsigned:
                self._unsigned_since_s = self._clock.uptime_s()
            if book.note(kind, fields):
                self.journal.say("info", "ledger %d: %s" % (book.store.seq, kind))

    def flush(self) -> None:
        """Write what was noted. OSError where flash refuses: then it waits for the next time."""
        if self._notes:
            self.with_book(self._write)

    async def start(self) -> None:
        """Note, once, what has changed since the node ran last. Whoever asks for the ledger waits for it."""
        if self._at_start is not None:
            await self._alone(self._start)

    async def sign(self) -> None:
        """Have the head signed, if entries wait for it. It is kept before anybody sees it."""
        await self._alone(self._sign)

    async def signature(self, statement) -> bytes:
        """MemoryError where the heap is too full for that."""
        if not _has_room(_FREE_TO_SIGN_BYTES):
            raise MemoryError("no memory for a signature")
        with Rarely():
            return await finish_politely(self._identity.sign_steps(statement))

    async def is_good(self, public, statement, signature) -> bool:
        with Rarely():
            from hedgenode.crypto.ed25519 import verify_steps

            return await finish_politely(verify_steps(public, statement, signature))

    # ---- inside

    async def _alone(self, work, *arguments):
        """Await work(*arguments) when nobody else is at it: each of these goes several times into the book."""
        while self._busy:
            await asyncio.sleep_ms(_POLL_MS)
        self._busy = True
        try:
            await work(*arguments)
        finally:
            self._busy = False

    async def _start(self):
        if self._at_start is None:
            return
        with Rarely():
            from hedgenode.tasks import ledger_start

            await ledger_start.note(self, *self._at_start)
        self._at_start = None

    def _write(self, book):
        while self._notes:
            self.add(book, self._notes[:1])
            self._notes.pop(0)

    def _sign_due(self, now_s):
        with Rarely():
            from hedgenode.rules.ledger_pace import sign_due

            return sign_due(self._unsigned, False, now_s - self._unsigned_since_s)

    async def _sign(self):
        wanted = self.with_book(lambda book: book.to_sign())
        if wanted is not None:
            seq, last, statement = wanted
            signature = await self.signature(statement)
            self.with_book(lambda book: book.keep_head(seq, last, signature))

    def _hear(self, said):
        if len(self._heard) < MAX_WAITING:
            self._heard.append(said)

    async def _take(self, said):
        with Rarely():
            from hedgenode.tasks.ledger_meet import take

            await take(self, said, self._exchange, self._clock.uptime_s())


def _has_room(wanted_bytes):
    gc.collect()
    free = getattr(gc, "mem_free", None)  # elsewhere than on a board there is room
    return free is None or free() >= wanted_bytes
