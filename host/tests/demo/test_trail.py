"""The path of a message is read from what the radio heard, and from nothing else."""

from hedgerow.demo import trail
from hedgewire import link

ID = b"message1"
TAG = 7


def heard(at_s, frame, source="node-2", destination="node-1"):
    return {"at_s": at_s, "kind": "heard", "source": source, "destination": destination, "data": frame.hex()}


def ack(source, to, state=link.ACCEPTED, message_id=ID):
    return link.encode_ack(TAG, source, to, message_id, state, 0)


def test_an_acknowledgement_that_was_heard_is_a_handover():
    trace = [heard(12.0, ack(2, 1)), heard(15.0, ack(3, 2, link.DELIVERED))]
    assert trail.handed_over(trace, ID, 10.0) == [
        {"at_s": 2.0, "from": 1, "to": 2, "delivered": False},
        {"at_s": 5.0, "from": 2, "to": 3, "delivered": True},
    ]


def test_repetitions_other_messages_refusals_and_damage_are_no_handovers():
    trace = [
        heard(9.0, ack(2, 1)),  # before the start
        heard(11.0, ack(2, 1, link.REFUSED)),
        heard(11.5, ack(2, 1, message_id=b"another1")),
        heard(12.0, ack(2, 1)),
        heard(13.0, ack(2, 1)),
        heard(14.0, b"\xff\x00"),
        {"at_s": 15.0, "kind": "sent", "source": "node-3", "destination": "node-2", "data": ack(3, 2).hex()},
    ]
    assert [step["at_s"] for step in trail.handed_over(trace, ID, 10.0)] == [2.0]


def test_holders_follow_the_handovers():
    handed = [{"at_s": 2.0, "to": 2}, {"at_s": 5.0, "to": 3}]
    assert trail.held(handed, 1) == [
        {"node": 1, "from_s": 0.0, "until_s": 2.0},
        {"node": 2, "from_s": 2.0, "until_s": 5.0},
        {"node": 3, "from_s": 5.0, "until_s": None},
    ]


def test_contacts_are_those_that_the_radio_switched():
    trace = [
        {"at_s": 10.0, "kind": "link-up", "source": "node-2", "destination": "node-1"},
        {"at_s": 12.0, "kind": "link-down", "source": "node-1", "destination": "node-2"},
        {"at_s": 13.0, "kind": "link-up", "source": "node-2", "destination": "node-3"},
    ]
    shorts = {"node-1": 1, "node-2": 5, "node-3": 3}
    assert trail.contacts(trace, shorts, 10.0, 14.0) == [
        {"from_s": 0.0, "until_s": 2.0, "a": 1, "b": 5},
        {"from_s": 3.0, "until_s": 4.0, "a": 3, "b": 5},
    ]
