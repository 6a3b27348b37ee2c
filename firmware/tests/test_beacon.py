"""What a node shows on the air tells those who have the roster who it is, and nobody else anything."""

from hedgewire import beacon

FLEET = bytes(range(8))
PUBLIC = bytes(range(100, 132))
NONCE = bytes(range(200, 208))


def test_the_advertisement_is_what_the_documentation_says():
    said = beacon.advertisement(FLEET, PUBLIC, NONCE)
    assert said.hex() == "02010613ffffffc8c9cacbcccdcecf" + beacon.hint(FLEET, PUBLIC, NONCE).hex()
    assert len(said) <= 31
    assert beacon.parse(said[7:]) == (NONCE, beacon.hint(FLEET, PUBLIC, NONCE))


def test_hint_and_knock_are_the_ones_that_other_versions_make():
    assert beacon.hint(FLEET, PUBLIC, NONCE).hex() == "8da0139b3f64560c"
    assert beacon.knock(FLEET, PUBLIC, NONCE).hex() == "1797329c9871cccc"


def test_each_of_fleet_key_and_nonce_changes_both():
    for change in ((bytes(8), PUBLIC, NONCE), (FLEET, bytes(32), NONCE), (FLEET, PUBLIC, bytes(8))):
        assert beacon.hint(*change) != beacon.hint(FLEET, PUBLIC, NONCE)
        assert beacon.knock(*change) != beacon.knock(FLEET, PUBLIC, NONCE)


def test_an_overheard_hint_is_no_knock():
    assert beacon.hint(FLEET, PUBLIC, NONCE) != beacon.knock(FLEET, PUBLIC, NONCE)


def test_what_others_advertise_under_that_company_is_not_ours():
    for data in (b"", b"\x01", bytes(15), bytes(17), bytes(27)):
        assert beacon.parse(data) is None
