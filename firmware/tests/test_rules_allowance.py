"""What costs others is done in a burst at most, and at a steady pace after it."""

from hedgenode.rules.allowance import Allowance


def test_so_many_at_once_and_no_more():
    allowance = Allowance(3, 10)
    assert [allowance.take(100) for _ in range(5)] == [True, True, True, False, False]


def test_one_more_whenever_the_time_has_gone():
    allowance = Allowance(2, 10)
    taken = [now_s for now_s in range(1000, 1100) if allowance.take(now_s)]
    assert taken == [1000, 1001, 1010, 1020, 1030, 1040, 1050, 1060, 1070, 1080, 1090]


def test_rest_fills_it_up_and_never_over():
    allowance = Allowance(3, 10)
    for _ in range(3):
        assert allowance.take(0)
    assert [allowance.take(10000) for _ in range(4)] == [True, True, True, False]


def test_over_any_time_no_more_than_the_burst_and_the_pace():
    dice = 12345
    allowance = Allowance(5, 7)
    now_s = taken = 0
    for _ in range(2000):
        dice = (dice * 1103515 + 12345) & 0xFFFFFF
        now_s += dice % 5
        taken += allowance.take(now_s)
        assert taken <= 5 + now_s // 7
    assert taken >= now_s // 7
