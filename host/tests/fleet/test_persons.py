"""People and their keys, as a person at the keyboard meets them; and what a letter becomes before it is sent."""

import json

import pytest

from hedgerow.cli import main, options
from hedgerow.cli.inbox import closed_line, layer_words, proof_words
from hedgerow.cli.send import letter_for, told
from hedgerow.errors import UsageError
from hedgerow.fleet import founding, keys
from hedgerow.fleet.folder import FleetFolder
from hedgerow.fleet.groups import FLEET_NAME
from hedgerow.fleet.keyring import NODE, PERSON, Holder, Keyring, Own
from hedgerow.plans import letters
from hedgerow.plans.inbox import SIGNED, UNKNOWN, UNSIGNED, WRONG, Received

NODE_PUBLIC, ANA_SEED = keys.public_of(b"n" * 32), b"a" * 32
ANA = Holder("Ana", PERSON, keys.public_of(ANA_SEED))
OAK = Holder("oak", NODE, NODE_PUBLIC, short=7)
LENT = Holder("Cy", PERSON, NODE_PUBLIC, short=7, lent_by="oak")


@pytest.fixture
def say(capsys, monkeypatch, tmp_path):
    """Run `hedgerow WORDS` in the folder of a fleet; returns (exit code, stdout, stderr)."""
    founding.found(tmp_path / "river", "river").close()
    monkeypatch.chdir(tmp_path / "river")
    monkeypatch.setattr(options.console, "_width", 200)

    def command(*words: str):
        code = main.main(list(words))
        out, err = capsys.readouterr()
        return code, out, err

    return command


def ring(*holders: Holder, own: tuple = ()) -> Keyring:
    return Keyring({keys.key_id(one.public): one for one in holders}, {key.holder.name: key for key in own}, {7: "oak"})


def test_a_person_is_made_shown_and_written_on_paper(say):
    code, out, _ = say("person", "new", "Ana")
    assert code == 0
    assert "person export Ana" in out
    [shown] = json.loads(say("person", "show", "--json")[1])
    assert (shown["name"], shown["key_here"], shown["lent_by"]) == ("Ana", True, None)
    words = say("person", "export", "Ana")[1].split()
    assert len(words) == 24
    with FleetFolder(options.fleet_folder(None)) as fleet:
        [own] = [one for one in Keyring.of(fleet).own.values() if one.holder.kind == PERSON]
        assert own.holder.public.hex() == shown["public"] == keys.public_of(own.seed()).hex()


def test_words_bring_the_same_key_back(say, tmp_path):
    say("person", "new", "Ana")
    public = json.loads(say("person", "show", "--json")[1])[0]["public"]
    paper = tmp_path / "paper.txt"
    assert say("person", "export", "Ana", "--to", str(paper))[0] == 0
    assert paper.stat().st_mode & 0o077 == 0
    founding.found(tmp_path / "hill", "hill").close()
    assert say("person", "new", "Ana", "--words", paper.read_text(), "--fleet", str(tmp_path / "hill"))[0] == 0
    shown = json.loads(say("person", "show", "--fleet", str(tmp_path / "hill"), "--json")[1])
    assert shown[0]["public"] == public


@pytest.mark.parametrize(
    "words",
    [
        ("person", "new", ""),
        ("person", "new", "Ana", "--words", "one two three"),
        ("person", "show", "Nobody"),
        ("person", "export", "Nobody"),
        ("group", "new", "n" * 25),
        ("group", "new", FLEET_NAME),
        ("group", "add", "fleet", "Nobody"),
        ("group", "show", "nothing"),
        ("send", "--public", "--group", "g", "text"),
        ("send", "Nobody", "text"),
        ("send", "--public", "text", "--as", "Nobody"),
    ],
)
def test_mistakes_end_in_a_sentence(say, words):
    code, out, err = say(*words)
    assert code == 2
    assert out == ""
    assert "Traceback" not in err


def test_nobody_is_made_twice(say):
    say("person", "new", "Ana")
    assert say("person", "new", "Ana")[0] == 2


def test_a_group_is_made_and_shown_with_its_members(say):
    say("person", "new", "Ana")
    assert say("group", "new", "bakers")[0] == 0
    assert say("group", "add", "bakers", "Ana")[0] == 0
    rows = {row["name"]: row for row in json.loads(say("group", "show", "--json")[1])}
    assert "Ana" in rows["bakers"]["members"]
    assert rows[FLEET_NAME]["members"] == ["every node of the fleet"]
    assert say("group", "new", "bakers")[0] == 2


def test_what_has_a_key_is_sealed_and_what_goes_in_clear_is_said():
    known = ring(ANA, OAK)
    to_ana = letter_for(known, "Ana", "text")
    assert (to_ana.reader, to_ana.to) == (ANA, letters.EVERYONE)
    assert letter_for(known, "Ana", "text", at="oak").to == 7
    to_oak = letter_for(known, "oak", "text")
    assert (to_oak.reader, to_oak.to) == (OAK, 7)
    assert letter_for(known, "7", "text").reader == OAK
    clear = letter_for(known, "oak", "text", clear=True)
    assert (clear.reader, clear.to) == (None, 7)
    assert "in clear" in told(clear, bytes(8), "elm", known)[1]
    with pytest.raises(UsageError, match="is a person"):
        letter_for(known, "Ana", "text", clear=True)
    assert letter_for(Keyring(), "9", "text").reader is None


def test_a_board_that_is_too_small_is_written_to_in_clear_and_that_is_said():
    small = Holder("oak", NODE, NODE_PUBLIC, short=7, too_small="ESP32_GENERIC")
    letter = letter_for(ring(small), "oak", "text")
    assert letter.reader is None
    assert "has no room" in told(letter, bytes(8), "elm", ring(small))[2]


def test_a_lent_key_is_named_wherever_it_is_used():
    known = ring(LENT)
    letter = letter_for(known, "Cy", "text")
    assert (letter.reader, letter.to) == (LENT, 7)
    assert "Node oak lends that key" in told(letter, bytes(8), "elm", known)[2]
    assert "node oak lends" in layer_words(Received(1, b"", 1, 0, 2, "text", reader=LENT))


def test_the_only_person_here_signs_and_several_must_be_told_apart():
    def key(name):
        return Own(Holder(name, PERSON, ANA.public), lambda: ANA_SEED)

    assert ring(own=(key("Ana"),)).author(None).holder.name == "Ana"
    assert ring(own=(key("Ana"), key("Ben"))).author(None) is None
    assert ring(own=(key("Ana"), key("Ben"))).author("Ben").holder.name == "Ben"
    assert ring().author(None) is None


def test_two_of_one_name_are_told_apart_by_number_or_id():
    twin = Holder("oak", PERSON, ANA.public)
    with pytest.raises(UsageError, match="is the name of 2"):
        ring(OAK, twin).named("oak")
    assert ring(OAK, twin).named("7") == OAK
    assert ring(OAK, twin).named(keys.key_id(ANA.public).hex()[:10]) == twin


def test_what_is_proved_is_said_in_words():
    def received(proof, **facts):
        return Received(1, b"", 1, 0, 0, "text", proof, **facts)

    assert proof_words(received(SIGNED, author=bytes(8), author_name="Ana")) == "signed by Ana"
    assert proof_words(received(UNSIGNED)) == "unsigned"
    assert proof_words(received(UNSIGNED, group="bakers")) == "from a member, unsigned"
    assert proof_words(received(WRONG, author=bytes(8))) == "signature is wrong (00000000)"
    assert proof_words(received(UNKNOWN, author=bytes(8))).startswith("signed with a key that is not known here")
    assert closed_line(0, 0) is None
    assert closed_line(1, 2) == "Carried here and closed to this laptop: 1 to groups, 2 sealed to others."
