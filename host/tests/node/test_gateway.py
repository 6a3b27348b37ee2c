"""Two fleets' ends, two laptops, a network between them: what is posted at one node is read at the other."""

import asyncio
import signal
import sys

from hedgerow.cli import main


def test_a_message_goes_from_node_to_node_through_two_gateways(nodes, provisioned, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(provisioned.path)

    async def story():
        oak, elm = await nodes.node("oak"), await nodes.node("elm")
        to = (await nodes.hello(elm))["short"]
        await nodes.ask(oak, "post", {"to": to, "text": "over the hills"})
        listening = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "hedgerow", "gateway", "--listen", "mtcp://127.0.0.1:0", "--every", "0.3"),
            *("-p", str(elm.port), "--folder", str(tmp_path / "there")),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        assert listening.stderr is not None
        assert listening.stdout is not None
        try:
            said = (await listening.stderr.readline()).decode()
            assert said.startswith("Listening at mtcp://127.0.0.1:")
            address = said.split()[-1].rstrip(".")
            words = ["gateway", "--peer", address, "--once", "-p", str(oak.port), "--folder", str(tmp_path / "here")]
            assert await asyncio.to_thread(main.main, words) == 0
            assert "sent 1, received 0" in capsys.readouterr().out
            while b"1 of them for it" not in await listening.stderr.readline():
                assert listening.returncode is None
            listening.send_signal(signal.SIGINT)
            assert b"received 1, kept 1" in await listening.stdout.read()
        finally:
            if listening.returncode is None:
                listening.kill()
            await listening.wait()
        assert [row[5] for row in await nodes.ask(elm, "inbox")] == ["over the hills"]

    nodes.run(story())
