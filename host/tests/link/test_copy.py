"""Files arrive whole or not at all, over bad lines, pulled cables and cut power; what is there is not sent again."""

import asyncio
import random

import pytest
from lines import NoisyLine, WithoutModule

from hedgerow.errors import InterruptedWork, LinkError, LocalError, StorageError, VerificationError
from hedgerow.repl import Repl, receiver
from hedgerow.repl import copy as copying
from hedgerow.repl.copy import FileThere, FileToCopy, batches, compare, copy_files, digests, missing_bytes
from hedgerow.transports.ports import connect
from hedgerow.virtual.pump import Pace

RECEIVING = receiver.receive(0, 0, []).split("(")[0] + "("


def made(path: str, size: int, seed: int = 1) -> FileToCopy:
    """A file of which half compresses well and half not at all, with every byte value in it."""
    source = random.Random(f"{path} {seed}")
    noise = source.randbytes(size // 2)
    return FileToCopy(path, noise + (b"sensor.read()  # \x00\x03\n\x10\r\x04" * size)[: size - len(noise)])


def tree() -> list[FileToCopy]:
    return [
        made("/main.py", 700),
        FileToCopy("/empty.txt", b""),
        made("/a/hedgewire/frame.mpy", 5500),
        made("/a/hedgenode/rules/deep/down.mpy", 12_000),
        FileToCopy("/one.bin", b"\x03"),
        made("/library/big.bin", 60_000),
    ]


async def files_on(repl: Repl) -> set[str]:
    code = """
import os
def walk(d):
    for e in os.ilistdir(d):
        p = d + '/' + e[0]
        if e[1] & 0x4000: walk(p)
        else: print(p)
walk('')
"""
    return set((await repl.exec(code)).decode().split())


async def all_there(repl: Repl, files: list[FileToCopy]) -> bool:
    return await compare(repl, files) == []


def test_a_tree_arrives_and_reads_back_the_same(board, run):
    async def work():
        async with board() as one:
            transport = await connect(one.port)
            async with Repl(transport) as repl:
                sent = await copy_files(repl, tree())
                assert sent == [file.path for file in tree()]
                there = await digests(repl, [*sent, "/missing"])
                assert there.pop("/missing") is None
                assert there == {file.path: FileThere(len(file.data), file.sha256) for file in tree()}
                assert await files_on(repl) == set(sent)
            await transport.close()

    run(work())


def test_what_is_there_is_not_sent_again_and_what_differs_is(board, run):
    async def work():
        async with board() as one:
            transport = await connect(one.port)
            async with Repl(transport) as repl:
                await copy_files(repl, tree())
                before = one.counters.to_board
                assert await copy_files(repl, tree()) == []
                assert one.counters.to_board - before < 2000
                changed = [made(file.path, 900, seed=2) if file.path == "/main.py" else file for file in tree()]
                assert await compare(repl, changed) == [changed[0]]
                assert await copy_files(repl, changed) == ["/main.py"]
                assert await all_there(repl, changed)
            await transport.close()

    run(work())


def test_progress_names_every_file_grows_and_ends_at_its_size(board, run):
    told: dict[str, list[int]] = {}

    def note(path, done, total):
        assert total == sizes[path]
        told.setdefault(path, []).append(done)

    sizes = {file.path: len(file.data) for file in tree()}

    async def work():
        async with board() as one:
            transport = await connect(one.port)
            async with Repl(transport) as repl:
                await copy_files(repl, tree()[:1])
                await copy_files(repl, tree(), note)
            await transport.close()

    run(work())
    assert set(told) == set(sizes)
    for path, steps in told.items():
        assert steps == sorted(steps)
        assert steps[-1] == sizes[path]
        assert steps.count(sizes[path]) == 1
    assert len(told["/library/big.bin"]) > 10


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_noisy_line_delivers_everything(board, run, seed):
    async def work():
        async with board() as one:
            line = NoisyLine(await connect(one.port), every_bytes=1200, seed=seed)
            async with Repl(line) as repl:
                await copy_files(repl, tree()[:1])  # noise begins when the receiver is there
                files = tree()[2:4]
                line.noisy = False
                repl_start = repl.start

                async def start_then_noise(code):
                    await repl_start(code)
                    line.noisy = RECEIVING in code

                repl.start = start_then_noise
                await copy_files(repl, files)
                line.noisy = False
                assert line.spoiled >= 4
                assert await all_there(repl, files)
            await line.close()

    run(work())


def test_a_line_that_lets_nothing_through_is_given_up(board, run, monkeypatch):
    monkeypatch.setattr(copying, "ANSWER_S", 0.3)
    monkeypatch.setattr(copying, "UNPACK_S", 0.3)

    async def work():
        async with board() as one:
            line = NoisyLine(await connect(one.port), every_bytes=2, seed=1)
            repl = Repl(line)
            await repl.enter()
            repl_start = repl.start

            async def start_then_noise(code):
                await repl_start(code)
                line.noisy = RECEIVING in code

            repl.start = start_then_noise
            with pytest.raises(LinkError, match="does not get what is sent"):
                await copy_files(repl, tree()[2:3])
            line.noisy = False
            await repl.enter()
            assert await files_on(repl) == set()
            await line.close()

    run(work())


def test_after_a_pulled_cable_the_same_call_sends_only_what_is_missing(board, run):
    files = [made(f"/a/part{number}.mpy", 9000) for number in range(6)]

    async def work():
        async with board(pace=Pace(460800)) as one:

            def pull(path, done, total):
                if path == "/a/part3.mpy" and done < total:
                    one.pull_cable()

            transport = await connect(one.port)
            repl = Repl(transport)
            await repl.enter()
            with pytest.raises(LinkError, match="cable was pulled"):
                await copy_files(repl, files, pull)
            await transport.close()

            one.plug()
            transport = await connect(one.port)
            async with Repl(transport) as repl:
                arrived = await files_on(repl) - {receiver.TEMPORARY_PATH}
                assert arrived <= {file.path for file in files}
                assert await all_there(repl, [file for file in files if file.path in arrived])  # nothing half
                sent = await copy_files(repl, files)
                assert {"/a/part0.mpy", "/a/part1.mpy"} <= arrived
                assert set(sent) == {file.path for file in files} - arrived
                assert await all_there(repl, files)
                assert await files_on(repl) == {file.path for file in files}
            await transport.close()

    run(work())


def test_a_power_cut_in_the_middle_leaves_the_old_file_or_the_new_one(board, run):
    old, new = made("/a/app.mpy", 9000, seed=1), made("/a/app.mpy", 9000, seed=2)

    async def work():
        async with board() as one:
            for writes in (1, 2, 4, 6):
                transport = await connect(one.port)
                repl = Repl(transport)
                await repl.enter()
                await copy_files(repl, [old])
                one.cut_after_writes(writes)
                cut = asyncio.create_task(one.wait_off(10))
                copied = asyncio.create_task(copy_files(repl, [new]))
                await cut
                copied.cancel()
                await asyncio.gather(copied, return_exceptions=True)
                await transport.close()
                await one.power_on()

                transport = await connect(one.port)
                async with Repl(transport) as repl:
                    await copy_files(repl, [])
                    assert await files_on(repl) == {"/a/app.mpy"}  # what was half written is gone
                    there = (await digests(repl, ["/a/app.mpy"]))["/a/app.mpy"]
                    assert there is not None
                    assert there.sha256 in (old.sha256, new.sha256)
                    await copy_files(repl, [new])
                    assert await files_on(repl) == {"/a/app.mpy"}
                    assert await all_there(repl, [new])
                await transport.close()

    run(work())


def test_ctrl_c_stops_the_receiver_and_leaves_nothing_behind(board, run):
    async def work():
        async with board(pace=Pace(460800)) as one:
            transport = await connect(one.port)
            async with Repl(transport) as repl:

                def stop(path, done, total):
                    if total > done > 20_000:
                        asyncio.get_running_loop().create_task(transport.send(b"\x03"))

                with pytest.raises(InterruptedWork, match="Run the same command again"):
                    await copy_files(repl, [made("/big.bin", 60_000)], stop)
                assert await files_on(repl) == set()
            await transport.close()

    run(work())


def test_a_flash_that_is_too_small_is_refused_before_a_byte_is_written(board, run):
    async def work():
        async with board() as one:
            transport = await connect(one.port)
            async with Repl(transport) as repl:
                files = [FileToCopy(f"/{number}.bin", bytes(500_000)) for number in range(3)]
                with pytest.raises(StorageError, match=r"not enough room for 3 files.*Nothing was written"):
                    await copy_files(repl, files)
                assert await files_on(repl) == set()
            await transport.close()

    run(work())


def test_a_flash_that_fills_up_all_the_same_is_told_and_tidied(board, run, monkeypatch):
    monkeypatch.setattr(copying, "missing_bytes", lambda *args, **named: 0)

    async def work():
        async with board() as one:
            transport = await connect(one.port)
            async with Repl(transport) as repl:
                small, big = made("/small.bin", 3000), FileToCopy("/big.bin", bytes(1_600_000))
                with pytest.raises(StorageError, match="the flash is full"):
                    await copy_files(repl, [small, big])
                assert await files_on(repl) == {"/small.bin"}
                assert await all_there(repl, [small])
            await transport.close()

    run(work())


def test_flash_that_reads_back_differently_keeps_the_old_file(board, run):
    """A board whose hash of the temporary file is another one stands for worn flash."""
    old, new = FileToCopy("/a.py", b"old = 1\n"), FileToCopy("/a.py", b"new = 2\n")

    async def work():
        async with board() as one:
            transport = await connect(one.port)
            async with Repl(transport) as repl:
                await copy_files(repl, [old])
                repl_start = repl.start

                async def start_worn(code):
                    worn = "good=h_\ndef h_(p):return good(p)[0],'00'*32\n"
                    await repl_start(worn + code if RECEIVING in code else code)

                repl.start = start_worn
                with pytest.raises(VerificationError, match=r"/a.py read back differently"):
                    await copy_files(repl, [new])
                repl.start = repl_start
                assert await all_there(repl, [old])
                assert await files_on(repl) == {"/a.py"}
            await transport.close()

    run(work())


def test_a_board_without_deflate_is_served_uncompressed(board, run):
    async def work():
        async with board() as one:
            transport = WithoutModule(await connect(one.port), b"deflate")
            async with Repl(transport) as repl:
                sent = await copy_files(repl, tree())
                assert len(sent) == len(tree())
                assert await all_there(repl, tree())
            await transport.close()

    run(work())


# rules without a board


def test_a_frame_never_contains_ctrl_c_nor_a_line_end_inside():
    every = bytes(range(256)) * 2
    for number in range(32):
        line = receiver.frame(number, every, ends_batch=number % 2 == 0, ends_all=number % 3 == 0)
        assert b"\x03" not in line
        assert line.count(b"\n") == 1
        assert line.endswith(b"\n")


@pytest.mark.parametrize("bits", [0, 10, 13])
def test_no_batch_is_larger_than_what_the_board_keeps_for_it(bits):
    files = [*tree(), FileToCopy("/noise.bin", random.Random(3).randbytes(40_000))]
    made_batches = list(batches(files, bits))
    assert max(len(batch.data) for batch in made_batches) <= receiver.BATCH_BYTES
    assert sum(batch.content_bytes for batch in made_batches) == sum(len(file.data) for file in files)


def test_a_replaced_file_needs_room_beside_the_old_one_and_then_gives_it_back():
    files = [FileToCopy("/a", bytes(40_000)), FileToCopy("/b", bytes(40_000))]
    there = {"/a": FileThere(40_000, b""), "/b": FileThere(40_000, b"")}
    enough = 10 + copying.RESERVE_BLOCKS
    assert missing_bytes(files, there, block_bytes=4096, free_blocks=enough) == 0
    assert missing_bytes(files, there, block_bytes=4096, free_blocks=enough - 1) == 4096
    assert missing_bytes(files, {"/a": None, "/b": None}, block_bytes=4096, free_blocks=enough) == 10 * 4096


@pytest.mark.parametrize("path", ["main.py", "/", "/" + "x" * 255])
def test_a_path_that_no_board_can_have_is_our_own_mistake(path):
    with pytest.raises(LocalError):
        FileToCopy(path, b"")
