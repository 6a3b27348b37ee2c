"""Documentation holds: links lead somewhere, recipes exist, decisions are listed and have the same four parts."""

import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree as ET

import pytest

ROOT = Path(__file__).parents[3]


def tracked(pattern: str) -> list[Path]:
    """Files of the tree that git knows or would take, without what is ignored."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", pattern],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    ).stdout.splitlines()
    return sorted(ROOT / name for name in set(listed) if (ROOT / name).is_file())


PAGES = tracked("*.md")
JUST = [Path(sys.executable).with_name("just"), "--justfile", ROOT / "justfile", "--summary"]
RECIPES = set(subprocess.run(JUST, capture_output=True, text=True, check=True, timeout=30).stdout.split())
every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def headings(page: Path) -> set[str]:
    """The anchors that a page offers, as code hosts make them."""
    titles = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@every_page
def test_every_link_leads_somewhere(page):
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in link or link.startswith("mailto:"):
            continue
        path, _, anchor = unquote(link).partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        if anchor and target.suffix == ".md":
            assert anchor in headings(target), link


@every_page
def test_every_recipe_that_is_named_exists(page):
    for name in re.findall(r"\./just ([a-z][a-z-]*)", page.read_text(encoding="utf-8")):
        assert name in RECIPES, name


def test_the_two_commands_of_a_newcomer_stand_in_the_readme():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "./just demo" in text
    assert "./just test" in text


def test_every_recipe_says_in_one_line_what_it_does():
    text = (ROOT / "justfile").read_text(encoding="utf-8")
    for name in RECIPES:
        assert re.search(rf"^# [A-Z].*[.`]\n{name}[ :]", text, re.MULTILINE), name


def test_what_ci_runs_are_recipes():
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert re.findall(r"\./just (\S+)", script) == ["--prepare", "check", "hil", "hil", "test", "test"]


# --- decisions -------------------------------------------------------------------------------------------------------

DECISIONS = [page for page in PAGES if page.parent.name == "adr" and page.stem not in ("README", "template")]


@pytest.mark.parametrize("page", DECISIONS, ids=lambda page: page.stem)
def test_a_decision_is_listed_and_says_why_what_and_what_follows(page):
    assert f"({page.name})" in (page.parent / "README.md").read_text(encoding="utf-8")
    text = page.read_text(encoding="utf-8")
    places = [text.index(part) for part in ("\nStatus: ", "\n## Why\n", "\n## Decision\n", "\n## What follows\n")]
    assert places == sorted(places)


# --- pictures --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("picture", tracked("*.svg"), ids=lambda picture: picture.name)
def test_a_picture_stands_alone_and_can_be_read_aloud(picture):
    text = picture.read_text(encoding="utf-8")
    root = ET.fromstring(text)
    assert root.find("{http://www.w3.org/2000/svg}title") is not None
    assert "href=" not in text
    assert "@import" not in text
