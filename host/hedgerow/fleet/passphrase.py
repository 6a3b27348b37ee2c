"""Knows where a passphrase comes from: a file, a descriptor, a person at a terminal. Remembers none, stores none.

In scripts `$HEDGEROW_PASSPHRASE_FILE` names a file whose first line it is, or `$HEDGEROW_PASSPHRASE_FD` the number of
an open descriptor to read it from. It never stands on a command line, where every program of the machine could read it.
"""

import getpass
import os
import sys
import unicodedata
from pathlib import Path

from hedgerow.errors import EnvironmentProblem, UsageError

FILE_VARIABLE = "HEDGEROW_PASSPHRASE_FILE"
DESCRIPTOR_VARIABLE = "HEDGEROW_PASSPHRASE_FD"
_MAX_BYTES = 1024


def ask(what: str) -> str:
    """The passphrase for `what`, in one form however it was typed. EnvironmentProblem where nobody can be asked."""
    path, descriptor = os.environ.get(FILE_VARIABLE), os.environ.get(DESCRIPTOR_VARIABLE)
    try:
        if path:
            return _first_line(Path(path).read_bytes()[:_MAX_BYTES])
        if descriptor:
            return _first_line(os.read(int(descriptor), _MAX_BYTES))
    except (OSError, ValueError) as error:
        source = f"${FILE_VARIABLE} names {path}" if path else f"${DESCRIPTOR_VARIABLE} is {descriptor}"
        raise EnvironmentProblem(f"{source}, and no passphrase can be read there: {error}") from error
    if not sys.stdin.isatty():
        raise EnvironmentProblem(
            f"{what} is locked with a passphrase, and there is no terminal to ask for it",
            next_step=f"Run this at a terminal, or name a file that holds the passphrase in ${FILE_VARIABLE}",
        )
    return _one_form(getpass.getpass(f"Passphrase for {what}: "))


def ask_new(what: str) -> str:
    """A new passphrase; at a terminal it is typed twice. Raises UsageError where the two differ or it is empty."""
    first = ask(what)
    if not first:
        raise UsageError("the passphrase is empty", next_step="Choose four or five words that nobody connects with you")
    at_terminal = not os.environ.get(FILE_VARIABLE) and not os.environ.get(DESCRIPTOR_VARIABLE)
    if at_terminal and ask(f"{what}, once more") != first:
        raise UsageError("the two passphrases differ", state="Nothing was changed", next_step="Run the command again")
    return first


def _first_line(data: bytes) -> str:
    return _one_form(data.decode("utf-8").split("\n", 1)[0].rstrip("\r"))


def _one_form(text: str) -> str:
    return unicodedata.normalize("NFC", text)
