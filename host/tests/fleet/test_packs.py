"""Documents that travel as one file or as lines of text: whole or not at all, in any order, through any letter."""

import io
import random

import papers
import pytest
import segno
from papers import FIRST, a_fleet, certificate_of, signed

from hedgerow.fleet import packs
from hedgewire import bundle
from hedgewire.cbor import Damage

FOUND = [*a_fleet(1, 2), signed(papers.revocation("laptop-2"), "Ana", "Ben")]


def test_a_pack_is_read_back_and_does_not_depend_on_the_order():
    data = packs.pack(FOUND)
    assert packs.pack(reversed(FOUND)) == data
    assert packs.unpack(data) == sorted(FOUND, key=lambda one: one.digest)


def test_one_documents_own_file_and_a_bundle_with_one_are_read_as_well():
    one = signed(FIRST, "Ana")
    assert packs.unpack(one.encode()) == [one]
    carried = bundle.make(bundle.Eid(5, 2), bundle.Eid(9, 2), one.encode(), 1, 60000)
    assert packs.unpack(bundle.encode(carried)) == [one]


def test_lines_survive_a_letter_that_mixes_and_decorates_them():
    lines = packs.to_text(FOUND)
    assert len(lines) > 3
    random.Random(5).shuffle(lines)
    letter = "Dear Ben,\n" + "\n> ".join([*lines, lines[0].lower()]) + "\nYours, Ana"
    assert packs.unpack(letter.encode()) == packs.unpack(packs.pack(FOUND))


def test_what_is_missing_is_named():
    lines = packs.to_text(FOUND)
    assert packs.from_text("\n".join(lines[:1] + lines[2:])) == Damage(f"line 2 of {len(lines)} is missing", 0)
    assert packs.from_text("nothing") == Damage("no line of a pack", 0)
    two = lines[0] + "\n" + packs.to_text([signed(FIRST, "Ana")])[0]
    assert packs.from_text(two) == Damage("lines of two packs", 0)


def test_a_letter_misread_is_found():
    lines = packs.to_text(FOUND)
    for place in (60, 100, len(lines[0]) - 1):
        wrong = lines[0][:place] + ("A" if lines[0][place] != "A" else "B") + lines[0][place + 1 :]
        found = packs.from_text("\n".join([wrong, *lines[1:]]))
        assert isinstance(found, Damage)
        assert "not read as it was written" in found.reason


@pytest.mark.parametrize("data", [b"", b"\xff", b"\x80\x00", b"\x81\x41\x00", b"HEDGEROW1/AAAAAAAA/1/1/A"])
def test_damage_is_a_value(data):
    assert isinstance(packs.unpack(data), Damage)


def test_each_line_is_one_code_that_an_old_telephone_can_read():
    for line in packs.to_text([*FOUND, signed(certificate_of(3), "Ana", "Ben")]):
        code = segno.make(line, error="m")
        assert code.mode == "alphanumeric"
        assert code.symbol_size(border=0)[0] <= 65
        drawn = io.StringIO()
        code.terminal(out=drawn, compact=True)
        assert max(map(len, drawn.getvalue().splitlines())) <= 80
