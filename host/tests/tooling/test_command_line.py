"""The command line: fast, lazy, and every ending has a sentence and an exit code."""

import json
import re
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from hedgerow import __version__
from hedgerow.cli import main as main_module
from hedgerow.cli.main import COMMANDS, Entry, main

HEDGEROW = Path(sys.executable).with_name("hedgerow")

ENDINGS = textwrap.dedent(
    '''
    """A command that ends in every way a command can end."""

    import asyncio

    import typer

    from hedgerow import errors
    from hedgerow.cli.main import run
    from hedgerow.cli.options import JsonOption, new_app, print_json

    app = new_app("End in a chosen way.")

    async def pulled() -> None:
        raise errors.LinkError("the cable was pulled", node="oak", next_step="Plug it in")

    async def several() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(pulled())

    @app.command()
    def end(how: str, as_json: JsonOption = False) -> int | None:
        if how == "good":
            print_json({"id": b"\\x01\\x02"})
        elif how == "findings":
            return errors.EXIT_FINDINGS
        elif how == "exit":
            raise typer.Exit(1)
        elif how == "link":
            run(pulled())
        elif how == "group":
            run(several())
        elif how == "refused":
            raise errors.RefusedError("another board than planned")
        elif how == "interrupt":
            raise KeyboardInterrupt
        elif how == "defect":
            raise ZeroDivisionError("our own mistake")
        return None
    '''
)


@pytest.fixture
def ending(tmp_path, monkeypatch, capsys):
    """Run the command above with a chosen ending; gives exit code, stdout, stderr."""
    (tmp_path / "endings_of_a_command.py").write_text(ENDINGS)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setitem(main_module.COMMANDS, "end", Entry("endings_of_a_command", "End."))

    def run(*arguments: str) -> tuple[int, str, str]:
        code = main(["end", *arguments])
        told = capsys.readouterr()
        return code, told.out, told.err

    return run


@pytest.mark.parametrize(
    ("how", "code"),
    [("good", 0), ("findings", 1), ("exit", 1), ("link", 3), ("group", 3), ("refused", 4), ("interrupt", 130)],
)
def test_each_ending_has_its_exit_code(ending, how, code):
    assert ending(how)[0] == code


def test_a_failure_is_one_line_on_stderr_and_nothing_on_stdout(ending):
    assert ending("link") == (3, "", "Error: oak: the cable was pulled. Plug it in.\n")


def test_a_failure_inside_parallel_work_is_told_the_same_way(ending):
    assert ending("group") == ending("link")


def test_with_json_failures_are_json_too(ending):
    code, out, err = ending("link", "--json")
    assert (code, out) == (3, "")
    assert json.loads(err)["what"] == "the cable was pulled"


def test_with_json_a_wrong_command_line_is_json_too(ending):
    code, out, err = ending("--json")
    assert (code, out) == (2, "")
    assert json.loads(err)["exit_code"] == 2


def test_json_stands_alone_on_stdout_and_bytes_are_hex(ending):
    code, out, err = ending("good", "--json")
    assert (code, json.loads(out), err) == (0, {"id": "0102"}, "")


def test_a_fault_of_ours_is_apologised_for_with_the_details_in_a_file(ending):
    code, out, err = ending("defect")
    assert (code, out) == (70, "")
    assert err.startswith("Sorry")
    assert "Traceback" not in err
    details = Path(err.rstrip(".\n").split()[-1]).read_text(encoding="utf-8")
    assert "ZeroDivisionError: our own mistake" in details
    assert __version__ in details


def test_details_find_a_place_where_home_cannot_be_written(ending, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", "/dev/null/nowhere")
    _, _, err = ending("defect")
    details = Path(err.rstrip(".\n").split()[-1])
    assert "our own mistake" in details.read_text(encoding="utf-8")
    details.unlink()


def test_an_unknown_command_is_a_usage_error_with_a_way_out(capsys):
    assert main(["provisoin"]) == 2
    assert "--help" in capsys.readouterr().err


def test_help_lists_exactly_the_commands_whose_module_is_there(capsys, monkeypatch):
    monkeypatch.setitem(main_module.COMMANDS, "unbuilt", Entry("hedgerow.cli.unbuilt", "Not there yet."))
    assert main(["--help"]) == 0
    shown = re.findall(r"^│ ([a-z]+) ", capsys.readouterr().out, re.MULTILINE)
    folder = Path(main_module.__file__).parent
    present = [name for name, entry in COMMANDS.items() if (folder / f"{entry.module.rpartition('.')[2]}.py").is_file()]
    assert shown == [name for name in present if not COMMANDS[name].hidden]


def test_help_imports_no_command(tmp_path):
    code = "import sys; from hedgerow.cli.main import COMMANDS, main; main(['--help']); "
    code += "sys.exit(sum(entry.module in sys.modules for entry in COMMANDS.values()))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=30).returncode == 0


def test_version_needs_neither_typer_nor_rich():
    code = "import sys; from hedgerow.cli.main import main; main(['--version']); "
    code += "sys.exit('typer' in sys.modules or 'rich' in sys.modules or 'asyncio' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stdout) == (0, f"hedgerow {__version__}\n")


def test_version_answers_within_300_ms():
    took_s = []
    for _ in range(5):  # the best of five: what is measured is the tool, not what else this machine does
        begin = time.perf_counter()
        subprocess.run([HEDGEROW, "--version"], check=True, capture_output=True, timeout=30)
        took_s.append(time.perf_counter() - begin)
    assert min(took_s) <= 0.3


def test_every_command_has_a_one_line_help_and_a_hidden_one_says_what_it_is_short_for():
    for name, entry in COMMANDS.items():
        assert entry.help.endswith("."), name
        assert len(entry.help) <= 90, name
    assert COMMANDS["devs"].hidden
    assert COMMANDS["devs"].module == COMMANDS["devices"].module


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_shell_completes_commands(shell, monkeypatch):
    words = {
        "bash": {"COMP_WORDS": "hedgerow --vers", "COMP_CWORD": "1"},
        "zsh": {"_TYPER_COMPLETE_ARGS": "hedgerow --vers"},
        "fish": {"_TYPER_COMPLETE_ARGS": "hedgerow --vers", "_TYPER_COMPLETE_FISH_ACTION": "get-args"},
    }[shell]
    for name, value in (words | {"_HEDGEROW_COMPLETE": f"complete_{shell}"}).items():
        monkeypatch.setenv(name, value)
    done = subprocess.run([HEDGEROW], capture_output=True, text=True, timeout=30)
    assert "--version" in done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_completion_script_names_hedgerow(shell, monkeypatch):
    monkeypatch.setenv("_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION", "1")
    done = subprocess.run([HEDGEROW, "--show-completion", shell], capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    assert "_HEDGEROW_COMPLETE" in done.stdout
