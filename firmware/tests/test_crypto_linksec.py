"""What members of a fleet say on the air, nobody else reads, makes or repeats."""

try:
    import cryptolib  # noqa: F401
except ImportError:
    import fake_cryptolib

    fake_cryptolib.install()

from harness import vectors
from mutations import Random, change

from hedgenode.crypto.linksec import ADDED_BYTES, MAX_SOURCES, LinkSecurity, link_keys
from hedgewire import link

TAG = 0xBEEF
KEYS = link_keys(bytes(range(32)))
OTHER_KEYS = link_keys(bytes(range(1, 33)))
HELLO = link.encode_hello(TAG, 1, 7, [(2, 200), (3, 20)])


class Counter:
    def __init__(self, first=0):
        self.number = first - 1

    def next(self):
        self.number += 1
        return self.number


def node(source, epochs=((1, KEYS),), first=0, circle=TAG):
    made = LinkSecurity(source, Counter(first).next)
    made.set_keys(circle, epochs)
    return made


def test_vectors():
    for case in vectors("linksec")["frames"]:
        secret, message, frame = [bytes.fromhex(case[name]) for name in ("secret", "message", "frame")]
        epochs = [(case["epoch"], link_keys(secret))]
        sender = node(case["source"], epochs, case["counter"], case["fleet_tag"])
        assert sender.secure(message) == frame, case["name"]
        assert node(0xFFFE, epochs, 0, case["fleet_tag"]).open(frame) == message, case["name"]


def test_every_kind_of_message_comes_out_as_it_went_in():
    sender, receiver = node(1), node(2)
    for case in vectors("link")["messages"]:
        message = bytes.fromhex(case["hex"])
        frame = sender.secure(message)
        assert len(frame) == len(message) + ADDED_BYTES <= 250, case["type"]
        assert receiver.open(frame) == message, case["type"]


def test_without_a_key_nothing_is_said_and_nothing_is_heard():
    mute = node(1, ())
    assert mute.secure(HELLO) is None
    assert mute.open(node(2).secure(HELLO)) is None
    assert mute.refused == 1


def test_a_repeated_frame_counts_once_and_so_does_an_echo_of_our_own():
    sender, receiver = node(1), node(2)
    frame = sender.secure(HELLO)
    assert receiver.open(frame) == HELLO
    assert receiver.open(frame) is None
    assert sender.open(frame) is None
    assert (receiver.repeated, sender.repeated, receiver.refused) == (1, 1, 0)


def test_frames_that_overtake_each_other_all_arrive():
    sender, receiver = node(1), node(2)
    frames = [sender.secure(HELLO) for _ in range(10)]
    assert [receiver.open(frame) for frame in reversed(frames)] == [HELLO] * 10


def test_every_single_wrong_bit_is_refused():
    frame = node(1).secure(HELLO)
    receiver = node(2)
    for bit in range(8 * len(frame)):
        wrong = bytearray(frame)
        wrong[bit >> 3] ^= 1 << (bit & 7)
        assert receiver.open(bytes(wrong)) is None, bit
    assert receiver.refused == 8 * len(frame)
    assert receiver.open(frame) == HELLO


def test_whatever_a_stranger_sends_is_refused_and_moves_nothing():
    random = Random(5)
    sender, receiver = node(1), node(2)
    frames = [sender.secure(HELLO) for _ in range(4)]
    for _ in range(1500):
        wrong = change(random, frames[random.below(4)], frames[random.below(4)])
        if wrong not in frames:
            assert receiver.open(wrong) is None
    assert receiver.repeated == 0
    assert [receiver.open(frame) for frame in frames] == [HELLO] * 4


def test_another_fleet_reads_nothing():
    assert node(2, ((1, OTHER_KEYS),)).open(node(1).secure(HELLO)) is None


def test_while_keys_change_both_epochs_are_heard_and_the_new_one_is_spoken():
    old, new = node(1), node(2, ((2, OTHER_KEYS), (1, KEYS)))
    assert new.open(old.secure(HELLO)) == HELLO
    answer = link.encode_hello(TAG, 2, 7, [])
    frame = new.secure(answer)
    assert old.open(frame) is None
    old.set_keys(TAG, ((2, OTHER_KEYS),))
    assert old.open(frame) == answer


def test_two_circles_are_spoken_to_each_in_its_own_key():
    both, of_one, of_other = node(1), node(2), node(3, ((5, OTHER_KEYS),), circle=0xCAFE)
    both.set_keys(0xCAFE, ((5, OTHER_KEYS),))
    other_hello = link.encode_hello(0xCAFE, 1, 7, [])
    assert [one.open(both.secure(HELLO)) for one in (of_one, of_other)] == [HELLO, None]
    assert [one.open(both.secure(other_hello)) for one in (of_one, of_other)] == [None, other_hello]
    both.set_keys(0xCAFE, ())
    assert both.secure(other_hello) is None
    assert both.secure(HELLO) is not None


def test_fleets_that_share_a_circle_and_a_short_id_hear_each_other_and_no_echo():
    one, other = node(1, ()), node(1, ())
    one.set_keys(TAG, ((0, KEYS),), spoken=(0, OTHER_KEYS))
    other.set_keys(TAG, ((0, OTHER_KEYS),), spoken=(0, KEYS))
    frame = one.secure(HELLO)
    assert (one.open(frame), one.refused) == (None, 1)
    assert other.open(frame) == HELLO
    assert other.open(frame) is None


def test_epochs_sixteen_apart_are_told_apart_by_the_tag():
    assert node(2, ((17, OTHER_KEYS), (1, KEYS))).open(node(1).secure(HELLO)) == HELLO


def test_the_same_message_never_looks_the_same_and_names_nobody():
    sender = node(0x1234)
    frames = [sender.secure(link.encode_hello(TAG, 0x1234, 7, [(0x5678, 9)])) for _ in range(50)]
    for at in range(1, len(frames[0])):
        assert len({frame[at] for frame in frames}) > 20, at
    assert {frame[0] for frame in frames} == {0x21}


def test_neighbours_that_are_remembered_are_bounded_and_the_latest_stay():
    receiver = node(0xFFF0)
    last = {}
    for source in range(1, MAX_SOURCES + 6):
        last[source] = node(source).secure(link.encode_hello(TAG, source, 0, []))
        assert receiver.open(last[source]) is not None
    assert receiver.open(last[MAX_SOURCES + 5]) is None
    assert receiver.repeated == 1
