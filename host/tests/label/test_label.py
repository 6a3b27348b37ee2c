"""A label's text: what goes in comes out, a wrong character is found, and a reader of tomorrow's fields is not lost."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedgerow.fleet import label, words
from hedgerow.fleet.label import Card, Label, WaitingLabel
from hedgewire.cbor import Damage

VECTORS = json.loads((Path(__file__).parents[3] / "vectors" / "label.json").read_text(encoding="utf-8"))
ALPHANUMERIC = set("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:")
KEYS = st.binary(min_size=32, max_size=32)
NAMES = st.text(min_size=1, max_size=40)

labels = st.builds(
    Label,
    KEYS,
    st.integers(1, 0xFFFE),
    NAMES,
    st.binary(min_size=8, max_size=8),
    st.none() | KEYS,
)
waiting = st.builds(WaitingLabel, KEYS, st.binary(min_size=16, max_size=16), NAMES)
cards = st.builds(Card, NAMES, KEYS)


@given(labels | cards | waiting)
def test_what_is_printed_is_read_back(one):
    text = one.text()
    assert set(text) <= ALPHANUMERIC
    assert label.read(text) == one


@given(labels | cards | waiting, st.data())
def test_a_person_may_type_it_in_any_case_with_spaces(one, data):
    text = one.text()
    at = data.draw(st.integers(0, len(text)))
    assert label.read(text[:at].lower() + " \n" + text[at:]) == one


@given(labels | cards | waiting, st.data())
def test_one_wrong_or_missing_character_is_found(one, data):
    text = one.text()
    start = text.rindex(":") + 1
    at = data.draw(st.integers(start, len(text) - 1))
    other = data.draw(st.sampled_from(sorted(set("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") - {text[at]})))
    for wrong in (text[:at] + other + text[at + 1 :], text[:at] + text[at + 1 :]):
        found = label.read(wrong)
        # The last character may carry bits that belong to nothing: then it is no mistake.
        assert isinstance(found, Damage) or (found == one and at == len(text) - 1)


@given(st.text(max_size=60) | st.text("HEDGROW-KY:123ABC", max_size=40))
def test_whatever_is_scanned_ends_in_a_value(text):
    assert isinstance(label.read(text), (Label, Card, WaitingLabel, Damage))


@pytest.mark.parametrize("vector", VECTORS["labels"], ids=lambda vector: vector["name"])
def test_labels_of_the_vectors(vector):
    optional = {key: bytes.fromhex(vector[key]) for key in ("custodian",) if key in vector}
    one = Label(
        bytes.fromhex(vector["public"]), vector["short"], vector["name"], bytes.fromhex(vector["fleet"]), **optional
    )
    assert one.text() == vector["text"]
    assert label.read(vector["text"]) == one
    assert (one.node_id.hex(), one.fingerprint) == (vector["id"], vector["fingerprint"])


@pytest.mark.parametrize("vector", VECTORS["waiting"], ids=lambda vector: vector["board"])
def test_waiting_labels_of_the_vectors(vector):
    one = WaitingLabel(bytes.fromhex(vector["public"]), bytes.fromhex(vector["secret"]), vector["board"])
    assert one.text() == vector["text"]
    assert label.read(vector["text"]) == one
    assert (one.node_id.hex(), one.fingerprint) == (vector["id"], vector["fingerprint"])


@pytest.mark.parametrize("vector", VECTORS["cards"], ids=lambda vector: vector["holder"])
def test_cards_of_the_vectors(vector):
    one = Card(vector["holder"], bytes.fromhex(vector["seed"]))
    assert one.text() == vector["text"]
    assert label.read(vector["text"]) == one
    assert " ".join(one.words) == vector["words"]
    assert words.bytes_of(one.words) == one.seed


@pytest.mark.parametrize("vector", VECTORS["damaged"], ids=lambda vector: vector["name"])
def test_what_must_be_refused(vector):
    found = label.read(vector["text"])
    assert isinstance(found, Damage)
    assert found.reason == vector["reason"]


def test_a_field_of_tomorrow_is_passed_over():
    one = Label(b"k" * 32, 7, "oak", b"fleet..8")
    tomorrow = label._packed({1: one.public, 2: 7, 3: "oak", 4: one.fleet, 9: [1, 2, 3]})
    assert label.read(label.LABEL_PREFIX + tomorrow) == one


def test_no_secret_is_shown_by_accident():
    assert "sss" not in repr(WaitingLabel(b"k" * 32, b"s" * 16, "RPI_PICO_W"))
    assert "sss" not in repr(Card("Rosa", b"s" * 32))
