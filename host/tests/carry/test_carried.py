"""Bundles as files: they age, they are bounded, nothing that a stick may hold does harm."""

import os
import time
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedgerow.errors import UsageError
from hedgerow.fleet.carried import Carried, CarriedFolder, forwarded, from_zip, read, to_zip
from hedgerow.plans.carry import Place, exchange, to_bring, to_take
from hedgewire import bundle, message
from hedgewire.cbor import Damage

BASE = 974848
OAK, ELM, ASH = BASE + 1, BASE + 2, BASE + 3
EVERYBODY = BASE + 0xFFFF
WEEK_MS = 7 * 24 * 3600 * 1000
PLACES = {number: Place(f"node {number - BASE}", f"{number:016x}", number, EVERYBODY) for number in (OAK, ELM, ASH)}


def made(sequence: int, to: int = ELM, size: int = 100, age_ms: int = 0, source: int = OAK, hops: int = 16) -> bytes:
    ends = (bundle.Eid(source, message.TEXT), bundle.Eid(to, message.TEXT))
    return bundle.encode(bundle.make(*ends, bytes(size), sequence, WEEK_MS, age_ms=age_ms, hop_limit=hops))


def carried(sequence: int, at_s: float | None = None, **facts) -> Carried:
    found = read(made(sequence, **facts), time.time() if at_s is None else at_s)
    assert isinstance(found, Carried)
    return found


def test_a_folder_holds_what_it_was_given_and_what_it_knew_of_it(tmp_path):
    folder = CarriedFolder(tmp_path / "carry")
    one, other = carried(1), carried(2, to=EVERYBODY)
    assert folder.keep(one)
    assert folder.keep(other)
    assert folder.keep(one), "once more changes nothing"
    folder.note(one.id, "aa")
    for opened in (folder, CarriedFolder(tmp_path / "carry")):
        assert {held.id: held.data for held in opened} == {one.id: one.data, other.id: other.data}
        assert opened.has_got(one.id) == {"aa"}
        assert opened.used_bytes == len(one.data) + len(other.data)
    names = {path.name for path in (tmp_path / "carry").iterdir()}
    assert names == {one.id.hex() + ".bundle", other.id.hex() + ".bundle", "carried.jsonl"}


def test_a_bundle_ages_in_its_file_and_its_time_runs_out_there(tmp_path):
    folder = CarriedFolder(tmp_path)
    old = carried(1, at_s=time.time() - 3600, age_ms=5000)
    assert folder.keep(old)
    [held] = CarriedFolder(tmp_path)
    assert held.age_ms(time.time()) == pytest.approx(3605000, abs=3000)
    assert read(forwarded(held.bundle, held.age_ms(time.time())), 0).bundle.age_ms == pytest.approx(3605000, abs=3000)
    assert len(CarriedFolder(tmp_path, now_s=time.time() + WEEK_MS / 1000)) == 0
    assert not list(tmp_path.glob("*.bundle"))
    assert not folder.keep(carried(2, at_s=time.time() - WEEK_MS / 1000 - 5)), "over before it came"


def test_what_has_arrived_is_not_kept_again_by_anyone_who_was_told(tmp_path):
    ours, stick = CarriedFolder(tmp_path / "ours"), CarriedFolder(tmp_path / "stick")
    one = carried(1)
    assert ours.keep(one)
    assert stick.keep(one)
    ours.note_arrival(one.id)
    assert one.id not in ours
    exchange(stick, ours)
    assert (len(ours), len(stick)) == (0, 0)
    again = CarriedFolder(tmp_path / "stick")
    assert not again.keep(one)
    assert to_take([[one.id, OAK, ELM, "stored", 1, 100, 0]], PLACES[OAK], again.arrived) == []


@given(st.lists(st.binary(max_size=80)), st.lists(st.binary(max_size=60)))
def test_whatever_lies_on_a_stick_is_read_without_harm(tmp_path_factory, contents, lines):
    path = tmp_path_factory.mktemp("stick")
    for number, content in enumerate(contents):
        (path / f"{number:016x}.bundle").write_bytes(content)
    (path / "carried.jsonl").write_bytes(b"\n".join(lines))
    (path / "notes.txt").write_text("mine")
    folder = CarriedFolder(path)
    assert len(folder) == 0
    assert len(folder.damaged) == len(contents)
    assert folder.keep(carried(1))
    assert (path / "notes.txt").read_text() == "mine"


def test_a_name_that_lies_a_link_and_a_giant_do_no_harm(tmp_path):
    one = carried(1)
    (tmp_path / "0000000000000000.bundle").write_bytes(one.data)
    (tmp_path / "1111111111111111.bundle").symlink_to("/etc/hostname")
    (tmp_path / "2222222222222222.bundle").write_bytes(bytes(10_000_000))
    folder = CarriedFolder(tmp_path)
    assert [held.id for held in folder] == [one.id]
    assert [reason for _, reason in folder.damaged] == ["too long for a bundle"]
    folder.drop(one.id)
    assert not (tmp_path / "0000000000000000.bundle").exists()


@given(st.lists(st.tuples(st.integers(1, 40), st.integers(0, 800), st.booleans()), max_size=60))
def test_a_folder_keeps_within_its_bytes_and_says_the_truth(tmp_path_factory, arrivals):
    path = tmp_path_factory.mktemp("small")
    folder = CarriedFolder(path, most_bytes=4000, everyone=EVERYBODY)
    for sequence, size, public in arrivals:
        one = carried(sequence, size=size, to=EVERYBODY if public else ELM, source=OAK + sequence % 3)
        kept = folder.keep(one)
        assert kept == (one.id in folder)
        assert folder.used_bytes == sum(len(held.data) for held in folder) <= 4000
    files = {file.name for file in path.glob("*.bundle")}
    assert files == {held.id.hex() + ".bundle" for held in folder}


@given(st.sets(st.integers(1, 12)), st.sets(st.integers(1, 12)))
def test_an_exchange_gives_both_the_union_and_a_second_one_changes_nothing(tmp_path_factory, ours, theirs):
    path = tmp_path_factory.mktemp("two")
    one, other = CarriedFolder(path / "one"), CarriedFolder(path / "other")
    for folder, sequences in ((one, ours), (other, theirs)):
        for sequence in sequences:
            folder.keep(carried(sequence))
    visit = exchange(one, other)
    assert (visit.taken, visit.brought) == (len(theirs - ours), len(ours - theirs))
    assert {held.id for held in one} == {held.id for held in other} == {carried(n).id for n in ours | theirs}
    assert exchange(one, other).moved == 0


def test_one_file_holds_everything_with_its_time(tmp_path):
    all_carried = [carried(number, at_s=time.time() - 100 * number) for number in range(1, 4)]
    assert to_zip(tmp_path / "trip.zip", all_carried) == 3
    found, damaged = from_zip(tmp_path / "trip.zip")
    assert damaged == []
    assert [one.id for one in found] == [one.id for one in all_carried]
    assert all(abs(one.at_s - other.at_s) <= 2 for one, other in zip(found, all_carried, strict=True))


def test_a_file_that_is_torn_or_none_is_refused_with_a_sentence(tmp_path):
    to_zip(tmp_path / "whole.zip", [carried(number) for number in range(1, 20)])
    whole = (tmp_path / "whole.zip").read_bytes()
    for stop in range(0, len(whole), 97):
        torn = tmp_path / "torn.zip"
        torn.write_bytes(whole[:stop])
        with pytest.raises(UsageError, match=r"torn\.zip is no folder"):
            from_zip(torn)
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("../../escaped.bundle", made(1))
        bomb.writestr("large.bundle", bytes(50_000_000))
    found, damaged = from_zip(tmp_path / "bomb.zip")
    assert [one.id for one in found] == [carried(1).id]
    assert damaged == [("large.bundle", "too long for a bundle")]
    assert not Path(tmp_path.parent.parent / "escaped.bundle").exists()


def test_a_node_is_asked_for_what_is_on_its_way_and_not_for_what_has_arrived_there():
    rows = [
        [b"1" * 8, OAK, ELM, "own", 6, 100, 4000],
        [b"2" * 8, ELM, OAK, "delivered", 1, 100, 9000],
        [b"3" * 8, OAK, EVERYBODY, "own", 6, 100, 8000],
        [b"4" * 8, ASH, ELM, "handed", 0, 100, 1000],
        [b"5" * 8, ASH, ELM, "stored", 1, 100, 1000],
    ]
    wanted = [bytes(row[0]) for row in to_take(rows, PLACES[OAK], {b"5" * 8})]
    assert wanted == [b"4" * 8, b"3" * 8, b"1" * 8], "the least heard first, then by age"


def test_a_node_gets_what_is_for_it_what_is_for_all_and_copies_on_trust(tmp_path):
    folder = CarriedFolder(tmp_path)
    direct, public, further, ended = carried(1), carried(2, to=EVERYBODY), carried(3, to=ASH), carried(4, hops=1)
    ended = read(forwarded(ended.bundle, 0), time.time())
    for one in (further, public, direct, ended):
        assert folder.keep(one)
        folder.note(one.id, PLACES[OAK].id)
    chosen = [one.id for one in to_bring(folder, PLACES[ELM], {public.id})]
    assert chosen == [direct.id, further.id]
    assert to_bring(folder, PLACES[OAK], set()) == [], "it had them"
    for number in range(10, 16):
        for one in (further, direct, public):
            folder.note(one.id, f"{number:016x}")
    assert [one.id for one in to_bring(folder, PLACES[ELM], set())] == [direct.id, public.id], "six copies are enough"
    everything = {one.id for one in to_bring(folder, PLACES[ELM], set(), copies=None)}
    assert everything == {direct.id, public.id, further.id}


def test_a_folder_that_cannot_be_written_says_so(tmp_path):
    path = tmp_path / "file"
    path.write_text("in the way")
    folder = CarriedFolder(path)
    with pytest.raises(Exception, match="takes no bundle"):
        folder.keep(carried(1))
    assert len(folder) == 0


def test_damage_is_a_value():
    assert isinstance(read(b"\x9f", 0), Damage)
    assert isinstance(read(os.urandom(100), 0), Damage)
