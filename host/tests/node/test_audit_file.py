"""`hedgerow audit --junit`: what a build server gets about a node that was changed behind its fleet's back."""

import asyncio

from hedgerow.cli import main
from hedgerow.report import rig


def test_a_changed_file_fails_the_test_of_its_node(nodes, provisioned, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(provisioned.path)

    async def story():
        small = await nodes.node("small")  # the one whose firmware is as it is shipped
        words = ["audit", "small", "-p", str(small.port), "--junit"]
        assert await asyncio.to_thread(main.main, [*words, str(tmp_path / "before.xml")]) == 0, capsys.readouterr()
        await nodes.put(small, "/a/boards_note.mpy", b"changed")
        assert await asyncio.to_thread(main.main, [*words, str(tmp_path / "after.xml")]) == 1
        found = rig.difference(rig.read(tmp_path / "before.xml"), rig.read(tmp_path / "after.xml"))
        assert found.newly_failing == ["hedgerow.audit.small"]
        assert "/a/boards_note.mpy" in (tmp_path / "after.xml").read_text()

    nodes.run(story())
