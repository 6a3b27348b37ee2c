"""What a bad cable does to a node: nothing that a good one does not mend."""

import threading

import pytest

from hedgerow.errors import LinkError
from hedgerow.virtual import Disturbance
from hil_tests.benches import VirtualBench
from hil_tests.nodes import Node


def test_a_node_answers_over_a_cable_that_loses_bytes_or_says_that_it_cannot(
    running_node: Node, faults: VirtualBench
) -> None:
    faults.disturb(Disturbance(loss=0.001, noise=0.001))
    answered = 0
    for _ in range(20):
        try:
            answered += bytes(running_node.ask("hello", timeout_s=0.5)["id"]) != b""
        except LinkError:
            continue
    faults.disturb(Disturbance())
    assert answered >= 5
    assert running_node.ask("hello")["boots"] == running_node.wait_until_it_runs()["boots"]


def test_a_cable_that_loses_everything_ends_in_a_sentence(running_node: Node, faults: VirtualBench) -> None:
    faults.disturb(Disturbance(loss=1.0))
    with pytest.raises(LinkError):
        running_node.ask("hello", timeout_s=0.5)
    faults.disturb(Disturbance())
    running_node.wait_until_it_runs()


def test_a_slow_cable_only_takes_longer(running_node: Node, faults: VirtualBench) -> None:
    faults.disturb(Disturbance(latency_s=0.3))
    assert running_node.ask("status", timeout_s=5)["total_bytes"] > 0


def test_what_a_stalled_cable_held_back_arrives_when_it_goes_on(running_node: Node, faults: VirtualBench) -> None:
    faults.disturb(Disturbance(stalled=True))
    well_again = threading.Timer(1.0, faults.disturb, [Disturbance()])
    well_again.start()
    try:
        assert running_node.ask("hello", timeout_s=5)["name"]
    finally:
        well_again.join()
