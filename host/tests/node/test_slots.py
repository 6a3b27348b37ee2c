"""Two slots on a running node: a release on trial stands once it has run, and one that does not start goes back."""

COPY = """
import os, slots
def copy(old, new):
    os.mkdir(new)
    for name, kind, *_ in os.ilistdir(old):
        if kind == 0x4000:
            copy(old + '/' + name, new + '/' + name)
        else:
            with open(old + '/' + name, 'rb') as source, open(new + '/' + name, 'wb') as target:
                target.write(source.read())
copy('/a', '/b')
"""
BEGIN = """
import slots
slots.save(slots.FLASH, slots.begun(slots.load(), b'\\0\\0\\0\\2newnew!!'))
"""
ASK = "import sys, slots; s = slots.load(); print(sys.path[0], s.stands, s.tries)"
SOON = b"from hedgenode import app\napp.CONFIRM_AFTER_MS = 300\napp.main()\n"


async def said(nodes, board):
    async with nodes.prompt(board) as repl:
        return (await repl.exec(ASK)).decode().split()


def test_a_release_that_runs_stands_from_then_on(nodes):
    async def story():
        node = await nodes.node()
        assert await said(nodes, node) == ["/a", "0", "None"]
        async with nodes.prompt(node) as repl:
            await repl.exec(COPY + BEGIN)
            await repl.exec(f"f = open('/main.py', 'wb'); f.write({SOON!r}); f.close()")
        await nodes.reset(node, b"the new release stands")
        assert (await nodes.hello(node))["name"] == "oak"
        assert await said(nodes, node) == ["/b", "1", "None"]

    nodes.run(story())


def test_a_release_that_does_not_start_goes_back_by_itself(nodes):
    async def story():
        node = await nodes.node()
        async with nodes.prompt(node) as repl:
            await repl.exec(COPY + "import os; os.remove('/b/hedgenode/app.mpy')" + BEGIN)
        assert b"goes back to the one before" in await nodes.reset(node, b"is up")
        assert (await nodes.hello(node))["name"] == "oak"
        # One that starts and is not confirmed is tried a few times; then the old one boots, counted on the flash.
        async with nodes.prompt(node) as repl:
            await repl.exec("import os; os.remove('/b/hedgewire/cbor.mpy')" + BEGIN)
            await repl.exec("f = open('/main.py', 'wb'); f.write(b'print(\"nothing\")'); f.close()")
        for tries in ("2", "1", "0"):
            await nodes.reset(node, b"nothing")
            assert await said(nodes, node) == ["/b", "0", tries]
        await nodes.reset(node, b"nothing")
        assert await said(nodes, node) == ["/a", "0", "None"]

    nodes.run(story())
