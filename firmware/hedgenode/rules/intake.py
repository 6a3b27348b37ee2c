"""Which bundles a node takes, from the radio or from a mule, and as what. Knows no radio, no peer, no file, no clock.

A node without a radio needs this alone; with one, exchange.py decides with it.
"""

from hedgewire import bundle

MAX_BUNDLE_BYTES = 2048  # fits one administration frame; eight transfers of this size are what a small heap bears


class Intake:
    """`store`, `told` and `door` are those of an Exchange; `immunity`, if there is one, learns what arrived here."""

    def __init__(self, short, ipn_base, store, told=None, door=None, immunity=None):
        self._short = short
        self._ipn_base = ipn_base
        self._store = store
        self._told = told or (lambda event, **facts: None)
        self._door = door
        self._immunity = immunity

    def accept(self, arrived, data, copies, now_ms):
        """Put a checked bundle into the store; True once it is safe there. Also for bundles that a mule brings."""
        bundle_id = bundle.bundle_id(arrived)
        if self._store.knows(bundle_id):
            return True
        if not self.may_carry(arrived) or (self._door is not None and not self._door.admits(arrived, bundle_id)):
            return False
        ends = (arrived.source.node, arrived.destination.node)
        stored = self.keep(data, bundle_id, ends, copies, arrived.age_ms or 0, arrived.lifetime_ms, now_ms)
        if stored and self._door is not None:
            self._door.entered(arrived, bundle_id)
        return stored

    def keep(self, data, bundle_id, ends, copies, age_ms, lifetime_ms, now_ms):
        """Store what may be carried; `ends` are the node numbers of its source and destination."""
        source, destination = ends
        mine = self.short_of(destination) == self._short
        state = "delivered" if mine else "stored"
        if not self._store.add(data, bundle_id, source, destination, copies, age_ms, lifetime_ms, now_ms, state):
            return False
        if mine and self._immunity is not None:
            self._immunity.add(bundle_id)
        self._told("delivered" if mine else "accepted", id=bundle_id, source=self.short_of(source))
        return True

    def may_carry(self, arrived):
        """Whether a bundle is for this fleet and may travel on; nodes elsewhere wait for a gateway."""
        for eid in (arrived.source, arrived.destination):
            if eid.scheme != bundle.IPN or self.short_of(eid.node) is None:
                return False
        hops = arrived.hop_count
        return not bundle.must_delete(arrived) and (hops is None or hops[1] <= hops[0])

    def short_of(self, node):
        """Short id of an ipn node number of this fleet; None for a node elsewhere."""
        short = node - self._ipn_base
        return short if 0 <= short <= 0xFFFF else None
