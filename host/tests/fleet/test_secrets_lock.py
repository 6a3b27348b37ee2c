"""Keys at rest: locked they are nowhere in the file, a wrong passphrase opens nothing, and words bring a key back."""

import stat
import sys

import pytest

from hedgerow.errors import EnvironmentProblem, StorageError, UsageError
from hedgerow.fleet import keys, passphrase, secrets_file
from hedgerow.fleet.key_lock import Lock
from hedgerow.fleet.secrets_file import Secrets

QUICK = 4  # log2 of the work: these tests are about the file, not about the price of a guess
SEEDS = {"laptop": b"L" * 32, "Ana": b"a" * 32, "Rosa": b"r" * 32, "Pia": b"p" * 32}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "secrets.toml"


def a_file(path, word: str | None = "heron") -> Secrets:
    secrets = Secrets().with_laptop("cafe", SEEDS["laptop"]).with_key("steward", "Ana", SEEDS["Ana"])
    secrets = secrets.with_key("custodian", "Rosa", SEEDS["Rosa"]).with_key("person", "Pia", SEEDS["Pia"])
    if word is not None:
        secrets = secrets.locked(Lock.new("it", word, QUICK))
    secrets_file.write(path, secrets)
    return secrets


def asking(word: str, asked: list):
    def ask(what: str) -> str:
        asked.append(what)
        return word

    return ask


def test_a_locked_file_holds_no_seed_and_shows_every_public_key_without_asking(path):
    a_file(path)
    text = path.read_text()
    assert not any(seed.hex() in text for seed in SEEDS.values())
    asked: list = []
    read = secrets_file.read(path, asking("heron", asked))
    assert read.publics == {keys.public_of(seed) for seed in SEEDS.values()}
    assert (read.is_locked, read.laptop_name, asked) == (True, "cafe", [])
    if sys.platform != "win32":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_passphrase_is_asked_for_once_and_opens_every_key(path):
    a_file(path)
    asked: list = []
    read = secrets_file.read(path, asking("heron", asked))
    found = [read.laptop_seed, read.stewards["Ana"].seed, read.custodians["Rosa"].seed, read.persons["Pia"].seed]
    assert found == list(SEEDS.values())
    assert asked == [str(path)]


def test_a_wrong_passphrase_opens_nothing_and_can_be_corrected(path):
    a_file(path)
    with pytest.raises(UsageError, match="not the passphrase"):
        _ = secrets_file.read(path, asking("egret", [])).laptop_seed
    assert secrets_file.read(path, asking("heron", [])).laptop_seed == SEEDS["laptop"]


def test_a_key_that_is_added_to_a_locked_file_is_locked_too(path):
    a_file(path)
    more = secrets_file.read(path, asking("heron", [])).with_custodian("Ida", b"i" * 32)
    secrets_file.write(path, more)
    assert (b"i" * 32).hex() not in path.read_text()
    assert secrets_file.read(path, asking("heron", [])).custodians["Ida"].seed == b"i" * 32


def test_two_entries_cannot_be_exchanged(path):
    a_file(path)
    text = path.read_text()
    _, ana, rosa, _ = (line for line in text.splitlines() if line.startswith("sealed"))
    path.write_text(text.replace(ana, "X").replace(rosa, ana).replace("X", rosa))
    with pytest.raises(UsageError, match="not the passphrase"):
        _ = secrets_file.read(path, asking("heron", [])).stewards["Ana"].seed


def test_lock_unlock_and_lock_again_lose_nothing(path):
    clear = a_file(path, None)
    secrets_file.write(path, secrets_file.read(path).locked(Lock.new("it", "heron", QUICK)))
    again = secrets_file.read(path, asking("heron", []))
    secrets_file.write(path, again.locked(Lock.new("it", "egret", QUICK)))
    secrets_file.write(path, secrets_file.read(path, asking("egret", [])).unlocked())
    assert secrets_file.read(path) == clear


def test_a_file_of_the_first_release_is_read(path):
    path.write_text(
        f'[laptop]\nname = "cafe"\nseed = "{SEEDS["laptop"].hex()}"\n[steward."Ana"]\nseed = "{"61" * 32}"\n'
    )
    read = secrets_file.read(path)
    assert (read.laptop_seed, read.stewards["Ana"].seed) == (SEEDS["laptop"], SEEDS["Ana"])


@pytest.mark.parametrize(
    "change", [("scrypt", "md5"), ("v = 1", "v = 2"), ("log2_n = 4", "log2_n = 60"), ("[lock]", "[lost]")]
)
def test_a_lock_that_is_not_ours_is_refused(path, change):
    a_file(path)
    path.write_text(path.read_text().replace(*change))
    with pytest.raises(StorageError):
        _ = secrets_file.read(path, asking("heron", [])).laptop_seed


def test_scripts_give_the_passphrase_in_a_file_or_by_a_descriptor_and_nobody_else_is_asked(tmp_path, monkeypatch):
    word = tmp_path / "word"
    word.write_text("he\u0301ron\nsecond line\n", encoding="utf-8")
    monkeypatch.setenv(passphrase.FILE_VARIABLE, str(word))
    assert passphrase.ask("it") == "h\u00e9ron"  # however it was typed
    assert passphrase.ask_new("it") == "h\u00e9ron"
    monkeypatch.delenv(passphrase.FILE_VARIABLE)
    with word.open("rb") as open_file:
        monkeypatch.setenv(passphrase.DESCRIPTOR_VARIABLE, str(open_file.fileno()))
        assert passphrase.ask("it") == "h\u00e9ron"
    monkeypatch.delenv(passphrase.DESCRIPTOR_VARIABLE)
    with pytest.raises(EnvironmentProblem, match="no terminal"):
        passphrase.ask("it")
    monkeypatch.setenv(passphrase.FILE_VARIABLE, str(tmp_path / "missing"))
    with pytest.raises(EnvironmentProblem, match="no passphrase can be read"):
        passphrase.ask("it")


def test_an_empty_new_passphrase_is_refused(tmp_path, monkeypatch):
    (tmp_path / "empty").write_text("\n")
    monkeypatch.setenv(passphrase.FILE_VARIABLE, str(tmp_path / "empty"))
    with pytest.raises(UsageError, match="empty"):
        passphrase.ask_new("it")
