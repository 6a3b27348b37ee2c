"""Knows how a node comes to run a release: what it lacks is sent, all of it verified, tried, confirmed, read back.

Every step says what shall be: whatever interrupts an update, running it again does what is left. The node judges the
release by itself; what is asked here first only spares the way.
"""

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from hedgenode.rules import releases as rules
from hedgerow.errors import FleetError, InterruptedWork, RefusedError, VerificationError
from hedgerow.plans.reach import Reached
from hedgerow.plans.release import Kept
from hedgerow.plans.ways import open_way
from hedgerow.session import Credentials, Session
from hedgerow.transports import Transport, ports
from hedgewire.release import FILE_NAME

PATIENCE_S = 60.0  # of a node that copies and hashes; it says meanwhile that it is at work
BACK_WITHIN_S = 40.0
_POLL_S = 0.2
_SHORT = 8  # bytes of a digest that a node remembers

Connect = Callable[[str], Awaitable[Transport]]
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Updated:
    """How it went: `changed` is False where the node ran the release already."""

    node: str
    changed: bool
    files_sent: int = 0
    bytes_sent: int = 0
    seconds: float = 0.0


def refusal(kept: Kept, hello: Mapping[str, Any]) -> str | None:
    """Why that node could not run it, as far as its hello tells."""
    return (
        rules.fleet_fault(kept.says, hello["fleet"])
        or rules.board_fault(kept.says, hello["board"])
        or rules.mpy_fault(kept.says, hello["mpy"])
    )


async def update(
    node: Reached,
    kept: Kept,
    tell: Tell,
    *,
    connect: Connect = ports.connect,
    credentials: Credentials | None = None,
) -> Updated:
    """Bring one node to the release. Raises RefusedError for what it must not run, LinkError, InterruptedWork."""
    began = time.monotonic()
    if (why := refusal(kept, node.hello)) is not None:
        raise RefusedError(f"release {kept.says.sequence} is not for it: {why}", node=node.name)
    files = kept.files()
    sent: list[int] = []
    state = await node.session.ask("slots")
    session = node.session
    if _runs(state, kept) and state["tries"] is None:
        return Updated(node.name, changed=False)
    try:
        if not _runs(state, kept):
            sent = await _bring(session, kept, files, tell)
            tell("checking all of it")
            await session.ask("slot_try", timeout_s=PATIENCE_S)
            tell("restarting into it")
            boots = int(node.hello["boots"])
            await session.ask("restart")
            await session.close()
            session = await _back(node.port, boots, connect, credentials)
        await _confirm(session, kept, node.name)
    finally:
        if session is not node.session:
            await session.close()
    return Updated(node.name, True, len(sent), sum(sent), time.monotonic() - began)


async def _bring(session: Session, kept: Kept, files: Mapping[str, bytes], tell: Tell) -> list[int]:
    """Sizes of the files that went over the cable."""
    await put_file(session, f"/{FILE_NAME}", kept.paper.encode())
    tell("copying what it has already")
    lacking = await session.ask("slot_prepare", timeout_s=PATIENCE_S)
    slot = "/b" if (await session.ask("slots"))["running"] == "/a" else "/a"
    tell(f"sending {len(lacking)} files, {sum(len(files[path]) for path in lacking):,} bytes")
    for path in lacking:
        await put_file(session, f"{slot}/{path}", files[path])
    return [len(files[path]) for path in lacking]


async def put_file(session: Session, path: str, data: bytes) -> None:
    """Bring one file whole, going on with what is there of it; VerificationError where it reads back otherwise."""
    sha256 = hashlib.sha256(data).digest()
    at = (await session.ask("put_begin", {"path": path, "size": len(data), "sha256": sha256}))["have"]
    while at < len(data):
        after = (await session.ask("put_data", {"offset": at, "data": data[at : at + session.piece_bytes]}))["next"]
        if after <= at:
            raise VerificationError(f"{path} does not grow on the node", next_step="Run the same command again")
        at = after
    if bytes((await session.ask("put_end"))["sha256"]) != sha256:
        raise VerificationError(f"{path} did not read back as sent", next_step="Run the same command again")


async def _has_started_again(session: Session, boots: int) -> bool:
    """Whether it has; if not, or if nobody waits for it any more, the session is closed."""
    started = False
    try:
        started = int((await session.ask("hello", timeout_s=1.0))["boots"]) > boots
    finally:
        if not started:
            await session.close()
    return started


async def _back(port: str, boots: int, connect: Connect, credentials: Credentials | None) -> Session:
    """A session with the node once it has started again."""
    end = time.monotonic() + BACK_WITHIN_S
    while time.monotonic() < end:
        try:
            session = Session(await open_way(port, connect, credentials), name=port, credentials=credentials)
            if await _has_started_again(session, boots):
                return session
        except FleetError:
            pass  # a board with USB of its own takes its port away for a moment
        await asyncio.sleep(_POLL_S)
    raise InterruptedWork(
        f"the node did not come back within {BACK_WITHIN_S:.0f} s",
        state="If the new release does not run, it goes back to the one before by itself",
        next_step="Run the same command again",
    )


async def _confirm(session: Session, kept: Kept, name: str) -> None:
    """The health check: the node runs the release, answers, and its stores are whole."""
    state = await session.ask("slots")
    if not _runs(state, kept):
        raise RefusedError(
            f"release {kept.says.sequence} did not start; the node went back to what ran before",
            node=name,
            next_step="`hedgerow logs` has its reason. Mend the release and build the next one",
        )
    status = await session.ask("status")
    if status["heap_free"] <= 0:
        raise RefusedError("the release leaves the node no memory; it goes back by itself", node=name)
    after = await session.ask("slot_confirm")
    if not _runs(after, kept) or after["tries"] is not None or after["stands"] != after["running"]:
        raise VerificationError("the release does not stand, though it was confirmed", node=name)


def _runs(state: Mapping[str, Any], kept: Kept) -> bool:
    return bytes(state["digest"]) == kept.paper.digest[:_SHORT] and state["sequence"] == kept.says.sequence
