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


def post_until_it_falls_silent(node: Node, to: int, text: str) -> list[str]:
    """The texts that it acknowledged."""
    acknowledged: list[str] = []
    with contextlib.suppress(LinkError):
        for number in range(20):
            node.ask("post", {"to": to, "text": f"{text}, {number}"}, timeout_s=0.5)
            acknowledged.append(f"{text}, {number}")
    return acknowledged


def test_a_message_to_itself_arrives(running_node: Node) -> None:
    short = running_node.ask("hello")["short"]
    posted = running_node.ask("post", {"to": short, "text": "Grüße an mich"})
    [row] = [row for row in running_node.ask("inbox", {"after": 0}) if bytes(row[1]) == bytes(posted["id"])]
    assert (row[2], row[5]) == (short, "Grüße an mich")


def test_a_bundle_that_a_mule_brings_is_kept_once(running_node: Node) -> None:
    brought = bundle_for(running_node, "from far away", 1)
    first = running_node.ask("accept", {"data": brought})
    second = running_node.ask("accept", {"data": brought})
    assert bytes(first["id"]) == bytes(second["id"]) == bundle.bundle_id(brought)
    assert inbox_texts(running_node).count("from far away") == 1
    assert bytes(running_node.ask("bundle", {"id": first["id"]})["data"]) == brought


def test_a_damaged_bundle_is_refused_in_a_sentence(running_node: Node) -> None:
    brought = bytearray(bundle_for(running_node, "never arrives", 2))
    brought[len(brought) // 2] ^= 0x55
    with pytest.raises(FleetError, match="no whole bundle"):
        running_node.ask("accept", {"data": bytes(brought)})
    assert "never arrives" not in inbox_texts(running_node)


def test_an_acknowledged_message_survives_a_power_cut(node: Node) -> None:
    short = node.ask("hello")["short"]
    for number in range(3):
        node.ask("post", {"to": short, "text": f"message {number}"})
    node.power_cycle()
    assert inbox_texts(node) == ["message 0", "message 1", "message 2"]


def test_power_may_fail_in_the_middle_of_a_message(node: Node) -> None:
    short = node.ask("hello")["short"]
    there: list[str] = []
    for writes in (1, 2, 5):
        node.bench.cut_power_after_flash_writes(writes)
        there += post_until_it_falls_silent(node, short, f"before cut {writes}")
        node.bench.wait_for_power_cut()
        node.bench.power_on()
        node.wait_until_it_runs()
        texts = inbox_texts(node)
        assert texts[: len(there)] == there
        # The one that was under way may have made it: twice, if its repetition came after the power was back.
        assert len(set(texts[len(there) :])) <= 1
        there = texts
