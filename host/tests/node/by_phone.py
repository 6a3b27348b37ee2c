"""Knows how tests of phones get a node whose button was pressed; knows no test."""

import asyncio
import time

PRESS_S = 0.5
OPEN_WITHIN_S = 9.0


async def opened(nodes, name="oak", world=None, **settings):
    """A node whose button was pressed, once its Wi-Fi is there."""
    board = await nodes.node(name, world=world)
    await nodes.configure(board, phone=True, **settings)
    await until_listening(nodes, board)
    return board


async def press(board) -> None:
    board.nearby.press(True)
    await asyncio.sleep(PRESS_S)
    board.nearby.press(False)
    await asyncio.sleep(0.2)


async def until_listening(nodes, board) -> None:
    """Press the button again and again, as people do when nothing happens: a node that signs does not look."""
    end = time.monotonic() + OPEN_WITHIN_S
    while board.nearby.access_point is None or not await listens(board):
        if time.monotonic() > end:
            raise AssertionError(f"it does not open: {board.resets} {await nodes.ask(board, 'log')}")
        await press(board)


async def listens(board) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", board.nearby.web_port)
    except OSError:
        return False
    writer.close()
    return True


async def public_texts(nodes, board) -> list[str]:
    return [row[5] for row in await nodes.ask(board, "inbox")]
