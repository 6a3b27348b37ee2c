"""Knows when a node's wall clock should be set, and sets it. Knows no command.

A board forgets the time with its power, so whoever meets a node and knows better sets its clock. Nothing is routed or
kept by it: it dates samples and the log. A node that cannot or may not be told the time is left as it is.
"""

import time
from collections.abc import Mapping
from typing import Any

from hedgerow.errors import FleetError
from hedgerow.session import Session

DTN_EPOCH_S = 946684800  # 2000-01-01 in Unix seconds: a node's clock counts from there (RFC 9171, 4.2.6)
KNOWN_FROM_S = 1704067200  # 2024-01-01: a clock before that was never set
LEFT_ALONE_S = 60  # a node that is so near was set by somebody who knew as much as we do


def correction_s(node_s: object, now_s: int) -> int | None:
    """Seconds since 2000 that a node shall be told, whose clock stands at `node_s`; None to leave it alone.

    `now_s` is this computer's time since 1970.
    """
    if not isinstance(node_s, int) or now_s < KNOWN_FROM_S or abs(node_s + DTN_EPOCH_S - now_s) <= LEFT_ALONE_S:
        return None
    return now_s - DTN_EPOCH_S


async def keep_right(session: Session, said: Mapping[str, Any], now_s: int | None = None) -> bool:
    """Set the node's clock if what it `said` (hello or status) shows that it needs it; whether that was done."""
    wanted_s = correction_s(said.get("time_s"), int(time.time()) if now_s is None else now_s)
    if wanted_s is None:
        return False
    try:
        await session.ask("set_time", {"time_s": wanted_s})
    except FleetError:
        return False  # older firmware, a clock of its own, or not for us to set: what we came for comes first
    return True
