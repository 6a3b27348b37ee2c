"""An epoch lasts as long as a message lives."""

from hedgenode.rules.epochs import EPOCH_S, is_due


def test_an_epoch_is_over_after_a_week_of_uptime():
    assert not is_due(256, 1000, 1000 + EPOCH_S - 1)
    assert is_due(256, 1000, 1000 + EPOCH_S)


def test_the_last_epoch_of_a_generation_goes_on():
    assert is_due(256 + 254, 0, EPOCH_S)
    assert not is_due(256 + 255, 0, 100 * EPOCH_S)
