"""What two nodes in reach say to each other: frames and time in, frames out. Knows no radio, no file, no clock.

A bundle changes hands in five steps: HELLO (I am here, these I meet), OFFER (this I would give you), WANT, SEGMENTs,
ACK. The receiver says ACCEPTED only after the bundle is safe in its store, and only then does the sender let its
copies go: a node that loses power anywhere in between leaves the bundle with one of the two, sometimes with both,
never with none.
"""

from hedgenode.rules import routing
from hedgenode.rules.immunity import Immunity
from hedgenode.rules.intake import MAX_BUNDLE_BYTES, Intake
from hedgenode.rules.neighbour import Incoming, Outgoing, Peer, whose_place
from hedgewire import bundle, link, message

MAX_PEERS = 16  # nodes whose offers are remembered at one time
MAX_TRANSFERS = 4  # bundles on their way in, and again on their way out
MAX_OFFERS = 12  # in one frame; the next ones follow when these are settled
PEER_FORGOTTEN_S = 20 * 60
RESEND_MS = 1500
ATTEMPTS = 5
OFFER_AGAIN_S = 60
ECHO_EVERY_S = 2  # whoever probes, and however often: at most one short answer of ours in so many seconds


class Exchange:
    """One node's side of every meeting.

    `store` is a BundleStore, `meetings` a routing.Meetings; `told(event, **facts)` is called for the log: "accepted",
    "handed", "delivered", "refused". `door.admits(arrived, bundle_id)` may refuse a bundle that may travel (a message
    that is played again), and hears of those that are safe by `door.entered(arrived, bundle_id)`. `public_only` is for
    those who share the public layer with this fleet and nothing else: they hear of nothing else, bring nothing else
    and are no way to anybody. Call from one task at a time.
    """

    def __init__(self, short, fleet_tag, ipn_base, store, meetings, told=None, door=None, public_only=False):
        self.short = short
        self.tag = fleet_tag
        self.ipn_base = ipn_base
        self.store = store
        self.meetings = meetings
        self.told = told or (lambda event, **facts: None)
        self.public_only = public_only
        # Takes heads and counter-signatures of ledgers (a link.Head or link.Witness): what they need takes longer than
        # an answer may, so whoever it is only keeps them for later.
        self.of_ledgers = None
        self.echo = None  # takes the answers to a probe of ours, and how well they are heard: (link.Probe, rssi_dbm)
        self._echoed_s = -ECHO_EVERY_S
        self.door = door
        self.immunity = Immunity()
        self.intake = Intake(short, ipn_base, store, told, door, self.immunity)
        self.short_of = self.intake.short_of
        self.peers = {}
        self.damaged = 0
        self._incoming = {}  # (peer, id) -> Incoming
        self._outgoing = {}  # id -> Outgoing

    # ---- out

    def hello(self, now_s):
        """The frame that says: I am here, and these are the nodes I tend to meet."""
        return link.encode_hello(self.tag, self.short, self.store.public_fingerprint(), self.acquaintances(now_s))

    def acquaintances(self, now_s):
        """What a HELLO says of whom we meet. The row with our own number, which others pass over, says our reach."""
        if self.public_only:
            return []
        return [(self.short, self.meetings.reach(now_s))] + self.meetings.vector(24, now_s)

    def tick(self, now_ms, now_s):
        """Frames that are due again, and what has to be given up. Call about once a second."""
        frames = []
        for bundle_id in list(self._outgoing):
            out = self._outgoing[bundle_id]
            if now_ms - out.sent_ms < RESEND_MS:
                continue
            if out.attempts >= ATTEMPTS or out.left <= 0:
                del self._outgoing[bundle_id]  # the peer is gone; the copies are still ours
                continue
            out.attempts += 1
            out.sent_ms = now_ms
            # One of them, and the peer says what it lacks: who asks and never answers costs us little airtime.
            frames += self._segments(bundle_id, out, ~(1 << out.last_missing()))
        for key in list(self._incoming):
            if now_ms - self._incoming[key].touched_ms > RESEND_MS * ATTEMPTS:
                del self._incoming[key]
        for short in list(self.peers):
            if now_s - self.peers[short].heard_s > PEER_FORGOTTEN_S:
                del self.peers[short]
        return frames

    def offers(self, to, now_s):
        """The OFFER for what this node would give that peer now, at most MAX_OFFERS: a list of one frame or none."""
        rows = self.choose(to, now_s)
        return [link.encode_offer(self.tag, self.short, to, rows)] if rows else []

    def choose(self, to, now_s):
        """What this node would give that peer now: at most MAX_OFFERS of (id, destination, copies, size).

        What the peer is the reader of comes first. The rest goes round: after a full store has been offered once, the
        offers begin anew, because a peer's answers are remembered for a while only.
        """
        peer = self.peers.get(to)
        if peer is None:
            return []
        same_public = peer.fingerprint == self.store.public_fingerprint()
        to_reader, further, again = [], [], []
        for entry in self.store.entries():
            destination = self.short_of(entry.destination)
            if same_public and destination == message.EVERYONE:
                continue
            copies = self.copies_for(to, entry, now_s)
            if not copies or self._settled(peer, entry.id, now_s) or entry.id in self._outgoing:
                continue
            rows = to_reader if destination == to else further if entry.slot > peer.offered_slot else again
            if len(rows) < MAX_OFFERS:
                rows.append((entry.slot, (entry.id, destination, copies, entry.size)))
            if len(to_reader) == MAX_OFFERS:
                break
        others = (further + again)[: MAX_OFFERS - len(to_reader)]
        if others:
            peer.offered_slot = others[-1][0]
        return [row for _, row in to_reader + others]

    # ---- in

    def on_frame(self, data, now_ms, now_s, rssi_dbm=None):
        """Take one frame from the radio; return the frames that answer it. Damage and strangers are counted."""
        said = link.decode(data)
        if isinstance(said, link.Damage):
            self.damaged += 1
            return []
        if said.fleet_tag != self.tag or said.source == self.short:
            return []
        if isinstance(said, link.Hello):
            return self._on_hello(said, now_s, rssi_dbm)
        if isinstance(said, link.Head) or (isinstance(said, link.Witness) and said.to == self.short):
            self._pass_on(said)
            return []
        if isinstance(said, link.Reached):
            if not self.public_only:
                self.heard_of(said.ids, now_ms)
            return []
        if isinstance(said, link.Probe):
            return self._on_probe(said, now_s, rssi_dbm)
        return self._on_addressed(said, now_ms, now_s) if said.to == self.short else []

    def _on_addressed(self, said, now_ms, now_s):
        if isinstance(said, link.Offer):
            return self._on_offer(said)
        if isinstance(said, link.Want):
            return self._on_want(said, now_ms, now_s)
        if isinstance(said, link.Segment):
            return self._on_segment(said, now_ms)
        return self._on_ack(said, now_ms, now_s)

    def _on_hello(self, hello, now_s, rssi_dbm):
        self.greeted(hello.source, hello.fingerprint, hello.peers, now_s, rssi_dbm)
        reached = self.reached(hello.source)
        frames = [link.encode_reached(self.tag, self.short, reached)] if reached else []
        return frames + self.offers(hello.source, now_s)

    def _on_probe(self, probe, now_s, rssi_dbm):
        if probe.to == self.short and self.echo is not None:
            self.echo(probe, rssi_dbm)
        if probe.to != message.EVERYONE or self.public_only or now_s - self._echoed_s < ECHO_EVERY_S:
            return []
        self._echoed_s = now_s
        rssi_dbm = None if rssi_dbm is None else min(-1, max(-255, rssi_dbm))
        return [link.encode_probe(self.tag, self.short, probe.source, probe.number, rssi_dbm)]

    def reached(self, to):
        """The newest ids that reached their readers and that this neighbour was not told of yet; counted as told."""
        peer = self.peers[to]
        new = self.immunity.added - peer.told_reached
        peer.told_reached = self.immunity.added
        return [] if self.public_only else self.immunity.newest(min(new, link.MAX_REACHED))

    def greeted(self, source, fingerprint, acquaintances, now_s, rssi_dbm=None):
        """A neighbour said HELLO: remember it, and learn whom it meets."""
        peer = self._peer(source, now_s)
        peer.heard_s = now_s
        peer.rssi_dbm = rssi_dbm
        peer.fingerprint = fingerprint
        if not self.public_only:
            peer.vector = dict(acquaintances)
            peer.reach = peer.vector.pop(source, None)
            self.meetings.met(source, now_s)
            self.meetings.learn(source, [row for row in acquaintances if row[0] != self.short], now_s)

    def answer(self, bundle_id, destination, size):
        """The state to answer an offered bundle with, or None: it is wanted."""
        mine = destination == self.short
        if not mine and bundle_id in self.immunity:  # what is ours we believe when we have it
            return link.DELIVERED
        if self.store.knows(bundle_id):
            return link.DELIVERED if mine else link.HAVE
        if size > MAX_BUNDLE_BYTES or not self._shares(destination) or not self._admits(size, destination):
            return link.REFUSED
        return None

    def _on_offer(self, offer):
        wanted = []
        frames = []
        for bundle_id, destination, _copies, size in offer.items:
            state = self.answer(bundle_id, destination, size)
            if state is not None:
                frames.append(link.encode_ack(self.tag, self.short, offer.source, bundle_id, state, 0))
            elif len(wanted) < MAX_TRANSFERS and not self._arriving(bundle_id, offer.source):
                wanted.append(bundle_id)
        for bundle_id in wanted:  # what came of an earlier try may not fit what comes now: see bundle.put_payload
            self._incoming.pop((offer.source, bundle_id), None)
        if wanted:
            frames.append(link.encode_want(self.tag, self.short, offer.source, wanted))
        return frames

    def _on_want(self, want, now_ms, now_s):
        frames = []
        for bundle_id in want.ids:
            entry = self.store.entry(bundle_id)
            if entry is None or bundle_id in self._outgoing or not self._place_out(want.source, now_ms):
                continue
            copies = self.copies_for(want.source, entry, now_s)
            data, age_ms = copies and self.store.get_aged(bundle_id, now_ms) or (None, 0)
            held = bundle.decode(data) if data else None
            if held is None or isinstance(held, bundle.Damage):
                continue
            moved = bundle.encode(bundle.with_forwarding(held, age_ms, bundle.Eid(self.ipn_base + self.short, 0)))
            out = Outgoing(want.source, moved, copies, now_ms)
            self._outgoing[bundle_id] = out
            frames += self._segments(bundle_id, out, 0)
        return frames

    def _on_segment(self, segment, now_ms):
        bundle_id = segment.id
        if self.store.knows(bundle_id):  # our ACK was lost: say it again
            return [self._acknowledge(segment.source, bundle_id)]
        if (segment.count - 1) * link.MAX_DATA >= MAX_BUNDLE_BYTES:
            return []  # no offer of this node's neighbours is that large
        key = (segment.source, bundle_id)
        incoming = self._incoming.get(key)
        if incoming is None or len(incoming.parts) != segment.count:
            if key not in self._incoming and not self._place_in(segment.source, now_ms):
                return []
            incoming = self._incoming[key] = Incoming(segment.count, now_ms)
        incoming.copies = segment.copies
        incoming.put(segment.index, segment.data, now_ms)
        parts = [part for part in incoming.parts if part is not None]
        if len(parts) < segment.count:
            if None not in incoming.parts[segment.index :]:  # of those that the peer sends in a row, the last
                return [
                    link.encode_ack(self.tag, self.short, segment.source, bundle_id, link.PARTIAL, incoming.bitmap())
                ]
            return []
        del self._incoming[key]
        return self._take(segment.source, bundle_id, b"".join(parts), incoming.copies, now_ms)

    def _take(self, source, bundle_id, data, copies, now_ms):
        """Everything has arrived: check it, store it, and only then acknowledge."""
        arrived = bundle.decode(data)
        if isinstance(arrived, bundle.Damage) or bundle.bundle_id(arrived) != bundle_id:
            self.damaged += 1
            return []  # said nothing: the sender tries again
        shared = self._shares(self.short_of(arrived.destination.node))
        if not shared or not self.intake.accept(arrived, data, copies, now_ms):
            self.told("refused", id=bundle_id, peer=source)
            return [link.encode_ack(self.tag, self.short, source, bundle_id, link.REFUSED, 0)]
        return [self._acknowledge(source, bundle_id)]

    def _on_ack(self, ack, now_ms, now_s):
        out = self._outgoing.get(ack.id)
        if out is not None and out.to != ack.source:
            out = None  # on its way to somebody else
        if ack.state == link.PARTIAL:
            if out is None:
                return []
            out.received = ack.bitmap
            out.attempts = 1
            out.sent_ms = now_ms
            return self._segments(ack.id, out, ack.bitmap)
        self.acknowledged(ack.source, ack.id, ack.state, 0 if out is None else out.copies, now_ms, now_s)
        if out is None:
            return []
        del self._outgoing[ack.id]
        for other in self._outgoing.values():
            if other.to == ack.source:
                return []
        return self.offers(ack.source, now_s)  # all that it wanted has arrived: what else?

    def acknowledged(self, source, bundle_id, state, sent_copies, now_ms, now_s):
        """A neighbour answered an offer or a transfer. `sent_copies`: how many our transfer to it held; 0 is none."""
        self._settle(self._peer(source, now_s), bundle_id, now_s)
        entry = self.store.entry(bundle_id)
        if entry is None:
            return
        destination = self.short_of(entry.destination)
        if destination is None or destination == message.EVERYONE or self.public_only:
            return  # public: stays with everybody until it expires
        if state == link.DELIVERED:
            if source == destination:  # nobody else can say so for certain
                self.immunity.add(bundle_id)
                self.store.give(bundle_id, entry.copies, now_ms)
                self.told("handed", id=bundle_id, peer=source, copies=entry.copies, left=0)
            else:
                self.heard_of([bundle_id], now_ms)
        elif sent_copies and state in (link.ACCEPTED, link.HAVE):
            # HAVE answers a repeated segment whose ACCEPTED was lost: the peer holds these copies.
            self.store.give(bundle_id, sent_copies, now_ms)
            self.told("handed", id=bundle_id, peer=source, copies=sent_copies, left=max(0, entry.copies - sent_copies))

    def heard_of(self, ids, now_ms):
        """A neighbour says that these have reached their readers.

        Hearsay costs the copies of a relay, never the bytes: they stay in reserve for the reader. An author believes
        its reader only.
        """
        for bundle_id in ids:
            if bundle_id in self.immunity:
                continue
            entry = self.store.entry(bundle_id)
            if entry is None:
                self.immunity.add(bundle_id)
            elif entry.state == "stored" and self.short_of(entry.destination) != message.EVERYONE:
                self.immunity.add(bundle_id)
                self.store.give(bundle_id, entry.copies, now_ms)

    # ---- parts

    def _place_in(self, source, now_ms):
        """Whether there is a place for one more bundle from that peer; made, if need be, where another is unfair."""
        if len(self._incoming) < MAX_TRANSFERS:
            return True
        rows = [(key, key[0], one.touched_ms) for key, one in self._incoming.items()]
        key = whose_place(rows, source, now_ms, RESEND_MS * 2)
        return key is not None and self._incoming.pop(key) is not None

    def _place_out(self, to, now_ms):
        """The same for one to that peer."""
        if len(self._outgoing) < MAX_TRANSFERS:
            return True
        rows = [(key, one.to, one.sent_ms) for key, one in self._outgoing.items()]
        key = whose_place(rows, to, now_ms, RESEND_MS * ATTEMPTS)
        return key is not None and self._outgoing.pop(key) is not None

    def _pass_on(self, said):
        if self.of_ledgers is not None:
            self.of_ledgers(said)

    def _acknowledge(self, to, bundle_id):
        entry = self.store.entry(bundle_id)
        mine = entry is not None and self.short_of(entry.destination) == self.short
        state = link.DELIVERED if mine else link.ACCEPTED
        return link.encode_ack(self.tag, self.short, to, bundle_id, state, 0)

    def _segments(self, bundle_id, out, received):
        frames = []
        count = out.count()
        view = memoryview(out.data)
        for i in range(count):
            if not received >> i & 1 and out.left > 0:
                out.left -= 1
                part = view[i * link.MAX_DATA : (i + 1) * link.MAX_DATA]
                frames.append(link.encode_segment(self.tag, self.short, out.to, bundle_id, i, count, out.copies, part))
        return frames

    def copies_for(self, to, entry, now_s):
        """How many copies of that bundle this peer should get; 0 is none."""
        peer = self._peer(to, now_s)
        destination = self.short_of(entry.destination)
        if destination is None or destination == self.short or not self._shares(destination):
            return 0  # ours already, or for a node beyond this fleet, which only a gateway reaches
        if destination == message.EVERYONE:
            return 1
        own = self.meetings.without(to, destination, now_s)
        ahead = routing.ahead(self.meetings.reach(now_s), peer.reach)
        return routing.copies_to_give(entry.copies, to == destination, own, peer.vector.get(destination, 0), ahead)

    def _shares(self, destination):
        """Whether this exchange is about what goes to that short id at all."""
        return destination == message.EVERYONE or not self.public_only

    def _admits(self, size, destination):
        return self.store.admits(size, destination == self.short, destination == message.EVERYONE)

    def _arriving(self, bundle_id, other_than):
        for source, arriving in self._incoming:
            if arriving == bundle_id and source != other_than:
                return True
        return False

    def _peer(self, short, now_s):
        if short not in self.peers:
            if len(self.peers) >= MAX_PEERS:
                oldest = min(self.peers, key=lambda s: self.peers[s].heard_s)
                del self.peers[oldest]
            self.peers[short] = Peer()
            self.peers[short].heard_s = now_s
        return self.peers[short]

    def _settle(self, peer, bundle_id, now_s):
        if len(peer.settled) >= 64:
            del peer.settled[min(peer.settled, key=lambda k: peer.settled[k])]
        peer.settled[bundle_id] = now_s

    def _settled(self, peer, bundle_id, now_s):
        at = peer.settled.get(bundle_id)
        return at is not None and now_s - at < OFFER_AGAIN_S
