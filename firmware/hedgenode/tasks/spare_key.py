"""An ephemeral key for the next session, made while nobody waits for it. Knows no message of the exchange.

What takes long and does not hang on who knocks is done ahead: the node's own form for agreements, an ephemeral key, and
what that agrees on with those who knock most likely. It is used once, and lost with the power.
"""

import asyncio
import os

from hedgenode.crypto.hkdf import extract
from hedgenode.crypto.loaded import forget
from hedgenode.crypto.steps import finish_politely
from hedgenode.rules.roles import LAPTOP

_EPHEMERAL_BYTES = 32
_LIKELY = 3  # keys; each takes a Pico a second of idle time
AFTER_S = 5  # of quiet: others want their turn first, also after a start


class SpareKey:
    """`node.trust` has keys() and role(public); `load_identity()` gives the node's own key."""

    def __init__(self, node, load_identity):
        self._node = node
        self._load_identity = load_identity
        self._used = asyncio.Event()
        self._forget()

    def _forget(self):
        self.side = None
        """(secret, id, public) of the node's own key."""
        self.ephemeral = None
        """(secret, public)."""
        self.known = {}
        """What is agreed on, by Ed25519 key: (its form for agreements, what it and the ephemeral key make)."""

    async def run(self, promise):
        """Make one, and another one whenever it was used."""
        promise(None)
        while True:
            self._used.clear()
            await asyncio.sleep(AFTER_S)
            mine = self._load_identity()
            if mine is not None:
                await self.make(mine)
                await self._agree_ahead()
                forget()
            await self._used.wait()

    async def make(self, mine, alive=None):
        """Have a key at hand; nothing to do where there is one."""
        if self.ephemeral is not None:
            return
        from hedgenode.crypto import x25519  # large, and seldom needed

        secret = await finish_politely(mine.agreement_secret_steps(), alive)
        # Mixed with the node's own secret: a chip with poor randomness still makes what nobody can guess (RFC 8937).
        ephemeral = extract(secret, os.urandom(_EPHEMERAL_BYTES))
        # The ladder takes twice the time of the comb of Ed25519 and none of its memory.
        public = await finish_politely(x25519.shared_steps(ephemeral, x25519.BASE), alive)
        self.side = (secret, mine.id, mine.agreement_public)
        self.ephemeral = (ephemeral, public)

    async def _agree_ahead(self):
        from hedgenode.crypto import x25519

        ephemeral, trust = self.ephemeral, self._node.trust
        if ephemeral is None:  # somebody knocked meanwhile
            return
        likely = sorted(trust.keys(), key=lambda public: trust.role(public) != LAPTOP)[:_LIKELY]
        for public in likely:
            other = x25519.from_ed25519(public)
            if other is not None and public not in self.known:
                shared = await finish_politely(x25519.shared_steps(ephemeral[0], other))
                if self.ephemeral is not ephemeral:
                    return
                self.known[public] = (other, shared)

    def take(self):
        """(side, ephemeral, known) for one exchange: no key serves twice."""
        taken = (self.side, self.ephemeral, self.known)
        self._forget()
        self._used.set()
        return taken
