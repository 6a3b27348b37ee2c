"""A fleet's folder: made in one command, read by git and people, rebuilt from its documents."""

import shutil
import stat
import sys

import pytest

from hedgerow.errors import RefusedError, StorageError, UsageError
from hedgerow.fleet import founding, proposal, secrets_file
from hedgerow.fleet.folder import FleetFolder

OAK = b"o" * 32


@pytest.fixture
def fleet(tmp_path):
    with founding.found(tmp_path / "river", "river") as made:
        with (made.path / "fleet.toml").open("a", encoding="utf-8") as file:
            file.write(proposal.node_text("oak", "ESP32_GENERIC_S3", {}, "Rosa"))
            file.write(proposal.node_text("elm", "RPI_PICO"))
        yield made


def test_a_lone_person_founds_a_fleet_and_decides_alone(fleet):
    assert len(fleet.charter.stewards) == fleet.charter.threshold == 1
    assert fleet.charter.version == 1
    assert fleet.charter.fleet_id == fleet.charter.to_document().digest[:8]
    assert fleet.certificate.fleet == fleet.charter.fleet_id
    assert {path.name for path in fleet.path.iterdir()} == {
        "fleet.toml",
        "secrets.toml",
        ".gitignore",
        "documents",
        "registry.sqlite",
    }


def test_secrets_are_ignored_by_git_and_readable_by_their_owner_alone(fleet):
    assert "secrets.toml" in (fleet.path / ".gitignore").read_text().splitlines()
    if sys.platform != "win32":
        assert stat.S_IMODE((fleet.path / "secrets.toml").stat().st_mode) == 0o600


def test_three_stewards_decide_by_two_and_bring_their_own_keys(tmp_path):
    with founding.found(tmp_path / "f", "f", ["Ana", "Ben", "Cy=" + "ab" * 32]) as made:
        assert (made.charter.threshold, len(made.charter.stewards)) == (2, 3)
        assert made.charter.stewards[2].public == b"\xab" * 32
        assert set(made.secrets.stewards) == {"Ana", "Ben"}


@pytest.mark.parametrize("stewards", [["Ana", "Ana"], ["=ab"], ["Ana=abc"], ["Ana=" + "ab" * 31]])
def test_a_council_that_makes_no_sense_is_refused(tmp_path, stewards):
    with pytest.raises(UsageError):
        founding.found(tmp_path / "f", "f", stewards)
    assert not (tmp_path / "f").exists()


def test_a_fleet_is_never_founded_over_another(fleet):
    with pytest.raises(UsageError, match="already"):
        founding.found(fleet.path, "other")


def test_enrolling_gives_a_short_id_once_and_makes_the_key_of_the_household(fleet):
    first = fleet.enrol(fleet.inventory.named("oak"), OAK)
    assert (first.short, first.serial) == (1, 1)
    assert fleet.enrol(fleet.inventory.named("oak"), OAK) == first
    oak = fleet.inventory.named("oak")
    assert oak.is_settled
    assert oak.custodian.public == first.custodian
    assert set(fleet.secrets.custodians) == {"Rosa"}


def test_short_ids_follow_the_order_of_fleet_toml_whoever_comes_first(fleet):
    assert fleet.enrol(fleet.inventory.named("elm"), b"e" * 32).short == 2
    assert fleet.enrol(fleet.inventory.named("oak"), OAK).short == 1


def test_the_configuration_of_a_node_holds_what_it_was_enrolled_as(fleet):
    enrolment = fleet.enrol(fleet.inventory.named("oak"), OAK)
    config = fleet.inventory.named("oak").config(enrolment)
    assert config["id"] == enrolment.node_id
    assert (config["name"], config["short"], config["board"]) == ("oak", 1, "ESP32_GENERIC_S3")
    assert config["custodian"] == fleet.custodians["Rosa"].id


def test_a_lost_registry_is_rebuilt_from_the_documents(fleet):
    fleet.enrol(fleet.inventory.named("oak"), OAK)
    before = fleet.roster
    fleet.close()
    (fleet.path / "registry.sqlite").unlink()
    with FleetFolder(fleet.path) as again:
        assert again.roster == before
        assert again.charter == fleet.charter


def test_documents_that_came_by_git_are_taken_in(fleet, tmp_path):
    clone = tmp_path / "clone"
    shutil.copytree(fleet.path, clone, ignore=shutil.ignore_patterns("registry*", "secrets*"))
    enrolment = fleet.enrol(fleet.inventory.named("elm"), OAK)
    shutil.copytree(fleet.path / "documents", clone / "documents", dirs_exist_ok=True)
    with FleetFolder(clone) as other:
        assert other.roster.named("elm") == enrolment


def test_a_laptop_without_a_certificate_looks_but_does_not_enrol(fleet, tmp_path):
    clone = tmp_path / "clone"
    shutil.copytree(fleet.path, clone, ignore=shutil.ignore_patterns("registry*", "secrets*"))
    with FleetFolder(clone) as other:
        assert other.charter == fleet.charter
        with pytest.raises(RefusedError, match="no certificate"):
            other.enrol(other.inventory.named("oak"), OAK)


def test_a_damaged_document_is_named_and_left_alone(fleet):
    bad = fleet.path / "documents" / "enrolment-0000.cbor"
    bad.write_bytes(b"\xff\x00")
    with FleetFolder(fleet.path) as again:
        assert [path for path, _ in again.damaged] == [bad]
        assert again.charter == fleet.charter
    assert bad.exists()


def test_a_damaged_secrets_file_is_not_overwritten(fleet):
    path = fleet.path / "secrets.toml"
    path.write_text("[laptop]\nseed = 'zz'\n")
    with pytest.raises(StorageError, match="damaged"):
        FleetFolder(fleet.path)
    assert "zz" in path.read_text()


def test_seeds_do_not_show_when_secrets_are_printed(fleet):
    assert fleet.secrets.laptop_seed.hex() not in repr(fleet.secrets)
    assert secrets_file.read(fleet.path / "secrets.toml") == fleet.secrets
