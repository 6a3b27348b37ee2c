"""Keeps the node's own ledger: notes what happened, signs its head, shows it to neighbours and vouches for theirs.

This part stays in memory and is small. The ledger itself (ledger_book.py) and the mathematics of signatures are loaded
when there is something to do, never both at once, and let go again. What takes seconds of a Pico goes in small steps.
"""

import asyncio

from hedgenode.crypto.steps import finish_politely
from hedgenode.rarely import Rarely
from hedgenode.rules import ledger_pace as pace
from hedgewire import link

MAX_WAITING = 4  # heads and counter-signatures; what comes beyond that is said again
MAX_NOTES = 8
_STEP_MS = 1000
_POLL_MS = 20
_PROMISE_MS = 30000  # one check and one signature, on a chip that does much else meanwhile


class LedgerTask:
    """`facts` are those of rules.ledger.at_start without the digests; `program` computes the one of the program files
    (default: those of this board).

    `note` may be called by every task, at any time; the entry is in flash within a second, or when `flush` returns.
    """

    def __init__(self, files, identity, clock, journal, facts, config_path, program=None):
        self._files = files
        self._identity = identity
        self._clock = clock
        self._journal = journal
        self._facts = facts
        self._config_path = config_path
        self._program = program
        self._started = False
        self._notes = []
        self._unsigned = 0
        self._unsigned_since_s = clock.uptime_s()
        self._busy = False
        self._exchange = None
        self._say = None
        self._heard = []
        self._asking = pace.Asking()
        self._budget = pace.Budget()
        self.head = None  # the newest signed one: (seq, digest, signature)
        self.damaged = 0

    def meet(self, exchange, say) -> None:
        """There is a radio: hear of ledgers through the exchange, and speak by `say(frame)`."""
        self._exchange = exchange
        self._say = say
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
            self.with_book(lambda book: self._add(book, book.to_note_of_a_restart(boot)))
        except (MemoryError, OSError) as e:
            self._journal.say("error", "ledger: the restart is not noted: %s" % e)

    async def run(self, promise):
        while True:
            promise(_PROMISE_MS)
            await asyncio.sleep_ms(_STEP_MS)
            try:
                await self.start()
                self.flush()
                waited_s = self._clock.uptime_s() - self._unsigned_since_s
                if pace.sign_due(self._unsigned, False, waited_s):
                    await self.sign()
                if self._exchange is not None:
                    await self._meet(promise)
            except MemoryError:
                self._journal.say("warning", "ledger: the node is short of memory; what is left comes later")
                await asyncio.sleep_ms(_STEP_MS * 10)
            except OSError as e:
                self._journal.say("error", "ledger: flash refuses: %s" % e)
                await asyncio.sleep_ms(_STEP_MS * 10)

    def with_book(self, call):
        """call(book) with the ledger opened; what it returns. Keep nothing of it, and do not wait inside."""
        with Rarely():
            from hedgenode.tasks.ledger_book import Book

            book = Book(self._files, self._identity.public, self._budget)
            try:
                return call(book)
            finally:
                self.head = book.store.head
                self._unsigned = book.store.unsigned
                self.damaged = book.damaged
                book.close()

    def flush(self) -> None:
        """Write what was noted. OSError where flash refuses: then it waits for the next time."""
        if self._notes:
            self.with_book(self._write)

    async def start(self) -> None:
        """Note, once, what has changed since the node ran last. Whoever asks for the ledger waits for it."""
        if not self._started:
            await self._alone(self._start)

    async def sign(self) -> None:
        """Have the head signed, if entries wait for it. It is kept before anybody sees it."""
        await self._alone(self._sign)

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
        if self._started:
            return
        with Rarely():
            from hedgenode.tasks import ledger_start

            program = self._program or ledger_start.program_digest
            self._facts["slot"] = await program()
            self._facts["config"] = ledger_start.file_digest(self._files, self._config_path)
        self.with_book(lambda book: self._add(book, book.to_note_at_start(self._facts)))
        self._started = True

    async def _sign(self):
        wanted = self.with_book(lambda book: book.to_sign())
        if wanted is not None:
            seq, last, statement = wanted
            signature = await self._signature(statement)
            self.with_book(lambda book: book.keep_head(seq, last, signature))

    def _write(self, book):
        while self._notes:
            self._add(book, self._notes[:1])
            self._notes.pop(0)

    def _add(self, book, notes):
        for kind, fields in notes:
            if not book.store.unsigned:
                self._unsigned_since_s = self._clock.uptime_s()
            if book.note(kind, fields):
                self._journal.say("info", "ledger %d: %s" % (book.store.seq, kind))

    async def _signature(self, statement):
        with Rarely():
            return await finish_politely(self._identity.sign_steps(statement))

    async def _is_good(self, public, statement, signature):
        with Rarely():
            from hedgenode.crypto.ed25519 import verify_steps

            return await finish_politely(verify_steps(public, statement, signature))

    # ---- neighbours

    def _hear(self, said):
        if len(self._heard) < MAX_WAITING:
            self._heard.append(said)

    async def _meet(self, promise):
        while self._heard:
            promise(_PROMISE_MS)
            said = self._heard.pop(0)
            if isinstance(said, link.Head):
                await self._alone(self._on_head, said)
            elif self._asking.waits_for(said.source):
                await self._alone(self._on_witness, said)
        head = self.head
        if head is None:
            return
        exchange, now_s = self._exchange, self._clock.uptime_s()
        near = {short: peer.heard_s for short, peer in exchange.peers.items()}
        if self._asking.due(head[0], near, now_s):
            public = self._identity.public
            self._say(link.encode_head(exchange.tag, exchange.short, head[0], head[1], public, head[2]))
            self._asking.shown(near, now_s)

    async def _on_head(self, said):
        """A neighbour's head: answer with a counter-signature, made now or before, or not at all."""
        now_s = self._clock.uptime_s()
        ours, check = self.with_book(lambda book: book.on_head(said, now_s))
        if check is not None and await self._is_good(said.writer, check, said.signature):
            statement = self.with_book(lambda book: book.on_good_head(said))
            if statement is not None:
                made = await self._signature(statement)
                self.with_book(lambda book: book.on_vouched(said, made))
                self._journal.say("info", "ledger: vouched for %s" % said.writer.hex()[:8])
                ours = made
        if ours is not None:
            tag, short, public = self._exchange.tag, self._exchange.short, self._identity.public
            self._say(link.encode_witness(tag, short, said.source, said.seq, said.digest, public, ours))

    async def _on_witness(self, said):
        now_s = self._clock.uptime_s()
        check = self.with_book(lambda book: book.on_witness(said, self._budget, now_s))
        if check is not None and await self._is_good(said.witness, check, said.signature):
            self.with_book(lambda book: book.on_good_witness(said))
            self._asking.answered(said.source)
