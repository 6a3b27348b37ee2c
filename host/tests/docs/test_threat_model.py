"""Every test that the threat model rests on exists under the name that it gives."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "threat-model.md").read_text(encoding="utf-8")
NAMED = re.findall(r"`((?:host|firmware|hil_tests)[\w/]*\.py)::(test_\w+)`", PAGE)
ATTACKERS = re.findall(r"^### (.+)$", PAGE, re.MULTILINE)


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_a_named_test_exists(file, name):
    assert re.search(rf"^(async )?def {name}\(", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE)


def test_every_attacker_has_what_they_can_what_they_cannot_and_a_test():
    for title, text in zip(ATTACKERS, re.split(r"^### .+$", PAGE, flags=re.MULTILINE)[1:], strict=True):
        for part in ("**Can** ", "**Cannot** ", "Shown by "):
            assert part in text, (title, part)
    assert len(NAMED) >= len(ATTACKERS)
