"""Knows how to ask a node for all that somebody beside it wants to know, within a bounded time. Judges nothing.

What is not answered in time is named, and the rest is told all the same. Only `status` itself must come.
"""

import asyncio
import time
from typing import Any

from hedgerow.errors import FleetError, NotAllowedError
from hedgerow.plans import clock
from hedgerow.plans.condition import Seen
from hedgerow.plans.reach import Reached
from hedgerow.plans.ways import MESH

WITHIN_S = 4.0  # of all questions together, beside a node; finding it takes part of a second before
FAR_WITHIN_S = 120.0  # through the mesh: two rounds of bundles
_LINES = 16


def within_s(port: str) -> float:
    """How long the questions may take by that way."""
    return FAR_WITHIN_S if port.startswith(MESH) else WITHIN_S


async def look(node: Reached, *, now_s: int | None = None) -> Seen:
    """Ask it. Raises NotAllowedError where it tells us nothing, and what `status` failed with."""
    session, limit_s = node.session, within_s(node.port)
    end = time.monotonic() + limit_s
    silent: list[str] = []

    async def ask(method: str, params: dict[str, Any] | None = None) -> Any:
        """The answer, or None where there is none in time, or the node knows no such thing."""
        left_s = max(0.1, end - time.monotonic())
        try:
            async with asyncio.timeout(left_s):
                return await session.ask(method, params, left_s)
        except TimeoutError:
            silent.append(method)
        except NotAllowedError:
            raise
        except FleetError:
            pass  # older firmware, no second slot, short of memory
        return None

    asked = asyncio.create_task(session.ask("status", None, limit_s / 2))
    others = asyncio.gather(ask("config"), ask("neighbours"), ask("slots"))
    try:
        status = await asked
        config, neighbours, slots = await others
    except BaseException:
        others.cancel()
        await asyncio.gather(others, return_exceptions=True)
        raise
    last = status.get("samples") or 0
    samples, log = await asyncio.gather(
        ask("samples", {"after": max(0, last - 1), "limit": 4}),
        ask("log", {"after": max(0, (status.get("log_next") or 0) - 1 - _LINES)}),
    )
    now_s = int(time.time()) if now_s is None else now_s
    return Seen(
        now_s,
        node.port,
        node.hello,
        status,
        config,
        neighbours,
        slots,
        samples[-1] if samples else None,
        log or (),
        tuple(silent),
        clock.correction_s(node.hello.get("time_s"), now_s) is not None,
    )
