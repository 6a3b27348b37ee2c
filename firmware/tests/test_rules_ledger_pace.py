"""When a ledger is signed, to whom its head is shown, and what strangers can make a node spend."""

from hedgenode.rules import ledger_pace as pace
from hedgenode.rules.ledger_pace import Asking, Budget


def test_one_signature_serves_for_sixteen_entries_or_when_asked_or_after_six_hours():
    assert not pace.sign_due(15, False, 0)
    assert pace.sign_due(16, False, 0)
    assert pace.sign_due(1, True, 0)
    assert pace.sign_due(1, False, 6 * 3600)
    assert not pace.sign_due(1, False, 6 * 3600 - 1)
    assert not pace.sign_due(0, True, 10**6)


def test_a_day_has_a_bounded_number_of_checks_and_signatures():
    budget = Budget([0, 0, 0])
    assert sum([budget.may_check(10) for _ in range(100)]) == pace.CHECKS_A_DAY
    assert sum([budget.may_sign() for _ in range(100)]) == pace.SIGNATURES_A_DAY
    assert not budget.may_check(pace.DAY_S - 1)
    assert budget.may_check(pace.DAY_S)
    assert budget.may_sign()


def test_a_head_is_shown_to_who_is_near_a_few_times_and_again_when_it_has_grown():
    asking = Asking({})
    near = {2: 1000, 3: 1000, 4: 10}
    assert asking.due(5, near, 1000)
    asking.shown(near, 1000)
    assert not asking.due(5, near, 1010)
    shown = 1
    for now_s in range(1010, 9000, 10):
        near = {2: now_s, 3: now_s}
        if asking.due(5, near, now_s):
            asking.shown(near, now_s)
            shown += 1
    assert shown == pace.OFFERS
    assert asking.due(6, near, 9000)  # nobody has answered yet
    assert not asking.due(6, {4: 10}, 9000)


def test_who_has_vouched_is_asked_again_after_four_entries_only():
    asking = Asking({})
    near = {2: 0}
    assert not asking.waits_for(2)
    assert asking.due(5, near, 0)
    asking.shown(near, 0)
    assert asking.waits_for(2)
    asking.answered(2)
    assert not asking.waits_for(2)
    assert not asking.due(8, {2: 5000}, 5000)
    assert asking.due(9, {2: 5000}, 5000)


def test_a_crowd_passing_by_takes_no_more_memory_than_a_few():
    asking = Asking({})
    for short in range(200):
        asking.due(5, {short: short}, short)
    assert len(asking._asked) == pace.MAX_ASKED
