"""Knows how a node comes to run a release: what it lacks is sent, all of it verified, tried, confirmed, read back.

Every step says what shall be: whatever interrupts an update, running it again does what is left. The node judges the
release by itself; what is asked here first only spares the way.
"""

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hedgenode.rules import releases as rules
from hedgerow.errors import FleetError, InterruptedWork, RefusedError, VerificationError
from hedgerow.plans import difference
from hedgerow.plans.reach import Reached
from hedgerow.plans.release import Kept
from hedgerow.plans.ways import open_way
from hedgerow.session import Credentials, Session
from hedgerow.transports import Transport, ports
from hedgewire.release import FILE_NAME

PATIENCE_S = 60.0  # of a node that copies and hashes; it says meanwhile that it is at work
BACK_WITHIN_S = 40.0
_POLL_S = 0.2
_RESTARTS_AFTER_S = 0.3  # until then it answers as before
_SHORT = 8  # bytes of a digest that a node remembers

Connect = Callable[[str], Awaitable[Transport]]
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Updated:
    """How it went: `changed` is False where the node ran it already; `bytes_sent` is what it lacked of files."""

    node: str
    changed: bool
    files_sent: int = 0
    bytes_sent: int = 0
    manifest_bytes_sent: int = 0
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
    manifest = 0
    state = await node.session.ask("slots")
    session = node.session
    if _runs(state, kept) and state["tries"] is None:
        return Updated(node.name, changed=False)
    try:
        if not _runs(state, kept):
            manifest, sent = await _bring(session, kept, files, str(state["running"]), tell)
            tell("checking all of it")
            await session.ask("slot_try", timeout_s=PATIENCE_S)
            tell("restarting into it")
            boots = int(node.hello["boots"])
            await session.ask("restart")
            await session.close()
            if credentials is not None:
                credentials.kept.forget(bytes(node.hello["id"]))  # the node forgets what was agreed, too
            session = await _back(node.port, boots, connect, credentials)
        await _confirm(session, kept, node.name)
    finally:
        if session is not node.session:
            await session.close()
    return Updated(node.name, True, len(sent), sum(sent), manifest, time.monotonic() - began)


async def _bring(
    session: Session, kept: Kept, files: Mapping[str, bytes], here: str, tell: Tell
) -> tuple[int, list[int]]:
    """How many bytes of the manifest, and of each file that the node lacked, went over the cable."""
    path = f"/{FILE_NAME}"
    manifest = await put_difference(session, path, kept.paper.encode(), path)
    tell("copying what it has already")
    lacking = await session.ask("slot_prepare", timeout_s=PATIENCE_S)
    there = "/b" if here == "/a" else "/a"
    tell(f"sending what it lacks of {len(lacking)} files, {sum(len(files[path]) for path in lacking):,} bytes")
    return manifest, [
        await put_difference(session, f"{there}/{path}", files[path], f"{here}/{path}") for path in lacking
    ]


async def put_difference(session: Session, path: str, data: bytes, base: str) -> int:
    """Bring one file by what the node lacks of it, where it has something like it in `base`; how many bytes went."""
    begun = await _begin(session, path, data, base=base)
    # A node of an earlier release says nothing of its blocks: then it is a file of which nothing is known.
    made = difference.pieces(data, begun.get("size", 0), bytes(begun.get("sums", b"")))
    if difference.lacking(made) < len(data):
        try:
            await _put_pieces(session, path, data, begun["have"], made)
            return difference.lacking(made)
        except RefusedError:
            begun = {"have": 0}  # sums that match by chance made another file: now all of it goes
            await _begin(session, path, data)
    await _put_all(session, path, data, begun["have"])
    return len(data)


async def _put_pieces(session: Session, path: str, data: bytes, have: int, made: Sequence[difference.Piece]) -> None:
    for offset, group in difference.requests(made, have, session.piece_bytes):
        after = await session.ask("put_pieces", {"offset": offset, "pieces": group})
        if after["next"] <= offset:
            raise _stuck(path)
    await _end(session, path, data)


async def put_file(session: Session, path: str, data: bytes) -> None:
    """Bring one file whole, going on with what is there of it; VerificationError where it reads back otherwise."""
    await _put_all(session, path, data, (await _begin(session, path, data))["have"])


async def _put_all(session: Session, path: str, data: bytes, at: int) -> None:
    while at < len(data):
        after = (await session.ask("put_data", {"offset": at, "data": data[at : at + session.piece_bytes]}))["next"]
        if after <= at:
            raise _stuck(path)
        at = after
    await _end(session, path, data)


async def _begin(session: Session, path: str, data: bytes, **base: str) -> dict[str, Any]:
    about = {"path": path, "size": len(data), "sha256": hashlib.sha256(data).digest()}
    return await session.ask("put_begin", {**about, **base})


async def _end(session: Session, path: str, data: bytes) -> None:
    if bytes((await session.ask("put_end"))["sha256"]) != hashlib.sha256(data).digest():
        raise VerificationError(f"{path} did not read back as sent", next_step="Run the same command again")


def _stuck(path: str) -> VerificationError:
    return VerificationError(f"{path} does not grow on the node", next_step="Run the same command again")


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
    await asyncio.sleep(_RESTARTS_AFTER_S)
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
    """The health check: a node that answers this has started the release, under its configuration and its keys."""
    state = await session.ask("slot_confirm")
    if not _runs(state, kept):
        raise RefusedError(
            f"release {kept.says.sequence} did not start; the node went back to what ran before",
            node=name,
            next_step="`hedgerow logs` has its reason. Mend the release and build the next one",
        )
    if state["tries"] is not None or state["stands"] != state["running"]:
        raise VerificationError("the release does not stand, though it was confirmed", node=name)


def _runs(state: Mapping[str, Any], kept: Kept) -> bool:
    return bytes(state["digest"]) == kept.paper.digest[:_SHORT] and state["sequence"] == kept.says.sequence
