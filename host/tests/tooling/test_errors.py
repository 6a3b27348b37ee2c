"""Failures: each class has its own number, says who and what next, and stands in the documentation."""

import re
from pathlib import Path

from hedgerow import errors

REFERENCE = Path(__file__).parents[3] / "docs" / "reference" / "exit-codes.md"


OUR_CLASSES = [error for error in errors.error_classes() if error.__module__ == errors.__name__]


def documented_codes() -> dict[int, str]:
    rows = re.findall(r"^\| (\d+) \| ([^|]*) \| ([^|]*) \|$", REFERENCE.read_text(encoding="utf-8"), re.MULTILINE)
    return {int(code): f"{name.strip()} {meaning.strip()}" for code, name, meaning in rows}


def test_every_exit_code_is_documented_with_the_words_of_its_class():
    documented = documented_codes()
    for error in OUR_CLASSES:
        assert f"`{error.__name__}`" in documented[error.exit_code]
        assert error.meaning in documented[error.exit_code]


def test_a_class_that_another_module_adds_keeps_the_exit_code_of_its_kind():
    class CableTooLong(errors.LinkError):
        """As a module of the project would add it."""

    for error in (CableTooLong, *errors.error_classes()):
        kind = next(base for base in error.__mro__ if base in OUR_CLASSES)
        assert error.exit_code == kind.exit_code


def test_nothing_is_documented_that_cannot_happen():
    possible = {error.exit_code for error in errors.error_classes()}
    fixed = {errors.EXIT_GOOD, errors.EXIT_FINDINGS, errors.EXIT_DEFECT, errors.EXIT_INTERRUPTED}
    assert set(documented_codes()) == possible | fixed


def test_an_error_says_to_whom_what_in_which_state_and_what_next():
    error = errors.LinkError("the cable was pulled", node="oak", state="Half is copied", next_step="Run it again.")
    assert str(error) == "oak: the cable was pulled. Half is copied. Run it again."


def test_an_error_says_only_what_is_known():
    assert str(errors.StorageError("the flash is full")) == "the flash is full."


def test_an_error_carries_its_facts_for_programs():
    facts = errors.RefusedError("it belongs to another fleet", node="oak").as_dict()
    assert facts["error"] == "RefusedError"
    assert facts["exit_code"] == 4
    assert facts["node"] == "oak"
    assert facts["next_step"] is None


def test_a_misuse_of_our_own_code_is_no_fleet_error():
    assert not issubclass(errors.LocalError, errors.FleetError)
