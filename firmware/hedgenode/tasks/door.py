"""The node's door: who asks, what is sealed, and on whose behalf a request goes on. Knows no method but the way in."""

import asyncio

from micropython import const

from hedgenode.rules.roles import STEWARD, STRANGER
from hedgenode.tasks.admin import Admin, Asker
from hedgewire import admin, frame

NO_SESSION = "no session"  # topic of the event by which a host learns that the node has forgotten, or was restarted
_TURN_MS = const(5)
_WAYS_IN = ("session_open", "session_prove", "session_resume")


class Door:
    """`make_sessions()` gives what opens sealed frames: loaded when the first host knocks, for most days nobody does.

    None is for a node that was told of nobody whom it could let in: whoever has its cable is then everybody to it.

    `admin` answers requests; it is set after it was made, because the door's own methods are among its.
    """

    def __init__(self, make_sessions):
        self.admin: "Admin | None" = None
        self._make_sessions = make_sessions
        self._sessions = None
        self._role = STEWARD if make_sessions is None else STRANGER
        self._busy = False
        self.methods = {}
        for name in _WAYS_IN if make_sessions is not None else ():
            self.methods[name] = self._way_in(name)

    @property
    def sessions(self):
        if self._sessions is None:
            self._sessions = self._make_sessions()
        return self._sessions

    def _way_in(self, name):
        async def enter(params, rows):
            return await getattr(self.sessions, name)(params, rows)

        return enter

    async def handle(self, kind, payload, send, role=None):
        """Answer one frame through `send(kind, payload)`, when those before it have been answered. What cannot be
        opened is counted and not answered. `role` is for a request that does not come by the cable."""
        while self._busy:  # cable, Bluetooth and mesh ask the same administration; asyncio.Lock costs a kilobyte
            await asyncio.sleep_ms(_TURN_MS)
        self._busy = True
        try:
            await self._handle(kind, payload, send, self._role if role is None else role)
        finally:
            self._busy = False

    async def _handle(self, kind, payload, send, role):
        assert self.admin is not None  # set by whoever made the door
        if kind == frame.REQUEST:
            await self.admin.handle(payload, Asker(role, send))
            return
        if self._make_sessions is None:
            return
        sessions = self.sessions
        opened = sessions.open(payload)
        if isinstance(opened, bytes):
            send(frame.EVENT, admin.event(NO_SESSION, opened))
        elif opened is not None and opened[1] == frame.REQUEST:
            session, _, message = opened

            def sealed(kind, message):
                send(frame.SEALED, session.protection.seal(kind, message))

            await self.admin.handle(message, Asker(sessions.role(session), sealed))
