"""Knows what the station shows of one place, and what can happen there, as values. Decides nothing: machine.py does.

A place is where a cable ends: a socket of a hub, or a port that was named. Boards come and go; the place stays.
"""

from dataclasses import dataclass
from enum import StrEnum


class Phase(StrEnum):
    """What a person needs to know about a place from three steps away."""

    EMPTY = "empty"
    WORKING = "working"
    PASS = "PASS"
    FAIL = "FAIL"


class Stage(StrEnum):
    """The steps of the work on one board, in their order; each in a word that stands on the card."""

    IDENTIFY = "identify"
    FLASH = "flash"
    INSTALL = "install"
    ENROL = "enrol"
    TEST = "self-test"
    LABEL = "label"
    RECORD = "record"


STAGES = tuple(Stage)


class Verdict(StrEnum):
    """How one part of the self-test ended. ABSENT: this board cannot be asked, and need not."""

    GOOD = "good"
    BAD = "bad"
    ABSENT = "not there"


@dataclass(frozen=True)
class Check:
    """One part of the self-test: what was tested, how it ended, what was seen, and what to do if it is bad."""

    name: str
    verdict: Verdict
    seen: str
    remedy: str | None = None

    def as_dict(self) -> dict[str, str | None]:
        return {"name": self.name, "verdict": self.verdict.value, "seen": self.seen, "remedy": self.remedy}


@dataclass(frozen=True)
class Card:
    """One place at one moment. `run` counts the attempts there: what an older one still says counts no more.

    `fraction` is 0..1 of the stage. `about_s` is how long the stage takes, said before it begins; None for a short one.
    `problem` and `remedy` are sentences: what happened, and what to do, with the button to hold.
    """

    place: str
    title: str
    port: str | None = None
    phase: Phase = Phase.EMPTY
    run: int = 0
    stage: Stage | None = None
    doing: str = ""
    fraction: float = 0.0
    about_s: int | None = None
    node: str | None = None
    board: str | None = None
    summary: str = ""
    problem: str | None = None
    remedy: str | None = None
    exit_code: int = 0
    checks: tuple[Check, ...] = ()
    is_plugged: bool = False
    may_go_on: bool = False
    """The cable came back, or the laptop woke, while work went on: a broken link is then no failure of the board."""

    @property
    def number(self) -> int:
        """How many stages are behind it: 0..7."""
        if self.phase is Phase.PASS:
            return len(STAGES)
        return STAGES.index(self.stage) if self.stage is not None else 0

    @property
    def can_retry(self) -> bool:
        return self.is_plugged and self.phase in (Phase.FAIL, Phase.PASS)

    def as_dict(self) -> dict[str, object]:
        """For `--json`."""
        return {
            "place": self.title,
            "port": self.port,
            "result": self.phase.value,
            "stage": self.stage.value if self.stage else None,
            "node": self.node,
            "board": self.board,
            "summary": self.summary,
            "problem": self.problem,
            "remedy": self.remedy,
            "exit_code": self.exit_code,
            "checks": [check.as_dict() for check in self.checks],
        }


# ---- what happens at a place. Those with a `run` come from the work on a board; the others from cables and people.


@dataclass(frozen=True)
class Plugged:
    """A board is on the cable. The same place may give it another port than before."""

    port: str


@dataclass(frozen=True)
class Unplugged:
    """Nothing is on the cable; a board that restarts may look so for a moment."""


@dataclass(frozen=True)
class Retry:
    """Somebody wants this place to be tried again."""


@dataclass(frozen=True)
class Woke:
    """The laptop had slept."""


@dataclass(frozen=True)
class Began:
    """A stage begins. `about_s`: how long it takes; None for a short one."""

    run: int
    stage: Stage
    about_s: int | None = None


@dataclass(frozen=True)
class Advanced:
    """The stage goes on. `fraction` is of the stage."""

    run: int
    doing: str
    fraction: float


@dataclass(frozen=True)
class Learned:
    """What is on the cable, as far as it is known now."""

    run: int
    board: str | None = None
    node: str | None = None


@dataclass(frozen=True)
class Passed:
    """Everything was done, read back and found right."""

    run: int
    summary: str
    checks: tuple[Check, ...] = ()


@dataclass(frozen=True)
class Failed:
    """The work ended. `by_link`: the way to the board broke, which says nothing about the board."""

    run: int
    problem: str
    remedy: str
    exit_code: int
    by_link: bool = False
    checks: tuple[Check, ...] = ()


@dataclass(frozen=True)
class MovedOn:
    """The board goes on at another place: the drive of a Pico is gone, and its port is there instead."""

    run: int


Event = Plugged | Unplugged | Retry | Woke | Began | Advanced | Learned | Passed | Failed | MovedOn
