"""`hedgerow dev`: the application is off until power is cut."""

import pytest

from hedgerow.errors import LinkError
from hil_tests.mpremote_runs import mpremote
from hil_tests.nodes import Node
from hil_tests.serial_line import SerialLine


def test_dev_mode_leaves_the_prompt_alone_until_power_is_cut(node: Node) -> None:
    boots = node.ask("hello")["boots"]
    node.ask("dev")
    with SerialLine(node.bench.port, node.bench.patience) as line:
        assert line.hear_text(b"dev mode")
    with pytest.raises(LinkError, match="prompt answers"):
        node.ask("hello", timeout_s=1)
    mpremote(node.bench.port, "reset")
    assert mpremote(node.bench.port, "exec", "print(6 * 7)").strip() == "42"
    with pytest.raises(LinkError, match="prompt answers"):
        node.ask("hello", timeout_s=1)
    assert node.power_cycle()["boots"] == boots + 1
