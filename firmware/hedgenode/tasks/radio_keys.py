"""Keeps the keys on the air in step with the fleet's own group and with the circles. Knows no radio and no message.

A node speaks under the fleet group's present epoch and listens to all that another member may be in. When the group
gets a fresh secret (a rekey document), those who have not heard of it yet become a circle: the public layer, in which
such documents travel, goes on between both for a while, and nothing else does. A node that is to be left behind is one
of them; it hears what everybody may read.
"""

import gc

from hedgenode.crypto import suite
from hedgenode.crypto.linksec import LinkSecurity, link_keys
from hedgenode.rules.exchange import Exchange
from hedgenode.store.circles import Circle, Circles
from hedgenode.store.reserved import Reserved
from hedgewire import group

FORMER_S = 30 * 24 * 3600  # of the store's clock: who has not heard of new keys by then needs a mule or a visit
_FRAMES_RESERVED = 1024  # counters that one write to flash pays for: at a frame a second, 85 writes a day
_FORMER = 0xFFFF  # turns the tag of the fleet into that of the circle of its former keys


def of(node) -> "RadioKeys":
    """The keys of a node whose fleet speaks under them: app.py has the parts, and a board without them no room."""
    counters = Reserved(node.files, "/store/frames.cbor", _FRAMES_RESERVED)
    circles = Circles(node.files, "/store/circles.cbor")
    return RadioKeys(node.config["fleet"], node.layers, circles, counters.next, node.exchange, node.journal)


class RadioKeys:
    """`guests` are the exchanges of the circles; the list is made anew when they change.

    `layers` gives memberships() and now_s(), `circles` is a Circles, `next_counter` goes to LinkSecurity, and
    `exchange` is that of the own fleet. Call from one task.
    """

    def __init__(self, fleet: bytes, layers, circles, next_counter, exchange, journal):
        self.security = LinkSecurity(exchange.short, next_counter)
        self.guests = []
        self._fleet = fleet
        self._layers = layers
        self.circles = circles
        self._exchange = exchange
        self._journal = journal
        self._chain = None
        self._heard = []  # (epoch, link keys) of the fleet's present generation
        self._take_circles()
        self.refresh()

    def open(self, frame) -> tuple:
        """(link message, the exchange of the circle whose key opened it); (None, None) where none does."""
        message = self.security.open(frame)
        if message is None:
            return None, None
        tag = message[1] << 8 | message[2]  # the security has put it in
        for guest in self.guests:
            if guest.tag == tag:
                return message, guest
        return message, self._exchange

    def refresh(self) -> None:
        """Follow what has changed since the last call; costs next to nothing where nothing has."""
        chain = None
        for known in self._layers.memberships():
            if known.chain.group == self._fleet:
                chain = known.chain
        if chain is not self._chain:
            self._follow(chain)
        if self.circles.all() and self.circles.expire(self._layers.now_s()):
            self._take_circles()

    def befriend(self, circle) -> None:
        """Share the public layer with the nodes of a circle from now on. OSError where flash refuses."""
        self.circles.put(circle)
        self._take_circles()

    def _follow(self, chain):
        former, heard = self._chain, self._heard
        self._chain = chain
        self._heard = []
        spoken = []
        for epoch, secret in chain.heard_secrets(suite) if chain is not None else ():
            self._heard.append([epoch, link_keys(secret)])
            if chain is not None and epoch == chain.epoch:
                spoken = [self._heard[-1]]
        others = [pair for pair in self._heard if pair not in spoken]
        self.security.set_keys(self._exchange.tag, spoken + others)
        if chain is not None and former is not None and _is_fresh(former, chain, heard, self._heard):
            self._leave_door_open(former, heard)
        gc.collect()

    def _leave_door_open(self, former, heard):
        """Those who still speak under the former secret stay in touch."""
        spoken = [pair for pair in heard if pair[0] == former.epoch]
        others = [pair for pair in heard if pair[0] != former.epoch]
        until_s = self._layers.now_s() + FORMER_S
        try:
            self.circles.put(Circle(self._exchange.tag ^ _FORMER, spoken + others, None, until_s))
        except OSError as e:
            self._journal.say("warning", "who has not heard of the fleet's new keys is out of touch: %s" % e)
            return
        self._journal.say("info", "the fleet has new keys; who has not heard of them hears what is public")
        self._take_circles()

    def _take_circles(self):
        for guest in self.guests:
            self.security.set_keys(guest.tag, ())
        own = self._exchange
        self.guests = []
        for circle in self.circles.all():
            self.security.set_keys(circle.tag, circle.epochs, circle.spoken)
            self.guests.append(
                Exchange(own.short, circle.tag, own.ipn_base, own.store, own.meetings, own.told, own.door, True)
            )


def _is_fresh(former, chain, heard, now_heard) -> bool:
    """Whether this secret does not follow from the former one: another generation, or another secret of the same."""
    if former.epoch // group.STEPS != chain.epoch // group.STEPS:
        return True
    known = {pair[0]: pair[1] for pair in heard}
    for epoch, keys in now_heard:
        if epoch in known:
            return known[epoch] != keys
    return False
