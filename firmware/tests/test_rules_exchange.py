"""Nodes in one process, joined by a table of links: what the exchange promises about bundles that change hands."""

from hedgenode.rules.exchange import MAX_OFFERS, RESEND_MS, Exchange
from hedgenode.rules.immunity import Immunity
from hedgenode.rules.routing import Meetings
from hedgenode.store.bundles import BundleStore
from hedgenode.store.ram import RamFiles
from hedgewire import bundle, link, message

BASE = 974848
TAG = 0xBEEF


class _Node:
    def __init__(self, short):
        self.files = RamFiles()
        self.short = short
        self.sequence = 0
        self.events = []
        self.power_on(0)

    def power_on(self, now_ms):
        self.store = BundleStore(self.files, "/store", 100000, now_ms, BASE + message.EVERYONE)
        self.exchange = Exchange(self.short, TAG, BASE, self.store, Meetings(self.short), self._told)

    def _told(self, event, **facts):
        self.events.append((event, facts["id"]))

    def post(self, to, text, copies, now_ms=0):
        self.sequence += 1
        made = bundle.make(
            bundle.Eid(BASE + self.short, 1), bundle.Eid(BASE + to, 1), message.encode(0, text), self.sequence, 10**9
        )
        data = bundle.encode(made)
        made_id = bundle.bundle_id(made)
        assert self.store.add(data, made_id, BASE + self.short, BASE + to, copies, 0, 10**9, now_ms, "own")
        return made_id

    def holds(self, bundle_id):
        entry = self.store.entry(bundle_id)
        return 0 if entry is None else entry.copies

    def texts(self):
        found = []
        for entry in self.store.entries():
            if entry.destination in (BASE + self.short, BASE + message.EVERYONE):
                found.append(message.decode(bundle.decode(self.store.get(entry.id)).payload).body)
        return sorted(found)


class _World:
    """Frames travel along `links`; `loses(n)` says whether the n-th frame on the air is lost."""

    def __init__(self, shorts, loses=None):
        self.nodes = {short: _Node(short) for short in shorts}
        self.links = set()
        self.loses = loses or (lambda n: False)
        self.frames = 0
        self.now_ms = 0

    def meet(self, a, b, seconds=4):
        self.links = {(a, b), (b, a)}
        for _ in range(seconds):
            self.now_ms += 1000
            for short in (a, b):
                node = self.nodes[short]
                now_s = self.now_ms // 1000
                self._air(short, node.exchange.tick(self.now_ms, now_s) + [node.exchange.hello(now_s)])
        self.links = set()

    def _air(self, source, frames):
        queue = [(source, frame) for frame in frames]
        while queue:
            source, frame = queue.pop(0)
            assert len(frame) <= link.MAX_BYTES
            self.frames += 1
            if self.loses(self.frames):
                continue
            for a, b in self.links:
                if a == source:
                    answers = self.nodes[b].exchange.on_frame(frame, self.now_ms, self.now_ms // 1000, -70)
                    queue += [(b, answer) for answer in answers]


def _random(seed):
    state = [seed]

    def step():
        state[0] = (state[0] * 16807) % 2147483647
        return state[0]

    return step


def _thirty_percent(seed):
    step = _random(seed)
    return lambda n: step() % 100 < 30


def test_a_bundle_for_the_neighbour_is_handed_over_and_let_go():
    world = _World((1, 2))
    sent = world.nodes[1].post(2, "hello", 6)
    world.meet(1, 2)
    assert world.nodes[2].texts() == ["hello"]
    assert world.nodes[1].holds(sent) == 0
    assert ("delivered", sent) in world.nodes[2].events


def test_copies_are_halved_between_two_who_cannot_deliver():
    world = _World((1, 2))
    sent = world.nodes[1].post(9, "far", 6)
    world.meet(1, 2)
    assert world.nodes[1].holds(sent) == 3
    assert world.nodes[2].holds(sent) == 3


def test_a_single_copy_follows_those_who_meet_the_destination_over_five_hops():
    world = _World((1, 2, 3, 4, 5, 6))
    sent = world.nodes[1].post(6, "one copy", 1)
    for a in (5, 4, 3, 2):
        world.meet(a, a + 1)
    for a in (1, 2, 3, 4):
        world.meet(a, a + 1)
        assert [short for short in world.nodes if world.nodes[short].holds(sent)] == [a + 1]
    world.meet(5, 6)
    assert world.nodes[6].texts() == ["one copy"]


def test_a_single_copy_does_not_go_to_somebody_who_knows_no_better():
    world = _World((1, 2))
    sent = world.nodes[1].post(9, "stay", 1)
    world.meet(1, 2)
    assert world.nodes[1].holds(sent) == 1
    assert world.nodes[2].holds(sent) == 0


def test_relays_hear_that_a_message_has_arrived_and_keep_it_in_reserve():
    world = _World((1, 2, 3, 9))
    sent = world.nodes[1].post(9, "once is enough", 6)
    world.meet(1, 2)
    world.meet(1, 3)
    world.meet(3, 9)
    assert world.nodes[9].texts() == ["once is enough"]
    world.meet(3, 2)
    relay = world.nodes[2].store.entry(sent)
    assert (relay.copies, relay.state) == (0, "handed"), "the bytes stay: it may be a lie"
    assert world.nodes[1].holds(sent) > 0, "the author believes the reader only"
    world.meet(1, 9)
    assert world.nodes[1].holds(sent) == 0


def test_hearsay_does_not_stop_a_reader_from_getting_its_message():
    world = _World((1, 2, 9))
    sent = world.nodes[1].post(9, "whatever they say", 6)
    world.meet(1, 2)
    world.nodes[2].exchange.on_frame(link.encode_reached(TAG, 7, [sent]), 0, 0)
    world.nodes[9].exchange.on_frame(link.encode_reached(TAG, 7, [b"otherwis"]), 0, 0)
    world.meet(2, 9)
    assert world.nodes[9].texts() == ["whatever they say"]


def test_public_bundles_do_not_listen_to_hearsay():
    node = _Node(1)
    public = node.post(message.EVERYONE, "for all", 1)
    node.exchange.on_frame(link.encode_reached(TAG, 7, [public]), 0, 0)
    assert node.store.entry(public).copies == 1
    assert public not in node.exchange.immunity


def test_a_neighbour_is_told_once_of_what_has_arrived():
    node = _Node(1)
    node.exchange.immunity.add(b"arrived1")
    said = node.exchange.on_frame(link.encode_hello(TAG, 2, 0, []), 0, 0)
    assert [link.decode(frame).ids for frame in said] == [[b"arrived1"]]
    assert node.exchange.on_frame(link.encode_hello(TAG, 2, 0, []), 1000, 1) == []


def test_what_is_known_of_arrivals_is_bounded_and_the_newest():
    immunity = Immunity(4)
    ids = [b"%08d" % i for i in range(10)]
    for bundle_id in ids:
        immunity.add(bundle_id)
        immunity.add(bundle_id)
    assert [bundle_id in immunity for bundle_id in ids] == [False] * 6 + [True] * 4
    assert immunity.newest(9) == [ids[9], ids[8], ids[7], ids[6]]
    assert immunity.newest(2) == [ids[9], ids[8]]
    assert ids[9][4:] + b"0000" not in immunity, "half of one id and half of the next are none"


def test_a_relay_that_loses_power_still_has_what_it_acknowledged():
    world = _World((1, 2, 3))
    world.meet(2, 3)
    sent = world.nodes[1].post(3, "through a power cut", 1)
    world.meet(1, 2)
    assert world.nodes[1].holds(sent) == 0
    world.nodes[2].power_on(world.now_ms)
    assert world.nodes[2].holds(sent) == 1
    world.meet(2, 3)
    assert world.nodes[3].texts() == ["through a power cut"]


def test_public_bundles_reach_everybody_once_and_stay():
    world = _World((1, 2, 3))
    world.nodes[1].post(message.EVERYONE, "for all", 1)
    for a, b in ((1, 2), (2, 3), (1, 3), (1, 2)):
        world.meet(a, b)
    for node in world.nodes.values():
        assert node.texts() == ["for all"]


def test_a_lossy_link_delivers_everything_and_no_copy_is_ever_nowhere():
    for seed in (1, 2, 3):
        world = _World((1, 2), loses=_thirty_percent(seed))
        sent = [world.nodes[1].post(2, "text %d " % i + "x" * (i * 60), 1) for i in range(8)]
        for _ in range(60):
            world.meet(1, 2, 1)
            for bundle_id in sent:
                assert world.nodes[1].holds(bundle_id) or world.nodes[2].store.knows(bundle_id)
        assert len(world.nodes[2].texts()) == 8, (seed, len(world.nodes[2].texts()))


def test_a_stranger_fleet_and_damage_are_ignored_and_counted():
    node = _Node(1)
    assert node.exchange.on_frame(link.encode_hello(TAG + 1, 2, 0, []), 0, 0) == []
    assert node.exchange.peers == {}
    assert node.exchange.on_frame(b"\x10\x00", 0, 0) == []
    assert node.exchange.damaged == 1


def test_a_liar_cannot_make_a_node_let_go_of_what_it_did_not_hand_over():
    node = _Node(1)
    sent = node.post(9, "mine", 2)
    node.exchange.on_frame(link.encode_ack(TAG, 2, 1, sent, link.ACCEPTED, 0), 0, 0)
    node.exchange.on_frame(link.encode_ack(TAG, 2, 1, sent, link.DELIVERED, 0), 0, 0)
    assert node.holds(sent) == 2


def test_no_frame_of_a_neighbour_raises_however_it_is_damaged():
    step = _random(7)
    node = _Node(1)
    sent = node.post(2, "to be asked for", 6)
    arriving = bundle.encode(
        bundle.make(bundle.Eid(BASE + 2, 1), bundle.Eid(BASE + 1, 1), message.encode(0, "hello"), 1, 10**9)
    )
    frames = (
        link.encode_hello(TAG, 2, 99, [(3, 200), (1, 5)]),
        link.encode_offer(TAG, 2, 1, [(b"12345678", 1, 6, 300), (sent, 2, 1, 90)]),
        link.encode_want(TAG, 2, 1, [sent, b"12345678"]),
        link.encode_segment(TAG, 2, 1, bundle.bundle_id(arriving), 0, 1, 1, arriving),
        link.encode_ack(TAG, 2, 1, sent, link.PARTIAL, 0),
        link.encode_ack(TAG, 2, 1, sent, link.ACCEPTED, 0),
        link.encode_reached(TAG, 2, [sent, b"12345678"]),
    )
    for i in range(1500):
        damaged = bytearray(frames[i % len(frames)])
        for _ in range(1 + step() % 3):
            at = step() % len(damaged)
            if at not in (1, 2):  # the fleet's tag, or nobody would look at the rest
                damaged[at] = step() & 0xFF
        if step() % 8 == 0:
            damaged = damaged[: step() % len(damaged)]
        for answer in node.exchange.on_frame(bytes(damaged), i * 10, i // 100):
            assert len(answer) <= link.MAX_BYTES
        node.exchange.tick(i * 10, i // 100)


def test_a_full_store_is_offered_piece_by_piece_to_the_reader_first():
    world = _World((1, 2, 9))
    node = world.nodes[1]
    mail = [node.post(9, "relayed %d" % i, 6) for i in range(40)]
    mine = node.post(2, "for the peer", 6)
    exchange = node.exchange
    seen = []
    for turn in range(8):
        now_s = turn * 20
        frames = exchange.on_frame(link.encode_hello(TAG, 2, 0, []), now_s * 1000, now_s)
        assert len(frames) == 1
        rows = link.decode(frames[0]).items
        assert len(rows) <= MAX_OFFERS
        if turn == 0:
            assert rows[0][0] == mine
        seen += [row[0] for row in rows]
    for bundle_id in mail:
        assert bundle_id in seen


def test_public_bundles_are_not_offered_to_a_peer_that_has_the_same():
    node = _Node(1)
    node.post(message.EVERYONE, "for all", 1)
    same = node.store.public_fingerprint()
    assert node.exchange.on_frame(link.encode_hello(TAG, 2, same, []), 0, 0) == []
    assert len(node.exchange.on_frame(link.encode_hello(TAG, 3, same + 1, []), 0, 0)) == 1


def test_more_than_a_peer_takes_at_once_crosses_in_one_meeting():
    world = _World((1, 2))
    for i in range(30):
        world.nodes[1].post(2, "text %d" % i, 1)
    world.meet(1, 2, 3)
    assert len(world.nodes[2].texts()) == 30


def test_what_another_fleet_or_too_many_hops_made_is_not_carried():
    node = _Node(1)
    good = bundle.make(bundle.Eid(BASE + 2, 1), bundle.Eid(BASE + 3, 1), b"x", 1, 1000)
    assert node.exchange.intake.may_carry(good)
    far = bundle.make(bundle.Eid(BASE + 2, 1), bundle.Eid(BASE - 1, 1), b"x", 1, 1000)
    assert not node.exchange.intake.may_carry(far)
    worn = bundle.make(bundle.Eid(BASE + 2, 1), bundle.Eid(BASE + 3, 1), b"x", 1, 1000, hop_limit=1)
    for _ in range(2):
        assert node.exchange.intake.may_carry(worn) == (worn.hop_count[1] <= 1)
        worn = bundle.with_forwarding(worn, 0, bundle.Eid(BASE + 2, 0))
    assert not node.exchange.intake.may_carry(worn)


def test_memory_stays_bounded_under_a_flood_of_segments_and_peers():
    node = _Node(1)
    for i in range(300):
        peer = 2 + i
        node.exchange.on_frame(link.encode_hello(TAG, peer, i, []), i, 0)
        node.exchange.on_frame(
            link.encode_segment(TAG, peer, 1, peer.to_bytes(8, "big"), 0, 32, 1, b"x" * link.MAX_DATA), i, 0
        )
    assert len(node.exchange.peers) <= 16
    assert len(node.exchange._incoming) <= 4
    node.exchange.tick(300 + RESEND_MS * 10, 10)
    assert len(node.exchange._incoming) == 0


def test_what_is_said_of_ledgers_is_passed_on_and_what_a_later_release_says_changes_nothing():
    node = _Node(1)
    heard = []
    node.exchange.of_ledgers = heard.append
    head = link.encode_head(TAG, 2, 5, b"d" * 32, b"k" * 32, b"s" * 64)
    ours, others = [link.encode_witness(TAG, 2, to, 5, b"d" * 32, b"k" * 32, b"s" * 64) for to in (1, 3)]
    for frame in (head, ours, others, b"\x17" + head[1:], head[:-1]):
        assert node.exchange.on_frame(frame, 0, 0) == []
    assert [type(said).__name__ for said in heard] == ["Head", "Witness"]
    assert node.exchange.damaged == 2


def _neighbours_of_another_fleet():
    """Nodes 1 and 2, which share the public layer only."""
    world = _World((1, 2))
    for node in world.nodes.values():
        node.exchange = Exchange(
            node.short, TAG, BASE, node.store, node.exchange.meetings, node._told, public_only=True
        )
    return world


def test_who_shares_the_public_layer_only_gets_that_and_nothing_else():
    world = _neighbours_of_another_fleet()
    one, two = world.nodes[1], world.nodes[2]
    one.post(message.EVERYONE, "for all", 1)
    mine = one.post(2, "for you", 6)
    one.post(3, "for a third", 6)
    world.meet(1, 2, 10)
    assert two.texts() == ["for all"]
    assert one.holds(mine) == 6
    assert two.store.count() == 1


def test_who_shares_the_public_layer_only_is_no_way_to_anybody():
    world = _neighbours_of_another_fleet()
    one = world.nodes[1]
    one.exchange.on_frame(link.encode_hello(TAG, 2, 0, [(3, 255)]), 0, 0)
    assert one.exchange.meetings.vector(24, 0) == []
    one.exchange.meetings.met(5, 0)
    assert link.decode(one.exchange.hello(0)).peers == []


def test_nothing_private_is_taken_from_or_given_up_to_who_shares_the_public_layer_only():
    world = _neighbours_of_another_fleet()
    one, two = world.nodes[1], world.nodes[2]
    mine = one.post(2, "for you", 6)
    offer = link.encode_offer(TAG, 2, 1, [(b"8 bytes.", 1, 1, 100), (b"8 others", message.EVERYONE, 1, 100)])
    refused, wanted = [link.decode(frame) for frame in one.exchange.on_frame(offer, 0, 0)]
    assert (refused.id, refused.state, wanted.ids) == (b"8 bytes.", link.REFUSED, [b"8 others"])
    one.exchange.on_frame(link.encode_ack(TAG, 2, 1, mine, link.DELIVERED, 0), 0, 0)
    assert one.exchange.on_frame(link.encode_want(TAG, 2, 1, [mine]), 0, 0) == []
    assert one.holds(mine) == 6
    theirs = two.post(1, "take this", 1)
    data = two.store.get(theirs)
    [answer] = one.exchange.on_frame(link.encode_segment(TAG, 2, 1, theirs, 0, 1, 1, data), 0, 0)
    assert link.decode(answer).state == link.REFUSED
    assert one.store.count() == 1


def _tries(size, ages_ms):
    """The segments of one bundle as a sender makes them at those ages; and the bundle's id and text."""
    text = "".join([chr(97 + i * 7 % 26) for i in range(size)])
    made = bundle.make(bundle.Eid(BASE + 1, 1), bundle.Eid(BASE + 2, 1), b"", 1, 10**9)
    bundle.put_payload(made, message.encode(0, text))
    made_id = bundle.bundle_id(made)
    tries = []
    for age_ms in ages_ms:
        data = bundle.encode(bundle.with_forwarding(made, age_ms, bundle.Eid(BASE + 1, 0)))
        parts = [data[at : at + link.MAX_DATA] for at in range(0, len(data), link.MAX_DATA)]
        tries.append([link.encode_segment(TAG, 1, 2, made_id, i, len(parts), 1, part) for i, part in enumerate(parts)])
    return tries, made_id, text


def test_segments_of_two_tries_never_make_a_message_that_was_not_sent():
    next_random = _random(7)
    for size in (150, 220, 320, 400, 700, 1500):
        for ages_ms in ((10, 30), (200, 300), (60000, 70000), (10, 70000)):
            tries, made_id, text = _tries(size, ages_ms)
            for _ in range(12):
                node = _Node(2)
                for i in range(len(tries[0])):
                    node.exchange.on_frame(tries[next_random() % 2][i], 1000, 1, -70)
                    node.exchange.on_frame(tries[next_random() % 2][0], 1000, 1, -70)
                assert node.texts() in ([], [text]), (size, ages_ms)


def test_what_came_of_an_earlier_try_is_dropped_when_it_is_wanted_again():
    tries, made_id, text = _tries(700, (200, 300))
    node = _Node(2)
    for frame in tries[0][:2]:
        node.exchange.on_frame(frame, 1000, 1, -70)
    offer = link.encode_offer(TAG, 1, 2, [(made_id, 2, 1, 800)])
    assert isinstance(link.decode(node.exchange.on_frame(offer, 1000, 1, -70)[0]), link.Want)
    for frame in tries[1]:
        node.exchange.on_frame(frame, 1000, 1, -70)
    assert node.texts() == [text]
    assert node.exchange.damaged == 0


def _asked(exchange, now_s, rssi_dbm=-71, to=message.EVERYONE, source=9):
    """What it says to a probe."""
    return [
        link.decode(f) for f in exchange.on_frame(link.encode_probe(TAG, source, to, 7), now_s * 1000, now_s, rssi_dbm)
    ]


def test_a_probe_is_answered_with_how_well_it_was_heard():
    [answer] = _asked(_Node(1).exchange, 0)
    assert (answer.source, answer.to, answer.number, answer.rssi_dbm, answer.snr_db4) == (1, 9, 7, -71, None)
    for rssi_dbm, said in ((None, None), (5, -1), (-400, -255)):
        assert _asked(_Node(1).exchange, 0, rssi_dbm)[0].rssi_dbm == said


def test_however_many_probe_a_node_answers_once_in_two_seconds():
    exchange = _Node(1).exchange
    answers = 0
    for step in range(1000):  # a hundred seconds, ten probes in each, of ten who ask
        answers += len(_asked(exchange, step // 10, source=2 + step % 10))
    assert answers == 50


def test_what_is_no_question_to_everybody_is_not_answered():
    exchange = _Node(1).exchange
    assert _asked(exchange, 0, to=1) == []
    assert _asked(exchange, 10, to=2) == []
    guest = Exchange(1, TAG, BASE, _Node(1).store, Meetings(1), public_only=True)
    assert _asked(guest, 20) == []


def test_an_answer_reaches_whoever_asked_and_nobody_else():
    exchange = _Node(1).exchange
    heard = []
    exchange.echo = lambda said, rssi_dbm: heard.append((said.source, said.rssi_dbm, rssi_dbm))
    for to in (1, 2):
        exchange.on_frame(link.encode_probe(TAG, 3, to, 7, -80), 0, 0, -60)
    assert heard == [(3, -80, -60)]
