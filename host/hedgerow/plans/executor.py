"""Knows how to carry the steps of a plan out on one board. Decides nothing: the plan did.

Verifying is planning again: when nothing is left to do, the node is what was wanted. Every step is read back from the
board. When the way to it breaks, the error says which steps are done; running the same plan again does the rest.
"""

import asyncio
import contextlib
import secrets
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from hedgerow.errors import (
    FleetError,
    InterruptedWork,
    LinkError,
    LocalError,
    NotAllowedError,
    RemoteError,
    VerificationError,
)
from hedgerow.fleet.groups import GroupKey
from hedgerow.fleet.inventory import NodeSpec
from hedgerow.fleet.keys import PUBLIC_BYTES, key_id
from hedgerow.fleet.label import WaitingLabel
from hedgerow.plans import clock, labels, look, provision, trust_files
from hedgerow.plans.firmware import FirmwareSet
from hedgerow.plans.look import CONFIG_PATH, LABEL_PATH, NodeFacts
from hedgerow.plans.provision import (
    Consent,
    CreateIdentity,
    Enrol,
    GiveDocuments,
    InstallFiles,
    RemoveFiles,
    Restart,
    Step,
    Verify,
)
from hedgerow.repl import Repl
from hedgerow.repl.copy import FileToCopy, copy_files
from hedgerow.session import Answering, Credentials, Session
from hedgerow.transports import Transport, ports
from hedgewire import cbor

Connect = Callable[[str], Awaitable[Transport]]

RETURN_WITHIN_S = 20.0  # a board with USB of its own needs seconds to come back; an emulated one more
IDENTITY_WITHIN_S = 60.0  # Ed25519 in Python: half a second on a chip, more on an emulated one
PROMPTS_UNTIL_SURE = 3  # a board at its prompt that often in a row, seconds apart, is not starting any more
_POLL_S = 0.2
_STEP_WEIGHT_BYTES = 3000  # what a step without files counts in the progress, against bytes of files

_END_DEV_MODE = """
import os
try: os.remove('/dev')
except OSError: pass
"""
_IDENTITY = """
import sys
if '/a' not in sys.path: sys.path.insert(0, '/a')
from hedgenode import identity
made = identity.create(bytes.fromhex('{entropy}'))
print(made.hex() if identity.public() == made else '')
"""


class Enroller(Protocol):
    """What the executor needs of a fleet: take a key in, say what the node is to be from then on, give groups' keys."""

    def enrol_as(self, name: str, node: bytes, *, replaces_lost: bool) -> NodeSpec: ...

    def group_keys(self, spec: NodeSpec) -> list[GroupKey]: ...

    def note_epochs(self, node: bytes, epochs: Mapping[bytes, int]) -> None: ...


@dataclass(frozen=True)
class Progress:
    """Where the work on one port stands. `fraction` is 0..1 of the whole plan."""

    port: str
    node: str
    doing: str
    fraction: float


Tell = Callable[[Progress], None]


class PortWork:
    """One board on one port, from the first look to the last. Opens the port when it needs it; `close()` it."""

    def __init__(
        self,
        port: str,
        connect: Connect = ports.connect,
        tell: Tell | None = None,
        credentials: Credentials | None = None,
    ) -> None:
        self.port = port
        # What it is to be comes with the plan: a node that asks nobody yet is looked at as it is.
        self._credentials = None if credentials is None else replace(credentials, insists=lambda _: False)
        self._connect = connect
        self._tell = tell or (lambda _: None)
        self._transport: Transport | None = None
        self._repl: Repl | None = None
        self._session: Session | None = None
        self._node = ""
        self._weights = (0, 1)  # of the steps that are done, of all
        self._said = bytearray()  # what a starting board prints
        self.public: bytes | None = None  # the board's key, as far as it was seen at its prompt

    async def close(self) -> None:
        """Give the port back. Never raises; a second call does nothing."""
        self._repl = None
        await self._drop()

    async def look(self) -> NodeFacts:
        """What is there. A running node stays running; anything else is taken to its prompt."""
        self._say("looking at it", 0)
        try:
            facts = await look.running(await self._enter_session())
        except NotAllowedError as no:  # whoever has the prompt needs no key
            with _unless_refused(no):
                await self._enter_repl()
            facts = None
        if facts is None:
            facts = await look.at_prompt(await self._enter_repl())
        self.public = facts.public
        return replace(facts, port=self.port)

    async def wake(self) -> None:
        """Let the board run again what was stopped to look at it."""
        if self._repl is not None:
            await self._repl.hard_reset()
            self._repl = None

    async def carry_out(
        self,
        steps: list[Step],
        spec: NodeSpec,
        seen: NodeFacts,
        fleet: Enroller | None,
        firmware: FirmwareSet,
        consent: Consent,
    ) -> NodeSpec:
        """Do the steps in order; returns the node as it is to be now, with its enrolment.

        `fleet` is for steps that take the node into one. Raises InterruptedWork when the way to the board breaks,
        VerificationError when it comes up as something else.
        """
        work = _Work(spec, seen, fleet, firmware, consent)
        self._node = spec.name
        if seen.has_locked_console and not all(isinstance(step, (provision.GiveGroupKeys, Verify)) for step in steps):
            await self._open_console()
        total = sum(_weight(step) for step in steps) or 1
        done = 0
        for number, step in enumerate(steps):
            self._weights = (done, total)
            self._say(str(step), 0)
            try:
                await self._do(step, work)
            except LinkError as gone:
                raise _interrupted(gone, self.port, steps, number) from gone
            done += _weight(step)
        self._weights = (total, total)
        self._say("done", 0)
        return work.spec

    async def keep_clock_right(self) -> None:
        """Tell the node that runs there the time, if it has it wrong; no reason to call the work a failure."""
        if self._session is not None:
            with contextlib.suppress(FleetError):
                await clock.keep_right(self._session, await self._session.ask("hello"))

    async def _do(self, step: Step, work: "_Work") -> None:
        match step:
            case InstallFiles():
                await self._install(step)
            case RemoveFiles():
                await self._remove(step)
            case CreateIdentity():
                self.public = await self._identity()
            case Enrol():
                public = self.public or await self._identity()
                work.spec = work.enroller.enrol_as(work.spec.name, public, replaces_lost=work.consent.replace)
            case GiveDocuments():
                await self._give_documents(work)
            case provision.WriteConfig():
                await self._write_config(work)
            case provision.LetItWait():
                await self._let_it_wait(step.secret, work)
            case provision.ShowLabel():
                await self._show_label(step.secret, work)
            case provision.GiveGroupKeys():
                session = await self._returned()
                await self._refuse_eavesdropper(session, work.spec)
                await give_group_keys(session, work.spec, work.enroller)
            case Restart():
                repl = await self._enter_repl()
                with contextlib.suppress(LinkError):  # a reset that was lost shows in the next step
                    await repl.exec(_END_DEV_MODE)
                await repl.hard_reset()
                self._repl = None
            case Verify():
                await self._verify(work)

    async def _open_console(self) -> None:
        """Ctrl-C leads nobody to a locked prompt; whoever may ask the node to gets there by a start without program."""
        self._say("asking it for its prompt", 0)
        with contextlib.suppress(LinkError):  # the answer may be lost in the restart
            await (await self._enter_session()).ask("dev")
        end = time.monotonic() + RETURN_WITHIN_S
        while time.monotonic() < end:
            await asyncio.sleep(_POLL_S)
            try:
                if (await (await self._enter_session()).recognise()).answering is Answering.PROMPT:
                    return
            except LinkError:
                await self._drop()
        raise LinkError(
            "its console is locked, and it did not come to its prompt when it was asked to",
            node=self.port,
            next_step="Cut its power for a moment, then run the same command again",
        )

    async def _install(self, step: InstallFiles) -> None:
        repl = await self._enter_repl()
        sizes = {file.path: len(file.data) for file in step.files}
        arrived: dict[str, int] = {}

        def tell(path: str, bytes_done: int, _: int) -> None:
            arrived[path] = bytes_done
            self._say(
                f"{sum(1 for p in arrived if arrived[p] == sizes[p])} of {len(sizes)} files, {path.rpartition('/')[2]}",
                sum(arrived.values()),
            )

        await copy_files(repl, step.files, tell)
        await repl.soft_reset()  # modules that the board has imported are the old ones

    async def _remove(self, step: RemoveFiles) -> None:
        repl = await self._enter_repl()
        code = f"import os\nfor p in {list(step.paths)!r}:\n    os.remove(p)\n"
        await repl.exec(code + "print('gone')")

    async def _identity(self) -> bytes:
        repl = await self._enter_repl()
        code = _IDENTITY.format(entropy=secrets.token_bytes(PUBLIC_BYTES).hex())
        said = (await repl.exec(code, IDENTITY_WITHIN_S)).decode(errors="replace").strip()
        try:
            public = bytes.fromhex(said)
        except ValueError:
            public = b""
        if len(public) != PUBLIC_BYTES:
            raise RemoteError(
                f"the identity that the node made reads back as {said[:80]!r}",
                node=self.port,
                next_step="Run the same command again; if it happens twice, the flash is worn",
            )
        return public

    async def _give_documents(self, work: "_Work") -> None:
        # Whole files, by the prompt: whoever has that may say whom a node trusts. Over the air only signatures do.
        await copy_files(await self._enter_repl(), trust_files.wanted(work.spec).files)

    async def _let_it_wait(self, secret: bytes, work: "_Work") -> None:
        public = self.public or await self._identity()
        config = cbor.encode(labels.waiting_config(key_id(public), work.spec.board))
        files = [FileToCopy(LABEL_PATH, secret), FileToCopy(CONFIG_PATH, config)]
        await copy_files(await self._enter_repl(), files)

    async def _show_label(self, secret: bytes, work: "_Work") -> None:
        public = self.public or await self._identity()
        self._credentials = labels.shown(WaitingLabel(public, secret, work.spec.board.id))
        session = await self._returned()
        if not await session.is_protected():
            raise VerificationError(
                f"it runs, and its label does not open it: {session.guest_because}",
                node=self.port,
                next_step="Run the same command again; if it happens twice, the flash is worn",
            )
        await session.ask("move")  # so that it has answered somebody who holds the label

    async def _write_config(self, work: "_Work") -> None:
        if work.spec.enrolment is None:
            raise LocalError("a configuration needs an enrolment first")
        wanted = work.spec.config(work.spec.enrolment)
        # What the node keeps there beside our settings stays, unless it comes from another fleet.
        kept = work.seen.config or {}
        merged = {**kept, **wanted} if kept.get("fleet") == work.spec.fleet else wanted
        await copy_files(await self._enter_repl(), [FileToCopy(CONFIG_PATH, cbor.encode(merged))])

    async def _verify(self, work: "_Work") -> None:
        session = await self._returned()
        seen = await look.running(session)
        await self._refuse_eavesdropper(session, work.spec)
        if seen is None:
            raise LinkError("the node fell silent while it was verified", node=self.port)
        left = provision.plan(work.spec, seen, work.firmware)
        if left:
            raise VerificationError(
                f"{work.spec.name} runs, but it is not what was written: it would still need to "
                + "; ".join(str(step) for step in left if step.changes),
                node=self.port,
                next_step="Run the same command again; if it happens twice, the flash is worn",
            )

    async def _refuse_eavesdropper(self, session: Session, spec: NodeSpec) -> None:
        """A node that is to ask for keys is told nothing, and believed nothing, before it has shown its own."""
        if spec.is_protected and not await session.is_protected():
            raise VerificationError(
                f"{spec.name} is to ask for keys and does not: {session.guest_because}",
                node=self.port,
                next_step="Run the same command again; if it happens twice, somebody else may answer on this line",
            )

    async def _returned(self) -> Session:
        """A session with the node that was just restarted, which may have taken its port away and brought it back."""
        end = time.monotonic() + RETURN_WITHIN_S
        at_prompt = 0
        self._said.clear()
        while time.monotonic() < end and at_prompt < PROMPTS_UNTIL_SURE:
            try:
                session = await self._enter_session()
                found = await session.recognise()
                if found.answering is Answering.HEDGEROW and found.hello is not None:
                    return session
                at_prompt = at_prompt + 1 if found.answering is Answering.PROMPT else 0
            except LinkError:
                await self._drop()
                if time.monotonic() + _POLL_S > end:
                    raise
            await asyncio.sleep(_POLL_S)
        said = _last_words(bytes(self._said))
        raise VerificationError(
            f"{self._node} was written, but its program does not come up" + (f"; it says '{said}'" if said else ""),
            node=self.port,
            next_step="Run the same command again; if it happens twice, this firmware does not fit this board",
        )

    async def _enter_session(self) -> Session:
        if self._session is None:
            if self._transport is None:
                self._transport = await self._connect(self.port)
            self._session = Session(
                self._transport, console=self._said.extend, name=self.port, credentials=self._credentials
            )
        return self._session

    async def _leave_session(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.release()

    async def _enter_repl(self) -> Repl:
        if self._repl is None:
            await self._leave_session()
            if self._transport is None:
                self._transport = await self._connect(self.port)
            self._repl = Repl(self._transport)
            await self._repl.enter()
        return self._repl

    async def _drop(self) -> None:
        await self._leave_session()
        transport, self._transport = self._transport, None
        if transport is not None:
            await transport.close()

    def _say(self, doing: str, bytes_done: int) -> None:
        before, total = self._weights
        self._tell(Progress(self.port, self._node, doing, min(1.0, (before + bytes_done) / total)))


@contextlib.contextmanager
def _unless_refused(no: NotAllowedError) -> Iterator[None]:
    """What no prompt answers to was refused by its node, and that is what a person has to hear."""
    try:
        yield
    except LinkError:
        raise no from None


@dataclass
class _Work:
    """What the steps of one plan hand to each other."""

    spec: NodeSpec
    seen: NodeFacts
    fleet: Enroller | None
    firmware: FirmwareSet
    consent: Consent

    @property
    def enroller(self) -> Enroller:
        if self.fleet is None:
            raise LocalError("to take a node in needs a fleet")
        return self.fleet


async def give_group_keys(session: Session, spec: NodeSpec, fleet: Enroller) -> None:
    """Give the keys of its groups to the node that runs: it keeps them where no file system copies them."""
    known = {bytes(row[0]): row[2] for row in await session.ask("groups")}
    for key in fleet.group_keys(spec):
        given = {"id": key.id, "name": key.name, "epoch": key.epoch, "secret": key.secret}
        kept = await session.ask("group_put", given)
        if kept["epoch"] < key.epoch:
            raise VerificationError(f"{spec.name} did not keep the key of group {key.name}", node=session.name)
        known[key.id] = kept["epoch"]
    if spec.enrolment is not None:
        fleet.note_epochs(spec.enrolment.node_id, known)


def _last_words(said: bytes) -> str:
    """What a board printed last that is not its prompt: the last line of a traceback, most often."""
    lines = [line.strip(" >") for line in said.decode(errors="replace").splitlines()]
    telling = [line for line in lines if line and not line.startswith(("MicroPython v", 'Type "help'))]
    return telling[-1][-200:] if telling else ""


def _weight(step: Step) -> int:
    return sum(len(file.data) for file in step.files) if isinstance(step, InstallFiles) else _STEP_WEIGHT_BYTES


def _interrupted(gone: LinkError, port: str, steps: list[Step], number: int) -> InterruptedWork:
    done = "; ".join(str(step) for step in steps[:number] if step.changes)
    return InterruptedWork(
        f"stopped at '{steps[number]}': {gone.what}",
        node=port,
        state=f"Done so far: {done}" if done else "What had arrived whole stays; nothing is half written",
        next_step="Check cable and power, then run the same command again: it does what is left",
    )
