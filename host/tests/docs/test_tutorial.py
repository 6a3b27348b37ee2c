"""The tutorial, followed word for word on real virtual boards."""

import pytest
from pages import ROOT, Reader

from hedgerow.virtual import control

pytestmark = pytest.mark.timeout(180)


def test_who_follows_the_tutorial_sees_what_it_shows(folder):
    folder.mkdir()
    Reader(folder, folder.parent / "home").follow(ROOT / "docs" / "tutorial.md")
    assert control.find(folder / "valley" / ".hedgerow" / "virtual") is None, "nothing is left running"
