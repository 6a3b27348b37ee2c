"""Puts a bundle of this node's own on its way. Knows no payload."""

from hedgewire import bundle, message

_HOPS = 16


def send(node, service, data, to, copies, lifetime_ms):
    """The id of a bundle from this node to that short id, safe in flash; None where the store is full."""
    base, short = node.config["ipn_base"], node.config["short"]
    made = bundle.make(
        bundle.Eid(base + short, service),
        bundle.Eid(base + to, service),
        data,
        node.counters.next_sequence(),
        lifetime_ms,
        hop_limit=_HOPS,
    )
    made_id = bundle.bundle_id(made)
    assert not isinstance(made_id, bundle.Damage)  # only bytes from elsewhere can be damaged
    ends = (made.source.node, made.destination.node)
    now_ms = node.clock.uptime_ms()
    stored = node.bundles.add(bundle.encode(made), made_id, *ends, copies, 0, made.lifetime_ms, now_ms, "own")
    return made_id if stored else None


def held_from(node, service, source):
    """(arrival number, id, bundle) of what has come to this node from that short id for that service, in no order."""
    base, short = node.config["ipn_base"], node.config["short"]
    for entry in list(node.bundles.entries()):
        if entry.destination != base + short or entry.source != base + source or source == message.EVERYONE:
            continue
        held = bundle.decode(node.bundles.get(entry.id) or b"")
        if not isinstance(held, bundle.Damage) and held.destination.service == service:
            yield entry.seq, bytes(entry.id), held
