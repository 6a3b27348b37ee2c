"""Damaged input never raises out of a decoder: a hundred thousand seeded mutations (MicroPython runs 5,000 of them)."""

import time

import mutations
import pytest

MUTATIONS = 100_000
LIMIT_S = 30


def test_100_000_mutations_raise_nothing():
    began = time.process_time()
    totals = mutations.run(MUTATIONS, seed=1)
    assert sum(map(sum, totals.values())) == MUTATIONS
    assert time.process_time() - began < LIMIT_S
    for name, (good, damaged) in totals.items():
        assert good > 100, name
        assert damaged > 1000, name


def test_a_decoder_that_raises_is_caught(monkeypatch):
    def careless(data: bytes) -> object:
        return data[40]

    monkeypatch.setattr(mutations.link, "decode", careless)
    with pytest.raises(AssertionError, match="link, mutation"):
        mutations.run(100, seed=1)
