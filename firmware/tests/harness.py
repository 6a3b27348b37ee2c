"""What tests need on both interpreters, where pytest is there on one only. Knows no module under test."""

import json
import os

# MicroPython's os has no path, and its __file__ may be relative: "firmware/tests/harness.py" or "harness.py".
_HERE = __file__.rpartition("/")[0] or "."
_VECTORS = _HERE + "/../../vectors/"


def vectors(name: str):
    """The content of vectors/NAME.json."""
    with open(_VECTORS + name + ".json") as file:
        return json.load(file)


def raises(kind, call, *arguments, **options):
    """Assert that call(...) raises `kind` (or a class derived from it); return the exception."""
    try:
        call(*arguments, **options)
    except kind as error:
        return error
    raise AssertionError(f"{kind.__name__} was not raised")


def scratch_folder() -> str:
    """The path of a new empty folder, removed at the end by remove_folder() or by the system."""
    base = os.getenv("TMPDIR") or "/tmp"
    number = 0
    while True:
        path = f"{base}/hedgerow-test-{number}"
        try:
            os.mkdir(path)
            return path
        except OSError as error:
            if error.errno != 17:  # it exists: another run has it
                raise
        number += 1


def remove_folder(path: str) -> None:
    """Remove a folder and all below it."""
    for name in os.listdir(path):
        below = path + "/" + name
        if os.stat(below)[0] & 0x4000:
            remove_folder(below)
        else:
            os.remove(below)
    os.rmdir(path)


def from_typed(value):
    """The value of a vector: JSON, and for what JSON lacks {"bytes": hex} and {"map": [[key, value], ...]}."""
    if isinstance(value, list):
        return [from_typed(item) for item in value]
    if isinstance(value, dict):
        if "bytes" in value:
            return bytes.fromhex(value["bytes"])
        return {from_typed(key): from_typed(item) for key, item in value["map"]}
    return value


def assert_damage(found, case):
    """The result of a decoder for a case of a vector's list `damaged`."""
    assert type(found).__name__ == "Damage", case["name"]
    assert (found.reason, found.offset) == (case["reason"], case["offset"]), (case["name"], found)
