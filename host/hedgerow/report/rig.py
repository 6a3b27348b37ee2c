"""Knows how two runs of the same tests differ: what fails newly, what passes newly, which figures got worse.

Runs are JUnit XML files, as pytest writes them. Figures are properties of a test case whose name is
`figure:NAME:UNIT:less|more`; the last word says what is better. Draws nothing, runs nothing.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree as ET

from hedgerow.errors import UsageError

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"
MOST_BYTES = 64_000_000
_FIGURE = re.compile(r"figure:(?P<name>.+):(?P<unit>[^:]+):(?P<better>less|more)")


@dataclass(frozen=True)
class Measured:
    """One figure of one test."""

    value: float
    unit: str
    more_is_better: bool


@dataclass(frozen=True)
class Run:
    """How each test ended, and (test, name of the figure) -> what it measured."""

    ended: Mapping[str, str]
    figures: Mapping[tuple[str, str], Measured]


@dataclass(frozen=True)
class Worse:
    """A figure that changed for the worse, in percent of what it was."""

    test: str
    name: str
    before: float
    after: float
    unit: str
    percent: float


@dataclass(frozen=True)
class Difference:
    """What somebody who upgrades wants to know. `worse` holds the worst first."""

    newly_failing: list[str] = field(default_factory=list)
    newly_passing: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    added: list[str] = field(default_factory=list)
    worse: list[Worse] = field(default_factory=list)
    compared: int = 0

    @property
    def breaks_something(self) -> bool:
        return bool(self.newly_failing or self.worse or self.gone)


def read(path: Path, image: str | None = None) -> Run:
    """A run from its file; with `image` only the tests that ran on it, without its name in theirs.

    Raises UsageError where the file is none that can be read, or holds no test.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise UsageError(f"{path} is too long for a run of tests")
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from error
    if "<!DOCTYPE" in text or "<!ENTITY" in text:  # nothing that pytest writes, and a way to fill a memory
        raise UsageError(f"{path} is no JUnit file")
    try:
        cases = list(ET.fromstring(text).iter("testcase"))
    except ET.ParseError as error:
        raise UsageError(f"{path} is no JUnit file: {error}") from error
    ended: dict[str, str] = {}
    figures: dict[tuple[str, str], Measured] = {}
    for case in cases:
        name = _name(case, image)
        if name is not None:
            ended[name] = FAILED if FAILED in (ended.get(name), _end(case)) else _end(case)
            figures.update({(name, said): measured for said, measured in _figures(case)})
    if not ended:
        raise UsageError(f"{path} has no test{f' on {image}' if image else ''}")
    return Run(ended, figures)


def difference(before: Run, after: Run, worse_percent: float = 10.0) -> Difference:
    """What changed from one run to the next."""
    both = before.ended.keys() & after.ended.keys()
    return Difference(
        newly_failing=sorted(name for name in both if after.ended[name] == FAILED != before.ended[name]),
        newly_passing=sorted(name for name in both if after.ended[name] == PASSED and before.ended[name] == FAILED),
        gone=sorted(before.ended.keys() - after.ended.keys()),
        added=sorted(after.ended.keys() - before.ended.keys()),
        worse=_worse(before, after, worse_percent),
        compared=len(both),
    )


def _worse(before: Run, after: Run, worse_percent: float) -> list[Worse]:
    found = []
    for (test, name), old in before.figures.items():
        new = after.figures.get((test, name))
        if new is None or new.unit != old.unit or old.value <= 0:
            continue
        change = (new.value - old.value) / old.value * 100
        percent = -change if old.more_is_better else change
        if percent >= worse_percent:
            found.append(Worse(test, name, old.value, new.value, old.unit, round(percent, 1)))
    return sorted(found, key=lambda one: (-one.percent, one.test, one.name))


def _name(case: ET.Element, image: str | None) -> str | None:
    name = f"{case.get('classname', '')}.{case.get('name', '')}".strip(".")
    if image is None:
        return name
    inside = re.fullmatch(r"(?P<test>[^\[]+)\[(?P<words>.*)\]", name)
    words = inside["words"].split("-") if inside else []
    parts = image.split("-")
    for start in range(len(words) - len(parts) + 1):  # pytest joins what a test was called with by the same sign
        if words[start : start + len(parts)] == parts:
            rest = "-".join(words[:start] + words[start + len(parts) :])
            return f"{inside['test']}[{rest}]" if inside and rest else inside["test"] if inside else None
    return None


def _end(case: ET.Element) -> str:
    if case.find("failure") is not None or case.find("error") is not None:
        return FAILED
    return SKIPPED if case.find("skipped") is not None else PASSED


def _figures(case: ET.Element) -> list[tuple[str, Measured]]:
    found = []
    for one in case.iter("property"):
        said = _FIGURE.fullmatch(one.get("name", ""))
        try:
            value = float(one.get("value", ""))
        except ValueError:
            continue
        if said:
            found.append((said["name"], Measured(value, said["unit"], said["better"] == "more")))
    return found
