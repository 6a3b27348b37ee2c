"""Knows how to fetch what a node has measured and kept, as plain values for a report. Judges nothing, draws nothing."""

import asyncio
from collections.abc import Sequence
from typing import Any

from hedgerow.errors import FleetError, VerificationError
from hedgerow.plans.clock import DTN_EPOCH_S
from hedgerow.plans.executor import Connect
from hedgerow.plans.ways import open_way
from hedgerow.session import Credentials, Session
from hedgerow.transports import ports

MOST_SAMPLES = 4096
_SAMPLES_WITHIN_S = 20.0


async def node(session: Session) -> dict[str, Any]:
    """One node's facts: name, short, id, board, boots, micropython, status, samples, bundles.

    Raises VerificationError when its samples are out of order or repeated.
    """
    hello, status = await session.ask("hello"), await session.ask("status")
    samples = await session.ask("samples", {"limit": MOST_SAMPLES}, timeout_s=_SAMPLES_WITHIN_S)
    bundles = await session.ask("bundles")
    numbers = [row[0] for row in samples]
    if sorted(set(numbers)) != numbers:
        raise VerificationError(
            "its samples are out of order or repeated",
            node=hello["name"],
            next_step="Run the same command again; if it happens twice, the flash is worn",
        )
    return {
        "name": hello["name"],
        "short": hello["short"],
        "id": bytes(hello["id"]).hex(),
        "board": hello["board"],
        "boots": hello["boots"],
        "micropython": hello["mp"],
        "status": status,
        "samples": [
            {"seq": seq, "time_s": time_s + DTN_EPOCH_S, "boot": boot, "values": values}
            for seq, time_s, _, boot, values in samples
        ],
        "bundles": [
            {"id": bytes(bundle_id).hex(), "state": state, "copies": copies, "size": size}
            for bundle_id, _, _, state, copies, size, _ in bundles
        ],
    }


async def from_ports(
    port_names: Sequence[str], connect: Connect = ports.connect, credentials: Credentials | None = None
) -> tuple[list[dict[str, Any]], dict[str, FleetError]]:
    """The facts of the nodes on these ports, by name, and what went wrong on the others."""

    async def one(port: str) -> dict[str, Any] | FleetError:
        try:
            async with Session(
                await open_way(port, connect, credentials), name=port, credentials=credentials
            ) as session:
                return await node(session)
        except FleetError as error:
            return error

    answers = dict(zip(port_names, await asyncio.gather(*map(one, port_names)), strict=True))
    found = [answer for answer in answers.values() if isinstance(answer, dict)]
    errors = {port: answer for port, answer in answers.items() if isinstance(answer, FleetError)}
    return sorted(found, key=lambda facts: facts["name"]), errors
