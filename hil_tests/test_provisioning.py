"""From a blank board to a node that runs, with the functions behind `hedgerow provision`."""

import pytest

from hedgerow.errors import InterruptedWork, LinkError
from hedgerow.repl import copy
from hil_tests.nodes import NAME, Node


def test_a_blank_board_becomes_a_running_node(blank_node: Node) -> None:
    result = blank_node.provision()
    assert result.node == NAME
    hello = blank_node.ask("hello")
    assert hello["name"] == NAME
    assert bytes(hello["id"]) == result.node_id
    assert hello["short"] == result.short


def test_provisioning_again_changes_nothing(node: Node) -> None:
    boots = node.ask("hello")["boots"]
    assert node.provision().changes == []
    assert node.ask("hello")["boots"] == boots


def test_an_interrupted_provisioning_is_finished_by_the_same_command(
    blank_node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    # How long a slow chip may take to unpack is not the matter here, and every second of it would be waited for.
    monkeypatch.setattr(copy, "UNPACK_S", 2.0 * blank_node.bench.patience)
    monkeypatch.setattr(copy, "ANSWER_S", 0.5 * blank_node.bench.patience)
    blank_node.bench.cut_power_after_flash_writes(40)
    broken = blank_node.try_to_provision()
    assert isinstance(broken.error, InterruptedWork | LinkError)
    blank_node.bench.wait_for_power_cut()
    blank_node.bench.power_on()
    finished = blank_node.provision()
    assert finished.changes
    assert blank_node.ask("hello")["name"] == NAME
    assert blank_node.provision().changes == []
