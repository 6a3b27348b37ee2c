"""Knows how a documentation page is read and acted on as a reader would; knows no page.

On a page counts:
- a `console` block: each line that begins with `$ ` is typed (lines that begin with `> ` go on with it); what follows
  must come, line after line, other lines may come between, and `…` stands for anything. A command that fails must be
  followed by `$ echo $?`. `<!-- again for 30 s -->` before the block: a reader repeats it until it shows that.
- a block below a line that is a path in backticks and a colon: the file's whole content; as `diff`, a change to it.
  The lines of a `diff` with ` ` or `-` stand in the file exactly once, as one piece.
Other blocks are only read.
"""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[3]
COMMAND_WITHIN_S = 60
_PARTS = re.compile(
    r"^`(?P<path>[^`\n]+)`:\n\n```(?P<kind>\w+)\n(?P<content>.*?)^```$"
    r"|(?:^<!-- again for (?P<again>\d+) s -->\n)?^```console\n(?P<console>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass
class File:
    """What a reader is asked to write."""

    path: str
    content: str
    is_change: bool


@dataclass
class Command:
    """What a reader is asked to type, and the lines that it shows."""

    text: str
    shown: list[str] = field(default_factory=list)


@dataclass
class Console:
    commands: list[Command]
    again_s: float


def parts(page: Path) -> Iterator[File | Console]:
    """What a reader does, in the order of the page."""
    for found in _PARTS.finditer(page.read_text(encoding="utf-8")):
        if found["path"]:
            yield File(found["path"], found["content"], found["kind"] == "diff")
        else:
            yield Console(_commands(found["console"]), float(found["again"] or 0))


def _commands(text: str) -> list[Command]:
    commands: list[Command] = []
    for line in text.splitlines():
        if line.startswith("$ "):
            commands.append(Command(line[2:]))
        elif line.startswith("> ") and not commands[-1].shown:
            commands[-1].text += "\n" + line[2:]
        elif line.strip():
            commands[-1].shown.append(line)
    assert commands, f"a console block without a command:\n{text}"
    return commands


class Reader:
    """Follows a page in a folder, as a person who sits there with a home of their own.

    `instead` says what a word of the page is called on this machine: the port of a board, for example.
    """

    def __init__(
        self, folder: Path, home: Path, *, python_path: str = "", instead: Mapping[str, str] | None = None
    ) -> None:
        self.instead = instead or {}
        self._here = folder
        self._status = 0
        tools = str(Path(sys.executable).parent)
        home.mkdir(exist_ok=True)
        self._home = home
        from hedgerow.plans import firmware
        from hedgerow.virtual import interpreter

        kept = ("LANG", "LC_ALL", "HEDGEROW_MICROPYTHON")
        self._environment = {name: os.environ[name] for name in kept if name in os.environ} | {
            "PATH": os.pathsep.join([tools, os.environ["PATH"]]),
            "HOME": str(home),
            "COLUMNS": "200",
            "PYTHONPATH": python_path,
            # What every page may take for granted: MicroPython is there, and nothing is compiled twice.
            "XDG_CACHE_HOME": str(interpreter.cache_folder().parents[1]),
            "HEDGEROW_CACHE": str(firmware.cache_folder()),
        }

    def follow(self, page: Path) -> None:
        """Do all that the page says; an AssertionError tells the command and what came instead."""
        for part in parts(page):
            if isinstance(part, File):
                self._write(part)
            else:
                self._type_all(part)
        assert self._status == 0, "the page ends with a command that failed"

    def _write(self, file: File) -> None:
        path = self._here / file.path
        if not file.is_change:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(file.content, encoding="utf-8")
            return
        text = path.read_text(encoding="utf-8")
        for piece in re.split(r"^…\n", file.content, flags=re.MULTILINE):
            lines = piece.splitlines(keepends=True)
            before = "".join(line[1:] for line in lines if line[0] in " -")
            after = "".join(line[1:] for line in lines if line[0] in " +")
            assert text.count(before) == 1, f"{file.path} has not exactly one\n{before}"
            text = text.replace(before, after)
        path.write_text(text, encoding="utf-8")

    def _type_all(self, console: Console) -> None:
        deadline = time.monotonic() + console.again_s
        while True:
            try:
                for command in console.commands:
                    self._type(command)
            except AssertionError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.5)
            else:
                return

    def _type(self, command: Command) -> None:
        assert self._status == 0 or command.text == "echo $?", (
            f"failed with {self._status}, and the page does not say so"
        )
        where = self._home / "here"
        script = f"(exit {self._status})\n{self._here_called(command.text)}\nstatus=$?\npwd > '{where}'\nexit $status"
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=self._here,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=COMMAND_WITHIN_S,
        )
        self._here = Path(where.read_text(encoding="utf-8").strip())
        self._status = done.returncode
        said = done.stdout.decode(errors="replace")
        missing = first_missing([self._here_called(line) for line in command.shown], said)
        assert missing is None, f"$ {command.text}\ndoes not say {missing!r} (exit code {self._status}), but\n{said}"

    def _here_called(self, text: str) -> str:
        for word, name in self.instead.items():
            text = text.replace(word, name)
        return text


def first_missing(shown: list[str], said: str) -> str | None:
    """The first line that was promised and did not come in its place; spaces count as one."""
    lines = iter([" ".join(line.split()) for line in said.splitlines()])
    for wanted in shown:
        pattern = re.escape(" ".join(wanted.split())).replace("…", ".*")
        if not any(re.fullmatch(pattern, line) for line in lines):
            return wanted
    return None
