"""The seizure drill on the laptop: papers and keys in one step, resumed after any interruption, with its report."""

import json

import papers as made
import pytest

from hedgerow.cli.main import main
from hedgerow.errors import StorageError
from hedgerow.fleet import council, founding, group_work, groups, keys, revoking, standing
from hedgerow.fleet.folder import FleetFolder
from hedgerow.fleet.groups import Groups
from hedgerow.fleet.key_lock import Lock
from hedgerow.fleet.people import Person
from hedgerow.fleet.proposal import node_text
from hedgerow.plans import parting, rekey, seizure, seizure_report
from hedgewire import rekey as wire

SMALL = "ESP32_GENERIC"
BIG = "ESP32_GENERIC_S3"


@pytest.fixture
def fleet(tmp_path, monkeypatch):
    """Three nodes, one of them on a board without room for keys; a group of two of them and of a person."""
    monkeypatch.chdir(tmp_path)
    toml = "[fleet]\nname = 'river'\n" + node_text("n1", BIG) + node_text("n2", BIG) + node_text("small", SMALL)
    with founding.found(tmp_path / "river", "river", ["Ana", "Ben", "Cy"]) as one:
        (one.path / "fleet.toml").write_text(toml)
        for name in ("n1", "n2", "small"):
            one.enrol(one.inventory.named(name), made.public(name))
        everybody = groups.Group(groups.FLEET_NAME, one.fleet_id, one.fleet_id)
        group_work.found(one, everybody)
        person = Person("Rosa", made.public("Rosa"), keys.key_id(made.public("n1")))
        one.add([person.to_document().signed(made.seed("Rosa"))])
        bakers = group_work.found(one, groups.new_group(one.fleet_id, "bakers"))
        group_work.add(one, bakers, [made.public("n1"), made.public("Rosa")])
        yield one


def command(capsys, *arguments: str, code: int = 0):
    assert main([*arguments, "--fleet", "river", "--json"]) == code
    said = capsys.readouterr()
    return json.loads(said.out if code == 0 else said.err.splitlines()[-1])


def can_open(fleet: FleetFolder, group: str, name: str) -> bool:
    known = Groups.of(fleet.registry.documents(), fleet.standing)
    found = known.seed(known.named(group).group, [made.seed(name)])
    return found is not None


def gone(fleet: FleetFolder) -> revoking.Target:
    return revoking.target(fleet, "n1")


def only(fleet: FleetFolder, *names: str) -> None:
    """Leave these stewards' keys on this laptop."""
    kept = {name: key for name, key in fleet.secrets.stewards.items() if name in names}
    fleet.keep_secrets(made.replace(fleet.secrets, stewards=kept))


def test_one_step_puts_a_node_out_and_gives_every_group_that_it_read_a_key_that_it_does_not_get(fleet, capsys):
    done = command(capsys, "revoke", "n1")
    assert done["in_force"]
    assert {one["name"]: one["epoch"] for one in done["groups"]} == {"fleet": 512, "bakers": 512}
    assert all(one["documents"] == [count] and count <= 2048 for one in done["groups"] for count in one["documents"])
    assert not can_open(fleet, "fleet", "n1")
    assert can_open(fleet, "fleet", "n2")
    assert not can_open(fleet, "bakers", "n1")


def test_a_person_whose_key_the_captured_node_lent_goes_with_it(fleet, capsys):
    assert can_open(fleet, "bakers", "Rosa")
    assert command(capsys, "revoke", "n1")["holder"]["lent"] == ["Rosa"]
    assert not can_open(fleet, "bakers", "Rosa")
    assert made.key_id("Rosa") in fleet.standing.revoked


def test_boards_without_room_for_keys_get_no_row_and_are_told_of_in_words(fleet, capsys):
    done = command(capsys, "revoke", "n1")
    assert done["no_room_for_keys"] == ["small"]
    assert [one["members"] for one in done["groups"] if one["name"] == "fleet"] == [2]  # the laptop and n2
    main(["revoke", "n1", "--status", "--fleet", "river"])
    assert "No keys of groups fit on small" in capsys.readouterr().out


def test_the_same_command_again_changes_nothing(fleet, capsys):
    first = command(capsys, "revoke", "n1")
    known, noted = fleet.registry.digests(), len(fleet.ledger.copies.entries)
    assert command(capsys, "revoke", "n1") == first
    assert fleet.registry.digests() == known
    assert len(fleet.ledger.copies.entries) == noted


@pytest.mark.parametrize("what", ["add", "note", "observe"])
def test_interrupted_at_any_step_the_same_command_does_what_is_left(fleet, monkeypatch, what):
    calls, steps = [], 0
    real = getattr(FleetFolder, what)
    while True:
        steps += 1
        calls.clear()

        def cut(self, *given, steps=steps, **named):
            calls.append(1)
            if len(calls) == steps:
                raise StorageError("the battery is empty")
            return real(self, *given, **named)

        monkeypatch.setattr(FleetFolder, what, cut)
        try:
            seizure.begin(fleet, gone(fleet))
        except StorageError:
            continue
        break
    monkeypatch.undo()
    drill = seizure.begin(fleet, gone(fleet))
    assert [one.needs for one in drill.renewals] == [None, None]
    assert not can_open(fleet, "fleet", "n1")
    assert can_open(fleet, "fleet", "n2")
    assert {one.epoch for one in drill.renewals} == {512}


def test_k_signatures_are_collected_offline_and_the_same_command_goes_on(fleet, capsys, tmp_path):
    ben = fleet.secrets.stewards["Ben"]
    only(fleet, "Ana")
    done = command(capsys, "revoke", "n1")
    assert not done["in_force"]
    assert all("1 more of Ben, Cy" in need for need in done["needs"])
    assert len(done["groups"]) == 2
    assert can_open(fleet, "bakers", "n1")  # nothing has changed yet
    waiting = command(capsys, "charter", "sign")
    assert sum("a new key for group" in one for one in waiting["waiting"]) == 2
    # Ben has no folder of the fleet, only the file and his key.
    given = standing_papers(fleet)
    tasks = council.tasks(given, {"Ben": ben})
    fleet.add(council.sign(tasks, {"Ben": ben}))
    done = command(capsys, "revoke", "n1")
    assert done["in_force"]
    assert {one["epoch"] for one in done["groups"]} == {512}
    assert not can_open(fleet, "fleet", "n1")


def standing_papers(fleet: FleetFolder):
    from hedgerow.cli.papers import read_papers

    return read_papers(fleet.path / "charter-to-sign.cbor")


def test_a_second_capture_while_the_first_waits_begins_a_key_behind_it(fleet, capsys):
    only(fleet, "Ana")
    command(capsys, "revoke", "n1")
    done = command(capsys, "revoke", "n2")
    assert {one["epoch"] for one in done["groups"]} == {768}
    again = command(capsys, "revoke", "n1")
    assert {one["epoch"] for one in again["groups"] if one["name"] == "fleet"} == {768}  # it leaves both out


def test_a_rotation_goes_on_until_all_have_confirmed_and_only_then_begins_another(fleet, capsys):
    first = command(capsys, "rotate")
    assert {one["name"]: one["epoch"] for one in first["groups"]} == {"fleet": 512, "bakers": 512}
    assert first["revoked"] is None
    assert first["waiting"] == ["n1", "n2"]
    assert command(capsys, "rotate") == first
    assert {one["epoch"] for one in command(capsys, "rotate", "--again")["groups"]} == {768}
    for name in ("n1", "n2"):
        known = Groups.of(fleet.registry.documents(), fleet.standing).by_id
        fleet.note_epochs(made.key_id(name), dict.fromkeys(known, 768))
    assert command(capsys, "rotate", "--status")["waiting"] == []
    assert {one["epoch"] for one in command(capsys, "rotate")["groups"]} == {1024}


def test_what_the_captor_can_read_is_a_list_with_ends(fleet, capsys):
    fleet.note_epochs(made.key_id("n1"), {fleet.fleet_id: 260})
    [row] = [one for one in command(capsys, "revoke", "n1")["holder"]["groups"] if one["name"] == "fleet"]
    assert (row["from_epoch"], row["until_epoch"]) == (258, 511)
    assert row["from_epoch_with_kept_documents"] == 256
    assert row["still_written_by"] == ["n2"]
    holder = command(capsys, "revoke", "n1")["holder"]
    assert holder["met_at_most_days"] == 14
    assert main(["revoke", "n1", "--status", "--fleet", "river"]) == 0
    assert "can read:" in capsys.readouterr().out


def test_a_laptop_that_is_put_out_gets_no_key_either(fleet, capsys):
    fleet.add([made.replace(own_certificate(fleet)).to_document().signed(*steward_seeds(fleet))])
    done = command(capsys, "revoke", "other", "--keep")
    assert [one["name"] for one in done["groups"]] == ["fleet"]
    assert done["holder"]["enrolments_left"] == 5


def own_certificate(fleet):
    return made.replace(fleet.certificate, name="other", laptop=made.public("other"), enrolments=5, first_short=900)


def steward_seeds(fleet):
    return [key.seed for key in fleet.secrets.stewards.values()]


def test_who_decides_and_who_makes_keys_stands_in_their_ledgers(fleet, capsys):
    command(capsys, "revoke", "n1")
    mine = [entry.kind for entry in fleet.ledger.copies.entries_of(fleet.secrets.laptop).values()]
    assert mine.count("rekeyed") == 2
    assert "revoked" in mine
    ana = fleet.ledger.copies.entries_of(fleet.secrets.stewards["Ana"].public).values()
    kinds = [(entry.kind, entry.fields.get("what")) for entry in ana]
    assert ("revoked", None) in kinds
    assert ("signed", wire.KIND) in kinds


def test_the_key_is_one_paper_of_two_kilobytes_for_64_members_and_more_signatures_leave_less_room(fleet):
    known = Groups.of(fleet.registry.documents(), fleet.standing)
    members = [made.public(f"member {number}") for number in range(64)]
    for threshold, count in ((1, 1), (2, 1), (3, 2)):
        new = rekey.renew(known, known.named("fleet"), members, threshold=threshold)
        signed = [one.signed(*(made.seed(f"s{number}") for number in range(threshold))) for one in new.documents]
        assert len(signed) == count
        assert all(len(one.encode()) <= 1920 for one in signed)


def test_what_a_node_gets_has_no_more_signatures_than_it_asks_for(fleet, capsys):
    command(capsys, "revoke", "n1")
    for paper in seizure.for_nodes(fleet):
        assert len(paper.signatures) == fleet.charter.threshold
        assert standing.decides(paper, fleet.standing)


def test_the_report_of_the_fleet_lists_everybody_who_is_put_out(fleet, capsys):
    assert seizure_report.all_facts(fleet) == []
    command(capsys, "revoke", "n1")
    assert [one["revoked"]["name"] for one in seizure_report.all_facts(fleet)] == ["n1"]
    page = fleet.path / "page.html"
    assert main(["report", "--fleet", "river", "-o", str(page)]) in (0, 1)
    text = page.read_text()
    assert "Captured, and put out" in text
    assert "epochs 256 to 511" in text


def test_what_leaves_a_fleet_with_locked_keys_has_locked_keys_too(fleet, tmp_path):
    fleet.keep_secrets(fleet.secrets.locked(Lock.new("secrets", "a long passphrase")))
    asked = {"ask": lambda _: "a long passphrase"}
    with FleetFolder(fleet.path, **asked) as origin:
        node = origin.roster.named("n2")
        with parting.found_for(tmp_path / "brook", "brook", [origin], [[node]], **asked) as brook:
            assert brook.secrets.is_locked
            assert brook.secrets.laptop_seed
    assert "seed =" not in (tmp_path / "brook" / "secrets.toml").read_text()
