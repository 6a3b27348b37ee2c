"""A node keeps its ledger, signs it, and vouches for those of others: with real keys, over a table for a radio."""

import asyncio
import sys

from harness import vectors
from like_micropython import run

from hedgenode import drivers  # noqa: F401 - the package stays when its module goes
from hedgenode.crypto import ed25519
from hedgenode.crypto.ed25519 import signing_key_steps
from hedgenode.rarely import Rarely
from hedgenode.rules import ledger_pace as pace
from hedgenode.rules.exchange import Exchange
from hedgenode.rules.roles import LAPTOP
from hedgenode.rules.routing import Meetings
from hedgenode.store.bundles import BundleStore
from hedgenode.store.ram import RamFiles
from hedgenode.tasks.admin import Admin, Asker
from hedgenode.tasks.admin_ledger import LedgerMethods
from hedgenode.tasks.journal import Journal
from hedgenode.tasks.ledger import LedgerTask
from hedgewire import admin, ledger, link

NEIGHBOURS_PATH = "/store/ledger/neighbours"
TAG = 0xBEEF
BASE = 974848


class _Clock:
    now_s = 0

    def uptime_s(self):
        return self.now_s

    def uptime_ms(self):
        return self.now_s * 1000

    def wall_s(self):
        return 0


class _Identity:
    def __init__(self, number):
        self._seed = bytes([number]) * 32
        self.public = ed25519.public_key(self._seed)
        self.signatures = 0

    def sign_steps(self, data):
        self.signatures += 1
        key = yield from signing_key_steps(self._seed)
        signature = yield from key.sign_steps(data)
        return signature


async def _program():
    return b"slotslot"


class _Node:
    def __init__(self, short, clock, number=None):
        self.short = short
        self.clock = clock
        self.files = RamFiles()
        self.files.contents["/config.cbor"] = bytearray(b"settings")
        self.identity = _Identity(number or short)
        self.sent = []
        self.power_on()

    def power_on(self, watchdog=False):
        self.journal = Journal(self.clock)
        facts = {"fleet": b"fleetid8", "short": self.short, "charter": 1, "app": "0.1.0", "boot": 1}
        facts["watchdog"] = watchdog
        self.ledger = LedgerTask(self.files, self.identity, self.clock, self.journal, facts, "/config.cbor", _program)
        bundles = BundleStore(self.files, "/bundles", 50000, 0, BASE + 0xFFFF)
        self.exchange = Exchange(self.short, TAG, BASE, bundles, Meetings(self.short))
        self.ledger.meet(self.exchange, self.sent.append)
        self.admin = Admin((LedgerMethods(self),), self.journal)

    def hear(self, frame):
        return self.exchange.on_frame(frame, self.clock.uptime_ms(), self.clock.now_s)

    async def turn(self):
        """What the task does once a second, without the second."""
        self.ledger._look_s = 0
        await self.ledger.turn(lambda within_ms: None)
        frames, self.sent[:] = list(self.sent), []
        return frames

    async def ask(self, method, params=None):
        answers = []
        asker = Asker(LAPTOP, lambda _, data: answers.append(admin.parse_answer(data)))
        await self.admin.handle(admin.request(1, method, params or {}), asker)
        rows = []
        for answer in answers[:-1]:
            rows += answer.result
        return answers[-1].code, rows or answers[-1].result

    def entries(self):
        return [ledger.decode_entry(data) for _, data in self.ledger.with_book(lambda book: book.entries(0, 1000))]

    def book(self):
        """What the node knows of its ledger and its neighbours', as `ledger_head` answers it."""
        return self.ledger.with_book(lambda book: book.facts())


async def _meet(*nodes, rounds=4):
    """Everybody greets, then takes turns; every frame reaches everybody else."""
    frames = []
    for node in nodes:
        hello = node.exchange.hello(node.clock.now_s)
        for other in nodes:
            if other is not node:
                other.hear(hello)
    for _ in range(rounds):
        for node in nodes:
            for frame in await node.turn():
                frames.append(frame)
                for other in nodes:
                    if other is not node:
                        other.hear(frame)
    return frames


def _good(public, statement, signature):
    return ed25519.verify(public, statement, signature)


def test_the_first_start_is_noted_and_the_head_signed_when_asked():
    async def story():
        node = _Node(1, _Clock())
        code, found = await node.ask("ledger_head")
        assert code == admin.DONE
        assert [entry.kind for entry in node.entries()] == ["enrolled", "updated", "configured", "charter"]
        seq, digest, signature = found["head"]
        assert (seq, digest, found["seq"], found["digest"]) == (4, node.entries()[-1].digest, 4, digest)
        assert _good(found["writer"], ledger.head_statement(seq, digest), signature)
        await node.ask("ledger_head")
        assert node.identity.signatures == 1  # nothing new, nothing signed
        node.power_on()
        _, again = await node.ask("ledger_head")
        assert again == found

    run(story(), 30)


def test_a_head_is_not_signed_unless_that_is_wanted_or_due():
    async def story():
        clock = _Clock()
        node = _Node(1, clock)
        _, found = await node.ask("ledger_head", {"sign": False})
        assert (found["seq"], found["head"]) == (4, None)
        steps = [0]

        def promise(within_ms):
            steps[0] += 1
            clock.now_s += 3600

        async def some_hours():
            try:
                await node.ledger.run(promise)
            except asyncio.CancelledError:
                raise

        task = asyncio.create_task(some_hours())
        while steps[0] < 10:
            assert node.ledger.head is None or steps[0] >= 6
            await asyncio.sleep(0.05)
        task.cancel()
        assert node.ledger.head[0] == 4

    run(story(), 40)


def test_entries_are_read_page_by_page_and_a_host_says_what_it_holds():
    async def story():
        node = _Node(1, _Clock())
        _, found = await node.ask("ledger_head")
        code, rows = await node.ask("ledger", {"after": 1, "limit": 2})
        assert [ledger.decode_entry(row).seq for row in rows] == [2, 3]
        seq, digest, _ = found["head"]
        assert (await node.ask("ledger_kept", {"seq": seq, "digest": bytes(32)}))[0] == admin.REFUSED
        assert (await node.ask("ledger_kept", {"seq": seq - 1, "digest": digest}))[0] == admin.REFUSED
        assert (await node.ask("ledger_kept", {"seq": seq, "digest": digest}))[0] == admin.DONE
        assert node.book()["kept"] == seq

    run(story(), 30)


def test_audits_and_restarts_are_noted():
    async def story():
        node = _Node(1, _Clock())
        await node.ledger.start()
        await node.ask("audited")
        await node.ask("audited")
        node.ledger.note_failure(1)
        node.power_on(watchdog=True)
        await node.ledger.start()  # of the same boot as the failure: one restart, one entry
        assert [entry.kind for entry in node.entries()][4:] == ["audited", "restarted"]

    run(story(), 30)


def test_a_node_without_a_key_says_that_it_has_no_ledger():
    node = _Node(1, _Clock())
    node.ledger = None
    for method, params in (("ledger", {}), ("ledger_head", {}), ("audited", {})):
        assert run(node.ask(method, params))[0] == admin.NOT_FOUND


def test_two_neighbours_vouch_for_each_other_and_say_neither_when_nor_where():
    async def story():
        clock = _Clock()
        oak, elm = _Node(1, clock), _Node(2, clock)
        for node in (oak, elm):
            await node.ask("ledger_head")
        frames = await _meet(oak, elm)
        kinds = sorted([type(link.decode(frame)).__name__ for frame in frames])
        assert kinds == ["Head", "Head", "Witness", "Witness"]
        for node, other in ((oak, elm), (elm, oak)):
            seq, digest, _ = node.ledger.head
            [(vouched_seq, vouched, by, signature)] = node.book()["witnesses"]
            assert (vouched_seq, vouched, by) == (seq, digest, other.identity.public)
            assert _good(by, ledger.witness_statement(node.identity.public, seq, digest), signature)
            _, found = await node.ask("ledger_head")
            assert [row[0] for row in found["seen"]] == [other.identity.public]
        before = (oak.identity.signatures, elm.identity.signatures)
        clock.now_s = pace.OFFER_AGAIN_S * 3
        assert await _meet(oak, elm) == []
        assert (oak.identity.signatures, elm.identity.signatures) == before

    run(story(), 60)


def test_after_a_restart_the_same_answer_is_given_without_a_new_signature():
    async def story():
        clock = _Clock()
        oak, elm = _Node(1, clock), _Node(2, clock)
        await oak.ask("ledger_head")
        await _meet(oak, elm)
        signatures = elm.identity.signatures
        oak.files.contents.pop(NEIGHBOURS_PATH)
        for node in (oak, elm):
            node.power_on()
        await _meet(oak, elm)
        assert len(oak.book()["witnesses"]) == 1
        assert elm.identity.signatures == signatures

    run(story(), 60)


def test_a_node_that_was_set_back_and_goes_on_is_caught_by_its_neighbour():
    async def story():
        clock = _Clock()
        oak, elm = _Node(1, clock), _Node(2, clock)
        await oak.ledger.start()
        backup = {path: bytearray(data) for path, data in oak.files.contents.items()}
        oak.ledger.note("audited", {})
        await oak.ask("ledger_head")
        await _meet(oak, elm)
        oak.files.contents = backup
        oak.power_on()
        oak.ledger.note("audited", {"by": b"somebody"})
        await oak.ask("ledger_head")
        clock.now_s = 1000
        await _meet(oak, elm)
        [(writer, seq, one, first, other, second)] = elm.book()["forks"]
        assert (writer, seq) == (oak.identity.public, 5)
        assert one != other
        for digest, signature in ((one, first), (other, second)):
            assert _good(writer, ledger.head_statement(seq, digest), signature)
        assert oak.book()["witnesses"] == []

    run(story(), 60)


def test_forged_heads_and_counter_signatures_are_not_believed():
    async def story():
        clock = _Clock()
        oak, elm = _Node(1, clock), _Node(2, clock)
        await oak.ask("ledger_head")
        head = oak.ledger.head
        forged = link.encode_head(TAG, 1, 9, b"d" * 32, oak.identity.public, head[2])
        elm.hear(forged)
        await elm.turn()
        assert elm.book()["seen"] == []
        oak.hear(elm.exchange.hello(0))
        assert len(await oak.turn()) == 1  # its head; now it waits for an answer
        for witness_key in (elm.identity.public, oak.identity.public):
            oak.hear(link.encode_witness(TAG, 2, 1, head[0], head[1], witness_key, b"s" * 64))
        await oak.turn()
        assert oak.book()["witnesses"] == []

    run(story(), 60)


def test_a_full_flash_stops_no_node_and_what_was_noted_comes_later():
    async def story():
        node = _Node(1, _Clock())
        await node.ledger.start()
        opened = node.files.open
        node.files.open = lambda path, mode: opened(path, mode) if mode == "rb" else _refuse()
        assert (await node.ask("audited"))[0] == admin.STORAGE_FULL
        node.ledger.note_failure(1)
        assert node.journal.after(0)[-1][2] == "error"
        assert node.book()["seq"] == 4
        node.files.open = opened
        await node.turn()
        assert node.entries()[-1].kind == "audited"
        for _ in range(20):
            node.ledger.note("updated", {})
        await node.turn()
        assert node.book()["seq"] == 13  # eight wait at most

    run(story(), 30)


def _refuse():
    raise OSError(28)


def test_a_node_that_is_short_of_memory_goes_on_and_tries_again():
    async def story():
        clock = _Clock()
        node = _Node(1, clock)
        await node.ledger.start()
        clock.now_s = 7 * 3600
        sign_steps = node.identity.sign_steps

        def no_memory(data):
            raise MemoryError

        node.identity.sign_steps = no_memory
        task = asyncio.create_task(node.ledger.run(lambda within_ms: None))
        while not node.journal.after(4):
            await asyncio.sleep(0.05)
        assert "again in 600 s" in node.journal.after(4)[0][3]
        node.identity.sign_steps = sign_steps
        clock.now_s += 601
        while node.ledger.head is None:
            await asyncio.sleep(0.1)
        task.cancel()

    run(story(), 50)


def test_code_that_is_needed_seldom_is_gone_afterwards_on_a_board():
    node = _Node(1, _Clock())
    run(node.ask("ledger_head"), 30)
    if sys.implementation.name == "micropython":
        node.power_on()
        with Rarely():
            from hedgenode.drivers import sht31

            assert sht31.__name__ in sys.modules
        assert "hedgenode.drivers.sht31" not in sys.modules
        assert not hasattr(sys.modules["hedgenode.drivers"], "sht31")
        assert run(node.ask("ledger_head"), 30)[0] == admin.DONE


def test_the_vectors_are_signed_by_the_keys_that_they_name():
    for case in vectors("ledger")["heads"]:
        assert _good(*[bytes.fromhex(case[name]) for name in ("writer", "statement", "signature")])
    for case in vectors("ledger")["witnesses"]:
        assert _good(*[bytes.fromhex(case[name]) for name in ("witness", "statement", "signature")])
