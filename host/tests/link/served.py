"""Serves fake nodes on sockets, so that commands reach them by `socket://` URLs as they reach a remote port."""

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from fake_node import FakeNode


@contextmanager
def served(*nodes: FakeNode) -> Iterator[list[str]]:
    """A URL for each node. They live in a thread with an event loop of its own."""
    ready = threading.Event()
    urls: list[str] = []
    loops: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def live() -> None:
        stop = asyncio.Event()
        loops.append((asyncio.get_running_loop(), stop))
        async with contextlib.AsyncExitStack() as stack:
            for node in nodes:
                server = await stack.enter_async_context(await asyncio.start_server(_serving(node), "127.0.0.1", 0))
                urls.append(f"socket://127.0.0.1:{server.sockets[0].getsockname()[1]}")
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: asyncio.run(live()))
    thread.start()
    assert ready.wait(5)
    try:
        yield urls
    finally:
        loop, stop = loops[0]
        loop.call_soon_threadsafe(stop.set)
        thread.join(5)


def _serving(node: FakeNode):
    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def out() -> None:
            while True:
                writer.write(await node.receive())

        task = asyncio.create_task(out())
        with contextlib.suppress(ConnectionError, asyncio.CancelledError):
            while data := await reader.read(4096):
                await node.send(data)
        task.cancel()
        writer.close()

    return connected
