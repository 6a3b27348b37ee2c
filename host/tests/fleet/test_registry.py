"""The registry only grows: copies merge to one state, and two writers at once lose nothing."""

import itertools
import multiprocessing
import os
from collections.abc import Callable

import papers
import postgres
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedgerow.errors import EnvironmentProblem, StorageError, UsageError
from hedgerow.fleet import documents
from hedgerow.fleet.registry import Observation, Registry
from hedgewire import cbor

MINE = papers.certificate_of(1, enrolments=200, first_short=1, short_count=250)
ENROLMENTS_A_WRITER = 12
WRITERS = 4
SHARED = 2000
IN_MEMORY = "sqlite://"


def observation(node: int, time_s: int, kind: str = "seen") -> Observation:
    return Observation(bytes([node]) * 8, kind, time_s, b"laptop..", cbor.encode({"at": time_s}))


@pytest.fixture(scope="session")
def postgresql():
    """A real server, for this run of tests alone; a machine without one skips what needs it, CI does not."""
    binaries = postgres.programs()
    if binaries is None:
        why = "PostgreSQL is not installed (Debian: apt-get install postgresql)"
        pytest.fail(why) if "CI" in os.environ else pytest.skip(why)
    with postgres.server(binaries) as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def new_url(request, tmp_path) -> Callable[[], str]:
    """Each call is the URL of an empty registry, in each of the engines."""
    if request.param == "postgresql":
        return request.getfixturevalue("postgresql").database
    numbers = itertools.count()
    return lambda: f"sqlite:///{tmp_path / f'r{next(numbers)}.sqlite'}"


def enrol_many(url: str, writer: int, together) -> None:
    together.wait(30)
    copy = Registry(url)
    shared = [observation(9, time_s) for time_s in range(SHARED)]
    together.wait(30)
    copy.observe(shared if writer % 2 else reversed(shared))  # the same rows, and some begin at the other end
    copy.add([*papers.a_fleet(), papers.signed(MINE, "Ana", "Ben")])
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


def test_four_processes_that_write_at_once_lose_nothing_and_share_no_short_id(new_url):
    url = new_url()  # empty: the four make its tables, too, and only one of them may
    context = multiprocessing.get_context("spawn")
    together = context.Barrier(WRITERS)
    writers = [context.Process(target=enrol_many, args=(url, writer, together)) for writer in range(1, WRITERS + 1)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(timeout=50)
    assert [writer.exitcode for writer in writers] == [0] * WRITERS
    copy = Registry(url)
    roster = papers.roster_of(copy.documents())
    written = WRITERS * ENROLMENTS_A_WRITER
    assert len(roster.nodes) == written
    assert roster.conflicts == []
    assert sorted(node.serial for node in roster.nodes) == list(range(1, written + 1))
    assert len(copy.observations()) == written + SHARED
    copy.close()


PAPERS = [documents.make("note", {"says": number}) for number in range(3)]
SIGNATURES = [(bytes([number]) * 32, bytes([number]) * 64) for number in range(3)]
some_papers = st.lists(
    st.builds(
        lambda paper, signatures: paper.with_signatures(tuple(signatures)),
        st.sampled_from(PAPERS),
        st.lists(st.sampled_from(SIGNATURES), max_size=3),
    ),
    max_size=4,
)
some_sights = st.lists(st.builds(observation, st.integers(1, 3), st.integers(0, 3)), max_size=5)


@given(st.lists(st.tuples(some_papers, some_sights), min_size=2, max_size=4), st.randoms(use_true_random=False))
def test_copies_merge_to_the_same_state_in_any_order_and_any_number_of_times(parts, chance):
    copies, states = [], []
    for written, seen in parts:
        copies.append(Registry(IN_MEMORY))
        copies[-1].add(written)
        copies[-1].observe(seen)
    for _ in range(2):
        whole = Registry(IN_MEMORY)
        order = copies + chance.choices(copies, k=2)
        chance.shuffle(order)
        for copy in order:
            whole.merge(copy)
        states.append(content(whole))
    assert states[0] == states[1]
    papers, seen = states[0]
    assert papers == documents.unite(paper for written, _ in parts for paper in written)
    assert set(seen) == {one for _, some in parts for one in some}
    copies[0].merge(copies[1])
    copies[1].merge(copies[0])
    assert content(copies[0]) == content(copies[1])


def test_a_file_and_a_server_merge_into_each_other(new_url):
    one, other = Registry(IN_MEMORY), Registry(new_url())
    one.add([PAPERS[0].with_signatures((SIGNATURES[0],)), PAPERS[1]])
    one.observe([observation(1, 10), observation(2, 5)])
    other.add([PAPERS[0].with_signatures((SIGNATURES[1],)), PAPERS[2]])
    other.observe([observation(2, 5), observation(3, 7)])
    for _ in range(2):
        one.merge(other)
        other.merge(one)
    assert content(one) == content(other)
    assert sorted(len(paper.signatures) for paper in one.documents()) == [0, 0, 2]
    assert len(one.observations()) == 3
    other.close()


def test_a_copy_on_a_medium_that_cannot_be_written_is_read(tmp_path):
    path = tmp_path / "r.sqlite"
    copy = Registry.in_file(path)
    copy.observe([observation(1, 10)])
    copy.close()
    sealed = Registry(f"sqlite:///file:{path}?mode=ro&uri=true")
    assert sealed.observations() == [observation(1, 10)]
    with pytest.raises(StorageError, match="readonly"):
        sealed.observe([observation(1, 11)])
    sealed.close()


def test_a_server_that_is_not_there_is_named_without_its_password():
    with pytest.raises(StorageError, match="cannot be used") as caught:
        Registry("postgresql+psycopg://ana:secret@127.0.0.1:1/fleet")
    assert "127.0.0.1" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_the_latest_observation_of_each_node_is_found_by_kind(new_url):
    copy = Registry(new_url())
    copy.observe([observation(1, 10), observation(1, 12), observation(1, 99, "audit"), observation(2, 3)])
    latest = copy.latest("seen")
    assert {node[0]: seen.time_s for node, seen in latest.items()} == {1: 12, 2: 3}
    assert latest[bytes([1]) * 8].fields == {"at": 12}
    copy.close()


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
