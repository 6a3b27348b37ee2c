"""Knows how to ask a node and to hear its answer, over any transport; knows no method's meaning and no plan.

    async with Session(transport) as node:
        facts = await node.ask("hello")

Frames and text share the cable. Frames are answers and events; text goes to `console`. A request that gets no whole
answer is repeated once, if repeating it can do no harm:

- methods that only read;
- put_begin, put_data, put_end, configure, accept, identify, follow: they say what shall be, not what to change;
- post: it carries a `nonce`, by which the node recognises that it has the message already.

A node that is short of memory at this moment, or looks at something else, says so and has done nothing: whatever it was
asked, it is asked again a little later, for a few seconds at most.

restart, dev and remove are asked once: their answer may be lost, and then the caller looks for itself.

With credentials every question but `hello` goes through a protected session, which is begun at the first one; what
comes unprotected is then believed no more. Without, or at a node that the fleet does not know, it asks as a guest.
"""

import asyncio
import secrets
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from hedgerow.errors import FleetError, LinkError, LocalError
from hedgerow.session.credentials import Credentials, KeptInFiles, KeptInMemory, OwnKey
from hedgerow.session.handshake import NotAllowed, protect
from hedgerow.session.recognition import Answering, Recognised, banner_in, silence
from hedgerow.session.refused import Refused
from hedgerow.transports import Renewed, Transport
from hedgewire import admin, frame
from hedgewire.protection import Protection

__all__ = [
    "Answering",
    "Credentials",
    "KeptInFiles",
    "KeptInMemory",
    "OwnKey",
    "Recognised",
    "Refused",
    "Session",
    "silence",
]

ANSWER_S = 5.0
FIRST_ANSWER_S = 2.0  # of a hello: a node that runs answers within milliseconds
PROMPT_S = 1.0
KEY_S = 0.3  # for what a prompt, or a node's console, says to an empty line
IDLE_S = 0.1  # a torn frame ends after so much silence
MAX_FRAME_BYTES = 4096
TEXT_KEPT_BYTES = 400
SEQUENCES_TRIED = 200
SHORT_FRAME_BYTES = 256  # a longer frame contains a 03 under almost every number
PIECE_BYTES = 2048  # of a file in one request
BUSY_PAUSES_S = (0.3, 1.0, 3.0)  # a small board finds room again once it has cleared up, or done its sums
MAX_FALLS = 10  # of the way under one question
ASKED_ONCE = frozenset({"restart", "dev", "remove"})
NONCE_BYTES = 8

NO_SESSION = "no session"
_NO_FLEET = "Run it in your fleet's folder, or name that with --fleet: the keys in there open the fleet's nodes."

_PROMPTS = (b">>> ", b"raw REPL; CTRL-B", b"paste mode; Ctrl-C", b"\n=== ")
_NODE_SAYS = b"Hedgerow node"


class _Fallen(TimeoutError):
    """The way fell and was renewed while we waited."""


class _Pending:
    """One request on its way: the parts so far, when the last one came, and the future of the whole."""

    def __init__(self, damaged: int, protection: Protection | None) -> None:
        self.protection = protection
        self.parts: list[Any] = []
        self.count: int | None = None  # how many there are, once that was said
        self.damaged_before = damaged
        self.last_heard = time.monotonic()
        self.whole: asyncio.Future[Any] = asyncio.get_running_loop().create_future()


class Session:
    """One node over one transport. Several tasks may ask at the same time.

    `close()` closes the transport too; `release()` hands it back open, for someone who goes on to the prompt.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        console: Callable[[bytes], None] | None = None,
        events: Callable[[str, Any], None] | None = None,
        name: str | None = None,
        credentials: Credentials | None = None,
    ) -> None:
        self.name = name or transport.name
        self._credentials = credentials
        self._protection: Protection | None = None
        self._guest_because = None if credentials else _NO_FLEET
        self._hello: Any = None
        self._protecting = asyncio.Lock()
        self.console = console
        self.events = events
        self._transport = transport
        self._patience_s: float = getattr(transport, "patience_s", 0.0)
        self.piece_bytes: int = getattr(transport, "piece_bytes", PIECE_BYTES)
        self._has_prompt: bool = getattr(transport, "has_prompt", True)
        self._decoder = frame.Decoder(MAX_FRAME_BYTES)
        self._pending: dict[int, _Pending] = {}
        # Not from 0: an answer to the session before this one, still on its way, must fit none of our questions.
        self._seq = secrets.randbelow(1 << 24)
        self._reader: asyncio.Task[None] | None = None
        self._failure: FleetError | None = None
        self._frames_heard = 0
        self._listens = False  # it answered the last question in time
        self._text = bytearray()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        await self.close()

    async def ask(self, method: str, params: dict[str, Any] | None = None, timeout_s: float = ANSWER_S) -> Any:
        """The result of `method`, parts joined. `timeout_s` bounds the silence, not a long answer in parts.

        Raises what the node's refusal means (RefusedError, StorageError, RemoteError), or LinkError that says what
        is there instead of a node.
        """
        values = dict(params or {})
        if method == "post":
            values.setdefault("nonce", secrets.token_bytes(NONCE_BYTES))
        tries = 1 if method in ASKED_ONCE else 2
        falls = 0
        pauses_s = iter(BUSY_PAUSES_S)
        while tries:
            try:
                if method == "hello":
                    self._hello = await self._ask_once(method, values, timeout_s)
                    return self._hello
                return await self._ask_once(method, values, timeout_s, await self._protected(timeout_s))
            except _Fallen:
                falls += 1
                tries -= method in ASKED_ONCE or falls > MAX_FALLS
            except TimeoutError:
                tries -= 1
            except Refused as no:
                pause_s = next(pauses_s, None) if no.code == admin.BUSY else None
                if pause_s is None:
                    raise self._as_error(no) from no
                await asyncio.sleep(pause_s)
        raise await self._why_silent(method)

    @property
    def guest_because(self) -> str | None:
        """Why this host is nobody at that node, as far as it was tried; None where it is somebody."""
        return self._guest_because

    async def is_protected(self) -> bool:
        """Whether what is asked from now on is heard by our node only. Begins the session if need be; raises as ask."""
        try:
            return await self._protected(ANSWER_S) is not None
        except TimeoutError:
            raise await self._why_silent("session_open") from None
        except Refused as no:
            raise self._as_error(no) from no

    async def _protected(self, timeout_s: float) -> Protection | None:
        """The session's protection, begun if need be; None for a guest. Raises TimeoutError, Refused or LinkError."""
        async with self._protecting:
            if self._protection is None and self._guest_because is None and self._credentials is not None:
                try:
                    hello, self._hello = self._hello, None  # once: after a restart it may be another node
                    self._protection = await protect(self._ask_once, self._credentials, timeout_s, hello)
                except NotAllowed as no:
                    self._guest_because = str(no)
            return self._protection

    async def recognise(self) -> Recognised:
        """Find out what is at the other end, without stopping it. Never raises but for a port that is gone.

        An empty line goes first: a prompt answers it, and would take a frame for control keys.
        """
        if self._reader is None:
            self._reader = asyncio.create_task(self._read_for_ever())
        if self._has_prompt and await self._text_after(b"\r", (*_PROMPTS, _NODE_SAYS), KEY_S) in _PROMPTS:
            return await self._greet_prompt()
        for _ in range(2):  # the first question may run into a torn frame or a half-typed line
            try:
                hello = await self._ask_once("hello", {}, FIRST_ANSWER_S / 2)
            except (TimeoutError, Refused):
                continue
            if isinstance(hello, dict):
                self._hello = hello
                return Recognised(Answering.HEDGEROW, hello=hello)
        return await self._recognise_text() if self._has_prompt else Recognised(Answering.NOTHING)

    async def release(self) -> Transport:
        """Stop listening and hand the open transport back."""
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)
        self._fail(LinkError("the session was closed", node=self.name))
        return self._transport

    async def close(self) -> None:
        """Stop listening and close the transport. A second call does nothing."""
        await self.release()
        await self._transport.close()

    async def _ask_once(
        self, method: str, params: dict[str, Any], timeout_s: float, protection: Protection | None = None
    ) -> Any:
        """Raises TimeoutError after silence or damage, Refused with the node's sentence, LinkError if the way ends."""
        if self._failure is not None:
            raise self._failure
        if self._reader is None:
            self._reader = asyncio.create_task(self._read_for_ever())
        seq, data = self._request(method, params, protection)
        pending = self._pending[seq] = _Pending(self._decoder.damaged, protection)
        try:
            await self._transport.send(data)
            pending.last_heard = time.monotonic()
            timeout_s += self._patience_s
            while (left := pending.last_heard + timeout_s - time.monotonic()) > 0:
                done, _ = await asyncio.wait([pending.whole], timeout=left)
                if done:
                    return pending.whole.result()
            self._listens = False
            raise TimeoutError
        finally:
            del self._pending[seq]
            if pending.whole.done() and not pending.whole.cancelled():
                pending.whole.exception()  # seen: asyncio shall not warn

    def _request(self, method: str, params: dict[str, Any], protection: Protection | None) -> tuple[int, bytes]:
        """The next number and its frame, without 03: that stops whatever runs there but a node that listens already.

        A node that has answered may have restarted since. So only a long frame (part of a file), to a node that
        answered the question before it, may contain one.
        """
        data = self._frame_of(method, params, protection)
        for _ in range(SEQUENCES_TRIED):
            if b"\x03" not in data or (self._listens and len(data) > SHORT_FRAME_BYTES):
                break
            self._seq = secrets.randbelow(1 << 24)  # not the next one: the 03 may be one of its upper bytes
            data = self._frame_of(method, params, protection)
        return self._seq, data

    def _frame_of(self, method: str, params: dict[str, Any], protection: Protection | None) -> bytes:
        self._seq = (self._seq + 1) & 0x3FFFFFFF
        try:
            request = admin.request(self._seq, method, params)
        except (TypeError, ValueError) as error:
            raise LocalError(f"{method} cannot be asked with these parameters: {error}") from error
        if protection is None:
            return frame.encode(frame.REQUEST, request)
        return frame.encode(frame.SEALED, protection.seal(frame.REQUEST, request))

    async def _read_for_ever(self) -> None:
        try:
            while True:
                try:
                    await self._read_once()
                except Renewed:
                    self._start_over()
        except FleetError as gone:
            self._fail(gone)

    async def _read_once(self) -> None:
        try:
            async with asyncio.timeout(IDLE_S if self._decoder.in_frame else None):
                data = await self._transport.receive()
        except TimeoutError:
            self._dispatch(self._decoder.idle())
            return
        self._dispatch(self._decoder.feed(data))

    def _start_over(self) -> None:
        """What was on its way is lost; whoever waits asks once more."""
        self._decoder = frame.Decoder(MAX_FRAME_BYTES)
        for pending in self._pending.values():
            if not pending.whole.done():
                pending.whole.set_exception(_Fallen())

    def _dispatch(self, found: list[tuple[int, bytes]]) -> None:
        for kind, payload in found:
            if kind == frame.TEXT:
                self._text += payload
                del self._text[:-TEXT_KEPT_BYTES]
                if self.console is not None:
                    self.console(payload)
            elif kind == frame.SEALED:
                self._on_sealed(payload)
            else:
                self._on_message(kind, payload, None)

    def _on_sealed(self, payload: bytes) -> None:
        """What nobody but our node can have said. Anything else is noise, or somebody's try."""
        protection = self._protection
        opened = None if protection is None else protection.open(payload)
        if isinstance(opened, tuple):
            self._on_message(*opened, protection)

    def _on_message(self, kind: int, payload: bytes, protection: Protection | None) -> None:
        if kind == frame.ANSWER:
            self._on_answer(payload, protection)
        elif kind == frame.EVENT:
            self._on_event(payload, protection)

    def _on_answer(self, payload: bytes, protection: Protection | None) -> None:
        answer = admin.parse_answer(payload)
        if isinstance(answer, admin.Damage):
            return
        self._frames_heard += 1
        self._listens = True
        pending = self._pending.get(answer.seq)
        if pending is None or pending.whole.done() or pending.protection is not protection:
            return  # an unprotected answer to a protected question is nobody's
        pending.last_heard = time.monotonic()
        if answer.code == admin.PART:
            pending.parts.extend(answer.result)
            self._join(pending)
        elif answer.code != admin.DONE:
            pending.whole.set_exception(Refused(answer.code, str(answer.result)))
        elif isinstance(answer.result, int) and not isinstance(answer.result, bool):
            pending.count = answer.result
            self._join(pending)
        elif pending.parts:
            pending.whole.set_exception(TimeoutError())
        else:
            pending.whole.set_result(answer.result)

    def _join(self, pending: _Pending) -> None:
        """Done when all parts are there. One that is missing got lost, where nothing overtakes: then we ask again."""
        if pending.count == len(pending.parts):
            pending.whole.set_result(pending.parts)
        elif pending.count is not None and not self._patience_s:
            pending.whole.set_exception(TimeoutError())

    def _on_event(self, payload: bytes, protection: Protection | None) -> None:
        event = admin.parse_event(payload)
        if isinstance(event, admin.Damage):
            return
        self._frames_heard += 1
        self._listens = True
        if protection is None and event.topic == NO_SESSION:
            self._on_no_session(event.fields)
        elif protection is self._protection and self.events is not None:
            self.events(event.topic, event.fields)

    def _on_no_session(self, name: object) -> None:
        """The node was restarted, or has forgotten us: what was asked in that session was not done."""
        if self._protection is None or name != self._protection.session:
            return
        gone, self._protection = self._protection, None
        for pending in self._pending.values():
            if pending.protection is gone and not pending.whole.done():
                pending.whole.set_exception(TimeoutError())

    def _fail(self, error: FleetError) -> None:
        self._failure = self._failure or error
        for pending in self._pending.values():
            if not pending.whole.done():
                pending.whole.set_exception(error)

    def _as_error(self, no: Refused) -> FleetError:
        return no.as_error(self.name, self._guest_because if self._protection is None else None)

    async def _recognise_text(self) -> Recognised:
        """After frames that nobody answered: a prompt has taken them for keys, a program ignored them."""
        if any(mark in self._text for mark in _PROMPTS):
            return await self._greet_prompt()
        spoke_unasked = bool(self._text)
        mark = await self._text_after(b"\r\x02\r", (*_PROMPTS, _NODE_SAYS), PROMPT_S)
        if mark == _NODE_SAYS:
            return Recognised(Answering.HEDGEROW)
        if mark is not None:
            return await self._greet_prompt()
        return Recognised(Answering.PROGRAM if spoke_unasked or self._text else Answering.NOTHING)

    async def _greet_prompt(self) -> Recognised:
        """It is a prompt, so Ctrl-C stops nothing: leave whatever mode it is in, and read its banner."""
        await self._text_after(b"\x03", (b">>> ",), KEY_S)
        await self._text_after(b"\x02\r", (b">>> \r\n>>> ",), PROMPT_S)
        return Recognised(Answering.PROMPT, banner=banner_in(bytes(self._text)))

    async def _text_after(self, keys: bytes, marks: tuple[bytes, ...], within_s: float) -> bytes | None:
        """Type `keys`; the first of `marks` that the text since then contains, or None if none comes in time."""
        self._text.clear()
        await self._transport.send(keys)
        end = time.monotonic() + within_s
        while time.monotonic() < end:
            await asyncio.sleep(0.01)
            if self._failure is not None:
                raise self._failure
            for mark in marks:
                if mark in self._text:
                    return mark
        return None

    async def _why_silent(self, method: str) -> FleetError:
        if self._frames_heard:
            return LinkError(
                f"the node did not answer {method}", node=self.name, next_step="Run the same command again."
            )
        if not self._has_prompt:
            return LinkError(
                "it did not answer", node=self.name, next_step="It may be out of reach; run the same command again."
            )
        return silence(self.name, await self._recognise_text())
