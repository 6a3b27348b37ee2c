"""Knows how to carry one board through all stages, from the first look to the record. Decides no state: it only says
what happens, and machine.py makes of it what a person sees.

Every stage looks before it acts, so that an attempt after a pulled cable, a slept laptop or a restarted station does
only what is left. A board that is done is recognised by its key and its record.
"""

import asyncio
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from hedgerow.errors import EXIT_DEFECT, EXIT_FINDINGS, FleetError, LinkError, LocalError
from hedgerow.fleet import boards
from hedgerow.fleet.boards import Board
from hedgerow.fleet.folder import FleetFolder
from hedgerow.plans import credentials, estimate, flash_choice
from hedgerow.plans.executor import Connect, PortWork, Progress
from hedgerow.plans.flash import FlashBench, FlashResult
from hedgerow.plans.flash_choice import Seen
from hedgerow.plans.parallel import Bench, PortResult
from hedgerow.plans.provision import Enrol
from hedgerow.session import Answering
from hedgerow.station import examine, remedies, self_test
from hedgerow.station.card import Advanced, Began, Check, Event, Failed, Learned, MovedOn, Passed, Stage, Verdict
from hedgerow.station.machine import Start
from hedgerow.station.records import Record, Records
from hedgerow.transports import ports

OLDEST_MICROPYTHON = (1, 22)
STARTS_WITHIN_S = 20.0
_LOOKS_AT_PICO = 3  # it needs seconds to start, and has no boot loader on its port
_WORTH_SAYING_S = 5
_POLL_S = 0.3


@dataclass
class Tools:
    """What all places share. `label` makes the label of a node and returns its files; `connect` opens a port."""

    fleet: FleetFolder
    provision: Bench
    flash: FlashBench
    records: Records
    label: Callable[[str], list[Path]]
    connect: Connect = ports.connect
    attempts: "dict[str, Attempt]" = field(default_factory=dict)
    """By the port that each works on: progress of flashing and provisioning finds its way by it."""

    def __post_init__(self) -> None:
        self.provision.tell = self.flash.tell = self._pass_on
        self.flash.drive_board = self._wanted_pico

    def _wanted_pico(self) -> Board | None:
        """Drives of a Pico and of a Pico W look alike. Where fleet.toml waits for one kind alone, it is that one."""
        free = [spec.board for spec in self.fleet.inventory.nodes if spec.enrolment is None]
        kinds = {board.id: board for board in free if board.mcu == "RP2040"}
        return next(iter(kinds.values())) if len(kinds) == 1 else None

    def _pass_on(self, now: Progress) -> None:
        if (attempt := self.attempts.get(now.port)) is not None:
            attempt.progress(now)


class Attempt:
    """One attempt at one board. `port_now` says under which path the board is there now; `tell` takes what happens."""

    def __init__(
        self, tools: Tools, start: Start, title: str, port_now: Callable[[], str], tell: Callable[[Event], None]
    ) -> None:
        self._tools, self._start, self._title = tools, start, title
        self._port_now, self._tell = port_now, tell
        self._run = start.run
        self._is_drive = Path(start.port).is_dir()
        self._stage = Stage.IDENTIFY
        self._board: Board | None = None
        self._began_s = self._stage_began_s = time.monotonic()
        self._stage_seconds: dict[str, float] = {}
        self._flashed: FlashResult | None = None
        self._node: PortResult | None = None
        self._checks: tuple[Check, ...] = ()
        self._labels: tuple[str, ...] = ()

    async def run(self) -> None:
        """Go through all stages; ends with Passed or Failed, whatever happens, but for being cancelled."""
        try:
            summary = await self._all_stages()
        except FleetError as error:
            self._fail(
                remedies.problem(error),
                remedies.remedy(error, self._stage, self._board),
                error.exit_code,
                by_link=remedies.is_by_link(error),
            )
        except Exception as error:  # noqa: BLE001 - a fault of ours at one place must not end the work at all others
            traceback.print_exc()
            told = f"A fault in Hedgerow itself, not yours: {type(error).__name__} {error}."
            self._fail(told, "Set this board aside, and tell us; the details are on the terminal.", EXIT_DEFECT)
        else:
            if summary is not None:
                self._tell(Passed(self._run, summary, self._checks))

    def progress(self, now: Progress) -> None:
        """What flashing or provisioning says of itself."""
        if now.node and self._stage is Stage.INSTALL and now.doing == str(Enrol(now.node)):
            self._begin(Stage.ENROL)
        name = now.node if self._stage in (Stage.INSTALL, Stage.ENROL) else None
        board = now.node if self._stage is Stage.FLASH else None
        if name or board:
            self._tell(Learned(self._run, board or None, name or None))
        self._tell(Advanced(self._run, now.doing, now.fraction))

    # ---- the stages

    async def _all_stages(self) -> str | None:
        self._begin(Stage.IDENTIFY)
        self._tools.fleet.reread()
        if self._is_drive:
            await self._flash_drive()
            return None
        seen = await self._identify()
        if await self._needs_flash(seen):
            await self._flash()
        result = await self._install()
        before = self._tools.records.passed_before(result.node_id) if result.node_id else None
        if before is not None and not result.changes and not self._start.is_asked:
            return f"number {result.short}: done already, on {before.time[:10]}"
        if not await self._passes_self_test(result):
            return None
        self._begin(Stage.LABEL)
        self._labels = tuple(str(path) for path in await asyncio.to_thread(self._tools.label, str(result.node)))
        self._begin(Stage.RECORD)
        self._tools.records.add(self._record("PASS"))
        return f"number {result.short}: installed, tested, labelled, recorded"

    async def _identify(self) -> Seen:
        seen = Seen(self._start.port)
        for _ in range(_LOOKS_AT_PICO):
            seen = await flash_choice.see(self._port_now(), self._tools.connect, self._tools.flash.here())
            if seen.answering is not Answering.NOTHING or not flash_choice.is_pico(seen, self._tools.flash.board):
                break
        guess = seen.guesses[0] if len(seen.guesses) == 1 else None
        self._know_board(seen.board or self._tools.flash.board or guess)
        return seen

    async def _needs_flash(self, seen: Seen) -> bool:
        if seen.answering is not Answering.PROGRAM:
            return needs_flash(seen)
        self._tell(Advanced(self._run, "another program runs there: looking for MicroPython below it", 0.5))
        work = PortWork(self._port_now(), self._tools.connect)
        try:
            await work.look()
        except FleetError:
            return True
        finally:
            await work.close()
        return False

    async def _flash(self) -> None:
        self._begin(Stage.FLASH, self._tools.flash.seconds_at_most() if self._tools.flash.images else None)
        port = self._port_now()
        with self._heard_on(port):
            (result,) = await self._tools.flash.flash([port])
        if result.board_id:
            self._know_board(boards.load(result.board_id))
        if result.error is not None:
            raise result.error
        self._flashed = result
        await self._micropython_answers()

    async def _flash_drive(self) -> None:
        """A Pico in its boot loader is a drive. Flashed, it is a port: another place, and an attempt of its own."""
        self._begin(Stage.FLASH, self._tools.flash.seconds_at_most() if self._tools.flash.images else None)
        with self._heard_on(self._start.port):
            (result,) = await self._tools.flash.flash([], [Path(self._start.port)])
        if result.error is not None:
            raise result.error
        self._tell(MovedOn(self._run))

    async def _micropython_answers(self) -> None:
        """A board that was flashed restarts; its port may go away meanwhile and come back as another."""
        self._tell(Advanced(self._run, "waiting for MicroPython", 1.0))
        end = time.monotonic() + STARTS_WITHIN_S
        while time.monotonic() < end:
            try:
                seen = await flash_choice.see(self._port_now(), self._tools.connect, self._tools.flash.here())
                if seen.answering is not Answering.NOTHING:
                    self._know_board(seen.board or self._board)
                    return
            except LinkError:
                pass
            await asyncio.sleep(_POLL_S)
        raise LinkError(
            f"it was flashed and read back, but MicroPython does not answer within {STARTS_WITHIN_S:.0f} s",
            node=self._title,
            next_step="Press its reset button (EN or RST), then run the same command again",
        )

    async def _install(self) -> PortResult:
        about_s = None
        if self._board is not None:
            firmware = await self._tools.provision.firmware(self._board)
            about_s = estimate.install_s(firmware.size_bytes)
        self._begin(Stage.INSTALL, about_s)
        port = self._port_now()
        with self._heard_on(port):
            result = await self._tools.provision.provision_one(port)
        if result.node is not None:
            self._tell(Learned(self._run, None, result.node))
            spec = self._tools.fleet.inventory.named(result.node)
            self._board = spec.board if spec else self._board
        self._node = result
        if result.error is not None:
            raise result.error
        return result

    async def _passes_self_test(self, result: PortResult) -> bool:
        self._begin(Stage.TEST, examine.ABOUT_S)
        spec = self._tools.fleet.inventory.named(str(result.node))
        if spec is None:
            raise LocalError(f"{result.node} was provisioned and is not in the inventory")
        keys = credentials.of(self._tools.fleet)
        found = await examine.examine(self._port_now(), self._tools.connect, self._advance, keys)
        self._checks = self_test.judge(spec, found)
        bad = [check for check in self._checks if check.verdict is Verdict.BAD]
        if bad:
            told = "; ".join(f"{check.name}: {check.seen}" for check in bad)
            self._fail(f"Self-test: {told}.", " ".join(check.remedy or "" for check in bad), EXIT_FINDINGS)
        return not bad

    # ---- what is said

    def _begin(self, stage: Stage, default_s: int | None = None) -> None:
        self._end_stage()
        self._stage = stage
        usual_s = self._tools.records.usual_s(stage.value, self._board.id if self._board else None)
        about_s = default_s if usual_s is None else usual_s
        self._tell(Began(self._run, stage, about_s if about_s and about_s >= _WORTH_SAYING_S else None))

    def _end_stage(self) -> None:
        now = time.monotonic()
        took = self._stage_seconds.get(self._stage.value, 0.0) + now - self._stage_began_s
        self._stage_seconds[self._stage.value] = round(took, 1)
        self._stage_began_s = now

    def _advance(self, doing: str, fraction: float) -> None:
        self._tell(Advanced(self._run, doing, fraction))

    def _know_board(self, board: Board | None) -> None:
        if board is not None:
            self._board = board
            self._tell(Learned(self._run, board.id))

    def _fail(self, problem: str, remedy: str, exit_code: int, *, by_link: bool = False) -> None:
        try:
            self._tools.records.add(self._record("FAIL", problem, remedy))
        except FleetError as error:
            remedy += f" {error}"  # the board's own trouble comes first
        self._tell(Failed(self._run, problem, remedy, exit_code, by_link, self._checks))

    def _record(self, result: str, problem: str | None = None, remedy: str | None = None) -> Record:
        self._end_stage()
        node, flashed = self._node, self._flashed
        return Record(
            time=datetime.now().astimezone().isoformat(timespec="seconds"),
            result=result,
            place=self._title,
            port=self._start.port,
            node=node.node if node else None,
            id=node.node_id.hex() if node and node.node_id else None,
            short=node.short if node else None,
            board=self._board.id if self._board else None,
            mac=flashed.mac if flashed else None,
            micropython=flashed.image.version if flashed and flashed.image else None,
            stage=self._stage.value if problem else None,
            problem=problem,
            remedy=remedy,
            seconds=round(time.monotonic() - self._began_s, 1),
            stage_seconds=dict(self._stage_seconds),
            checks=tuple(check.as_dict() for check in self._checks),
            labels=self._labels,
        )

    def _heard_on(self, port: str) -> "_Heard":
        return _Heard(self._tools.attempts, port, self)


@dataclass(frozen=True)
class _Heard:
    """While it is entered, progress that names this port is that attempt's."""

    attempts: dict[str, Attempt]
    port: str
    attempt: Attempt

    def __enter__(self) -> None:
        self.attempts[self.port] = self.attempt

    def __exit__(self, *_: object) -> None:
        self.attempts.pop(self.port, None)


def needs_flash(seen: Seen) -> bool:
    """Whether a board has no MicroPython, or one that is too old. One that runs a node is left as it is."""
    if seen.answering is Answering.PROMPT:
        return seen.version is not None and seen.version < OLDEST_MICROPYTHON
    return seen.answering is Answering.NOTHING
