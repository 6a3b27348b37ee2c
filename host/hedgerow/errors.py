"""Knows every way in which a command can fail, and its exit code; knows nothing of ports, fleets or printing.

Who is guilty decides the class:

- `LocalError`: our own code was misused. Mend the code; no command catches it.
- `FleetError`: a person can do something about it. A command's main catches this class and nothing else; it
  prints the sentence and leaves with the exit code of the class.

`docs/reference/exit-codes.md` lists the same numbers for people; a test compares the two.
"""

EXIT_GOOD = 0
EXIT_FINDINGS = 1
EXIT_DEFECT = 70  # EX_SOFTWARE of sysexits.h: a fault in Hedgerow itself
EXIT_INTERRUPTED = 130  # 128 + SIGINT, as shells report it


class LocalError(Exception):
    """We called one of our own functions wrongly. Never the fault of a node or of a person."""


class FleetError(Exception):
    """Something failed that a person can act on.

    `what` says what happened, `node` to which node (or port), `state` in which state things are now, and
    `next_step` what to do. Each is a full sentence without its node's name; `str()` joins them.
    """

    exit_code = 9
    meaning = "failed in another way; the sentence says how"

    def __init__(
        self, what: str, *, node: str | None = None, state: str | None = None, next_step: str | None = None
    ) -> None:
        super().__init__(what)
        self.what = what
        self.node = node
        self.state = state
        self.next_step = next_step

    def __str__(self) -> str:
        what = f"{self.node}: {self.what}" if self.node else self.what
        return " ".join(_as_sentence(part) for part in (what, self.state, self.next_step) if part)

    def as_dict(self) -> dict[str, object]:
        """The same facts for `--json`; fields that are unknown are null."""
        return {
            "error": type(self).__name__,
            "exit_code": self.exit_code,
            "what": self.what,
            "node": self.node,
            "state": self.state,
            "next_step": self.next_step,
        }


class UsageError(FleetError):
    """The command line or a file that a person wrote asks for something that makes no sense."""

    exit_code = 2
    meaning = "the command line, `fleet.toml` or another file that you wrote is not understood"


class LinkError(FleetError):
    """The way to a node is missing, busy, silent or was pulled. Trying again may help."""

    exit_code = 3
    meaning = "the port is missing, busy, silent, or the cable was pulled"


class RefusedError(FleetError):
    """The node was reached, but it must not or will not do this: wrong board, other fleet, locked console."""

    exit_code = 4
    meaning = "the node refuses, is another board than planned, or belongs to another fleet"


class NotAllowedError(RefusedError):
    """The node answers this only to somebody else: a laptop of its fleet, its custodian, a steward."""

    exit_code = 4
    meaning = "the node does not know your key, or it may not ask for this"


class RemoteError(RefusedError):
    """The peer broke the protocol or answered with an error. Count it and go on with the other nodes."""

    exit_code = 4
    meaning = "the node answered with an error or against the protocol"


class StorageError(FleetError):
    """Flash or disk is full, or what is stored there is damaged."""

    exit_code = 5
    meaning = "the node's flash is full, or a store is damaged"


class EnvironmentProblem(FleetError):
    """This machine lacks something: a program, a permission, a driver."""

    exit_code = 6
    meaning = "this machine lacks something: a program, a permission, a driver"


class InterruptedWork(FleetError):
    """Work stopped half way and can go on. Running the same command again resumes it."""

    exit_code = 7
    meaning = "the work stopped half way; run the same command again and it resumes"


class VerificationError(FleetError):
    """Something was written, read back, and found different."""

    exit_code = 8
    meaning = "what was read back differs from what was written"


def error_classes() -> list[type[FleetError]]:
    """Every class a command can end with, in the order of its exit code."""
    found = [FleetError]
    for error in found:
        found.extend(error.__subclasses__())
    return sorted(found, key=lambda error: (error.exit_code, error.__name__))


def _as_sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?", ":")) else text + "."
