"""What was seen of nodes leaves as text, comes back from it to the same rows, and tells when somebody changed it."""

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedgerow.cli.main import main
from hedgerow.errors import StorageError, UsageError
from hedgerow.fleet import founding, observation_files
from hedgerow.fleet.folder import FleetFolder
from hedgerow.fleet.observation_files import BadRow
from hedgerow.fleet.registry import Observation, Registry
from hedgewire import cbor

NODE, OTHER, LAPTOP = b"\x01" * 8, b"\x02" * 8, b"\x03" * 8

plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(max_size=12) | st.binary(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
observations = st.builds(
    lambda node, kind, time_s, laptop, fields: Observation(node, kind, time_s, laptop, cbor.encode(fields)),
    st.binary(min_size=8, max_size=8),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=32),
    st.integers(-(2**40), 2**40),
    st.binary(min_size=8, max_size=8),
    st.dictionaries(st.text(max_size=8), plain, max_size=4),
)


def seen(time_s=1_700_000_000, node=NODE, kind="audit", **fields):
    return Observation(node, kind, time_s, LAPTOP, cbor.encode(fields or {"free_bytes": 7}))


def written(rows, form):
    out = io.StringIO(newline="")
    assert observation_files.write(rows, out, form) == len(rows)
    return out.getvalue()


def read(tmp_path, text, form="jsonl"):
    path = tmp_path / f"seen.{form}"
    path.write_bytes(text.encode())
    return list(observation_files.read(path, form))


@pytest.mark.parametrize("form", observation_files.FORMATS)
@given(rows=st.lists(observations, max_size=6))
def test_rows_come_back_as_they_left(tmp_path_factory, form, rows):
    assert read(tmp_path_factory.mktemp("files"), written(rows, form), form) == rows


def test_a_person_and_other_programs_can_read_it():
    one = seen(free_bytes=7, id=b"\xab")
    row = json.loads(written([one], "jsonl"))
    assert row["says"] == {"free_bytes": 7, "id": "ab"}
    assert (row["time"], row["node"], row["kind"]) == ("2023-11-14T22:13:20Z", NODE.hex(), "audit")
    [line] = csv.DictReader(io.StringIO(written([one], "csv")))
    assert json.loads(line["says"]) == row["says"]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda row: row | {"time_s": 5}, "changed"),
        (lambda row: row | {"node": OTHER.hex()}, "changed"),
        (lambda row: row | {"data": cbor.encode({"free_bytes": 8}).hex()}, "changed"),
        (lambda row: row | {"data": "ff"}, "damaged"),
        (lambda row: row | {"kind": ""}, "kind"),
        (lambda row: row | {"time_s": 1 << 70}, "time"),
        (lambda row: row | {"node": "01"}, "lacks"),
        (lambda row: {}, "lacks"),
        (lambda row: [row], "lacks"),
        (lambda row: 5, "lacks"),
    ],
)
def test_a_row_that_was_changed_is_told_and_the_others_count(tmp_path, change, why):
    row = json.loads(written([seen(1)], "jsonl"))
    text = written([seen(2)], "jsonl") + json.dumps(change(row)) + "\n" + written([seen(3)], "jsonl")
    first, bad, last = read(tmp_path, text)
    assert (first, last) == (seen(2), seen(3))
    assert isinstance(bad, BadRow)
    assert bad.line == 2
    assert why in bad.why


def test_a_file_that_is_none_is_refused_in_a_sentence(tmp_path):
    with pytest.raises(StorageError, match="no head line of ours"):
        read(tmp_path, "a,b\n1,2\n", "csv")
    with pytest.raises(StorageError, match="cannot be read"):
        list(observation_files.read(tmp_path / "absent", "jsonl"))
    path = tmp_path / "bytes.jsonl"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(StorageError, match="not text in UTF-8"):
        list(observation_files.read(path, "jsonl"))
    with pytest.raises(UsageError, match=r"none of jsonl, csv"):
        observation_files.format_of(tmp_path / "seen.ods", None)


@given(text=st.text(max_size=80))
def test_whatever_stands_in_it_nothing_is_raised_but_a_sentence(tmp_path_factory, text):
    for form in observation_files.FORMATS:
        try:
            for row in read(tmp_path_factory.mktemp("files"), text, form):
                assert isinstance(row, (Observation, BadRow))
        except StorageError:
            pass


# ---- the command


@pytest.fixture
def two_laptops(tmp_path):
    """Two copies of one fleet, each with what it has seen."""
    mine, theirs = tmp_path / "mine", tmp_path / "theirs"
    with founding.found(mine, "hill") as folder:
        folder.registry.observe([seen(10), seen(20, OTHER)])
    with FleetFolder(mine) as folder:
        copy = Registry.in_file(tmp_path / "theirs.sqlite")
        copy.add(folder.registry.documents())
        copy.observe([seen(20, OTHER), seen(30), seen(40, kind="seen")])
        copy.close()
    return mine, tmp_path / "theirs.sqlite", theirs


def count(path):
    with FleetFolder(path) as folder:
        return folder.registry.count()


def test_export_and_import_carry_it_to_another_laptop(two_laptops, tmp_path, capsys):
    mine, _, _ = two_laptops
    for form in observation_files.FORMATS:
        assert main(["registry", "export", str(tmp_path / f"seen.{form}"), "--fleet", str(mine)]) == 0
    with founding.found(tmp_path / "fresh", "hill"):
        pass
    for form, new in zip(observation_files.FORMATS, (2, 0), strict=True):
        capsys.readouterr()
        assert main(["registry", "import", str(tmp_path / f"seen.{form}"), "--fleet", str(tmp_path / "fresh")]) == 0
        assert f"{new} observations are new" in capsys.readouterr().out
    assert count(tmp_path / "fresh") == 2
    assert not list(tmp_path.glob("*.part"))


def test_a_changed_row_ends_in_findings_and_the_others_are_taken_in(two_laptops, tmp_path, capsys):
    mine, _, _ = two_laptops
    row = json.loads(written([seen(50)], "jsonl"))
    (tmp_path / "b.jsonl").write_text(json.dumps(row | {"time_s": 51}) + "\n" + written([seen(60)], "jsonl"))
    assert main(["registry", "import", str(tmp_path / "b.jsonl"), "--fleet", str(mine)]) == 1
    said = capsys.readouterr().out
    assert "1 observations are new here" in said
    assert "line 1: it was changed" in said.replace("\n", " ")
    assert count(mine) == 3


def test_another_copy_merges_whole_and_twice_does_no_harm(two_laptops, capsys):
    mine, theirs, _ = two_laptops
    for new in (2, 0):
        capsys.readouterr()
        assert main(["registry", "merge", str(theirs), "--fleet", str(mine), "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["new_observations"] == new
    assert count(mine) == 4


def test_a_registry_of_another_fleet_or_none_is_refused(two_laptops, tmp_path, capsys):
    mine, _, _ = two_laptops
    with founding.found(tmp_path / "others", "others"):
        pass
    before = count(mine)
    other = tmp_path / "others" / "registry.sqlite"
    assert main(["registry", "merge", str(other), "--fleet", str(mine)]) == 4
    assert "knows nothing of this fleet" in capsys.readouterr().err
    assert main(["registry", "merge", str(tmp_path / "absent.sqlite"), "--fleet", str(mine)]) == 2
    assert not (tmp_path / "absent.sqlite").exists()
    assert count(mine) == before


def test_show_says_how_much_of_how_many_since_when(two_laptops, capsys):
    mine, _, _ = two_laptops
    assert main(["registry", "show", "--fleet", str(mine), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["nodes"] == 2
    assert facts["observations"]["audit"] == [2, 10, 20]
    assert main(["registry", "show", "--fleet", str(mine)]) == 0
    assert "1970-01-01T00:00:10Z" in capsys.readouterr().out


def test_one_node_or_kind_alone_is_exported(two_laptops, tmp_path, capsys):
    mine, _, _ = two_laptops
    assert main(["registry", "export", "-", "--node", OTHER.hex(), "--fleet", str(mine)]) == 0
    [row] = capsys.readouterr().out.splitlines()
    assert json.loads(row)["node"] == OTHER.hex()
    assert main(["registry", "export", "-", "--node", "nobody", "--fleet", str(mine)]) == 2
    assert main(["registry", "export", str(tmp_path / "no" / "seen.csv"), "--fleet", str(mine)]) != 0
