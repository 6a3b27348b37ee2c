"""How long a frame is on the air, and the budget for it."""

from hedgenode.rules.airtime import Budget, espnow_us, lora_us


def test_lora_airtime_agrees_with_known_figures():
    # payload bytes, spreading factor, bandwidth Hz, coding rate 4/n, microseconds
    for payload, spreading, bandwidth, coding, wanted in (
        (100, 9, 125000, 5, 553984),
        (200, 9, 125000, 5, 1004544),
        (255, 9, 125000, 5, 1250304),
        (20, 7, 125000, 5, 56576),
        (20, 12, 125000, 5, 1318912),  # low data rate optimisation
        (10, 7, 250000, 8, 26752),  # 12.25 + 8 + 4 * 8 symbols of 512 us
    ):
        got = lora_us(payload, spreading, bandwidth, coding)
        assert got == wanted, (payload, spreading, got, wanted)


def test_an_esp_now_frame_takes_two_and_a_half_milliseconds_at_most():
    assert espnow_us(0) == 192 + 43 * 8
    assert espnow_us(250) == 2536


def test_one_percent_of_an_hour_is_28_full_frames():
    budget = Budget(10, 0)
    sent = 0
    while budget.spend(lora_us(255, 9), 0):
        sent += 1
    assert sent == 28
    assert budget.wait_s(lora_us(255, 9), 0) > 0


def test_a_budget_is_earned_with_time_and_has_a_ceiling():
    budget = Budget(10, 0)
    assert budget.left_ms(0) == 36000
    assert budget.spend(36000000, 0)
    assert not budget.spend(1000, 0)
    wait_s = budget.wait_s(1000000, 0)
    assert wait_s == 100
    assert not budget.spend(1000000, wait_s - 1)
    assert budget.spend(1000000, wait_s)
    assert budget.left_ms(10**6) == 36000


def test_a_clock_that_goes_back_earns_nothing():
    budget = Budget(10, 1000)
    budget.spend(36000000, 1000)
    assert budget.left_ms(10) == 0
