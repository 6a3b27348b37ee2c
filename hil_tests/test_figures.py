"""What is compared when MicroPython is upgraded: how fast a node is there, what room it has, how fast it copies."""

import time
from collections.abc import Callable
from pathlib import Path

from hil_tests.benches import Bench
from hil_tests.mpremote_runs import mpremote
from hil_tests.nodes import Node

Figure = Callable[[str, float, str, str], None]


def test_the_time_from_power_on_to_the_first_answer(node: Node, figure: Figure) -> None:
    node.bench.cut_power()
    start = time.monotonic()
    node.bench.power_on()
    hello = node.wait_until_it_runs()
    figure("power on to first answer", time.monotonic() - start, "s", "less")
    assert hello["uptime_ms"] <= (time.monotonic() - start) * 1000 + 1000


def test_the_heap_of_a_running_node(running_node: Node, figure: Figure) -> None:
    status = running_node.ask("status")
    figure("heap free", status["heap_free"], "bytes", "more")
    figure("file system free", status["free_bytes"], "bytes", "more")
    assert 0 < status["heap_free"] < 16_000_000
    assert 0 < status["free_bytes"] < status["total_bytes"]


def test_the_speed_of_a_question(running_node: Node, figure: Figure) -> None:
    start = time.monotonic()
    for _ in range(5):
        running_node.ask("hello")
    figure("five questions, each on a connection of its own", time.monotonic() - start, "s", "less")


def test_the_speed_of_a_copy_to_a_bare_board(bare_board: Bench, scratch_file: Path, figure: Figure) -> None:
    start = time.monotonic()
    mpremote(bare_board.port, "fs", "cp", str(scratch_file), ":scratch.bin", timeout_s=30 * bare_board.patience)
    figure("20 kB copied by mpremote", 20 / (time.monotonic() - start), "kB/s", "more")
    said = mpremote(bare_board.port, "exec", "import os; print(os.stat('scratch.bin')[6])")
    assert int(said) == scratch_file.stat().st_size
