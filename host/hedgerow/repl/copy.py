"""Knows how files get onto a board fast, whole or not at all; knows nothing of what they are for.

First the board is asked once what it has. Only files that differ are sent, as one windowed stream to a small receiver
(`receiver.py`). Each takes its name when its SHA-256, read back from flash, is right. So the same call after a pulled
cable sends what is missing and nothing else.
"""

import contextlib
import hashlib
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from hedgerow.errors import (
    FleetError,
    InterruptedWork,
    LinkError,
    LocalError,
    RemoteError,
    StorageError,
    VerificationError,
)
from hedgerow.repl import receiver
from hedgerow.repl.raw import BoardException, Repl

WINDOW_FRAMES = 2
RAW_BATCH_BYTES = 32768  # of pieces, before deflate; a batch that stays too big for the board is halved
ANSWER_S = 3.0  # for a frame that the board only has to keep
UNPACK_S = 30.0  # for the last frame of a batch: it is answered when everything is in flash; chips may be emulated
TROUBLES = 6  # in a row, without a frame getting through
SILENCES = 3  # in a row, to a question that every board answers at once: nobody is there
LOOK_BASE_S = 10.0
LOOK_S_PER_FILE = 1.0
WINDOWS = ((15, 96 * 1024), (13, 48 * 1024))  # (window bits, bytes of memory that must be free for it)
SMALLEST_WINDOW_BITS = 10
RESERVE_BLOCKS = 3  # directories grow, and LittleFS writes new before it frees old

Progress = Callable[[str, int, int], None]
"""(path, bytes that have arrived, bytes of the file). Called in order of the files; the last call has both equal."""


@dataclass(frozen=True)
class FileToCopy:
    """An absolute path on the board and what shall stand there."""

    path: str
    data: bytes

    def __post_init__(self) -> None:
        if not self.path.startswith("/") or not 1 < len(self.path.encode()) < 256:
            raise LocalError(f"not a path on a board: {self.path!r}")

    @cached_property
    def sha256(self) -> bytes:
        return hashlib.sha256(self.data).digest()


@dataclass(frozen=True)
class FileThere:
    """What the board has under a path. Inside this module `sha256` may be its first 8 bytes alone."""

    size: int
    sha256: bytes


async def digests(repl: Repl, paths: Sequence[str]) -> dict[str, FileThere | None]:
    """Size and SHA-256 of every path, None where there is no file. One request, however many paths."""
    lines, _ = await _look(repl, receiver.look(list(paths), receiver.ALL_DIGITS), len(paths))
    return _looked(repl, paths, lines)


async def compare(repl: Repl, files: Sequence[FileToCopy]) -> list[FileToCopy]:
    """Those of `files` that the board lacks or has differently. One request."""
    paths = [file.path for file in files]
    lines, _ = await _look(repl, receiver.look(paths, receiver.SHORT_DIGITS), len(paths))
    there = _looked(repl, paths, lines)
    return [file for file in files if not _is_there(file, there)]


async def copy_files(repl: Repl, files: Sequence[FileToCopy], progress: Progress | None = None) -> list[str]:
    """Bring `files` onto the board; returns the paths that had to be sent.

    Raises StorageError (before anything is written if the sizes tell), VerificationError if flash reads back
    differently, InterruptedWork or LinkError if the way broke: then the same call goes on where it stopped.
    """
    tell = progress or _tell_nobody
    paths = [file.path for file in files] + [receiver.TEMPORARY_PATH]
    lines, inflates = await _look(repl, receiver.look_and_prepare(paths), len(paths))
    there = _looked(repl, paths, lines)
    if there[receiver.TEMPORARY_PATH] is not None:  # power or cable went while an earlier copying wrote it
        await repl.exec(receiver.tidy())
    block_bytes, free_blocks, heap_free = _numbers(repl, lines[-1])
    wanted = [file for file in files if not _is_there(file, there)]
    missing = missing_bytes(wanted, there, block_bytes=block_bytes, free_blocks=free_blocks)
    if missing:
        raise StorageError(
            f"the flash has not enough room for {len(wanted)} files: {missing} bytes more are needed",
            node=repl.name,
            state="Nothing was written.",
            next_step="Remove files that the board does not need, or erase it and provision it anew.",
        )
    for file in files:
        if file not in wanted:
            tell(file.path, len(file.data), len(file.data))
    if wanted:
        await _send(repl, wanted, tell, window_bits(heap_free) if inflates else 0)
    return [file.path for file in wanted]


async def _send(repl: Repl, files: Sequence[FileToCopy], tell: Progress, bits: int) -> None:
    """Send all; once more with the smallest window if a board's free memory lies in too small pieces for `bits`."""
    sending = _Sending(repl, files, tell, bits)
    try:
        await sending.run()
    except BoardException as error:
        if not error.last_line.startswith("MemoryError") or bits <= SMALLEST_WINDOW_BITS or sending.has_begun:
            raise
        await _Sending(repl, files, tell, SMALLEST_WINDOW_BITS).run()


def _tell_nobody(_path: str, _done: int, _total: int) -> None: ...


def window_bits(heap_free: int) -> int:
    """The largest deflate window that a board can spare: 32 kB of a Pico's 220 kB save a fifth of the way."""
    for bits, needs in WINDOWS:
        if heap_free >= needs:
            return bits
    return SMALLEST_WINDOW_BITS


def missing_bytes(
    files: Sequence[FileToCopy], there: dict[str, FileThere | None], *, block_bytes: int, free_blocks: int
) -> int:
    """How much room lacks if `files` are written in this order, each beside the one that it replaces; 0 if it fits."""
    free = free_blocks - RESERVE_BLOCKS
    lowest = 0
    for file in files:
        free -= _blocks(len(file.data), block_bytes)
        lowest = min(lowest, free)
        if (old := there.get(file.path)) is not None:
            free += _blocks(old.size, block_bytes)
    return -lowest * block_bytes


def _blocks(size_bytes: int, block_bytes: int) -> int:
    return -(-size_bytes // (block_bytes - 8))  # LittleFS keeps a few pointers in a block


async def _look(repl: Repl, code: str, count: int) -> tuple[list[str], bool]:
    """Run `code` on the board, compressed if it can inflate: (the lines that it printed, whether it can)."""
    within_s = LOOK_BASE_S + LOOK_S_PER_FILE * count
    data = receiver.compressed(code)
    await repl.start(receiver.loader())
    inflates = await repl.stream.exactly(1, ANSWER_S) == receiver.READY
    if inflates and data is not None:
        await repl.stream.send(data)
        printed = await repl.finish(within_s)
    else:
        await repl.settle()
        printed = await repl.exec(receiver.plain(code), within_s)
    return printed.decode(errors="replace").splitlines(), inflates


def _is_there(file: FileToCopy, there: dict[str, FileThere | None]) -> bool:
    found = there[file.path]
    return found is not None and file.sha256.startswith(found.sha256)


def _looked(repl: Repl, paths: Sequence[str], lines: Sequence[str]) -> dict[str, FileThere | None]:
    try:
        return {path: _parsed(line) for path, line in zip(paths, lines[: len(paths)], strict=True)}
    except ValueError as error:
        raise RemoteError("the board's list of files is garbled", node=repl.name, next_step="Try again.") from error


def _numbers(repl: Repl, line: str) -> list[int]:
    try:
        return [int(word) for word in line.split()]
    except ValueError as error:
        raise RemoteError("the board's free space is garbled", node=repl.name, next_step="Try again.") from error


def _parsed(line: str) -> FileThere | None:
    if not line.strip():
        return None
    size, digest = line.split()
    return FileThere(int(size), bytes.fromhex(digest))


@dataclass(frozen=True)
class Batch:
    """What the board unpacks at once: `data` as it travels, `content_bytes` of files in it."""

    data: bytes
    content_bytes: int


def batches(files: Sequence[FileToCopy], bits: int) -> Iterator[Batch]:
    """Cut the files into batches of at most receiver.BATCH_BYTES, compressed unless `bits` is 0."""
    number = at = 0
    while number < len(files):
        limit = RAW_BATCH_BYTES if bits else receiver.BATCH_BYTES
        while True:
            raw, next_number, next_at, content = _pieces(files, number, at, limit)
            data = _deflated(raw, bits) if bits else raw
            if len(data) <= receiver.BATCH_BYTES:
                break
            limit //= 2
        yield Batch(data, content)
        number, at = next_number, next_at


def _pieces(files: Sequence[FileToCopy], number: int, at: int, limit: int) -> tuple[bytes, int, int, int]:
    """Pieces of at most `limit` bytes from byte `at` of file `number` on: (raw, next number, next at, content)."""
    raw = bytearray()
    content = 0
    while number < len(files):
        file = files[number]
        path = file.path.encode() if at == 0 else b""
        room = limit - len(raw) - 4 - len(path) - 32
        if room < 1 and raw:
            break
        part = file.data[at : at + max(1, room)]
        at += len(part)
        content += len(part)
        last = at == len(file.data)
        raw += bytes([len(path)]) + len(part).to_bytes(2, "little") + bytes([last]) + path + part
        if not last:
            break
        raw += file.sha256
        number, at = number + 1, 0
    return bytes(raw), number, at, content


def _folders(files: Sequence[FileToCopy]) -> list[str]:
    """Every folder that the files stand in, parents first."""
    found: dict[str, None] = {}
    for file in files:
        parts = file.path.split("/")[1:-1]
        for depth in range(len(parts)):
            found["/" + "/".join(parts[: depth + 1])] = None
    return list(found)


@lru_cache(256)  # boards of one kind get the same batches, and a station brings them to many at once
def _deflated(raw: bytes, bits: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -bits)
    return packer.compress(raw) + packer.flush()


class _Sending:
    """One run of the receiver. Frames in a window, go back to what the board wants when it missed something."""

    def __init__(self, repl: Repl, files: Sequence[FileToCopy], tell: Progress, bits: int) -> None:
        self._repl = repl
        self._files = files
        self._tell = tell
        self._bits = bits
        self._window = WINDOW_FRAMES
        self._number = 0  # of the first frame of the batch, modulo 32
        self._arrived_bytes = 0  # of content, up to the batch
        self._told = 0  # files whose end has been told
        self._silences = 0

    @property
    def has_begun(self) -> bool:
        """Whether a batch is in flash."""
        return self._arrived_bytes > 0

    async def run(self) -> None:
        todo = list(batches(self._files, self._bits))
        room = max(len(batch.data) for batch in todo)
        await self._repl.start(receiver.receive(room, self._bits, _folders(self._files)))
        for batch in todo:
            await self._send(batch, ends_all=batch is todo[-1])
            self._arrived_bytes += batch.content_bytes
            self._report(self._arrived_bytes)
        await self._repl.finish(ANSWER_S)

    async def _send(self, batch: Batch, *, ends_all: bool) -> None:
        size = receiver.FRAME_BYTES
        parts = [batch.data[at : at + size] for at in range(0, len(batch.data), size)]
        base = sent = troubles = 0  # base: how many frames the board has
        while base < len(parts):
            while sent < len(parts) and sent - base < self._window:
                last = sent == len(parts) - 1
                line = receiver.frame(self._number + sent, parts[sent], ends_batch=last, ends_all=last and ends_all)
                await self._repl.stream.send(line)
                sent += 1
            # A board that did not answer a question either gets no second half minute.
            unpacking = sent == len(parts) and not self._silences
            sign = await self._repl.stream.exactly(1, UNPACK_S if unpacking else ANSWER_S)
            advance = await self._advance(sign, base, sent)
            if not advance:
                troubles += 1
                self._window = 1
                advance = await self._ask_again(base, sent, troubles)
                sent = base + advance
            if advance:
                troubles = 0
            base += advance
            self._report(self._arrived_bytes + batch.content_bytes * base // (len(parts) + 1))
        self._number = self._number + len(parts) & 31

    async def _advance(self, sign: bytes | None, base: int, sent: int) -> int:
        """How many more frames the board has, by its answer; 0 for none, no answer, or one that makes no sense."""
        if sign is None:
            return 0
        if sign == b"\x04":
            raise await self._raised()
        if not 64 <= sign[0] < 96:
            return 0
        advance = sign[0] - 64 - self._number - base & 31
        return advance if advance <= sent - base else 0

    async def _ask_again(self, base: int, sent: int, troubles: int) -> int:
        """Something was damaged. An empty line ends a torn one, and the board answers with what it wants."""
        if troubles > TROUBLES:
            raise LinkError(
                "the board does not get what is sent to it",
                node=self._repl.name,
                state="Files that had arrived whole are in place, the others as they were.",
                next_step="Try another cable or port, then run the same command again.",
            )
        await self._repl.stream.quiet(0.1, 1.0)
        await self._repl.stream.send(b"\n")
        heard = b""
        while (sign := await self._repl.stream.exactly(1, 0.3 if heard else ANSWER_S)) is not None:
            if sign == b"\x04":
                raise await self._raised()
            heard = sign
        self._silences = 0 if heard else self._silences + 1
        if self._silences >= SILENCES:
            raise LinkError(
                "the board fell silent",
                node=self._repl.name,
                state="Files that had arrived whole are in place, the others as they were.",
                next_step="Check its power and the cable, then run the same command again.",
            )
        return await self._advance(heard or None, base, sent)

    async def _raised(self) -> FleetError:
        """The receiver ended before its time: say why in a person's words."""
        text = await self._repl.stream.until(b"\x04", ANSWER_S) or b""
        await self._repl.stream.exactly(1, ANSWER_S)
        with contextlib.suppress(LinkError):  # what has happened already is the better error
            await self._repl.settle()  # frames that were still on their way have been typed at the prompt
            await self._repl.exec(receiver.tidy())
        error = BoardException(text.rstrip(b"\x04").decode(errors="replace"), node=self._repl.name)
        state = "Files that had arrived whole are in place, the others as they were."
        if error.errno == 28:
            return StorageError(
                "the flash is full",
                node=error.node,
                state=state,
                next_step="Remove files that the board does not need, then run the same command again.",
            )
        if error.last_line.startswith("ValueError: /"):
            path = error.last_line.removeprefix("ValueError: ")
            return VerificationError(
                f"{path} read back differently from what was sent",
                node=error.node,
                state=state,
                next_step="Run the same command again; if it happens twice, the flash is worn.",
            )
        if error.last_line.startswith("KeyboardInterrupt"):
            return InterruptedWork(
                "the copying was interrupted",
                node=error.node,
                state=state,
                next_step="Run the same command again; it goes on where it stopped.",
            )
        error.state = state
        return error

    def _report(self, arrived_bytes: int) -> None:
        """Tell the progress of the file in which the stream stands, and the end of those before it."""
        before = sum(len(file.data) for file in self._files[: self._told])
        while self._told < len(self._files):
            file = self._files[self._told]
            done = arrived_bytes - before
            if done < len(file.data):
                self._tell(file.path, max(0, done), len(file.data))
                return
            self._tell(file.path, len(file.data), len(file.data))
            before += len(file.data)
            self._told += 1
