"""Keys as words: what is said comes back, a slip is found, and everyone else who knows BIP-39 reads the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedgerow.errors import LocalError
from hedgerow.fleet import words
from hedgewire.cbor import Damage

SECRETS = st.sampled_from([16, 20, 24, 28, 32]).flatmap(lambda length: st.binary(min_size=length, max_size=length))

# From the test vectors that BIP-39 publishes.
PUBLISHED = [
    ("00" * 16, "abandon " * 11 + "about"),
    ("7f" * 16, "legal winner thank year wave sausage worth useful legal winner thank yellow"),
    ("80" * 24, "letter advice cage absurd amount doctor acoustic avoid " * 2 + "letter always"),
    ("ff" * 32, "zoo " * 23 + "vote"),
]


@pytest.mark.parametrize(("data", "said"), PUBLISHED)
def test_published_words_come_out_and_go_in(data, said):
    assert words.words_of(bytes.fromhex(data)) == said.split()
    assert words.bytes_of(said.split()) == bytes.fromhex(data)


@given(SECRETS)
def test_what_is_said_comes_back(data):
    assert words.bytes_of(words.words_of(data)) == data


@given(SECRETS)
def test_four_letters_in_any_case_are_enough(data):
    assert words.bytes_of([word[:4].upper() for word in words.words_of(data)]) == data


def test_an_unknown_word_is_named_with_its_place():
    said = [*words.words_of(bytes(16))[:-1], "hedgerow"]
    assert words.bytes_of(said) == Damage("word 12, 'hedgerow', is not in the list", 11)


@pytest.mark.parametrize("slip", ["", "a", "zo"])
def test_a_stub_of_a_word_is_none(slip):
    assert isinstance(words.bytes_of([slip, *words.words_of(bytes(16))[1:]]), Damage)


def test_a_wrong_word_or_two_changed_places_are_found():
    said = words.words_of(bytes(range(32)))
    for wrong in ([*said[:-1], "zoo"], [said[1], said[0], *said[2:]]):
        assert "do not fit together" in words.bytes_of(wrong).reason


def test_a_wrong_number_of_words_is_told():
    assert words.bytes_of(["zoo"] * 13) == Damage("13 words; it must be 12, 15, 18, 21 or 24", 13)


def test_a_length_that_has_no_words_is_our_own_mistake():
    with pytest.raises(LocalError):
        words.words_of(bytes(17))


def test_a_fingerprint_is_the_first_66_bits_of_the_keys_hash():
    # SHA-256 of nothing begins with e3b0c44298fc1c149a; 11 bits at a time that is 1821, 1073, 133, 399, 1550, 82.
    assert words.fingerprint(b"") == "together mail awful cradle scrub apart"
    assert words.fingerprint(bytes(32)) != words.fingerprint(bytes(31) + b"\x01")
