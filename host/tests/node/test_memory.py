"""What a node has left of a small board's memory when it has everything a node can have: keys, a group, full stores."""

import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))

from full_stores import full_stores

from hedgerow.fleet import boards
from hedgerow.repl.copy import copy_files
from hedgerow.virtual.board import HEAP_SCALE
from hedgewire import message

GROUP = bytes.fromhex("6a12b00c5d0e4f71")
MEMBER = {"id": GROUP, "name": "bakers", "epoch": 256, "secret": bytes(range(32))}
EMPTY = """
import os
for folder in ("/store/bundles", "/store/samples"):
    for name in os.listdir(folder):
        os.remove(folder + "/" + name)
"""


async def fill(nodes, node, path):
    """Give it as many messages and samples as it keeps: written here, for the node itself would need half an hour."""
    files, bundles, _ = full_stores(path, node.board.filesystem_bytes)
    async with nodes.prompt(node) as repl:
        await repl.exec(EMPTY)
        await copy_files(repl, files)
    shutil.rmtree(path)
    await node.kill()
    await node.power_on()
    await nodes.hello(node)
    return bundles


def test_x(nodes, tmp_path):
    import asyncio
    async def story():
      for name in ("pico","small"):
        node = await nodes.node(name)
        print(name, 'plain', (await nodes.ask(node, "status"))["heap_free"]/2)
        await nodes.ask(node, "group_put", MEMBER)
        await nodes.ask(node, "post", {"group": GROUP, "text": "the oven is on from six"})
        await node.kill(); await node.power_on(); await nodes.hello(node)
        print(name, 'member', (await nodes.ask(node, "status"))["heap_free"]/2)
        await fill(nodes, node, tmp_path / "stores")
        print(name, 'full', (await nodes.ask(node, "status"))["heap_free"]/2)
        await asyncio.sleep(5)
        print(name, 'full later', (await nodes.ask(node, "status"))["heap_free"]/2)
    nodes.run(story())
