"""What the demo does, step by step, and how each step is proved. Prints nothing: it tells whoever listens.

Every claim is decided by what boards, radio and files said afterwards, never by what was asked of them.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hedgerow.demo import phone, trail, valley
from hedgerow.errors import FleetError, LinkError
from hedgerow.fleet import founding, proposal
from hedgerow.fleet.boards import Board
from hedgerow.fleet.folder import FleetFolder
from hedgerow.plans import collect, credentials, firmware, report
from hedgerow.plans.executor import Progress
from hedgerow.plans.findings import Severity
from hedgerow.plans.firmware import FirmwareSet
from hedgerow.plans.parallel import Bench, PortResult
from hedgerow.repl import Repl
from hedgerow.session import Credentials, Session
from hedgerow.transports import ports
from hedgerow.virtual import control, interpreter, keeper

BOARDS = ("ESP32_GENERIC", "ESP32_GENERIC_S3", "ESP32_GENERIC_C3")
NODES = 6
CUT_AT = 3  # the relay that loses its power
TAMPERED_NODE = "node-4"
PHONE_NODE = "node-5"
TAMPERED_PATH = "/a/hedgenode/rules/quota.mpy"
TEXT = "The ladder is behind the barn, take it on Saturday."
SAMPLE_MS = 500
HELLO_MS = 400
ROUNDS = 3
_POLL_S = 0.15
_OFF_S = 1.5  # how long the relay stays without power
_UP_WITHIN_S = 15.0
_DELIVERED_WITHIN_S = 75.0
_SENSORS = '[{ driver = "sht31" }, { driver = "lps22hb" }, { driver = "ina219", address = 0x40 }]'

Tell = Callable[[str, str], None]


@dataclass
class Listener:
    """Who hears what happens: `step` a heading, `event` a line, `progress` a port's bar, `finished` its end."""

    step: Callable[[str], None]
    event: Tell
    ports: Callable[[list[str]], None]
    progress: Callable[[Progress], None]
    finished: Callable[[PortResult], None]


@dataclass
class Demo:
    """One run in `directory`. `run()` returns the facts that the report and `--json` show."""

    directory: Path
    listener: Listener
    speed_up: float = 3600.0
    weather: Path | None = None
    claims: list[dict[str, Any]] = field(default_factory=list)
    _shorts: dict[str, int] = field(default_factory=dict)
    _ids: dict[str, str] = field(default_factory=dict)
    _sessions: dict[str, Session] = field(default_factory=dict)
    _firmware: dict[str, FirmwareSet] = field(default_factory=dict)
    _keys: Credentials | None = None

    # ---- the whole

    async def run(self) -> dict[str, Any]:
        """All of it. Raises FleetError only when it cannot go on; a failed claim stands in the facts."""
        started = time.monotonic()
        self._boards_up()
        with self._found_fleet() as fleet:
            self._keys = credentials.of(fleet)
            await self._provision(fleet)
            await self._open_sessions()
            message = await self._carry_message()
            nodes = await self._collect()
            page = await self._neighbour()
            await self._close_sessions()
            tampered, findings = await self._audit(fleet)
            fleet_id = fleet.inventory.fleet.hex()
        return {
            "fleet": {"name": "valley", "id": fleet_id, "directory": str(self.directory / "fleet")},
            "made_at": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
            "seconds": round(time.monotonic() - started, 1),
            "weather": {
                "speed_up": self.speed_up,
                "source": str(self.weather) if self.weather else "NREL, TMY3, Greensboro NC, five days of May",
                "licence": "public domain" if self.weather is None else "see the file",
            },
            "nodes": nodes,
            **message,
            "phone": page,
            "tampered": tampered,
            "audit": findings,
            "claims": self.claims,
            "passed": all(claim["ok"] for claim in self.claims),
        }

    def stop(self) -> None:
        """Take the boards down; their flash images stay."""
        keeper.stop(self.boards_directory)

    @property
    def boards_directory(self) -> Path:
        return self.directory / "boards"

    def port(self, name: str) -> str:
        """A path that stays the same while the board is reset and the cable replugged."""
        return str(self.boards_directory / name / "port")

    # ---- 1 boards

    def _boards_up(self) -> None:
        self.listener.step(f"{NODES} boards: real MicroPython, each with its own flash and serial port")
        interpreter.ensure(lambda step: self.listener.event("set up", step))
        arguments = [f"--count={NODES}", f"--speed-up={self.speed_up}"]
        arguments += [f"--board={board}" for board in BOARDS]
        arguments += [f"--weather={self.weather}"] if self.weather else []
        keeper.start(self.boards_directory, arguments)
        self._ask("play", contacts=[])  # nobody in reach yet
        facts = self._ask("list")
        for fact in facts:
            self.listener.event("board", f"{fact['name']}  {fact['board']:<17} {fact['port']}  process {fact['pid']}")
        pids = {fact["pid"] for fact in facts}
        images = {(self.boards_directory / fact["name"] / "flash.img").stat().st_ino for fact in facts}
        self._claim(
            len(pids) == NODES and len(images) == NODES,
            f"{NODES} boards run as processes of their own.",
            f"{len(pids)} process ids, {len(images)} flash images.",
        )

    # ---- 2 fleet

    def _found_fleet(self) -> FleetFolder:
        self.listener.step("A fleet, and six blank boards that become its nodes")
        path = self.directory / "fleet"
        founding.found(path, "valley").close()
        lines = ["[fleet]", 'name = "valley"', "", "[defaults]", f"sample_ms = {SAMPLE_MS}", f"hello_ms = {HELLO_MS}"]
        lines += [f"sensors = {_SENSORS}", "protected = true"]
        for number in range(NODES):
            lines += ["", "[[node]]", f'name = "node-{number + 1}"', f'board = "{BOARDS[number % len(BOARDS)]}"']
            lines += ["phone = true"] if f"node-{number + 1}" == PHONE_NODE else []
        (path / proposal.FILE_NAME).write_text("\n".join(lines) + "\n", encoding="utf-8")
        return FleetFolder(path)

    async def _provision(self, fleet: FleetFolder) -> None:
        started = time.monotonic()
        port_names = [self.port(f"node-{number + 1}") for number in range(NODES)]
        self.listener.ports(port_names)
        bench = Bench(fleet, build=self._built, tell=self.listener.progress, finished=self.listener.finished)
        results = await bench.provision(port_names)
        for result in results:
            if result.error is not None:
                raise result.error
            assert result.node is not None
            assert result.short is not None
            assert result.node_id is not None
            self._shorts[result.node] = result.short
            self._ids[result.node] = result.node_id.hex()
        self._claim(
            len(set(self._ids.values())) == NODES and len(set(self._shorts.values())) == NODES,
            f"{NODES} boards were provisioned in parallel, each with an identity of its own.",
            f"{time.monotonic() - started:.1f} s; files, identity and configuration read back.",
        )

    # ---- 3 and 4 the message

    async def _carry_message(self) -> dict[str, Any]:
        self.listener.step(f"A message from node-1 to node-{NODES}, across a gap that no link ever bridges")
        sender, reader, relay = "node-1", f"node-{NODES}", f"node-{CUT_AT}"
        start_s = time.time()
        posted = await self._sessions[sender].ask("post", {"to": self._shorts[reader], "text": TEXT, "copies": 1})
        message_id = bytes(posted["id"])
        self._say(start_s, f"{sender} keeps “{TEXT}” in its flash: one copy, for {reader}")
        plan = valley.rounds(NODES, CUT_AT, ROUNDS)
        self._ask("play", contacts=[[c.at_s, c.a, c.b, c.up] for c in plan])
        cut = await self._follow(message_id, reader, relay, start_s)
        end_s = time.time()
        inbox = await self._sessions[reader].ask("inbox", {})
        arrived = [row for row in inbox if bytes(row[1]) == message_id]
        return self._message_facts(message_id, start_s, end_s, cut, arrived)

    async def _follow(self, message_id: bytes, reader: str, relay: str, start_s: float) -> dict[str, Any] | None:
        """Watch who holds the copy until it is delivered; cut the relay's power while it is the only one."""
        holders: list[str] = []
        meeting: list[list[str]] = []
        cut = None
        deadline = time.monotonic() + _DELIVERED_WITHIN_S
        while time.monotonic() < deadline:
            pairs = self._ask("links")
            if pairs and pairs != meeting:
                self._say(start_s, " and ".join(pairs[0]) + " are in reach of each other")
                meeting = pairs
            now = await self._holders(message_id)
            if now != holders and now:
                self._say(start_s, f"{' and '.join(now)} {'holds' if len(now) == 1 else 'hold'} the message")
                holders = now
            if now == [relay] and cut is None:
                cut = await self._cut_power(relay, message_id, start_s)
            if now == [reader]:
                self._say(start_s, f"DELIVERED to {reader}")
                break
            await asyncio.sleep(_POLL_S)
        return cut

    async def _holders(self, message_id: bytes) -> list[str]:
        """The nodes that have a copy to give, or are its reader; spent copies do not count."""
        rows = await asyncio.gather(*(self._sessions[name].ask("bundles") for name in self._shorts))
        return [
            name
            for name, bundles in zip(self._shorts, rows, strict=True)
            if any(bytes(row[0]) == message_id and (row[4] > 0 or row[3] == "delivered") for row in bundles)
        ]

    async def _cut_power(self, relay: str, message_id: bytes, start_s: float) -> dict[str, Any]:
        """SIGKILL, a moment of darkness, power on; what the relay had before must be there after."""
        before = await self._sessions[relay].ask("status")
        self._say(start_s, f"CUT THE POWER of {relay}, which holds the only copy on the way")
        self._ask("kill", board=relay)
        from_s = time.time() - start_s
        await asyncio.sleep(_OFF_S)
        self._ask("power_on", board=relay)
        until_s = time.time() - start_s
        hello = await self._answers(relay)
        self._say(start_s, f"{relay} is back (boot {hello['boots']})")
        holders = await self._holders(message_id)
        samples = await self._sessions[relay].ask("samples", {"limit": 4096})
        kept = len([row for row in samples if row[3] == 1])
        self._claim(
            holders == [relay] and kept >= before["samples"],
            f"{relay} lost its power while it held the only copy on the way, and nothing was lost.",
            f"After SIGKILL and restart: {', '.join(holders) or 'nobody'} holds it, "
            f"{kept} of {before['samples']} acknowledged samples.",
        )
        return {"node": self._shorts[relay], "from_s": from_s, "until_s": until_s}

    async def _answers(self, name: str) -> dict[str, Any]:
        deadline = time.monotonic() + _UP_WITHIN_S
        while True:
            try:
                return await self._sessions[name].ask("hello", timeout_s=1.0)
            except LinkError:
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(_POLL_S)

    def _message_facts(
        self, message_id: bytes, start_s: float, end_s: float, cut: dict[str, Any] | None, arrived: list[Any]
    ) -> dict[str, Any]:
        trace = self._ask("trace", last=20000)
        handed = trail.handed_over(trace, message_id, start_s)
        contacts = trail.contacts(trace, self._shorts, start_s, end_s)
        first, last = self._shorts["node-1"], self._shorts[f"node-{NODES}"]
        delivered = next((h["at_s"] for h in handed if h["delivered"]), None)
        self._claim(
            len(arrived) == 1 and arrived[0][5] == TEXT and delivered is not None and len(handed) >= 3,
            f"The message from node-1 to node-{NODES} was stored, forwarded and delivered.",
            f"{len(handed)} hops; the inbox of node-{NODES} holds it once, word for word.",
        )
        self._claim(
            bool(contacts) and not trail.ever_joined(contacts, first, last),
            "No link, and at no moment a chain of links, ever joined the two.",
            f"{len(contacts)} contacts in the radio's own record.",
        )
        self._claim(cut is not None, "A relay's power was cut on the way.", "SIGKILL to the process of that board.")
        return {
            "message": {
                "id": message_id.hex(),
                "text": TEXT,
                "from": "node-1",
                "to": f"node-{NODES}",
                "handed": handed,
                "held": trail.held(handed, first),
                "power_cuts": [cut] if cut else [],
                "delivered_s": delivered,
            },
            "contacts": contacts,
            "contacts_end_s": end_s - start_s,
        }

    # ---- 6 a neighbour

    async def _neighbour(self) -> dict[str, str]:
        self.listener.step(f"A neighbour presses the button of {PHONE_NODE} and opens its page on a phone")
        wifi, address = await asyncio.to_thread(phone.open_page, self._ask, PHONE_NODE)
        self.listener.event("phone", f"Wi-Fi “{wifi}”, no password; the page is at {address} while this demo runs")
        page = await asyncio.to_thread(phone.leave, address)
        self.listener.event("phone", f"leaves “{phone.TEXT}”")
        rows = await self._sessions[PHONE_NODE].ask("inbox", {})
        kept = [row for row in rows if row[5] == phone.TEXT]
        self._claim(
            phone.shows(page) and len(kept) == 1 and len(page.encode()) <= phone.MOST_BYTES,
            "A neighbour left a message for everybody by phone, without an app.",
            f"The page ({len(page.encode()) / 1000:.1f} kB) shows it, and the node's public layer holds it once.",
        )
        return {"node": PHONE_NODE, "wifi": wifi, "address": address}

    # ---- 5 and 7 samples and audit

    async def _collect(self) -> list[dict[str, Any]]:
        self.listener.step("What the nodes have measured and kept")
        nodes = []
        for name, session in self._sessions.items():
            found = await collect.node(session)
            battery_mv = found["status"].get("battery_mv")
            battery = f"{battery_mv / 1000:.2f} V" if battery_mv else "no battery"
            self.listener.event("node", f"{name}  {len(found['samples']):>3} samples  {battery}  boot {found['boots']}")
            nodes.append(found)
        fewest = min(len(node["samples"]) for node in nodes)
        complete = all(len(sample["values"]) == 6 for node in nodes for sample in node["samples"][-3:])
        self._claim(
            fewest >= 20 and complete,
            "Every node sampled its sensors and kept the samples in its flash.",
            f"At least {fewest} samples a node, six channels each, read over the cable.",
        )
        return nodes

    async def _audit(self, fleet: FleetFolder) -> tuple[dict[str, str], list[dict[str, Any]]]:
        self.listener.step("An audit of all nodes, before and after somebody meddles with one file")
        port_names = [self.port(name) for name in self._shorts]
        before = await self._findings(fleet, port_names)
        self._claim(
            not before,
            "The audit of the untouched fleet has no findings.",
            "Files by hash, configuration, identity, free space, battery, store, clock.",
        )
        await self._tamper(self.port(TAMPERED_NODE))
        self.listener.event("meddle", f"one byte added to {TAMPERED_PATH} on {TAMPERED_NODE}, behind its back")
        findings = await self._findings(fleet, port_names)
        for found in findings:
            self.listener.event("finding", f"{found['node']}  {found['class']}  {found['path']}")
        self._claim(
            [(f["node"], f["path"]) for f in findings] == [(TAMPERED_NODE, TAMPERED_PATH)],
            "The audit names exactly the node and the file that were changed.",
            ", ".join(f"{f['node']} {f['path']}" for f in findings) or "It found nothing.",
        )
        return {"node": TAMPERED_NODE, "path": TAMPERED_PATH}, findings

    async def _findings(self, fleet: FleetFolder, port_names: list[str]) -> list[dict[str, Any]]:
        outcome = await report.run(fleet, port_names, build=self._built)
        for error in outcome.errors.values():
            raise error
        return [finding.as_dict() for finding in outcome.findings if finding.severity > Severity.NOTE]

    async def _tamper(self, port: str) -> None:
        """Over the prompt, as somebody with a cable could; then the node runs again as if nothing had happened."""
        transport = await ports.connect(port)
        try:
            repl = Repl(transport)
            await repl.enter()
            await repl.exec(f"f = open({TAMPERED_PATH!r}, 'ab')\nf.write(b'\\x00')\nf.close()\n")
            await repl.hard_reset()
        finally:
            await transport.close()
        self._sessions[TAMPERED_NODE] = Session(await ports.connect(port), name=port, credentials=self._keys)
        await self._answers(TAMPERED_NODE)
        await self._close_sessions()

    # ---- parts

    def _built(self, board: Board) -> FirmwareSet:
        """Compiled once, so that nodes are held against exactly what was put on them."""
        if board.id not in self._firmware:
            self._firmware[board.id] = firmware.build(board)
        return self._firmware[board.id]

    def _ask(self, do: str, **request: Any) -> Any:
        running = control.find(self.boards_directory)
        if running is None:
            raise FleetError("the virtual boards are gone", next_step=f"Read {self.boards_directory / 'log'}.")
        return control.ask(running, {"do": do, **request}, timeout_s=30.0)

    async def _open_sessions(self) -> None:
        for name in sorted(self._shorts):
            self._sessions[name] = Session(await ports.connect(self.port(name)), name=name, credentials=self._keys)

    async def _close_sessions(self) -> None:
        for session in self._sessions.values():
            await session.close()
        self._sessions.clear()

    def _say(self, start_s: float, text: str) -> None:
        self.listener.event(f"{time.time() - start_s:5.1f} s", text)

    def _claim(self, ok: bool, claim: str, how: str) -> None:
        self.claims.append({"ok": bool(ok), "claim": claim, "how": how})
        self.listener.event("✔ PASS" if ok else "✘ FAIL", claim)


def summary(facts: Mapping[str, Any]) -> str:
    """One sentence."""
    good = sum(1 for claim in facts["claims"] if claim["ok"])
    return f"{good} of {len(facts['claims'])} checks passed in {facts['seconds']} s."
