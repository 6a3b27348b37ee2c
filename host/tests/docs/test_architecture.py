"""The picture of the house shows the house: what it names is there, and what is there it names."""

import re

import pytest
from pages import ROOT

PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`((?:firmware|host|boards|hil_tests|vectors|docs)/[\w/.]*)`", PAGE)))
PACKAGES = sorted(
    path.parent for house in ("host/hedgerow", "firmware/hedgenode") for path in (ROOT / house).glob("*/__init__.py")
)


@pytest.mark.parametrize("path", NAMED)
def test_what_the_page_names_is_there(path):
    assert (ROOT / path).exists()
    assert (ROOT / path).is_dir() == path.endswith("/")


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.name)
def test_every_package_stands_in_the_picture(package):
    assert f"{package.name}/" in PAGE


def test_what_is_called_planned_is_not_there_yet():
    planned = [line for line in PAGE.splitlines() if line.startswith("Planned and not there: ")]
    names = re.findall(r"`(\w+)/`", " ".join(planned))
    assert [name for name in names if (ROOT / "host" / "hedgerow" / name).exists()] == []
