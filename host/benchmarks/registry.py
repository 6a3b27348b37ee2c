"""Measures the audit of a registry with 1,000 nodes and 100,000 records, and its page in Chromium. Asks no board.

    python host/benchmarks/registry.py [--nodes 1000] [--records 100000]

Every node has reported a hundred times, its files' hashes included; one in fifty has a file that is not the release's.
Each command runs as a person runs it, from the start of its process to its end. Beside it: what it costs to read the
same newest reports with sqlite3 alone, and to start the command for nothing.
"""

import argparse
import asyncio
import secrets
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from hedgerow.fleet import boards, founding, keys, proposal
from hedgerow.fleet.charter import BLOCK_SHORTS
from hedgerow.fleet.documents import Document
from hedgerow.fleet.folder import FleetFolder
from hedgerow.fleet.registry import Observation
from hedgerow.fleet.roster import Enrolment
from hedgerow.plans import firmware
from hedgerow.plans.findings import NodeReport
from hedgewire import cbor

AUDIT_AT_MOST_S = 2.0
INTERACTIVE_AT_MOST_S = 1.0
BOARD = "RPI_PICO"
CHANGED_EVERY = 50
ROUNDS = 3
RUN_S = 300


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--nodes", type=int, default=1000)
    parser.add_argument("--records", type=int, default=100_000)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "fleet"
        began = time.perf_counter()
        make(path, wanted.nodes, wanted.records)
        print(f"made {wanted.nodes} nodes, {wanted.records} records in {time.perf_counter() - began:.0f} s")
        page = Path(folder) / "page.html"
        start_s = seconds("hedgerow", "--version")
        read_s = newest_with_sqlite(path / "registry.sqlite")
        audit_s = seconds("hedgerow", "audit", "--json", "--fleet", str(path))
        report_s = seconds("hedgerow", "report", "-o", str(page), "--fleet", str(path))
        print(f"{'start of the command':<40} {start_s:>7.2f} s")
        print(f"{'newest reports, sqlite3 alone':<40} {read_s:>7.2f} s")
        good = shown("audit of the registry", audit_s, AUDIT_AT_MOST_S)
        print(f"{'page written':<40} {report_s:>7.2f} s, {page.stat().st_size / 1000:.0f} kB")
        interactive_s = asyncio.run(interactive(page))
        if interactive_s is None:
            print("Chromium is not installed: the page was not opened")
        else:
            good &= shown("page interactive", interactive_s, INTERACTIVE_AT_MOST_S)
    return 0 if good else 1


def shown(what: str, took_s: float, most_s: float) -> bool:
    print(f"{what:<40} {took_s:>7.2f} s  at most {most_s:.1f}  {'PASS' if took_s <= most_s else 'FAIL'}")
    return took_s <= most_s


def make(path: Path, nodes: int, records: int) -> None:
    """A fleet folder as years of visits leave it, several laptops at work."""
    with founding.found(path, "large"):
        pass
    with (path / proposal.FILE_NAME).open("a", encoding="utf-8") as text:
        for number in range(nodes):
            text.write(proposal.node_text(f"node-{number:04}", BOARD, {}))
    made = firmware.build(boards.load(BOARD))
    publics = [keys.public_of(secrets.token_bytes(keys.SEED_BYTES)) for _ in range(nodes)]
    with FleetFolder(path) as fleet:
        fleet.add(list(_papers(fleet, publics)))
    with FleetFolder(path) as fleet:
        fleet.registry.observe(_reports(fleet, records, made))


def _papers(fleet: FleetFolder, publics: list[bytes]) -> Iterator[Document]:
    """Certificates of as many laptops as it takes, and what each has enrolled."""
    first = fleet.certificate
    stewards = [key.seed for key in fleet.secrets.stewards.values()]
    for at in range(0, len(publics), BLOCK_SHORTS):
        seed = secrets.token_bytes(keys.SEED_BYTES)
        laptop = keys.public_of(seed)
        begins = first.first_short + BLOCK_SHORTS * (1 + at // BLOCK_SHORTS)
        held = replace(first, laptop=laptop, name=f"laptop {at}", first_short=begins)
        yield held.to_document().signed(*stewards)
        for serial, public in enumerate(publics[at : at + BLOCK_SHORTS], 1):
            name = f"node-{at + serial - 1:04}"
            made = Enrolment(
                held.fleet, public, begins + serial - 1, name, BOARD, None, laptop, held.digest, serial, None, 1
            )
            yield made.to_document().signed(seed)


def _reports(fleet: FleetFolder, records: int, made: firmware.FirmwareSet) -> Iterator[Observation]:
    now_s, laptop = int(time.time()), keys.key_id(fleet.certificate.laptop)
    specs = fleet.inventory.nodes
    for number, spec in enumerate(specs):
        assert spec.enrolment is not None, spec.name
        sha256 = dict(made.sha256)
        if number % CHANGED_EVERY == 0:
            sha256["/a/board.mpy"] = bytes(32)
        status = {"bundles": 2, "battery_mv": 3900, "free_bytes": 500_000, "total_bytes": 1_400_000}
        report = NodeReport(
            now_s, None, spec.enrolment.node_id, spec.name, BOARD, made.version, "1.22.0", sha256,
            spec.config(spec.enrolment), status,
        )  # fmt: skip
        for visit in range(records // len(specs)):
            seen_s = now_s - 3600 * visit
            kind = "audit" if visit % 10 == 0 else "seen"
            says = replace(report, time_s=seen_s).as_fields() if kind == "audit" else {"port": "COM3", "visit": visit}
            yield Observation(report.node_id, kind, seen_s, laptop, cbor.encode(says))


def newest_with_sqlite(path: Path) -> float:
    query = "select node, data, max(time_s) from observations where kind = 'audit' group by node"
    took = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        with sqlite3.connect(path) as connection:
            rows = connection.execute(query).fetchall()
        took.append(time.perf_counter() - began)
    assert rows
    return min(took)


def seconds(program: str, *words: str) -> float:
    """The best of some runs, after one that fills caches. Findings are no failure here."""
    command = [str(Path(sys.executable).parent / program), *words]
    took = []
    for _ in range(ROUNDS + 1):
        began = time.perf_counter()
        done = subprocess.run(command, capture_output=True, timeout=RUN_S, check=False)
        took.append(time.perf_counter() - began)
        if done.returncode not in (0, 1):
            raise SystemExit(done.stderr.decode())
    return min(took[1:])


async def interactive(page: Path) -> float | None:
    """From navigation to the moment when the page answers: parsed, laid out, and its main thread free."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        return None
    from playwright.async_api import async_playwright

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        try:
            took = []
            for _ in range(ROUNDS):
                tab = await browser.new_page(viewport={"width": 1280, "height": 900})
                began = time.perf_counter()
                await tab.goto(page.as_uri(), wait_until="domcontentloaded")
                await tab.evaluate("() => new Promise(done => requestAnimationFrame(() => setTimeout(done, 0)))")
                took.append(time.perf_counter() - began)
                await tab.close()
            return min(took)
        finally:
            await browser.close()


if __name__ == "__main__":
    sys.exit(main())
