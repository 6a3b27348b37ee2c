"""The registry only grows: copies merge to one state, and two writers at once lose nothing."""

import itertools
import multiprocessing
from pathlib import Path

import papers
import pytest
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable

from hedgerow.errors import EnvironmentProblem, StorageError, UsageError
from hedgerow.fleet import documents, registry
from hedgerow.fleet.registry import Observation, Registry
from hedgewire import cbor

MINE = papers.certificate_of(1, enrolments=200, first_short=1, short_count=250)
ENROLMENTS_A_WRITER = 40


def observation(node: int, time_s: int, kind: str = "seen") -> Observation:
    return Observation(bytes([node]) * 8, kind, time_s, b"laptop..", cbor.encode({"at": time_s}))


def enrol_many(path: Path, writer: int) -> None:
    copy = Registry.in_file(path)
    for number in range(ENROLMENTS_A_WRITER):
        key, name = bytes([writer, number]) * 16, f"node-{writer}-{number}"

        def rule(known, key=key, name=name):
            claim = papers.roster_of(known).next_enrolment(MINE, key, name, "RPI_PICO")
            return papers.signed(claim, MINE.name)

        copy.decide(rule)
        copy.observe([observation(writer, number)])
    copy.close()


def content(copy: Registry) -> tuple:
    return copy.documents(), copy.observations()


def test_two_processes_that_enrol_at_once_lose_nothing_and_share_no_short_id(tmp_path):
    path = tmp_path / "registry.sqlite"
    Registry.in_file(path).add([*papers.a_fleet(), papers.signed(MINE, "Ana", "Ben")])
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=enrol_many, args=(path, writer)) for writer in (1, 2)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(timeout=60)
    assert [writer.exitcode for writer in writers] == [0, 0]
    copy = Registry.in_file(path)
    roster = papers.roster_of(copy.documents())
    assert len(roster.nodes) == 2 * ENROLMENTS_A_WRITER
    assert roster.conflicts == []
    assert sorted(node.serial for node in roster.nodes) == list(range(1, 2 * ENROLMENTS_A_WRITER + 1))
    assert len(copy.observations()) == 2 * ENROLMENTS_A_WRITER


def test_copies_merge_to_the_same_state_in_any_order_and_any_number_of_times(tmp_path):
    paper = documents.make("note", {"says": "hello"})
    parts = [
        ([paper.with_signatures(((b"a" * 32, b"1" * 64),))], [observation(1, 10), observation(2, 5)]),
        ([paper.with_signatures(((b"b" * 32, b"2" * 64),))], [observation(1, 10), observation(1, 11)]),
        ([MINE.to_document(), paper], [observation(3, 7)]),
    ]
    states = []
    for turn, order in enumerate(itertools.permutations(range(3))):
        copies = []
        for index, (written, seen) in enumerate(parts):
            copy = Registry.in_file(tmp_path / f"{turn}-{index}.sqlite")
            copy.add(written)
            copy.observe(seen)
            copies.append(copy)
        whole = Registry.in_file(tmp_path / f"{turn}.sqlite")
        for index in (*order, order[0]):
            whole.merge(copies[index])
        states.append(content(whole))
    assert all(state == states[0] for state in states)
    papers, seen = states[0]
    assert len(papers) == 2
    assert sorted(len(paper.signatures) for paper in papers) == [0, 2]
    assert len(seen) == 4


def test_the_latest_observation_of_each_node_is_found_by_kind(tmp_path):
    copy = Registry.in_file(tmp_path / "r.sqlite")
    copy.observe([observation(1, 10), observation(1, 12), observation(1, 99, "audit"), observation(2, 3)])
    latest = copy.latest("seen")
    assert {node[0]: seen.time_s for node, seen in latest.items()} == {1: 12, 2: 3}
    assert latest[bytes([1]) * 8].fields == {"at": 12}


def test_a_rule_that_refuses_leaves_nothing_behind(tmp_path):
    copy = Registry.in_file(tmp_path / "r.sqlite")

    def rule(_):
        raise UsageError("no")

    with pytest.raises(UsageError):
        copy.decide(rule)
    copy.add([MINE.to_document()])
    assert len(copy.documents()) == 1


def test_a_damaged_registry_is_named_and_nothing_is_overwritten(tmp_path):
    path = tmp_path / "r.sqlite"
    path.write_bytes(b"this is no database, but somebody's holiday pictures" * 40)
    with pytest.raises(StorageError, match="damaged"):
        Registry.in_file(path)
    assert path.read_bytes().startswith(b"this is no database")


def test_a_registry_in_a_folder_that_does_not_exist_says_so(tmp_path):
    with pytest.raises(StorageError, match="cannot be used"):
        Registry.in_file(tmp_path / "nowhere" / "r.sqlite")


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("nonsense", UsageError),
        ("postgresql+nodriver://host/fleet", UsageError),
        ("mssql+pymssql://host/fleet", EnvironmentProblem),  # a driver that nobody here has installed
    ],
)
def test_an_address_that_is_no_registry_is_refused(url, error):
    with pytest.raises(error):
        Registry(url)


@pytest.mark.parametrize("table", ["meta", "documents", "signatures", "observations"])
def test_every_table_can_be_made_on_postgresql(table):
    statement = CreateTable(registry._metadata.tables[table]).compile(dialect=postgresql.dialect())
    assert f"CREATE TABLE {table}" in str(statement)
    assert "BLOB" not in str(statement)
