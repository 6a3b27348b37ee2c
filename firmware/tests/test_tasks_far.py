"""A host far away is answered once, briefly, and only by a node that asks who somebody is."""

try:
    import cryptolib  # noqa: F401
except ImportError:
    import fake_cryptolib

    fake_cryptolib.install()

from like_micropython import run

from hedgenode.store.bundles import BundleStore
from hedgenode.store.ram import RamFiles
from hedgenode.tasks import far, outgoing
from hedgenode.tasks.admin import Asker, Params, Refusal, Rows
from hedgenode.tasks.admin_far import FarMethods
from hedgewire import admin, bundle, frame, message

BASE = 974848
HERE, THERE, OTHER = 7, 8, 9


class Clock:
    now_s = 1000

    def uptime_s(self):
        return self.now_s

    def uptime_ms(self):
        return self.now_s * 1000


class Counters:
    sequence = 0

    def next_sequence(self):
        self.sequence += 1
        return self.sequence


class Door:
    """Answers every frame with `answers`, and remembers what it was asked."""

    def __init__(self, *answers):
        self.asked = []
        self.answers = answers
        self.send = None

    async def handle(self, kind, payload, send):
        self.asked.append((kind, payload))
        self.send = send
        for answer in self.answers:
            send(*answer)


class Node:
    def __init__(self, *answers, protected=True):
        self.config = {"ipn_base": BASE, "short": HERE, "copies": 3, "protected": protected}
        self.clock = Clock()
        self.counters = Counters()
        self.bundles = BundleStore(RamFiles(), "", 65536, 0, BASE + message.EVERYONE)
        self.door = Door(*answers)
        self.far = None

    def sent(self):
        """(to, service, payload) of every bundle on its way, in order."""
        found = []
        for entry in sorted(self.bundles.entries(), key=lambda entry: entry.seq):
            held = bundle.decode(self.bundles.get(entry.id))
            found.append((held.destination.node - BASE, held.destination.service, held.payload))
        return found

    def hear(self, payload, to=HERE, source=THERE):
        run(far.answer(self, asking(payload, to, source)))


def asking(payload, to=HERE, source=THERE):
    return bundle.make(
        bundle.Eid(BASE + source, message.TO_NODE), bundle.Eid(BASE + to, message.TO_NODE), payload, 1, 1000
    )


QUESTION = frame.encode(frame.SEALED, b"question")
ANSWER = (frame.SEALED, b"answer")


def test_frames_go_to_the_door_and_its_answers_back_to_who_asked():
    node = Node(ANSWER)
    node.hear(QUESTION + frame.encode(frame.REQUEST, b"another"))
    assert node.door.asked == [(frame.SEALED, b"question"), (frame.REQUEST, b"another")]
    framed = frame.encode(*ANSWER)
    assert node.sent() == [(THERE, message.TO_HOST, framed + framed)]


def test_a_node_that_asks_nobody_for_a_key_says_nothing():
    node = Node(ANSWER, protected=False)
    node.hear(QUESTION)
    assert (node.door.asked, node.sent()) == ([], [])


def test_what_is_for_everybody_or_comes_from_everybody_is_not_asked():
    node = Node(ANSWER)
    node.hear(QUESTION, to=message.EVERYONE)
    node.hear(QUESTION, source=message.EVERYONE)
    node.hear(QUESTION, source=0)
    assert (node.door.asked, node.sent()) == ([], [])


def test_damaged_frames_and_frames_of_other_kinds_are_not_asked():
    node = Node(ANSWER)
    for payload in (b"", b"text", QUESTION[:-3], frame.encode(frame.ANSWER, b"x"), frame.encode(frame.EVENT, b"x")):
        node.hear(payload)
    assert (node.door.asked, node.sent()) == ([], [])


def test_long_answers_go_in_pieces_of_whole_frames():
    node = Node(*[(frame.SEALED, bytes([number]) * 700) for number in range(1, 6)])
    node.hear(QUESTION)
    pieces = [payload for _, _, payload in node.sent()]
    assert len(pieces) == 3
    found = []
    for piece in pieces:
        assert len(piece) <= far.MAX_PIECE_BYTES
        found += frame.Decoder(1000).feed(piece)
    assert found == list(node.door.answers)


def test_that_an_answer_is_on_its_way_is_not_told():
    alive = (frame.ANSWER, admin.answer(1, admin.PART, []))
    part = (frame.ANSWER, admin.answer(1, admin.PART, [1]))
    node = Node(alive, part, alive)
    node.hear(QUESTION)
    assert node.sent() == [(THERE, message.TO_HOST, frame.encode(*part))]


def test_what_the_door_says_later_goes_nowhere():
    node = Node(ANSWER)
    node.hear(QUESTION)
    node.door.send(frame.EVENT, b"a line of the log")
    assert len(node.sent()) == 1


def test_a_flood_costs_the_air_a_burst_and_then_little():
    node = Node(ANSWER)
    for _ in range(3 * far.BURST):
        node.hear(QUESTION)
    assert len(node.sent()) == far.BURST
    node.clock.now_s += 2 * far.EVERY_S
    for _ in range(10):
        node.hear(QUESTION)
    assert len(node.sent()) == far.BURST + 2


# ---- at the node that a host is connected to


def ask(node, method, params):
    answers = []

    def send(kind, payload):
        answers.append(admin.parse_answer(payload))

    async def work():
        rows = Rows(lambda code, result: send(frame.ANSWER, admin.answer(1, code, result)), Asker(4, send))
        result = await FarMethods(node).methods[method](Params(params), rows)
        await rows.flush()
        return result

    result = run(work())
    return result, [row for answer in answers for row in answer.result]


def come(node, payload, source=THERE, service=message.TO_HOST, sequence=1):
    """A bundle for this node arrives."""
    made = bundle.make(bundle.Eid(BASE + source, service), bundle.Eid(BASE + HERE, service), payload, sequence, 3600000)
    ends = (made.source.node, made.destination.node)
    now_ms = node.clock.uptime_ms()
    assert node.bundles.add(bundle.encode(made), bundle.bundle_id(made), *ends, 1, 0, 3600000, now_ms, "delivered")


def test_frames_leave_for_the_other_node():
    node = Node()
    result, _ = ask(node, "far_send", {"to": THERE, "data": QUESTION})
    assert len(result["id"]) == 8
    assert node.sent() == [(THERE, message.TO_NODE, QUESTION)]


def test_more_than_a_bundle_carries_and_nobody_are_refused():
    node = Node()
    for params in ({"to": THERE, "data": bytes(far.MAX_PIECE_BYTES + 1)}, {"to": message.EVERYONE, "data": b"x"}, {}):
        try:
            ask(node, "far_send", params)
        except Refusal:
            continue
        raise AssertionError(params)
    assert node.sent() == []


def test_answers_of_that_node_are_read_and_then_forgotten():
    node = Node()
    come(node, b"one", sequence=1)
    come(node, b"two", sequence=2)
    come(node, b"other", source=OTHER, sequence=3)
    come(node, b"text", service=message.TEXT, sequence=4)
    _, rows = ask(node, "far_read", {"from": THERE})
    assert sorted(payload for _, payload in rows) == [b"one", b"two"]
    last = max(seq for seq, _ in rows)
    assert ask(node, "far_read", {"from": THERE, "after": last})[1] == []
    assert ask(node, "far_read", {"from": THERE})[1] == []
    assert [payload for _, payload in ask(node, "far_read", {"from": OTHER})[1]] == [b"other"]
    assert node.bundles.count() == 2


def test_held_from_nobody_is_nothing():
    node = Node()
    come(node, b"one")
    assert list(outgoing.held_from(node, message.TO_HOST, message.EVERYONE)) == []
