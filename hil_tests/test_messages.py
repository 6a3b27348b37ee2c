"""A message that the node acknowledged is there, whatever happens to its power."""

import contextlib

import pytest

from hedgerow.errors import FleetError, LinkError
from hedgewire import bundle, message
from hil_tests.nodes import Node

IPN_BASE = 974848


def inbox_texts(node: Node) -> list[str]:
    return [row[5] for row in node.ask("inbox", {"after": 0})]


def bundle_for(node: Node, text: str, sequence: int) -> bytes:
    """As a mule would bring it from node 4242."""
    payload = message.encode(message.PUBLIC, text)
    here = bundle.Eid(IPN_BASE + node.ask("hello")["short"], message.TEXT)
    return bundle.encode(bundle.make(bundle.Eid(IPN_BASE + 4242, message.TEXT), here, payload, sequence, 86_400_000))


def post_until_it_falls_silent(node: Node, to: int) -> list[str]:
    """The texts that it acknowledged."""
    acknowledged: list[str] = []
    with contextlib.suppress(LinkError):
        for number in range(20):
            node.ask("post", {"to": to, "text": f"message {number}"}, timeout_s=1)
            acknowledged.append(f"message {number}")
    return acknowledged


def test_a_message_to_itself_arrives(node: Node) -> None:
    short = node.ask("hello")["short"]
    posted = node.ask("post", {"to": short, "text": "Grüße an mich"})
    [row] = node.ask("inbox", {"after": 0})
    assert bytes(row[1]) == bytes(posted["id"])
    assert (row[2], row[5]) == (short, "Grüße an mich")


def test_an_acknowledged_message_survives_a_power_cut(node: Node) -> None:
    short = node.ask("hello")["short"]
    for number in range(3):
        node.ask("post", {"to": short, "text": f"message {number}"})
    node.power_cycle()
    assert inbox_texts(node) == ["message 0", "message 1", "message 2"]


def test_a_bundle_that_a_mule_brings_is_kept_once(node: Node) -> None:
    brought = bundle_for(node, "from far away", 1)
    first = node.ask("accept", {"data": brought})
    second = node.ask("accept", {"data": brought})
    assert bytes(first["id"]) == bytes(second["id"]) == bundle.bundle_id(brought)
    assert inbox_texts(node) == ["from far away"]
    assert bytes(node.ask("bundle", {"id": first["id"]})["data"]) == brought


def test_a_damaged_bundle_is_refused_in_a_sentence(node: Node) -> None:
    brought = bytearray(bundle_for(node, "from far away", 1))
    brought[len(brought) // 2] ^= 0x55
    with pytest.raises(FleetError, match="no whole bundle"):
        node.ask("accept", {"data": bytes(brought)})
    assert inbox_texts(node) == []


@pytest.mark.parametrize("writes", [1, 2, 3, 5])
def test_power_may_fail_in_the_middle_of_a_message(node: Node, writes: int) -> None:
    short = node.ask("hello")["short"]
    node.ask("post", {"to": short, "text": "kept"})
    node.bench.cut_power_after_flash_writes(writes)
    acknowledged = ["kept", *post_until_it_falls_silent(node, short)]
    node.bench.wait_for_power_cut()
    node.bench.power_on()
    node.wait_until_it_runs()
    texts = inbox_texts(node)
    assert texts[: len(acknowledged)] == acknowledged
    # The one that was under way may have made it: twice, if its repetition came after the power was back.
    assert len(set(texts[len(acknowledged) :])) <= 1
