"""`hedgerow keys`: the keys that lie on this laptop, under a passphrase or as words. Parses, calls, prints."""

from pathlib import Path
from typing import Annotated

import typer

from hedgerow.cli.options import FleetOption, JsonOption, console, fleet_folder, new_app, print_json
from hedgerow.errors import UsageError
from hedgerow.fleet import keys as bare_keys
from hedgerow.fleet import passphrase, secrets_file, words
from hedgerow.fleet.key_lock import Lock
from hedgerow.fleet.secrets_file import CUSTODIAN, PERSON, STEWARD, Key, Secrets
from hedgewire.cbor import Damage

app = new_app("Lock the keys on this laptop, or turn one into words and back.")

SHOW_EXAMPLE = (
    "[bold]Example[/bold]: [cyan]hedgerow keys show[/cyan]: whose keys lie here, and whether they are locked."
)
NEW_EXAMPLE = (
    "[bold]Example[/bold]: [cyan]hedgerow keys new Ben --keys ben.toml[/cyan]: a key for Ben, who has no fleet yet."
)
LOCK_EXAMPLE = (
    "[bold]Example[/bold]: [cyan]hedgerow keys lock[/cyan]: asks for a passphrase, twice."
    " Scripts name a file in $HEDGEROW_PASSPHRASE_FILE."
)
UNLOCK_EXAMPLE = "[bold]Example[/bold]: [cyan]hedgerow keys unlock[/cyan]: the keys lie in clear again."
WORDS_EXAMPLE = "[bold]Example[/bold]: [cyan]hedgerow keys words Ana[/cyan]: Ana's key as 24 words for paper or memory."
RESTORE_EXAMPLE = (
    "[bold]Example[/bold]: [cyan]hedgerow keys restore Ana[/cyan]: asks for the 24 words and puts the key back."
)

KeysOption = Annotated[
    Path | None, typer.Option("--keys", metavar="FILE", help="This file instead of the fleet folder's secrets.toml.")
]
NameArgument = Annotated[str, typer.Argument(help="Whose key: a name, or `laptop` for that of this laptop.")]
KindOption = Annotated[str, typer.Option("--kind", help=f"{STEWARD}, {CUSTODIAN} or {PERSON}.")]

LAPTOP = "laptop"


@app.command("show", epilog=SHOW_EXAMPLE)
def show(keys: KeysOption = None, as_json: JsonOption = False, fleet: FleetOption = None) -> None:
    """List the keys that lie here: public halves, never the others."""
    path = _path(keys, fleet)
    secrets = secrets_file.read(path)
    rows = [
        {"kind": kind, "name": name, "public": key.public.hex(), "words": words.fingerprint(key.public)}
        for kind, name, key in _all(secrets)
    ]
    if as_json:
        print_json({"file": path, "locked": secrets.is_locked, "keys": rows})
        return
    console.print(f"{path}: {'locked with a passphrase' if secrets.is_locked else 'in clear'}", soft_wrap=True)
    for row in rows:
        console.print(f"  {row['kind']} {row['name']}: {row['words']}", soft_wrap=True)
        console.print(f"    {row['public']}", soft_wrap=True)


@app.command("new", epilog=NEW_EXAMPLE)
def new(
    name: Annotated[str, typer.Argument(help="Whose key it is to be.")],
    kind: KindOption = STEWARD,
    keys: KeysOption = None,
    as_json: JsonOption = False,
    fleet: FleetOption = None,
) -> None:
    """Make a key for somebody, and print what others need to know of it."""
    path = _path(keys, fleet)
    secrets = secrets_file.read(path)
    _refuse_taken(secrets, kind, name, path)
    seed = bare_keys.new_seed()
    secrets_file.write(path, secrets.with_key(kind, name, seed))
    _told(name, bare_keys.public_of(seed), path, as_json=as_json)


@app.command("lock", epilog=LOCK_EXAMPLE)
def lock(keys: KeysOption = None, as_json: JsonOption = False, fleet: FleetOption = None) -> None:
    """Encrypt the keys here under a passphrase (scrypt, ChaCha20-Poly1305). Locked already: under a new one."""
    path = _path(keys, fleet)
    secrets = secrets_file.read(path).unlocked()
    secrets_file.write(path, secrets.locked(Lock.new(str(path), passphrase.ask_new(f"{path}, the new one"))))
    if as_json:
        print_json({"file": path, "locked": True})
    else:
        console.print(f"The keys in {path} are locked. Nobody can open them without the passphrase.", soft_wrap=True)


@app.command("unlock", epilog=UNLOCK_EXAMPLE)
def unlock(keys: KeysOption = None, as_json: JsonOption = False, fleet: FleetOption = None) -> None:
    """Take the passphrase off: whoever reads the file then has the keys."""
    path = _path(keys, fleet)
    secrets_file.write(path, secrets_file.read(path).unlocked())
    if as_json:
        print_json({"file": path, "locked": False})
    else:
        console.print(f"The keys in {path} lie in clear.", soft_wrap=True)


@app.command("words", epilog=WORDS_EXAMPLE)
def as_words(
    name: NameArgument, keys: KeysOption = None, as_json: JsonOption = False, fleet: FleetOption = None
) -> None:
    """Print a key as 24 words. Whoever reads them has the key."""
    secrets = secrets_file.read(_path(keys, fleet))
    held = [key for _, holder, key in _all(secrets) if holder == name]
    if len(held) != 1:
        names = ", ".join(holder for _, holder, _ in _all(secrets))
        raise UsageError(f"there is no key of {name} here", next_step=f"Keys here: {names or 'none'}")
    said = words.words_of(held[0].seed)
    if as_json:
        print_json({"name": name, "words": said})
        return
    for start in range(0, len(said), 6):
        console.print("  ".join(f"{start + place + 1:>2} {word}" for place, word in enumerate(said[start : start + 6])))


@app.command("restore", epilog=RESTORE_EXAMPLE)
def restore(
    name: NameArgument,
    kind: KindOption = STEWARD,
    keys: KeysOption = None,
    as_json: JsonOption = False,
    fleet: FleetOption = None,
) -> None:
    """Put a key back from its 24 words, which are read from the terminal or standard input."""
    path = _path(keys, fleet)
    secrets = secrets_file.read(path)
    if name != LAPTOP:
        _refuse_taken(secrets, kind, name, path)
    given = [
        word for word in typer.prompt("The 24 words", hide_input=False, prompt_suffix=": ").split() if word.isalpha()
    ]
    seed = words.bytes_of(given)
    if isinstance(seed, Damage):
        raise UsageError(f"these are not the words of a key: {seed.reason}", state="Nothing was changed")
    if len(seed) != bare_keys.SEED_BYTES:
        raise UsageError(f"a key has 24 words, not {len(given)}", state="Nothing was changed")
    changed = secrets.with_laptop(secrets.laptop_name or LAPTOP, seed) if name == LAPTOP else None
    secrets_file.write(path, changed or secrets.with_key(kind, name, seed))
    _told(name, bare_keys.public_of(seed), path, as_json=as_json)


def _path(chosen: Path | None, fleet: Path | None) -> Path:
    return chosen if chosen is not None else fleet_folder(fleet) / secrets_file.FILE_NAME


def _all(secrets: Secrets) -> list[tuple[str, str, Key]]:
    found = [] if secrets.laptop_key is None else [(LAPTOP, LAPTOP, secrets.laptop_key)]
    for kind, held in ((STEWARD, secrets.stewards), (CUSTODIAN, secrets.custodians), (PERSON, secrets.persons)):
        found += [(kind, name, key) for name, key in sorted(held.items())]
    return found


def _refuse_taken(secrets: Secrets, kind: str, name: str, path: Path) -> None:
    if kind not in (STEWARD, CUSTODIAN, PERSON):
        raise UsageError(f"a key is of a {STEWARD}, a {CUSTODIAN} or a {PERSON}, not of a {kind}")
    if name == LAPTOP or any(holder == name and of == kind for of, holder, _ in _all(secrets)):
        raise UsageError(f"{path} has a key of {kind} {name} already", next_step="Choose another name or another file")


def _told(name: str, public: bytes, path: Path, *, as_json: bool) -> None:
    if as_json:
        print_json({"name": name, "public": public, "words": words.fingerprint(public), "file": path})
        return
    console.print(f"The key of {name} is in {path}; `hedgerow keys words {name}` gives it as words.", soft_wrap=True)
    console.print(f"Others need: {name}={public.hex()}", soft_wrap=True)
    console.print(f"Compare aloud: {words.fingerprint(public)}")
