"""Knows in which order messages are read: by the rule of the nodes' own page, which it shares with them."""

from typing import Any

from hedgenode.rules.inbox import least_heard_first

_SOURCE, _SEQ = 2, 0  # in a row of the node's answer: seq, id, source, age_ms, layer, text


def in_order(rows: list[list[Any]]) -> list[list[Any]]:
    """The authors with the fewest messages first, each one's in order of arrival."""
    return least_heard_first(rows, source=lambda row: row[_SOURCE], seq=lambda row: row[_SEQ])
