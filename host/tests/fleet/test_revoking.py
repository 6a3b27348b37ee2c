"""Putting out a node, a laptop, a steward: one paper says all of it, and a person decides what stays."""

import json

import papers as made
import pytest

from hedgerow.cli.main import main
from hedgerow.fleet import founding, joining, laptops, proposal, revoking
from hedgerow.fleet.folder import FleetFolder


@pytest.fixture
def fleet(tmp_path, monkeypatch):
    """The stewards' laptop, and two nodes that the laptop `field` has taken in."""
    monkeypatch.chdir(tmp_path)
    with founding.found(tmp_path / "river", "river", ["Ana", "Ben", "Cy"]) as cafe:
        toml = "[fleet]\nname = 'river'\n" + "".join(proposal.node_text(f"n{k}", made.BOARD) for k in (1, 2))
        with joining.join(tmp_path / "field", joining.understand(cafe.registry.documents()), toml) as field:
            asked = laptops.read_request(laptops.request(field, "field"))
            field.add(laptops.answer(cafe, laptops.certify(cafe, asked, 5)))
            for number in (1, 2):
                field.enrol(field.inventory.named(f"n{number}"), made.node_key(number))
            cafe.merge(field.registry)
        (cafe.path / "fleet.toml").write_text(toml)
        yield cafe


def command(capsys, *arguments: str, code: int = 0):
    assert main([*arguments, "--fleet", "river", "--json"]) == code
    said = capsys.readouterr()
    return json.loads(said.out if code == 0 else said.err.splitlines()[-1])


def test_a_stolen_laptop_is_put_out_and_its_nodes_stay_where_a_person_vouches(fleet, capsys):
    done = command(capsys, "revoke", "field", "--keep")
    assert (done["in_force"], done["kept_nodes"]) == (True, ["n1", "n2"])
    assert [node.name for node in fleet.roster.nodes] == ["n1", "n2"]
    assert made.keys.key_id(made.public("x")) not in fleet.standing.revoked
    assert len(fleet.standing.revoked) == 1
    assert [row["state"] for row in laptops.overview(fleet) if row["name"] == "field"] == ["revoked"]


def test_nodes_that_nobody_vouches_for_fall_with_their_laptop(fleet, capsys):
    assert command(capsys, "revoke", "laptop:field", "--drop")["fallen_nodes"] == ["n1", "n2"]
    assert fleet.roster.nodes == []


def test_a_captured_node_is_put_out_alone_and_the_next_paper_says_both(fleet, capsys):
    command(capsys, "revoke", "n1")
    assert [node.name for node in fleet.roster.nodes] == ["n2"]
    command(capsys, "revoke", "n2")
    assert fleet.roster.nodes == []
    assert len(fleet.standing.revocations) == 1


def test_a_steward_goes_by_a_charter_and_a_revocation_that_name_each_other(fleet, capsys):
    done = command(capsys, "revoke", "Ben")
    assert done["in_force"]
    assert [steward.name for steward in fleet.charter.stewards] == ["Ana", "Cy"]
    assert made.keys.key_id(fleet.secrets.stewards["Ben"].public) in fleet.charter.revoked


def test_with_too_few_keys_here_it_waits_and_says_for_whom(fleet, capsys):
    kept = dict(list(fleet.secrets.stewards.items())[:1])
    fleet.keep_secrets(made.replace(fleet.secrets, stewards=kept))
    done = command(capsys, "revoke", "n1")
    assert not done["in_force"]
    assert "1 more of Ben, Cy" in done["needs"][0]
    assert len(FleetFolder(fleet.path).roster.nodes) == 2


@pytest.mark.parametrize(("who", "sentence"), [("nobody", "nobody here is called"), ("laptop:n1", "nobody here")])
def test_a_name_that_nobody_has_ends_in_a_sentence(fleet, capsys, who, sentence):
    assert sentence in command(capsys, "revoke", who, code=2)["what"]


def test_a_name_that_two_have_is_asked_for_with_its_kind(fleet, capsys):
    asked = laptops.Request("n1", made.public("another"))
    laptops.certify(fleet, asked, 5)
    assert "more than one" in command(capsys, "revoke", "n1", code=2)["what"]
    assert revoking.target(fleet, "node:n1").kind == "node"
