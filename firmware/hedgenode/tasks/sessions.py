"""Sessions with hosts: who is on the other side, and what of its frames is believed. Knows no other method.

session_open and session_prove carry an EDHOC exchange (hedgewire/edhoc.py), whose mathematics takes a Pico two seconds;
session_resume takes up an earlier one within a day for a few hashes. All of it is in RAM and bounded: a restart ends
every session, and nothing that a stranger does ends one.
"""

import os

from hedgenode.crypto import suite0
from hedgenode.crypto.loaded import forget
from hedgenode.crypto.steps import finish_politely
from hedgenode.rules.replay import ReplayWindow
from hedgenode.rules.roles import STRANGER
from hedgenode.tasks.admin import Refusal
from hedgewire import admin, protection
from hedgewire.cbor import Damage
from hedgewire.protection import Protection

MAX_SESSIONS = 4
MAX_EXCHANGES = 2  # between open and prove: one by cable and one over the air
MAX_KEPT = 4  # agreements that can be taken up again
DAY_S = 24 * 3600
EXCHANGE_S = 120  # between the two halves of an exchange; a host needs milliseconds
STRANGERS = 8  # exchanges in a row that nobody brought to an end: then there is a pause before each
PAUSE_S = 30
_NEVER_OLD_S = 0x3FFFFFFF


class _Session:
    def __init__(self, protected, public, agreed_s):
        self.protection = protected
        self.public = public
        self.agreed_s = agreed_s


class _Kept:
    def __init__(self, resumption, public, agreed_s):
        self.resumption = resumption
        self.public = public
        self.agreed_s = agreed_s


class Sessions:
    """`trust` has key_with_id(kid) and role(public); `clock` has uptime_s(). Call from one task."""

    def __init__(self, trust, clock, journal, load_identity, spare):
        self._trust = trust
        self._clock = clock
        self._journal = journal
        self._load_identity = load_identity
        self._spare = spare
        self._sessions = []  # the one heard last at the end
        self._unheard = None  # resumed, and nothing came in it yet: it takes nobody's place
        self._exchanges = []  # (responder, session, since) between open and prove
        self._kept = []
        self._unproved = 0
        self._opened_s = 0
        self._busy = False
        self.refused = 0  # frames that no session of ours opens

    def expect(self, resumption, public):
        """Keep an agreement that was made otherwise, and does not grow old: that of a label."""
        self._kept.append(_Kept(resumption, public, _NEVER_OLD_S))

    # ---- frames

    def open(self, payload):
        """(session, kind, message) of a sealed frame; a session's four bytes where we have none such; else None."""
        name = protection.session_of(payload)
        if isinstance(name, Damage):
            self.refused += 1
            return None
        session = self._named(name)
        if session is None:
            self.refused += 1
            return name
        opened = session.protection.open(payload)
        if isinstance(opened, Damage):
            self.refused += 1
            return None
        if session is self._unheard:
            self._unheard = None
        else:
            self._sessions.remove(session)
        self._add(session)
        return session, opened[0], opened[1]

    def role(self, session) -> int:
        """What the other side may now: a key that was revoked meanwhile is a stranger's."""
        return self._trust.role(session.public)

    def _named(self, name):
        self._forget_old()
        for session in self._sessions:
            if session.protection.session == name:
                return session
        unheard = self._unheard
        return unheard if unheard is not None and unheard.protection.session == name else None

    def _add(self, session):
        self._sessions.append(session)
        if len(self._sessions) > MAX_SESSIONS:
            self._sessions.pop(0)

    def _forget_old(self):
        since_s = self._clock.uptime_s() - DAY_S
        self._sessions = [one for one in self._sessions if one.agreed_s > since_s]
        self._kept = [one for one in self._kept if one.agreed_s > since_s]
        if self._unheard is not None and self._unheard.agreed_s <= since_s:
            self._unheard = None

    def _new_name(self) -> bytes:
        while True:
            name = os.urandom(protection.SESSION_BYTES)
            # It stands in every frame, and a 03 in one stops whatever runs there but a node that listens.
            if b"\x03" not in name and self._named(name) is None:
                return name

    # ---- methods

    async def session_open(self, params, rows):
        """Message 1 of an exchange; answers message 2."""
        message_1 = params.data("message")
        self._may_open()
        mine = self._load_identity()
        if mine is None:
            raise Refusal(admin.REFUSED, "this node has no key of its own yet (hedgerow provision)")
        self._busy = True
        try:
            return await self._answer_open(mine, message_1, rows.alive)
        finally:
            self._busy = False
            self._let_go()

    def _may_open(self):
        now_s = self._clock.uptime_s()
        if self._busy or (self._unproved >= STRANGERS and now_s - self._opened_s < PAUSE_S):
            raise Refusal(admin.BUSY, "too many sessions were begun and not finished; ask again in a minute")
        self._opened_s = now_s
        self._unproved += 1

    async def _answer_open(self, mine, message_1, alive):
        from hedgewire import edhoc  # large, and needed here only

        await self._spare.make(mine, alive)
        (secret, kid, public), ephemeral, known = self._spare.take()
        side = (secret, kid, edhoc.raw_key(kid, public))

        def find(kid):
            key = self._trust.key_with_id(kid)
            if key is None or self._trust.role(key) == STRANGER:
                return None
            other, agreed = known.get(key) or (_agreement_form(key), None)
            return None if other is None else (other, edhoc.raw_key(kid, other), agreed)

        responder = edhoc.Responder(suite0, side, ephemeral, find)
        name = self._new_name()
        message_2 = await finish_politely(responder.message_2_steps(message_1, name), alive)
        if isinstance(message_2, Damage):
            raise Refusal(admin.REFUSED, "no session: %s" % message_2.reason)
        self._exchanges = (self._exchanges + [(responder, name, self._clock.uptime_s())])[-MAX_EXCHANGES:]
        return {"message": message_2}

    async def session_prove(self, params, rows):
        """Message 3; answers message 4. From then on the session counts.

        `session` is C_R of the exchange, as RFC 9528 (A.1) puts it before message 3; an older host leaves it out.
        """
        message_3 = params.data("message")
        exchange = self._take_exchange(params.data("session") if "session" in params else None)
        if exchange is None or self._clock.uptime_s() - exchange[2] > EXCHANGE_S:
            raise Refusal(admin.REFUSED, "no session was begun here; session_open comes first")
        self._busy = True
        try:
            responder, name, _ = exchange
            message_4 = await finish_politely(responder.message_4_steps(message_3), rows.alive)
            if isinstance(message_4, Damage):
                self._journal.say("warning", "a session was refused: %s" % message_4.reason)
                raise Refusal(admin.NOT_ALLOWED, _WHY_NOT.get(message_4.reason, "no session: %s" % message_4.reason))
            keys, resumption = protection.agreed(responder)
            public = self._trust.key_with_id(responder.peer)
        finally:
            self._busy = False
            del exchange
            self._let_go()
        if public is None:
            raise Refusal(admin.NOT_ALLOWED, _WHY_NOT["unknown key"])
        self._unproved = 0
        now_s = self._clock.uptime_s()
        self._kept = (self._kept + [_Kept(resumption, public, now_s)])[-MAX_KEPT:]
        self._add(_Session(Protection(suite0, name, keys, ReplayWindow(), True), public, now_s))
        return {"message": message_4, "role": self._trust.role(public)}

    async def session_resume(self, params, rows):
        """Take an agreement of the last day up again, under new keys."""
        name = params.data("name", protection.RESUMPTION_ID_BYTES)
        nonce = params.data("nonce", protection.NONCE_BYTES)
        proof = params.data("proof", protection.PROOF_BYTES)
        self._forget_old()
        for kept in self._kept:
            if kept.resumption.name == name and protection.same(kept.resumption.proof(suite0, nonce), proof):
                break
        else:
            raise Refusal(admin.NOT_FOUND, "this node keeps no such agreement; session_open makes one")
        if self._trust.role(kept.public) == STRANGER:
            raise Refusal(admin.NOT_ALLOWED, _WHY_NOT["unknown key"])
        session = self._new_name()
        own_nonce = os.urandom(protection.NONCE_BYTES)
        keys, own_proof = kept.resumption.keys(suite0, nonce, own_nonce, session)
        self._unheard = _Session(Protection(suite0, session, keys, ReplayWindow(), True), kept.public, kept.agreed_s)
        return {"session": session, "nonce": own_nonce, "proof": own_proof, "role": self._trust.role(kept.public)}

    def _take_exchange(self, session):
        """The exchange of that name, or the newest one; it is proved once."""
        for index in range(len(self._exchanges) - 1, -1, -1):
            if session is None or self._exchanges[index][1] == session:
                return self._exchanges.pop(index)
        return None

    def _let_go(self):
        """Of what exchanges need, once there is none."""
        if not self._exchanges:
            forget()


def _agreement_form(key):
    from hedgenode.crypto import x25519  # large, and seldom needed

    return x25519.from_ed25519(key)


_WHY_NOT = {
    "unknown key": "this node knows no such key: it was never told of it, or it was revoked",
    "MAC": "who asked does not hold the key that it named",
}
