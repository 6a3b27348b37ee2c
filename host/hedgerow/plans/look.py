"""Knows how to see what a board is and holds, without changing it. Knows nothing of what it should be.

A running node is asked over its own protocol and goes on running. A board at its prompt, or with another program on
it, is asked through the REPL; that stops the program, which is told in `NodeFacts.was_running`.
"""

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hedgerow.errors import RemoteError
from hedgerow.fleet import documents
from hedgerow.fleet.boards import Board
from hedgerow.fleet.keys import key_id
from hedgerow.plans.trust_files import DIGEST_START_BYTES
from hedgerow.repl import Repl
from hedgerow.session import Answering, Session
from hedgewire import cbor
from hedgewire.cbor import Damage

CONFIG_PATH = "/config.cbor"
LOOK_WITHIN_S = 60.0
RECORDS = ("/slots.0", "/slots.1")  # of a node that was updated: they say which slot boots
LABEL_PATH = "/label"  # the secret by which a node that belongs to nobody knows whoever holds its label
WATCHED = ("/slots.py", "/boot.py", "/main.py", LABEL_PATH, *RECORDS)  # and everything below /a and /b
NOBODY = bytes(8)  # the fleet of a node that belongs to none

# Only the public half of the identity is taken out of its file: in canonical CBOR it stands behind its name,
# text(6) "public", bytes(32). The seed is on the node and stays there.
_LOOK = """
import sys, os, hashlib
def hw_hash(p):
    h = hashlib.sha256()
    b = bytearray(512)
    m = memoryview(b)
    with open(p, 'rb') as f:
        while 1:
            n = f.readinto(b)
            if not n: return h.digest()
            h.update(m[:n])
def hw_read(p):
    try:
        with open(p, 'rb') as f: return f.read()
    except OSError: return None
def hw_walk(d):
    try: found = list(os.ilistdir(d))
    except OSError: return
    for e in found:
        p = d + '/' + e[0]
        if e[1] & 0x4000: hw_walk(p)
        else: print((p, e[3] if len(e) > 3 else os.stat(p)[6], hw_hash(p)))
def hw_public():
    d = hw_read('/identity.cbor')
    i = -1 if d is None else d.find(b'fpublic\\x58\\x20')
    return None if i < 0 else d[i + 9:i + 41]
def hw_documents():
    try: names = os.listdir('/store/trust')
    except OSError: return []
    return [n if len(n) == 21 else hw_read('/store/trust/' + n) for n in names if n.endswith('.cbor')]
s = os.statvfs('/')
i = sys.implementation
print({'platform': sys.platform, 'machine': i._machine, 'version': '.'.join(str(n) for n in i.version[:3]),
 'mpy': getattr(i, '_mpy', 0) & 255, 'block': s[1], 'free': s[1] * s[4], 'total': s[1] * s[2],
 'public': hw_public(), 'config': hw_read('/config.cbor'), 'documents': hw_documents()})
hw_walk('/a')
hw_walk('/b')
for p in ('/slots.py', '/boot.py', '/main.py', '/label', '/slots.0', '/slots.1'):
    try: print((p, os.stat(p)[6], hw_hash(p)))
    except OSError: pass
"""


@dataclass(frozen=True)
class NodeFacts:
    """What a board said of itself. Unknown is None: a running node keeps its machine text and its key to itself."""

    port: str
    platform: str | None
    machine: str | None
    board_id: str | None  # of the firmware's own board.py, when a node runs
    version: str  # of MicroPython
    mpy: int
    block_bytes: int
    free_bytes: int
    total_bytes: int
    sizes: Mapping[str, int] = field(default_factory=dict)
    sha256: Mapping[str, bytes] = field(default_factory=dict)
    public: bytes | None = None
    node_id: bytes | None = None
    config: Mapping[str, object] | None = None
    documents: frozenset[bytes] = frozenset()
    """What it holds of the fleet's documents: the first bytes of their digests."""
    groups: frozenset[bytes] | None = None
    """Ids of the groups that it is a member of."""
    was_running: bool = False
    in_dev_mode: bool = False

    @property
    def has_locked_console(self) -> bool:
        """Whether it runs with a console that Ctrl-C does not open."""
        return self.was_running and (self.config or {}).get("console") == "locked"

    def may_be(self, board: Board) -> bool:
        """Whether this can be that board. The machine text decides; a running node's word counts where it is hidden."""
        if self.machine is not None:
            return board.answers_as(self.machine)
        return self.board_id in (board.id, board.stands_for)

    @property
    def is_what(self) -> str:
        """What a person should call the thing on this port."""
        return self.machine or self.board_id or "an unknown board"


async def running(session: Session) -> NodeFacts | None:
    """The facts of a node that runs, or None where none does, or none that tells. Stops and changes nothing."""
    found = await session.recognise()
    if found.answering is not Answering.HEDGEROW or found.hello is None or found.hello["fleet"] == NOBODY:
        return None
    hello, status = found.hello, await session.ask("status")
    files = await session.ask("files", {"hash": True}, timeout_s=LOOK_WITHIN_S)
    watched = [row for row in files if row[0] in WATCHED or row[0].startswith(("/a/", "/b/"))]
    return NodeFacts(
        port=session.name,
        platform=None,
        machine=None,
        board_id=hello["board"],
        version=hello["mp"],
        mpy=hello["mpy"] & 0xFF,
        block_bytes=4096,
        free_bytes=status["free_bytes"],
        total_bytes=status["total_bytes"],
        sizes={path: size for path, size, _ in watched},
        sha256={path: bytes(sha256) for path, _, sha256 in watched},
        node_id=bytes(hello["id"]) or None,
        config=await session.ask("config"),
        documents=await _documents(session),
        groups=await _groups(session),
        was_running=True,
    )


async def at_prompt(repl: Repl) -> NodeFacts:
    """The facts of a board whose raw REPL is entered. Whatever ran there has been stopped by that."""
    printed = (await repl.exec(_LOOK, LOOK_WITHIN_S)).decode(errors="replace").splitlines()
    try:
        said: dict[str, Any] = ast.literal_eval(printed[0])
        files = [ast.literal_eval(line) for line in printed[1:]]
        sizes = {path: size for path, size, _ in files}
        sha256 = {path: digest for path, _, digest in files}
        return NodeFacts(
            port=repl.name,
            platform=said["platform"],
            machine=said["machine"],
            board_id=None,
            version=said["version"],
            mpy=said["mpy"],
            block_bytes=said["block"],
            free_bytes=said["free"],
            total_bytes=said["total"],
            sizes=sizes,
            sha256=sha256,
            public=said["public"],
            node_id=None if said["public"] is None else key_id(said["public"]),
            config=_config(said["config"]),
            documents=frozenset(filter(None, map(_digest_start, said["documents"]))),
        )
    except (ValueError, SyntaxError, LookupError, TypeError) as error:
        raise RemoteError(
            "the board's description of itself is garbled", node=repl.name, next_step="Try again"
        ) from error


async def _groups(session: Session) -> frozenset[bytes] | None:
    try:
        return frozenset(bytes(row[0]) for row in await session.ask("groups"))
    except RemoteError:
        return None  # its firmware is older than groups


async def _documents(session: Session) -> frozenset[bytes]:
    try:
        return frozenset(bytes(digest)[:DIGEST_START_BYTES] for digest, _ in await session.ask("documents"))
    except RemoteError:
        return frozenset()  # its firmware is older than documents


def _digest_start(said: str | bytes) -> bytes | None:
    """Of a file that is named by it, or of the content of one that is not."""
    if isinstance(said, str):
        try:
            return bytes.fromhex(said.partition(".")[0])
        except ValueError:
            return None
    found = documents.decode(said)
    return None if isinstance(found, Damage) else found.digest[:DIGEST_START_BYTES]


def _config(data: bytes | None) -> Mapping[str, object] | None:
    # A damaged configuration is none: provisioning writes it anew.
    found = None if data is None else cbor.decode(data)
    return None if isinstance(found, Damage) or not isinstance(found, dict) else found
