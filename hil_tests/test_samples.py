"""What the sensors said stays in flash, numbered without a gap."""

import time

from hil_tests.nodes import SETTINGS, Node


def samples_of(node: Node, at_least: int) -> list:
    """All samples, once there are so many."""
    end = time.monotonic() + at_least * SETTINGS["sample_ms"] / 1000 * 4 * node.bench.patience + 5
    while len(found := node.ask("samples", {"after": 0, "limit": 100})) < at_least and time.monotonic() < end:
        time.sleep(0.2)
    return found


def test_samples_are_taken_and_numbered(running_node: Node) -> None:
    samples = samples_of(running_node, 3)
    assert [row[0] for row in samples] == list(range(1, len(samples) + 1))
    taken = [(row[3], row[2]) for row in samples]
    assert taken == sorted(taken), "boot and uptime only grow"


def test_only_what_is_new_is_given(running_node: Node) -> None:
    samples_of(running_node, 3)
    assert running_node.ask("samples", {"after": 1, "limit": 1})[0][0] == 2


def test_samples_survive_a_power_cut_and_go_on(node: Node) -> None:
    before = samples_of(node, 3)
    node.power_cycle()
    after = samples_of(node, len(before) + 2)
    assert after[: len(before)] == before
    assert [row[0] for row in after] == list(range(1, len(after) + 1))
    assert after[-1][3] == before[-1][3] + 1, "the boot is told"
