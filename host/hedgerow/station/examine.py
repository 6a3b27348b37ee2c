"""Knows how to ask a new node for what the self-test judges. Leaves nothing behind; judges nothing.

It is asked through the same sessions as by every command. A node whose last sample is not fresh is restarted first, so
that a sensor which was mended since counts.
"""

import asyncio
import contextlib
import hashlib
import secrets
import time
from collections.abc import Callable, Mapping
from typing import Any

from hedgerow.errors import LinkError, RefusedError
from hedgerow.plans import clock, reach
from hedgerow.plans.reach import Connect
from hedgerow.session import Credentials, Session
from hedgerow.station.self_test import Findings, Ticked

ABOUT_S = 5
WATCH_CLOCK_S = 2.0
FIRST_SAMPLE_WITHIN_S = 20.0
FRESH_MS = 60_000
BACK_WITHIN_S = 30.0
_POLL_S = 0.3
# In short frames the session avoids every Ctrl-C (0x03), by trying numbers: so none stands in the data, in the size of
# the file, or in where a piece begins. In a long frame it cannot, and where a laptop that is busy with other boards
# pauses inside it, the node takes the rest for typed text and stops.
_FILE, _FILE_BYTES, _PIECE_BYTES = "/self-test.tmp", 760, 190

Say = Callable[[str, float], None]


async def examine(port: str, connect: Connect, say: Say, keys: Credentials | None = None) -> Findings:
    """Ask the node at that port. Raises LinkError where it falls silent."""
    async with reach.one_node(None, [port], connect=connect, credentials=keys) as reached:
        latest = await _fresh_sample(reached.session, reached.hello)
        if latest is not None:
            return await _ask(reached.session, latest, say)
        say("restarting it, so that its sensors are read anew", 0.0)
        await reached.session.ask("restart")
    return await _after_restart(port, connect, say, keys)


async def _after_restart(port: str, connect: Connect, say: Say, keys: Credentials | None) -> Findings:
    end = time.monotonic() + BACK_WITHIN_S
    while True:
        await asyncio.sleep(2 * _POLL_S)
        try:
            async with reach.one_node(None, [port], connect=connect, credentials=keys) as reached:
                latest = await _fresh_sample(reached.session, reached.hello)
                if latest is not None:
                    return await _ask(reached.session, latest, say)
        except LinkError:
            if time.monotonic() > end:
                raise
        if time.monotonic() > end:
            raise LinkError(f"it gave no sample within {BACK_WITHIN_S:.0f} s of its restart", node=port)


async def _fresh_sample(session: Session, hello: Mapping[str, Any]) -> Mapping[str, int] | None:
    """The channels of its last sample; None where that is an old one. A node that has just started reads at once."""
    end = time.monotonic() + FIRST_SAMPLE_WITHIN_S
    while True:
        newest = (await session.ask("status"))["samples"]
        rows = await session.ask("samples", {"after": max(0, newest - 1), "limit": 1}) if newest else []
        if rows:
            _, _, uptime_ms, boot, channels = rows[-1]
            if boot == hello["boots"]:
                return channels if hello["uptime_ms"] - uptime_ms <= FRESH_MS else None
        if hello["uptime_ms"] > FRESH_MS or time.monotonic() > end:
            return None
        await asyncio.sleep(_POLL_S)


async def _ask(session: Session, latest: Mapping[str, int], say: Say) -> Findings:
    say("watching its clock, trying its flash", 0.2)
    first = await _tick(session)
    kept = await _keeps_a_file(session)
    say("asking for sensors, radio and battery", 0.6)
    neighbours = await session.ask("neighbours")
    await asyncio.sleep(max(0.0, WATCH_CLOCK_S - (time.monotonic() - first[1])))
    last = await _tick(session)
    status = await session.ask("status")
    ticked = Ticked(
        node_ms=last[0] - first[0],
        ours_ms=round((last[1] - first[1]) * 1000),
        doubt_ms=round((first[2] + last[2]) * 500) + 2,
    )
    off_s = None
    if isinstance(status["time_s"], int):
        off_s = status["time_s"] + clock.DTN_EPOCH_S - round(time.time())
    return Findings(status, latest, neighbours, kept, ticked, off_s)


async def _tick(session: Session) -> tuple[int, float, float]:
    """The node's uptime in ms, when that was on our clock, and how long the question took, in s."""
    asked = time.monotonic()
    uptime_ms = (await session.ask("hello"))["uptime_ms"]
    answered = time.monotonic()
    return uptime_ms, (asked + answered) / 2, answered - asked


async def _keeps_a_file(session: Session) -> bool:
    """Whether a file of three flash pages, made by chance, reads back whole. It is removed again."""
    data = secrets.token_bytes(_FILE_BYTES).replace(b"\x03", b"\x30")
    digest = hashlib.sha256(data).digest()
    try:
        at = (await session.ask("put_begin", {"path": _FILE, "size": len(data), "sha256": digest}))["have"]
        while at < len(data):
            piece = {"offset": at, "data": data[at : at + _PIECE_BYTES]}
            after = (await session.ask("put_data", piece))["next"]
            if after <= at:
                return False
            at = after
        return bytes((await session.ask("put_end"))["sha256"]) == digest
    except RefusedError:
        return False
    finally:
        with contextlib.suppress(RefusedError, LinkError):  # it was never there, or the cable went
            await session.ask("remove", {"path": _FILE})
