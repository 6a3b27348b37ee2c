"""Whoever meets a node and knows the time better sets its clock; whatever else was wanted comes first."""

import pytest
from fake_node import FakeNode, Refusal

from hedgerow.plans import clock, reach
from hedgewire import admin

NOW_S = 1_780_000_000
NODE_NOW_S = NOW_S - clock.DTN_EPOCH_S


@pytest.mark.parametrize("node_s", [0, 500_000_000, NODE_NOW_S - 61, NODE_NOW_S + 61, NODE_NOW_S + 10**8])
def test_a_clock_that_is_unset_or_off_is_told_the_time(node_s):
    assert clock.correction_s(node_s, NOW_S) == NODE_NOW_S


@pytest.mark.parametrize("node_s", [None, NODE_NOW_S, NODE_NOW_S - 60, NODE_NOW_S + 60])
def test_a_clock_that_is_near_or_not_told_is_left_alone(node_s):
    assert clock.correction_s(node_s, NOW_S) is None


def test_a_computer_that_does_not_know_the_time_tells_nobody():
    assert clock.correction_s(0, clock.KNOWN_FROM_S - 1) is None


class _Timed(FakeNode):
    def __init__(self, time_s: int, answer: object) -> None:
        super().__init__()
        hello = self.methods["hello"]
        self.methods["hello"] = lambda params: hello(params) | {"time_s": time_s}
        self.methods["set_time"] = lambda params: answer


@pytest.mark.parametrize(
    ("time_s", "answer", "set_to"),
    [
        (7, {"time_s": NODE_NOW_S}, [{"time_s": NODE_NOW_S}]),
        (NODE_NOW_S + 5, None, []),
        (7, Refusal(admin.REFUSED, "the clock of this board cannot be set"), [{"time_s": NODE_NOW_S}]),
        (7, Refusal(admin.UNKNOWN_METHOD, "this node does not know the method set_time"), [{"time_s": NODE_NOW_S}]),
    ],
)
def test_reaching_a_node_sets_its_clock_and_never_fails_for_it(run, monkeypatch, time_s, answer, set_to):
    monkeypatch.setattr(clock.time, "time", lambda: float(NOW_S))
    node = _Timed(time_s, answer)

    async def connect(_port):
        return node

    async def work():
        async with reach.one_node("beech", ["somewhere"], connect=connect) as reached:
            await reached.session.ask("status")

    run(work())
    assert [params for method, params in node.asked if method == "set_time"] == set_to
    assert node.asked[-1][0] == "status"
