"""Stewards, laptops and keys by the command line: signatures gathered without a network, one person after the other."""

import json

import pytest

from hedgerow.cli.main import main
from hedgerow.fleet import key_lock, packs, passphrase, words
from hedgerow.fleet.folder import FleetFolder


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "empty home"))
    monkeypatch.setattr(key_lock, "LOG2_N", 4)
    return tmp_path


@pytest.fixture
def ask(capsys):
    """Run a command with --json; its answer."""

    def asked(*arguments: str, code: int = 0):
        assert main([*arguments, "--json"]) == code, capsys.readouterr().err
        said = capsys.readouterr()
        return json.loads(said.out if code == 0 else said.err.splitlines()[-1])

    return asked


def key_of(ask, name: str) -> str:
    return f"{name}={ask('keys', 'new', name, '--keys', f'{name}.toml')['public']}"


def test_three_people_found_a_fleet_and_each_signs_where_they_are(here, ask, capsys):
    ben, cy = key_of(ask, "Ben"), key_of(ask, "Cy")
    made = ask("fleet", "new", "river", "--stewards", f"Ana,{ben},{cy}")
    assert made["charter"]["threshold"] == 2
    assert len(made["waiting_for_signatures"]) == 1
    assert main(["provision", "-p", "COM77", "--fleet", "river"]) == 4
    assert "not signed yet" in capsys.readouterr().err
    # Ana has signed; the file goes to Ben, who has nothing but his key.
    assert ask("charter", "sign", "--fleet", "river")["signed"] == []
    with FleetFolder(here / "river") as fleet:
        (here / "for-ben.cbor").write_bytes(packs.pack(fleet.registry.documents()))
    signed = ask("charter", "sign", "for-ben.cbor", "--keys", "Ben.toml")
    assert len(signed["signed"]) == 2  # the charter, and the certificate of Ana's laptop that comes with it
    assert ask("charter", "verify", "for-ben.cbor")["counts"][0].startswith("river")
    joined = ask("fleet", "join", "for-ben.cbor", "--fleet", "river")
    assert joined["waiting_for_signatures"] == []
    assert joined["laptop"] is not None


def test_a_steward_joins_and_another_leaves_by_signatures_of_both_councils(here, ask, capsys):
    dora = key_of(ask, "Dora")
    ask("fleet", "new", "river", "--stewards", "Ana,Ben,Cy")
    at = ("--fleet", "river")
    assert "Dora joins" in ask("charter", "add-steward", dora, *at)["proposed"][0]
    assert ask("charter", "show", *at)["version"] == 1
    done = ask("charter", "sign", *at)
    assert done["waiting"] == []
    assert ask("charter", "show", *at)["version"] == 2
    ask("charter", "remove-steward", "Ben", "--revoke", *at)
    ask("charter", "sign", *at)
    shown = ask("charter", "show", *at)
    assert (shown["version"], len(shown["stewards"]), len(shown["revoked"])) == (3, 3, 1)
    # Ben's signature fell, and this laptop's certificate was signed anew together with the charter.
    assert ask("fleet", "show", *at)["laptop"] is not None
    assert main(["charter", "show", *at]) == 0
    said = capsys.readouterr().out
    assert words.fingerprint(bytes.fromhex(shown["stewards"][0]["public"])) in said


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["add-steward", "Ana=" + "ab" * 32], "there is a steward Ana already"),
        (["add-steward", "Dora"], "the key of Dora is missing"),
        (["add-steward", "Dora=12"], "64 hexadecimal digits"),
        (["remove-steward", "Eve"], "there is no steward Eve"),
        (["new", "--threshold", "9"], "cannot decide anything"),
        (["new", "--term", "Eve=3"], "there is no steward Eve"),
        (["new", "--term", "Ana=soon"], "a term is NAME=N"),
        (["new", "--term", "Ana=1", "--term", "Ben=1"], "nobody could decide"),
    ],
)
def test_a_proposal_that_makes_no_sense_ends_in_a_sentence(here, ask, arguments, sentence):
    ask("fleet", "new", "river", "--stewards", "Ana,Ben,Cy")
    assert sentence in ask("charter", *arguments, "--fleet", "river", code=2)["what"]


def test_nobody_signs_two_charters_with_one_version_by_mistake(here, ask):
    ask("fleet", "new", "river", "--stewards", "Ana,Ben=" + "11" * 32, "--threshold", "1")
    at = ("--fleet", "river")
    ask("charter", "new", "--name", "river north", *at)
    ask("charter", "new", "--name", "river south", *at)
    first = ask("charter", "sign", *at)
    assert len(first["signed"]) == 2  # neither had been signed: the person saw both
    assert len(ask("charter", "show", *at)["splits"]) == 1


def test_a_second_charter_is_not_signed_once_a_first_one_is(here, ask):
    ben = key_of(ask, "Ben")
    ask("fleet", "new", "river", "--stewards", f"Ana,{ben}", "--threshold", "2")
    at = ("--fleet", "river")
    with FleetFolder(here / "river") as fleet:
        (here / "f.cbor").write_bytes(packs.pack(fleet.registry.documents()))
    ask("charter", "sign", "f.cbor", "--keys", "Ben.toml")
    ask("fleet", "join", "f.cbor", *at)
    ask("charter", "new", "--name", "one", *at)
    ask("charter", "sign", *at)
    ask("charter", "new", "--name", "two", *at)
    assert ask("charter", "sign", *at)["signed"] == []


def test_a_new_laptop_asks_a_steward_answers_and_no_secret_travels(here, ask):
    ask("fleet", "new", "river")
    told = ask("charter", "show", "--fleet", "river")["words"]
    ask("fleet", "join", "river", "--dir", "copy", "--words", told)
    refused = ask("fleet", "join", "river", "--dir", "other", "--words", "a b c d e f", code=4)
    assert "not the one you were told of" in refused["what"]
    asked = ask("laptop", "request", "--name", "cafe", "--fleet", "copy")
    seed = FleetFolder(here / "copy").secrets.laptop_seed
    assert seed not in (here / "cafe-request.cbor").read_bytes()
    ask("laptop", "certify", "cafe-request.cbor", "--enrolments", "5", "--until", "3", "--fleet", "river")
    shown = ask("fleet", "join", "cafe-certificate.cbor", "--fleet", "copy")
    assert shown["laptop"]["name"] == "cafe"
    assert shown["laptop"]["enrolments"] == 5
    assert shown["laptop"]["first_short"] == 251
    rows = ask("laptop", "show", "--fleet", "copy")
    assert (rows[0]["name"], rows[0]["this_one"]) == ("cafe", True)
    assert rows[0]["words"] == asked["words"]


def test_what_is_no_request_is_refused(here, ask):
    ask("fleet", "new", "river")
    (here / "x.cbor").write_bytes(b"\xff")
    assert "holds no documents" in ask("laptop", "certify", "x.cbor", "--fleet", "river", code=2)["what"]
    with FleetFolder(here / "river") as fleet:
        (here / "x.cbor").write_bytes(fleet.registry.documents()[0].encode())
    assert "no request" in ask("laptop", "certify", "x.cbor", "--fleet", "river", code=2)["what"]


def test_codes_and_lines_carry_the_same(here, ask, capsys):
    ben = key_of(ask, "Ben")
    ask("fleet", "new", "river", "--stewards", f"Ana,{ben}", "--threshold", "2")
    with FleetFolder(here / "river") as fleet:
        (here / "letter.txt").write_text("\n".join(packs.to_text(fleet.registry.documents())))
    assert (
        main(["charter", "sign", "letter.txt", "--keys", "Ben.toml", "--yes", "--qr", "--text", "--png", "codes"]) == 0
    )
    said = capsys.readouterr().out
    assert "█" in said
    assert len(list((here / "codes").glob("*.png"))) == said.count("Code ")
    (here / "back.txt").write_text(said)
    assert ask("charter", "verify", "back.txt")["waiting"] == []


def test_verify_names_what_is_wrong(here, ask, capsys):
    ask("fleet", "new", "river")
    with FleetFolder(here / "river") as fleet:
        (paper,) = fleet.registry.documents("charter")
        fleet.add([paper.with_signatures(((b"x" * 32, b"y" * 64),))])
    assert main(["charter", "verify", "--fleet", "river"]) == 1
    assert "is wrong" in capsys.readouterr().out
    assert FleetFolder(here / "river").charter.version == 1


def test_keys_are_locked_used_and_brought_back_from_words(here, ask, monkeypatch, capsys):
    ask("fleet", "new", "river", "--stewards", "Ana")
    at = ("--fleet", "river")
    assert ask("fleet", "show", *at)["keys_locked"] is False
    said = ask("keys", "words", "Ana", *at)["words"]
    (here / "word").write_text("otter\n")
    monkeypatch.setenv(passphrase.FILE_VARIABLE, str(here / "word"))
    ask("keys", "lock", *at)
    assert ask("fleet", "show", *at)["keys_locked"] is True
    ask("charter", "new", "--name", "brook", *at)
    assert ask("charter", "sign", *at)["waiting"] == []
    (here / "word").write_text("beaver\n")
    ask("charter", "new", "--name", "stream", *at)
    assert "not the passphrase" in ask("charter", "sign", *at, code=2)["what"]
    (here / "word").write_text("otter\n")
    ask("keys", "unlock", *at)
    monkeypatch.setattr("typer.prompt", lambda *_, **__: " ".join(said))
    public = ask("keys", "restore", "Ana", "--keys", "again.toml")["public"]
    assert public == ask("charter", "show", *at)["stewards"][0]["public"]
    monkeypatch.setattr("typer.prompt", lambda *_, **__: " ".join(reversed(said)))
    assert "not the words" in ask("keys", "restore", "Ana", "--keys", "third.toml", code=2)["what"]


def test_a_fleet_can_be_locked_from_its_first_moment(here, ask, monkeypatch):
    (here / "word").write_text("otter\n")
    monkeypatch.setenv(passphrase.FILE_VARIABLE, str(here / "word"))
    assert ask("fleet", "new", "river", "--lock")["keys_locked"] is True
    assert "seed" not in (here / "river" / "secrets.toml").read_text()
