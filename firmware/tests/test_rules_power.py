"""What a node affords with the battery it has."""

from hedgenode.rules.power import LOW_MV, SAVE_MV, SURVIVE_MV, plan

SAMPLE_MS = 900000


def test_a_node_on_a_cable_does_everything():
    step = plan(None, None, SAMPLE_MS)
    assert (step.name, step.sleep_ms, step.may_relay, step.may_send) == ("full", SAMPLE_MS, True, True)


def test_the_emptier_the_battery_the_longer_the_sleep():
    sleeps = [plan(mv, None, SAMPLE_MS).sleep_ms for mv in range(3000, 4300, 10)]
    assert sleeps == sorted(sleeps, reverse=True)
    assert sleeps[0] == 8 * SAMPLE_MS
    assert sleeps[-1] == SAMPLE_MS


def test_relaying_stops_before_sending_and_both_before_the_log():
    assert plan(SAVE_MV, None, SAMPLE_MS).may_relay
    assert plan(LOW_MV, None, SAMPLE_MS).may_relay
    low = plan(LOW_MV - 1, None, SAMPLE_MS)
    assert low.may_send
    assert not low.may_relay
    empty = plan(SURVIVE_MV - 1, 0, SAMPLE_MS)
    assert not empty.may_send
    assert empty.sleep_ms == 8 * SAMPLE_MS, "what is queued waits too"


def test_something_to_send_shortens_the_sleep_but_never_below_zero():
    assert plan(4000, 5000, SAMPLE_MS).sleep_ms == 5000
    assert plan(4000, -5, SAMPLE_MS).sleep_ms == 0
    assert plan(4000, 10**9, SAMPLE_MS).sleep_ms == SAMPLE_MS
