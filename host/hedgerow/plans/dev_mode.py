"""Knows how to restart a node with its program and watchdog off, and how to see that it worked. Prints nothing."""

import asyncio
import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass

from hedgerow.errors import LinkError, VerificationError
from hedgerow.plans import reach
from hedgerow.plans.reach import Connect
from hedgerow.session import Answering, Credentials, Recognised, Session
from hedgerow.transports import ports

RESTART_S = 20.0
LOOK_EVERY_S = 0.5
ANSWER_S = 2.0


@dataclass(frozen=True)
class AtPrompt:
    """A node whose MicroPython prompt answers on `port`."""

    node: str
    port: str
    banner: str | None


async def restart_in_dev_mode(
    who: str | None,
    port_names: Sequence[str] | None,
    *,
    connect: Connect = ports.connect,
    credentials: Credentials | None = None,
) -> AtPrompt:
    """Ask the node, then look at the port until the prompt answers. VerificationError if it does not come."""
    async with reach.one_node(who, port_names, connect=connect, credentials=credentials) as reached:
        # The answer may be lost in the restart; what counts is what the port shows afterwards.
        with contextlib.suppress(LinkError):
            await reached.session.ask("dev", timeout_s=ANSWER_S)
        name, path = reached.name, reached.port
    found = await _wait_for_prompt(name, path, connect)
    return AtPrompt(name, path, found.banner)


async def _wait_for_prompt(name: str, path: str, connect: Connect) -> Recognised:
    """A board with USB of its own takes its port away while it restarts: open it anew each time."""
    end = time.monotonic() + RESTART_S
    found = None
    while time.monotonic() < end:
        with contextlib.suppress(LinkError):
            async with Session(await connect(path), name=name) as session:
                found = await session.recognise()
                if found.answering is Answering.PROMPT:
                    return found
        await asyncio.sleep(LOOK_EVERY_S)
    still = "its program still answers" if found and found.answering is Answering.HEDGEROW else "no prompt answers"
    raise VerificationError(
        f"{still} {RESTART_S:.0f} s after it was asked to restart", node=name, next_step="Run the same command again."
    )
