"""The pages about fleets say what the code does: every key, every default, every example."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from hedgerow.fleet import proposal
from hedgerow.fleet.charter import Charter, LaptopCertificate
from hedgerow.fleet.groups import Group, Membership
from hedgerow.fleet.people import Custodian, Person
from hedgerow.fleet.roster import Enrolment

PAGES = Path(__file__).parents[3] / "docs" / "reference"
TOML_PAGE = (PAGES / "fleet-toml.md").read_text(encoding="utf-8")
DOCUMENTS_PAGE = (PAGES / "fleet-documents.md").read_text(encoding="utf-8")


def rows(page: str) -> dict[str, list[str]]:
    """First cell of every table row -> the other cells."""
    cells = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in page.splitlines() if line.startswith("|")
    ]
    return {row[0].strip("`"): row[1:] for row in cells}


def test_the_example_is_a_fleet_toml():
    (example,) = re.findall(r"```toml\n(.*?)```", TOML_PAGE, re.DOTALL)
    assert [node.name for node in proposal.parse(example).nodes] == ["oak", "elm"]


def test_every_key_of_the_schema_has_a_row_and_no_row_is_too_many():
    parts = proposal.schema()["properties"]
    keys = {*parts["fleet"]["properties"], *parts["defaults"]["properties"], *parts["node"]["items"]["properties"]}
    files = {"documents/", "secrets.toml", "registry.sqlite", "sessions/"}
    assert set(rows(TOML_PAGE)) - {"key", "---", "file"} - files == keys


@pytest.mark.parametrize("setting", [*proposal.SETTINGS, "ipn_base"])
def test_every_default_is_the_one_of_the_code(setting):
    default = proposal.default(setting)
    if default is not None:
        written = str(default).lower() if isinstance(default, bool) else str(default)
        assert rows(TOML_PAGE)[setting][-1].strip('`"') == written


@pytest.mark.parametrize("kind", [Charter, LaptopCertificate, Enrolment, Custodian, Person, Group, Membership])
def test_every_field_of_a_document_stands_on_its_page(kind):
    name = {"LaptopCertificate": "laptop"}.get(kind.__name__, kind.__name__.lower())
    section = DOCUMENTS_PAGE.split(f"**`{name}`**", 1)[1].split("**`", 1)[0]
    for field in fields(kind):
        assert f"`{field.name}`" in section, field.name
