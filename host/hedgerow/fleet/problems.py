"""Knows how to tell a person what is wrong in a TOML file: line, column, the line itself, a hint. Reads no file."""

import difflib
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from jsonschema import Draft202012Validator

from hedgerow.errors import UsageError
from hedgerow.fleet import toml_positions
from hedgerow.fleet.toml_positions import Path, Positions

_MEANT_CUTOFF = 0.6
_PLACE_WORDS = (
    "place",
    "location",
    "lat",
    "latitude",
    "lon",
    "lng",
    "longitude",
    "gps",
    "street",
    "site",
    "coordinates",
)
_NO_PLACES = "a fleet file names no places, so that whoever finds it does not find the nodes"
_KINDS = {
    "integer": "a whole number",
    "string": 'text in "quotes"',
    "array": "a list in [brackets]",
    "object": "a table",
}


@dataclass(frozen=True, order=True)
class Problem:
    """One thing that is wrong, and where; line and column count from 1."""

    line: int
    column: int
    message: str
    hint: str = ""


class FileProblems(UsageError):
    """What is wrong in a file that a person wrote: every problem, each with its line shown."""

    def __init__(self, file_name: str, text: str, problems: Iterable[Problem]) -> None:
        self.problems = sorted(set(problems))
        super().__init__("\n\n".join(_shown(file_name, text.splitlines(), problem) for problem in self.problems))

    def as_dict(self) -> dict[str, object]:
        return super().as_dict() | {"problems": [dict(vars(problem)) for problem in self.problems]}


def load(text: str, file_name: str, schema: dict) -> tuple[dict, Positions]:
    """The content of a TOML text that fits the schema, and where each part stands. Raises FileProblems."""
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise FileProblems(file_name, text, [_syntax_problem(text, str(error))]) from error
    positions = toml_positions.find(text)
    errors = Draft202012Validator(schema).iter_errors(content)
    if problems := [problem for error in errors for problem in _problems_of(error, positions)]:
        raise FileProblems(file_name, text, problems)
    return content, positions


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint that names the nearest known word, or all of them when none is near and they are few."""
    known = sorted(known)
    near = difflib.get_close_matches(word.lower(), [item.lower() for item in known], n=1, cutoff=_MEANT_CUTOFF)
    if near:
        return f"did you mean {next(item for item in known if item.lower() == near[0])}?"
    return "known are " + ", ".join(known) if len(known) <= 10 else ""


# `error` is a jsonschema.ValidationError; it is Any because that class types every one of its fields as maybe unset.
def _problems_of(error: Any, positions: Positions) -> list[Problem]:
    path: Path = tuple(error.absolute_path)
    if error.validator == "additionalProperties":
        known = error.schema["properties"]
        return [_unknown_key(key, path, known, positions) for key in error.instance if key not in known]
    line, column = positions.of_value(path)
    if error.validator == "required":
        missing = next(
            key for key in error.validator_value if key not in error.instance and f"'{key}'" in error.message
        )
        where = f"[{path[0]}]" if path else "the file"
        return [Problem(line, column, f"{where} needs {missing}", f"add a line {missing} = …")]
    name = next((part for part in reversed(path) if isinstance(part, str)), "the file")
    return [Problem(line, column, *_explained(name, error))]


def _unknown_key(key: str, path: Path, known: Iterable[str], positions: Positions) -> Problem:
    hint = _NO_PLACES if key.lower() in _PLACE_WORDS else did_you_mean(key, known)
    return Problem(*positions.of_key((*path, key)), f"{key} is not known here", hint)


def _explained(name: str, error: Any) -> tuple[str, str]:
    value, limit = error.instance, error.validator_value
    description = error.schema.get("description", "")
    shown = f'"{value}"' if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)
    match error.validator:
        case "type":
            return f"{name} is to be {_KINDS[limit]}", f"write it without quotes: {value}" if _is_number(value) else ""
        case "enum":
            return f"{name} cannot be {shown}", did_you_mean(str(value), [str(item) for item in limit])
        case "minimum":
            return f"{name} is {shown}, the least is {limit}", description
        case "maximum":
            return f"{name} is {shown}, the most is {limit}", description
        case "maxLength":
            return f"{name} is longer than {limit} characters", description
        case "minLength":
            return f"{name} is empty", description
        case "pattern":
            return f"{name} cannot be {shown}", description
        case _:
            return f"{name}: {error.message}", description


def _is_number(value: object) -> bool:
    return isinstance(value, str) and value.strip().isdigit()


def _syntax_problem(text: str, message: str) -> Problem:
    # tomllib says "What (at line 3, column 7)" or "What (at end of document)"
    what, _, where = message.rpartition(" (at ")
    numbers = [int(word) for word in where.rstrip(")").replace(",", "").split() if word.isdigit()]
    lines = text.splitlines() or [""]
    line, column = numbers if len(numbers) == 2 else (len(lines), len(lines[-1]) + 1)
    return Problem(line, column, f"this is not TOML: {what[:1].lower()}{what[1:]}", "")


def _shown(file_name: str, lines: list[str], problem: Problem) -> str:
    line = lines[problem.line - 1] if problem.line <= len(lines) else ""
    margin = len(str(problem.line))
    pointer = " " * (problem.column - 1) + "^ " + (problem.hint or "here")
    pointer += "" if pointer.endswith(("?", ".")) else "."
    return (
        f"{file_name}, line {problem.line}, column {problem.column}: {problem.message}.\n"
        f"  {problem.line} | {line}\n"
        f"  {' ' * margin} | {pointer}"
    )
