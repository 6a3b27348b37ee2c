"""Hardware-in-the-loop tests: the same tests on a virtual board, an emulated Pico, or a real board on a port.

    pytest hil_tests                                   virtual, standing for an ESP32_GENERIC_S3
    pytest hil_tests --board VIRTUAL --stands-for RPI_PICO
    pytest hil_tests --board RPI_PICO_EMULATED         needs Node.js, rp2040js and a UF2 image
    pytest hil_tests --port /dev/ttyACM0 --may-erase   a real board; its files are deleted
    pytest hil_tests --firmware A --firmware B         everything once with each image of MicroPython

`port` comes from pytest-embedded, whose `dut` and `serial` work on all three.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hedgerow.errors import EnvironmentProblem
from hedgerow.virtual.emulated_pico.pico import PATIENCE
from hedgerow.virtual.pump import Disturbance
from hil_tests.background import Background
from hil_tests.benches import EMULATED, VIRTUAL, Bench, CannotDo, RealBench, VirtualBench, Wanted, find_bench
from hil_tests.nodes import Node

TEST_S = 150


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("hedgerow", "hardware in the loop")
    group.addoption(
        "--board", default=VIRTUAL, help=f"{VIRTUAL} (default), {EMULATED}, or an id of boards/ with --port"
    )
    group.addoption("--stands-for", default="ESP32_GENERIC_S3", help="the board that a virtual board stands for")
    group.addoption(
        "--firmware",
        action="append",
        metavar="IMAGE",
        help="a MicroPython to test with: .uf2, .bin, or a program for virtual boards; repeat it to compare",
    )
    group.addoption(
        "--power-hook", metavar="COMMAND", help="switches a real board's power; {action} in it becomes on or off"
    )
    group.addoption("--may-erase", action="store_true", help="allow tests to delete every file of a real board")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every test that has to do with the board, once for each image."""
    images = metafunc.config.getoption("--firmware")
    if images and "image" in metafunc.fixturenames:
        metafunc.parametrize(
            "image", [Path(one) for one in images], ids=_image_names(images), scope="session", indirect=True
        )


def _image_names(images: list[str]) -> list[str]:
    """Names that tell the images apart in the name of a test, and are the same wherever the images lie."""
    stems = [Path(one).stem for one in images]
    return [stem if stems.count(stem) == 1 else f"{stem}-{number}" for number, stem in enumerate(stems, 1)]


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
def image(request: pytest.FixtureRequest) -> Path | None:
    """The MicroPython that the tests run on; None for the one that is there anyway."""
    wanted = getattr(request, "param", None)
    if wanted is not None and not wanted.is_file():
        pytest.fail(f"there is no image {wanted}", pytrace=False)
    return wanted


@pytest.fixture(scope="session")
def bench(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    background: Background,
    image: Path | None,
) -> Iterator[Bench]:
    """The board on the table, whatever its files are."""
    option = request.config.getoption
    wanted = Wanted(
        str(option("--board")),
        str(option("--stands-for")),
        option("--port"),
        image,
        option("--power-hook"),
        bool(option("--may-erase")),
    )
    try:
        found = find_bench(wanted, tmp_path_factory.mktemp("bench"), background)
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
def provisioned(tmp_path_factory: pytest.TempPathFactory, image: Path | None) -> _Provisioned:
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
def figure(record_property: Callable[[str, object], None]) -> Callable[[str, float, str, str], None]:
    """`figure("boot", 1730, "ms", "less")`: kept beside the test in the JUnit file, for `hedgerow rig diff`.

    The last word says what is better, `less` or `more`.
    """

    def keep(name: str, value: float, unit: str, better: str) -> None:
        assert better in {"less", "more"}
        record_property(f"figure:{name}:{unit}:{better}", round(value, 3))

    return keep


@pytest.fixture
def faults(bench: Bench) -> Iterator[VirtualBench]:
    """The board's cable and power in the hands of the test: `pull_cable`, `plug`, `cut_power`, `power_on`, `disturb`.

    Well again at the end. Only what stands for a board lets itself be treated so; elsewhere the test is skipped.
    """
    if not isinstance(bench, VirtualBench):
        pytest.skip("only the cable of a virtual board can be disturbed")
    yield bench
    bench.disturb(Disturbance())
    bench.plug()


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
