"""How bundles cross in segments, and how places are shared: loss, repeats, disorder and lies cost time and no more."""

from mutations import Random
from test_rules_exchange import BASE, TAG, _Node

from hedgenode.rules.exchange import ATTEMPTS, MAX_TRANSFERS, RESEND_MS
from hedgewire import bundle, fragments, link

LIAR = 66
PART_BYTES = 1790


def _arriving(number, size=1500):
    """A bundle from 2 to 1, and its segments."""
    made = bundle.make(bundle.Eid(BASE + 2, 2), bundle.Eid(BASE + 1, 2), bytes(size), number, 10**9)
    data = bundle.encode(made)
    count = (len(data) + link.MAX_DATA - 1) // link.MAX_DATA
    parts = [data[i * link.MAX_DATA : (i + 1) * link.MAX_DATA] for i in range(count)]
    made_id = bundle.bundle_id(made)
    return made_id, [link.encode_segment(TAG, 2, 1, made_id, i, count, 1, parts[i]) for i in range(count)]


def _lie(number, index, source=LIAR):
    return link.encode_segment(TAG, source, 1, b"lie%05d" % number, index, 9, 1, b"x")


def _states(frames):
    return [said.state for said in [link.decode(frame) for frame in frames] if isinstance(said, link.Ack)]


def test_who_holds_all_places_gives_half_of_them_to_whoever_comes():
    node = _Node(1)
    for number in range(MAX_TRANSFERS):
        node.exchange.on_frame(_lie(number, 0), 0, 0)
    first_id, first = _arriving(1)
    second_id, second = _arriving(2)
    for frame in first[:-1] + second[:-1]:
        node.exchange.on_frame(frame, 10, 0)
    for number in range(40):
        node.exchange.on_frame(_lie(number, number % 9), 20, 0)
    assert _states(node.exchange.on_frame(first[-1], 30, 0)) == [link.DELIVERED]
    assert _states(node.exchange.on_frame(second[-1], 30, 0)) == [link.DELIVERED]
    assert node.store.knows(first_id)
    assert node.store.knows(second_id)


def test_a_liar_of_many_names_keeps_no_place_that_it_does_not_fill():
    node = _Node(1)
    _, frames = _arriving(1)
    for number in range(MAX_TRANSFERS):
        node.exchange.on_frame(_lie(number, 0, LIAR + number), 0, 0)
    assert node.exchange.on_frame(frames[-1], 10, 0) == []
    for number in range(MAX_TRANSFERS):  # said again is not more said
        node.exchange.on_frame(_lie(number, 0, LIAR + number), 2 * RESEND_MS, 0)
    assert _states(node.exchange.on_frame(frames[-1], 2 * RESEND_MS + 1, 0)) == [link.PARTIAL]


def test_who_asks_for_everything_and_answers_nothing_costs_little_airtime_and_no_other_its_place():
    node = _Node(1)
    sent = [node.post(LIAR, "x" * 1500 + str(number), 1) for number in range(MAX_TRANSFERS)]
    honest = node.post(2, "for you", 1)
    frames = node.exchange.on_frame(link.encode_want(TAG, LIAR, 1, sent), 0, 0)
    segments = len(frames)
    said = node.exchange.on_frame(link.encode_want(TAG, 2, 1, [honest]), 10, 0)
    assert [link.decode(frame).id for frame in said] == [honest]
    for second in range(1, 30):
        frames += node.exchange.tick(second * 1000, second)
    assert len(frames) <= segments + (MAX_TRANSFERS + 1) * ATTEMPTS


def test_who_says_for_ever_that_it_lacks_all_is_given_up():
    node = _Node(1)
    sent = node.post(LIAR, "x" * 1500, 1)
    frames = node.exchange.on_frame(link.encode_want(TAG, LIAR, 1, [sent]), 0, 0)
    segments = len(frames)
    for turn in range(500):
        frames += node.exchange.on_frame(link.encode_ack(TAG, LIAR, 1, sent, link.PARTIAL, 0), turn, 0)
    assert len(frames) <= 5 * segments + 5
    node.exchange.tick(10 * RESEND_MS, 9)
    assert not node.exchange._outgoing


def _crossed(seed, loss_percent, parts, lies=False):
    """Two nodes and an air that loses, doubles, swaps and, if told so, lies: seconds and frames until all are there."""
    random = Random(seed)
    one, two = _Node(1), _Node(2)
    nodes = {1: one, 2: two}
    for part in parts:
        assert one.exchange.intake.accept(part, bundle.encode(part), 1, 0)
    wanted = len(parts)
    on_air = []
    frames = 0

    def say(source, said):
        for frame in said:
            on_air.append((source, frame))

    for now_ms in range(0, 600_000, 20):  # a frame in 20 ms
        now_s = now_ms // 1000
        for short in (1, 2) if now_ms % 1000 == 0 else ():
            say(short, nodes[short].exchange.tick(now_ms, now_s))
            say(short, [nodes[short].exchange.hello(now_s)] if now_s % 5 == 0 else [])
        if lies and now_ms % 200 == 0:
            lie = link.encode_segment(TAG, LIAR, 2, b"lie%05d" % random.below(9), random.below(9), 9, 1, b"x")
            two.exchange.on_frame(lie, now_ms, now_s)
        if not on_air:
            continue
        source, frame = on_air.pop(min(random.below(3), len(on_air) - 1))
        frames += 1
        for _ in range(1 + (random.below(10) == 0)):
            if random.below(100) >= loss_percent:
                say(3 - source, nodes[3 - source].exchange.on_frame(frame, now_ms, now_s))
        held = sum([len(part or b"") for one in two.exchange._incoming.values() for part in one.parts])
        assert held <= MAX_TRANSFERS * 2300
        if two.store.count() == wanted:
            return now_s, frames
    raise AssertionError((seed, two.store.count(), wanted))


def _document(size):
    made = bundle.make(bundle.Eid(BASE + 9, 2), bundle.Eid(BASE + 2, 2), bytes(range(250)) * (size // 250), 1, 10**9)
    return made, fragments.split(made, PART_BYTES)


def test_a_document_crosses_an_air_that_loses_a_fifth_doubles_and_swaps_with_lies_beside():
    made, parts = _document(20_000)
    segments = sum([(len(bundle.encode(part)) + 20) // link.MAX_DATA + 1 for part in parts])
    for seed in (1, 2, 3):
        _, frames = _crossed(seed, 20, parts, lies=seed == 3)
        assert frames <= 3 * segments, (frames, segments)  # with offers, answers and what disorder has sent twice
