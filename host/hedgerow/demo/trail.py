"""The path of one message, read from the radio's trace. Decodes link frames; asks no node.

A trace event is a mapping as the keeper of the virtual boards gives it: at_s, kind, source, destination, data (hex).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from hedgewire import link

Event = Mapping[str, Any]


def handed_over(trace: Iterable[Event], message_id: bytes, start_s: float) -> list[dict[str, Any]]:
    """Each acknowledged handover once: at_s (since start), from, to (short ids), delivered.

    It counts when the sender has heard the acknowledgement: from then on the receiver alone is responsible.
    """
    found: list[dict[str, Any]] = []
    known = set()
    for event in trace:
        if event["kind"] != "heard" or event["at_s"] < start_s:
            continue
        said = link.decode(bytes.fromhex(event["data"]))
        if not isinstance(said, link.Ack) or said.id != message_id or said.state not in (link.ACCEPTED, link.DELIVERED):
            continue
        pair = (said.to, said.source)
        if pair in known:
            continue
        known.add(pair)
        found.append(
            {
                "at_s": event["at_s"] - start_s,
                "from": said.to,
                "to": said.source,
                "delivered": said.state == link.DELIVERED,
            }
        )
    return found


def held(handed: Sequence[Mapping[str, Any]], source: int) -> list[dict[str, Any]]:
    """Who held the message's last copy, from when to when (None: to the end)."""
    holders = []
    holder, since_s = source, 0.0
    for step in handed:
        holders.append({"node": holder, "from_s": since_s, "until_s": step["at_s"]})
        holder, since_s = step["to"], step["at_s"]
    holders.append({"node": holder, "from_s": since_s, "until_s": None})
    return holders


def contacts(trace: Iterable[Event], shorts: Mapping[str, int], start_s: float, end_s: float) -> list[dict[str, Any]]:
    """When which two (short ids) were in reach, as the radio really switched them: from_s, until_s, a, b."""
    open_since: dict[tuple[int, int], float] = {}
    found = []
    for event in trace:
        if event["kind"] not in ("link-up", "link-down"):
            continue
        a, b = sorted((shorts[event["source"]], shorts[event["destination"]]))
        if event["kind"] == "link-up":
            open_since[(a, b)] = event["at_s"]
        elif (a, b) in open_since:
            found.append((open_since.pop((a, b)), event["at_s"], a, b))
    found += [(since_s, end_s, a, b) for (a, b), since_s in open_since.items()]
    return [
        {"from_s": max(0.0, since_s - start_s), "until_s": until_s - start_s, "a": a, "b": b}
        for since_s, until_s, a, b in sorted(found)
        if until_s > start_s
    ]


def ever_joined(contact_list: Iterable[Mapping[str, Any]], a: int, b: int) -> bool:
    """Whether at any moment a chain of links in reach joined a to b."""
    spans = list(contact_list)
    for moment in [s["from_s"] for s in spans]:
        links = [(s["a"], s["b"]) for s in spans if s["from_s"] <= moment < s["until_s"]]
        reached = {a}
        for _ in links:
            reached |= {x for pair in links for x in pair if reached & set(pair)}
        if b in reached:
            return True
    return False
