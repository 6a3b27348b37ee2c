"""What a person sees of ledgers: `hedgerow ledger` on files and on virtual boards, and what an audit makes of them."""

import asyncio
import json
import sys

import pytest
from made_ledger import Writer, copies

from hedgerow.cli.main import main
from hedgerow.fleet import ledger as ledgers
from hedgewire import ledger


async def command(*arguments: str) -> tuple[int, str, str]:
    """Run hedgerow as its own program, while this event loop keeps the boards alive."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "hedgerow", *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


@pytest.fixture
def here(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    main(["fleet", "new", "river"])
    capsys.readouterr()
    monkeypatch.chdir(tmp_path / "river")
    return tmp_path / "river"


def shelf(folder, *writers: Writer):
    folder.mkdir(exist_ok=True)
    for page in copies(*writers).pages().values():
        ledgers.write(folder, page)
    return folder


def told_two_stories() -> tuple[Writer, Writer]:
    one = Writer(1).note().sign()
    other = one.twin().note("updated", app="2").sign()
    return one.note("updated", app="1").sign(), other


def test_what_came_and_went_is_noted_signed_and_shown(here, capsys):
    assert main(["ledger", "note", "solder", "-2.5", "kg", "two rolls for the café"]) == 0
    assert "-2.5 kg solder two rolls for the café" in capsys.readouterr().out
    assert main(["ledger", "note", "panels", "3", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["fields"]["amount_x1000"] == 3000
    assert main(["ledger", "show", "--json"]) == 0
    [facts] = json.loads(capsys.readouterr().out)
    assert (facts["signed_seq"], facts["gaps"], facts["unsigned"]) == (2, [], 0)
    assert main(["ledger", "show", facts["name"]]) == 0
    assert "resource +3 panels" in capsys.readouterr().out
    assert main(["ledger", "verify"]) == 0
    assert "✔ nothing is wrong: 2 signed entries in 1 ledger" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("amount", "thousandths"), [("2", 2000), ("+2.5", 2500), ("-0.125", -125), ("-1.5", -1500), ("0.05", 50)]
)
def test_amounts_are_kept_in_thousandths(here, capsys, amount, thousandths):
    assert main(["ledger", "note", "x", amount, "h", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["fields"]["amount_x1000"] == thousandths


@pytest.mark.parametrize("amount", ["much", "1,5", "1.2345", "1e3", ""])
def test_what_is_no_amount_is_refused_in_a_sentence(here, capsys, amount):
    assert main(["ledger", "note", "x", amount]) == 2
    assert "is no amount" in capsys.readouterr().err


def test_show_says_whose_ledgers_are_here(here, capsys):
    assert main(["ledger", "show"]) == 0
    assert "No ledger is here yet" in capsys.readouterr().out
    main(["ledger", "note", "x", "1"])
    assert main(["ledger", "show", "nobody"]) == 2
    assert "no ledger of nobody is here" in capsys.readouterr().err


def test_a_fork_is_shown_with_both_signatures_and_its_evidence_convinces_a_third_person(here, tmp_path, capsys):
    folder = shelf(tmp_path / "stick", *told_two_stories())
    assert main(["ledger", "verify", str(folder), "--evidence", str(tmp_path / "proof")]) == 1
    said = capsys.readouterr().out
    assert "✘" in said
    assert "fork: has told two stories at entry 2" in said
    assert said.count(" signed ") >= 2
    assert "unknown key" in said
    assert main(["ledger", "verify", *map(str, ledgers.files_in(tmp_path / "proof")), "--json"]) == 1
    [fork] = [one for one in json.loads(capsys.readouterr().out)["findings"] if one["kind"] == "fork"]
    heads = [row for row in fork["records"] if row["type"] == "head"]
    assert len(heads) == 2
    for row in heads:
        assert bytes.fromhex(row["signed"]).startswith(ledger.HEAD_PREFIX)
    assert ledger.decode_page(bytes.fromhex(fork["pages"][0])).writer.hex() == heads[0]["writer"]


def test_without_a_fleet_at_hand_nobody_is_called_unknown(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    folder = shelf(tmp_path / "stick", Writer(1).note().sign())
    assert main(["ledger", "verify", str(folder)]) == 0
    assert "whose keys these are" in capsys.readouterr().out
    assert main(["ledger", "verify"]) == 2


def test_damaged_files_and_wrong_names_are_told_apart(here, tmp_path, capsys):
    folder = shelf(tmp_path / "stick", Writer(1).note().sign())
    [path] = ledgers.files_in(folder)
    path.write_bytes(path.read_bytes()[:-3])
    assert main(["ledger", "verify", str(path)]) == 1
    assert "is no ledger page: truncated" in capsys.readouterr().out
    assert main(["ledger", "verify", str(tmp_path / "nothing")]) == 2
    assert "there is no" in capsys.readouterr().err


def test_collecting_without_a_node_is_a_link_error(here, capsys):
    assert main(["ledger", "collect", "-p", "/dev/nothing-there"]) == 3
    assert main(["ledger", "collect", "oak", "-p", "/dev/nothing-there"]) == 3
    assert "there is no such port" in capsys.readouterr().err


def test_ledgers_of_boards_are_collected_audited_and_a_board_that_was_set_back_is_found(workshop, run):
    async def story():
        async with workshop(1) as shop:
            await shop.must_provision()
            at = ["-p", shop.ports[0], "--fleet", str(shop.fleet.path)]
            fleet = ["--fleet", str(shop.fleet.path)]
            code, out, err = await command("ledger", "collect", *at)
            assert (code, "n1: ledger up to entry 5, 5 new" in out) == (0, True), (out, err)
            [board] = shop.boards
            await board.kill()
            before = board.image.read_bytes()
            await board.power_on()
            code, out, err = await command("audit", *at)
            assert code == 0, (out, err)
            code, out, _ = await command("ledger", "show", "n1", *fleet)
            assert out.splitlines()[-1].endswith("audited")
            await board.kill()
            board.image.write_bytes(before)
            await board.power_on()
            code, out, err = await command("ledger", "collect", *at)
            assert (code, "rollback" in out) == (1, True), (out, err)
            code, out, _ = await command("ledger", "verify", *fleet)
            assert (code, "rollback: showed head 6 and later head 5" in out) == (1, True), out
            code, out, _ = await command("audit", *at, "--json")
            found = {one["class"] for one in json.loads(out)["findings"] if one["node"] == "n1"}
            assert (code, found) == (1, {"ledger: rollback"}), out

    run(story())
