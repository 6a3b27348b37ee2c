"""Asking again posts nothing twice, also when power fails between the two."""

from hedgenode.store.posted import REMEMBERED, Posted
from hedgenode.store.ram import RamFiles

PATH = "/store/posted.cbor"


def _nonce(number):
    return b"nonce %02d" % number


def test_the_last_few_are_known_before_and_after_a_restart():
    files = RamFiles()
    posted = Posted(files, PATH)
    for number in range(REMEMBERED + 3):
        posted.keep(_nonce(number), b"id%06d" % number)
    for known in (posted, Posted(files, PATH)):
        assert known.find(_nonce(2)) is None
        assert [known.find(_nonce(number)) for number in range(3, 11)] == [b"id%06d" % n for n in range(3, 11)]
        assert known.find(b"another") is None


def test_a_nonce_that_is_kept_again_names_the_newer_message():
    files = RamFiles()
    posted = Posted(files, PATH)
    for made in (b"first---", b"second--"):
        posted.keep(_nonce(1), made)
    posted.keep(_nonce(2), b"third---")
    assert Posted(files, PATH).find(_nonce(1)) == b"second--"


def test_a_damaged_file_or_one_of_a_later_version_is_forgotten():
    for content in (b"", b"\xff", b"\x81\x02", b"\x82\x01\x00", b"\x82\x01\x81\x00", b"\xa0"):
        files = RamFiles()
        files.contents[PATH] = bytearray(content)
        posted = Posted(files, PATH)
        assert posted.find(_nonce(1)) is None
        posted.keep(_nonce(1), b"id------")
        assert Posted(files, PATH).find(_nonce(1)) == b"id------"
