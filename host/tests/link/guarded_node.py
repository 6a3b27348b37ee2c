"""A node whose door is the firmware's own, on this computer's Python: sessions and roles are the real ones."""

import asyncio
import hashlib
from typing import Any

from hedgenode.rules.roles import LAPTOP, STRANGER
from hedgenode.rules.trust import key_id
from hedgenode.tasks.admin import Admin
from hedgenode.tasks.door import Door
from hedgenode.tasks.journal import Journal
from hedgenode.tasks.sessions import Sessions
from hedgenode.tasks.spare_key import SpareKey
from hedgerow.fleet import keys
from hedgerow.session import Credentials, KeptInMemory, OwnKey
from hedgewire import admin, frame

NODE_SEED, LAPTOP_SEED, OTHER_SEED = (hashlib.sha256(name).digest() for name in (b"node", b"laptop", b"other"))


class Identity:
    """As hedgenode.identity.Identity, for a seed of a test."""

    def __init__(self, seed: bytes, claims: bytes | None = None) -> None:
        self._seed = seed
        self.public = keys.public_of(seed)
        self.id = claims or key_id(self.public)
        self.agreement_public = keys.agreement_public(self.public)

    def agreement_secret_steps(self):
        yield
        return keys.agreement_secret(self._seed)


class Clock:
    now_s = 100

    def uptime_s(self) -> int:
        return self.now_s

    def uptime_ms(self) -> int:
        return self.now_s * 1000

    def wall_s(self) -> int:
        return 800_000_000


class GuardedNode:
    """A Transport. `sent` and `received` are all bytes that an eavesdropper hears; `asked` what was let in."""

    def __init__(self, seed: bytes = NODE_SEED, claims: bytes | None = None) -> None:
        self.name = "guarded"
        self.identity = Identity(seed, claims)
        self.trusted: dict[bytes, int] = {keys.public_of(LAPTOP_SEED): LAPTOP}
        self.clock = Clock()
        self.asked: list[tuple[str, int]] = []
        self.sent, self.received = bytearray(), bytearray()
        self.lies = False  # somebody on the line answers every question first
        self.methods = {name: self._method(name) for name in ("status", "hello", "restart", "follow", "inbox")}
        self._out: asyncio.Queue[bytes] = asyncio.Queue()
        self._tasks: set[asyncio.Task[None]] = set()
        self.power_on()

    def power_on(self) -> None:
        """As after a power cut: nothing of the sessions is left."""
        journal = Journal(self.clock)
        self.sessions = Sessions(
            self, self.clock, journal, lambda: self.identity, SpareKey(self, lambda: self.identity)
        )
        self.door = Door(lambda: self.sessions)
        self.door.admin = Admin((self, self.door), journal)
        self._decoder = frame.Decoder(3072)

    def role(self, public: bytes) -> int:
        return self.trusted.get(public, STRANGER)

    def key_with_id(self, kid: bytes) -> bytes | None:
        return next((public for public in self.trusted if key_id(public) == kid), None)

    def _method(self, name: str):
        async def answer(_, rows) -> dict[str, Any]:
            self.asked.append((name, rows.asker.role))
            self.last_asker = rows.asker
            return {"id": self.identity.id, "name": "oak", "protected": True} if name == "hello" else {"said": name}

        return answer

    async def send(self, data: bytes) -> None:
        self.received += data
        if self.lies:
            for seq in self.guessed_numbers:
                self._out.put_nowait(frame.encode(frame.ANSWER, admin.answer(seq, admin.DONE, {"said": "a lie"})))
        for kind, payload in self._decoder.feed(data):
            if kind != frame.TEXT:
                task = asyncio.create_task(self.door.handle(kind, payload, self.say))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    def say(self, kind: int, payload: bytes) -> None:
        data = frame.encode(kind, payload)
        self.sent += data
        self._out.put_nowait(data)

    async def receive(self) -> bytes:
        return await self._out.get()

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()


def credentials(seed: bytes = LAPTOP_SEED, node_seed: bytes | None = NODE_SEED, kept=None) -> Credentials:
    """Of a laptop whose fleet has that one node, or none."""
    public = keys.public_of(seed)
    known = {} if node_seed is None else {key_id(keys.public_of(node_seed)): keys.public_of(node_seed)}

    def node_key(node_id: bytes) -> bytes | None:
        return keys.agreement_public(known[node_id]) if node_id in known else None

    own = keys.agreement_public(public)
    assert own is not None
    mine = OwnKey(keys.key_id(public), own, lambda: keys.agreement_secret(seed))
    return Credentials(lambda _: [mine], node_key, kept or KeptInMemory())
