"""Hardware-in-the-loop tests: the same tests on a virtual board, an emulated Pico, or a real board on a port.

    pytest hil_tests                                   virtual, standing for an ESP32_GENERIC_S3
    pytest hil_tests --board VIRTUAL --stands-for RPI_PICO
    pytest hil_tests --board RPI_PICO_EMULATED         needs Node.js, rp2040js and a UF2 image
    pytest hil_tests --port /dev/ttyACM0 --may-erase   a real board; its files are deleted

`port` comes from pytest-embedded, whose `dut` and `serial` work on all three.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hedgerow.errors import EnvironmentProblem
from hedgerow.virtual.emulated_pico.pico import PATIENCE
from hil_tests.background import Background
from hil_tests.benches import EMULATED, VIRTUAL, Bench, CannotDo, RealBench, find_bench
from hil_tests.nodes import Node

TEST_S = 150


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("hedgerow", "hardware in the loop")
    group.addoption(
        "--board", default=VIRTUAL, help=f"{VIRTUAL} (default), {EMULATED}, or an id of boards/ with --port"
    )
    group.addoption("--stands-for", default="ESP32_GENERIC_S3", help="the board that a virtual board stands for")
    group.addoption("--may-erase", action="store_true", help="allow tests to delete every file of a real board")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A test that hangs fails, and the next one runs: pytest-timeout's other method would end everything."""
    limit_s = TEST_S * (PATIENCE if config.getoption("--board") == EMULATED else 1)
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.timeout(limit_s, method="signal"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> object:
    """What a bench cannot do is a skip with its reason, not a failure."""
    try:
        return (yield)
    except CannotDo as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="session")
def background() -> Iterator[Background]:
    loop = Background()
    yield loop
    loop.close()


@pytest.fixture(scope="session")
def bench(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, background: Background
) -> Iterator[Bench]:
    """The board on the table, whatever its files are."""
    option = request.config.getoption
    board_id, stands_for = str(option("--board")), str(option("--stands-for"))
    try:
        found = find_bench(board_id, stands_for, option("--port"), tmp_path_factory.mktemp("bench"), background)
    except EnvironmentProblem as problem:
        pytest.skip(str(problem))
    try:
        found.start()
        yield found
    finally:
        found.close()


class _Provisioned:
    """The fleet and the flash of the node that was provisioned once for all tests."""

    def __init__(self, fleet_path: Path) -> None:
        self.fleet_path = fleet_path
        self.done = False
        self.runs = False
        self.flash: object = None


@pytest.fixture(scope="session")
def provisioned(tmp_path_factory: pytest.TempPathFactory) -> _Provisioned:
    return _Provisioned(tmp_path_factory.mktemp("node") / "fleet")


@pytest.fixture
def bare_board(bench: Bench, request: pytest.FixtureRequest, provisioned: _Provisioned) -> Bench:
    """A board with MicroPython and without a single file, just switched on."""
    if isinstance(bench, RealBench) and not request.config.getoption("--may-erase"):
        pytest.skip("deletes every file of the board; allow it with --may-erase")
    provisioned.runs = False
    bench.make_blank()
    return bench


@pytest.fixture
def blank_node(bare_board: Bench, background: Background, tmp_path: Path) -> Node:
    """A blank board, and a fleet in which it is to become a node."""
    return Node(bare_board, background, tmp_path / "fleet")


@pytest.fixture
def node(request: pytest.FixtureRequest, bench: Bench, background: Background, provisioned: _Provisioned) -> Node:
    """A node that runs, as provisioning left it. A real board is not erased for it but provisioned again."""
    provisioned.runs = False
    found = Node(bench, background, provisioned.fleet_path)
    if provisioned.done:
        bench.restore(provisioned.flash)
    else:
        request.getfixturevalue("bare_board")
        found.provision()
        provisioned.flash = bench.save()
        provisioned.done = True
    if isinstance(bench, RealBench):
        found.provision()
    found.wait_until_it_runs()
    return found


@pytest.fixture
def running_node(
    request: pytest.FixtureRequest, bench: Bench, background: Background, provisioned: _Provisioned
) -> Node:
    """A node that runs, with whatever the tests before this one left in its stores. For tests that leave it running."""
    if not provisioned.runs:
        request.getfixturevalue("node")
    provisioned.runs = True
    return Node(bench, background, provisioned.fleet_path)


@pytest.fixture
def port(bench: Bench) -> str:
    """Overrides pytest-embedded's: wherever the bench's board is."""
    return bench.port


@pytest.fixture
def embedded_services(request: pytest.FixtureRequest) -> str:
    """Overrides pytest-embedded's: its serial service is all that a board with a prompt needs."""
    return request.config.getoption("embedded_services") or "serial"


@pytest.fixture
def scratch_file(tmp_path: Path) -> Path:
    """20 kB that no line ending, control character or repetition can hide in."""
    path = tmp_path / "scratch.bin"
    path.write_bytes(bytes((i * i + i // 256) % 256 for i in range(20_000)))
    return path
