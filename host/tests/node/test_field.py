"""What a person does beside a pole, on boards that are nodes: find the node, see how it is, and leave it."""

import asyncio
import json
import sys

COMMAND_WITHIN_S = 25.0


async def cli(nodes, *words):
    """(exit code, stdout, stderr) of a command, as a person runs it."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "hedgerow", *words, "--fleet", str(nodes.fleet_path),
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        out, err = await asyncio.wait_for(process.communicate(), COMMAND_WITHIN_S)
    except TimeoutError:
        process.kill()
        raise
    return process.returncode, out.decode(), err.decode()


def test_a_node_blinks_and_one_without_a_lamp_says_so(nodes):
    async def story():
        pico, oak = await nodes.node("pico"), await nodes.node("oak")
        ports = ["-p", str(pico.port), "-p", str(oak.port)]
        seen = set()

        async def watch():
            while True:
                seen.add(pico.pins.get("25"))
                await asyncio.sleep(0.02)

        watching = asyncio.create_task(watch())
        code, out, err = await cli(nodes, "identify", "--for", "2", *ports)
        await asyncio.sleep(0.5)
        watching.cancel()
        assert code == 4
        assert "pico (RPI_PICO on" in out
        assert "blinks for 2 s" in out
        assert "oak: this board has no lamp" in err
        assert seen >= {0, 1}
        code, out, _ = await cli(nodes, "identify", "pico", "--for", "1", "--json", *ports)
        assert code == 0
        assert [one["node"] for one in json.loads(out)["blinking"]] == ["pico"]

    nodes.run(story())
