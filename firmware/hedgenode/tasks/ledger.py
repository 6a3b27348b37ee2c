"""Keeps the node's own ledger: notes what happened, signs its head, shows it to neighbours and vouches for theirs.

Decides nothing: rules/ledger.py says what is noted and when it is signed, rules/witness.py which heads are vouched for.
Signing and checking take seconds of a Pico, in small steps between which everybody else has their turn.
"""

import asyncio
import hashlib

from hedgenode.crypto.steps import finish_politely
from hedgenode.rules import ledger as rules
from hedgenode.rules import witness as witnesses
from hedgenode.store.counters import read_whole, write_atomic
from hedgenode.store.walk import digest, walk
from hedgewire import ledger, link

FOLDER = "/store/ledger"
NEIGHBOURS_PATH = "/store/ledger/neighbours"
MAX_WAITING = 4  # heads and counter-signatures; what comes beyond that is said again
_STEP_MS = 1000
_PROMISE_MS = 30000  # one check and one signature, on a chip that does much else meanwhile
SHORT_DIGEST_BYTES = 8


async def slot_digest() -> bytes:
    """First bytes of the SHA-256 over path, zero and SHA-256 of every program file, in the order of paths."""
    buffer = bytearray(512)
    whole = hashlib.sha256()
    paths = [path for path, _ in walk("/a")] + ["/boot.py", "/main.py"]
    paths.sort()
    for path in paths:
        whole.update(path.encode() + b"\x00" + (digest(path, buffer) or b""))
        await asyncio.sleep_ms(0)
    return whole.digest()[:SHORT_DIGEST_BYTES]


class LedgerTask:
    """`store` is a LedgerStore, `identity` this node's; `facts` are those of rules.ledger.at_start without the digests;
    `program` computes the one of the program files.

    `note` may be called by every task, at any time. `head` gives the signed head.
    """

    def __init__(self, files, store, identity, clock, journal, facts, config_path, program=slot_digest):
        self._files = files
        self.store = store
        self._identity = identity
        self._clock = clock
        self._journal = journal
        self._facts = facts
        self._config_path = config_path
        self._program = program
        self._started = False
        self._unsigned_since_s = clock.uptime_s()
        self._signing = asyncio.Lock()
        self._exchange = None
        self._say = None
        self._heard = []
        self.witnessing = witnesses.Witnessing()
        kept = read_whole(files, NEIGHBOURS_PATH)
        if kept is not None and not self.witnessing.from_bytes(kept):
            journal.say("warning", "what neighbours said of ledgers is damaged and forgotten")

    @property
    def writer(self) -> bytes:
        return self._identity.public

    def meet(self, exchange, say) -> None:
        """There is a radio: hear of ledgers through the exchange, and speak by `say(frame)`."""
        self._exchange = exchange
        self._say = say
        exchange.of_ledgers = self._hear

    def note(self, kind: str, fields: dict) -> bool:
        """Add an entry. False, and a line in the log, where flash refuses: a node must not stop for its ledger."""
        store = self.store
        if not rules.worth_noting(kind, fields, *store.last):
            return True
        if not store.unsigned:
            self._unsigned_since_s = self._clock.uptime_s()
        try:
            store.append(kind, fields)
        except OSError as e:
            self._journal.say("error", "ledger: %s is not kept: %s" % (kind, e))
            return False
        self._journal.say("info", "ledger %d: %s" % (store.seq, kind))
        return True

    def note_failure(self, boot: int) -> None:
        """The application is about to restart because a task failed or was late."""
        for kind, fields in rules.restarted(self.store.said, boot):
            self.note(kind, fields)

    async def run(self, promise):
        while True:
            promise(_PROMISE_MS)
            await asyncio.sleep_ms(_STEP_MS)
            await self.start()
            waited_s = self._clock.uptime_s() - self._unsigned_since_s
            if rules.sign_due(self.store.unsigned, False, waited_s):
                await self.head(True)
            if self._exchange is not None:
                await self._meet(promise)

    async def start(self) -> None:
        """Note, once, what has changed since the node ran last. Whoever asks for the ledger waits for it."""
        async with self._signing:
            if self._started:
                return
            self._facts["slot"] = await self._program()
            config = read_whole(self._files, self._config_path) or b""
            self._facts["config"] = hashlib.sha256(config).digest()[:SHORT_DIGEST_BYTES]
            self._started = True
            for kind, fields in rules.at_start(self.store.said, self._facts):
                self.note(kind, fields)

    async def head(self, asked: bool):
        """The newest signed head (seq, digest, signature); made now if it is asked for and entries wait. Or None."""
        async with self._signing:
            store = self.store
            if asked and store.unsigned:
                seq, last = store.seq, store.digest  # others may note more meanwhile
                signature = await finish_politely(self._identity.sign_steps(ledger.head_statement(seq, last)))
                store.keep_head(seq, last, signature)
            return store.head

    # ---- neighbours

    def _hear(self, said):
        if len(self._heard) < MAX_WAITING:
            self._heard.append(said)

    async def _meet(self, promise):
        while self._heard:
            promise(_PROMISE_MS)
            said = self._heard.pop(0)
            try:
                if isinstance(said, link.Head):
                    await self._on_head(said)
                else:
                    await self._on_witness(said)
            except OSError as e:
                self._journal.say("warning", "ledger: what a neighbour said is not kept: %s" % e)
        head = self.store.head
        if head is None:
            return
        exchange, now_s = self._exchange, self._clock.uptime_s()
        near = {short: peer.heard_s for short, peer in exchange.peers.items()}
        if self.witnessing.offer_due(head[0], near, now_s):
            self._say(link.encode_head(exchange.tag, exchange.short, head[0], head[1], self.writer, head[2]))
            self.witnessing.offered(near, now_s)

    async def _on_head(self, said):
        """A neighbour's head. Ours goes out only after it is kept: no second one is ever signed beside it."""
        known = self.witnessing
        if said.writer == self.writer:
            return
        what = known.shown(said.writer, said.seq, said.digest, self._clock.uptime_s())
        if what == witnesses.CHECK:
            if not await self._is_good(said.writer, ledger.head_statement(said.seq, said.digest), said.signature):
                return
            if not known.checked(said.writer, said.seq, said.digest, said.signature):
                self._keep()
                return
            statement = ledger.witness_statement(said.writer, said.seq, said.digest)
            async with self._signing:
                ours = await finish_politely(self._identity.sign_steps(statement))
            known.signed(said.writer, said.seq, ours)
            self._keep()
            self._journal.say("info", "ledger: vouched for %s" % said.writer.hex()[:8])
        elif what != witnesses.ANSWER:
            return
        ours = known.of(said.writer).ours
        tag, short = self._exchange.tag, self._exchange.short
        self._say(link.encode_witness(tag, short, said.source, said.seq, said.digest, self.writer, ours))

    async def _on_witness(self, said):
        known = self.witnessing
        seq, head = said.seq, self.store.head
        if not known.worth_checking(said.source, seq, said.digest, said.witness, head, self._clock.uptime_s()):
            return
        statement = ledger.witness_statement(self.writer, seq, said.digest)
        if said.witness != self.writer and await self._is_good(said.witness, statement, said.signature):
            known.vouched(said.source, seq, said.digest, said.witness, said.signature)
            self._keep()

    async def _is_good(self, public, statement, signature):
        from hedgenode.crypto.ed25519 import verify_steps  # large, and seldom needed

        return await finish_politely(verify_steps(public, statement, signature))

    def _keep(self):
        if self.witnessing.changed:
            write_atomic(self._files, NEIGHBOURS_PATH, self.witnessing.to_bytes())
