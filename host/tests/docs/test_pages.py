"""The reader of pages reads as its rules say: what a page promises and does not keep is noticed."""

from pathlib import Path

import pytest
from pages import Reader, first_missing, parts


def follow(tmp_path: Path, text: str) -> Path:
    page = tmp_path / "page.md"
    page.write_text(text, encoding="utf-8")
    folder = tmp_path / "folder"
    folder.mkdir()
    Reader(folder, tmp_path / "home").follow(page)
    return folder


def test_files_are_written_and_changed_and_commands_typed_where_the_last_one_went(tmp_path):
    folder = follow(
        tmp_path,
        "```console\n$ mkdir sub\n$ cd sub\n```\n\n`a.txt`:\n\n```text\none\ntwo\n```\n\n"
        "`a.txt`:\n\n```diff\n one\n-two\n+three\n```\n\n```console\n$ cat a.txt\none\nthr…\n```\n",
    )
    assert (folder / "sub" / "a.txt").read_text() == "one\nthree\n"


def test_other_blocks_are_only_read(tmp_path):
    assert not list(follow(tmp_path, "```sh\ntouch a\n```\n\n    $ touch b\n").iterdir())


def test_a_command_may_go_on_in_the_next_line(tmp_path):
    assert (follow(tmp_path, "```console\n$ for n in 1 2; do\n>   touch $n\n> done\n```\n") / "2").exists()


@pytest.mark.parametrize(
    "text",
    [
        "```console\n$ echo one\ntwo\n```\n",
        "```console\n$ false\n```\n",
        "```console\n$ false\n$ echo more\n```\n",
        "```console\n$ printf 'b\\na\\n'\na\nb\n```\n",
        "`a.txt`:\n\n```text\none\none\n```\n\n`a.txt`:\n\n```diff\n-one\n+two\n```\n",
    ],
)
def test_what_does_not_come_true_is_noticed(tmp_path, text):
    with pytest.raises(AssertionError):
        follow(tmp_path, text)


def test_a_failure_that_the_page_shows_is_none(tmp_path):
    follow(tmp_path, "```console\n$ false\n$ echo $?\n1\n```\n")


def test_a_reader_repeats_what_takes_a_while(tmp_path):
    follow(tmp_path, "<!-- again for 5 s -->\n```console\n$ echo x >> n; wc -l < n\n2\n```\n")


def test_lines_may_come_between_and_dots_stand_for_anything():
    assert first_missing(["a … c", "d"], "a   b c\nother\nd\n") is None
    assert first_missing(["a … c"], "a b d\n") == "a … c"


def test_every_block_of_a_page_is_found():
    page = Path(__file__).parents[3] / "docs" / "tutorial.md"
    text = page.read_text(encoding="utf-8")
    assert text.count("```console\n") == sum(1 for part in parts(page) if hasattr(part, "commands"))
