"""Files over the cable: nothing is written half, nothing is written where it must not be."""

import hashlib
import os

from harness import remove_folder, scratch_folder
from like_micropython import run

from hedgenode.tasks import admin_files
from hedgenode.tasks.admin import Params, Refusal
from hedgewire import admin

FORBIDDEN = (
    "",
    "a/x",
    "/",
    "//identity.cbor",
    "/./identity.cbor",
    "/a/../identity.cbor",
    "/a/..",
    "/..",
    "/a//x",
    "/a/",
    "/identity.cbor",
    "/IDENTITY.CBOR",
    "/identity.cbor.tmp",
    "/config.cbor",
    "/config.cbor.tmp",
    "/store",
    "/store/bundles/00000001.seg",
    "/Store/x",
    "/incoming.tmp",
    "/a/x\x00y",
    "/" + "x" * 96,
)


class _Node:
    free_bytes = 1000000

    def __init__(self):
        self.hardware = self

    def flash_bytes(self):
        return self.free_bytes, 2000000


class _Bench:
    def __init__(self):
        self.folder = scratch_folder()
        admin_files.TEMPORARY = self.folder + "/incoming.tmp"
        self.node = _Node()
        self.files = admin_files.FileMethods(self.node)

    def ask(self, method, **params):
        """The result, or the code of the refusal."""
        try:
            return run(self.files.methods[method](Params(params), None))
        except Refusal as no:
            return no.code

    def begin(self, name, data, sha256=None):
        return self.ask(
            "put_begin", path=self.folder + name, size=len(data), sha256=sha256 or hashlib.sha256(data).digest()
        )

    def content(self, name):
        try:
            with open(self.folder + name, "rb") as file:
                return file.read()
        except OSError:
            return None


def _on_bench(story):
    bench = _Bench()
    try:
        story(bench)
    finally:
        remove_folder(bench.folder)


def test_a_file_arrives_whole_in_folders_that_are_made_for_it():
    def story(bench):
        data = bytes(range(256)) * 8
        assert bench.begin("/a/b/file", data) == {"have": 0}
        for at in range(0, len(data), 512):
            assert bench.ask("put_data", offset=at, data=data[at : at + 512]) == {"next": at + 512}
        assert bench.content("/a/b/file") is None
        assert bench.ask("put_end") == {"sha256": hashlib.sha256(data).digest()}
        assert bench.content("/a/b/file") == data
        assert bench.content("/incoming.tmp") is None

    _on_bench(story)


def test_repeated_misplaced_and_overlong_pieces_change_nothing():
    def story(bench):
        bench.begin("/file", b"abcdef")
        assert bench.ask("put_data", offset=0, data=b"abc") == {"next": 3}
        assert bench.ask("put_data", offset=0, data=b"abc") == {"next": 3}
        assert bench.ask("put_data", offset=5, data=b"f") == {"next": 3}
        assert bench.ask("put_data", offset=3, data=b"defg") == {"next": 3}
        assert bench.ask("put_data", offset=3, data=b"def") == {"next": 6}
        bench.ask("put_end")
        assert bench.content("/file") == b"abcdef"

    _on_bench(story)


def test_a_broken_attempt_is_resumed_and_another_file_begins_anew():
    def story(bench):
        bench.begin("/file", b"abcdef")
        bench.ask("put_data", offset=0, data=b"abc")
        assert bench.begin("/file", b"abcdef") == {"have": 3}
        assert bench.begin("/other", b"abcdef") == {"have": 0}
        assert bench.begin("/file", b"abcdef") == {"have": 0}

    _on_bench(story)


def with_old(bench, old):
    """An old file under /base, and the announcement of a new one: what the node says of the old one."""
    bench.begin("/base", old)
    bench.ask("put_data", offset=0, data=old)
    bench.ask("put_end")

    def begin(new):
        sha256 = hashlib.sha256(new).digest()
        return bench.ask(
            "put_begin", path=bench.folder + "/new", size=len(new), sha256=sha256, base=bench.folder + "/base"
        )

    return begin


def test_a_file_is_made_of_pieces_of_another_one_and_of_what_comes():
    def story(bench):
        old = bytes(range(256)) * 3 + b"end"
        begin = with_old(bench, old)
        new = old[:256] + b"new" + old[300:]
        said = begin(new)
        assert (said["have"], said["size"]) == (0, len(old))
        blocks = [old[at : at + 256] for at in range(0, len(old), 256)]
        assert said["sums"] == b"".join([hashlib.sha256(block).digest()[:4] for block in blocks])
        assert bench.ask("put_pieces", offset=0, pieces=[[0, 256], b"new"]) == {"next": 259}
        assert bench.ask("put_pieces", offset=0, pieces=[b"twice"]) == {"next": 259}
        assert begin(new)["have"] == 259
        assert bench.ask("put_pieces", offset=259, pieces=[[300, len(old) - 300]]) == {"next": len(new)}
        bench.ask("put_end")
        assert bench.content("/new") == new
        assert bench.content("/base") == old

    _on_bench(story)


def test_pieces_that_are_none_or_lead_elsewhere_change_nothing():
    def story(bench):
        begin = with_old(bench, b"old")
        begin(b"abcdef")
        for wrong in ([7], ["x"], [[0, 4]], [[-1, 1]], [[0, 0]], [[3, 1]], [[0]], [[0, "1"]], [b"abcdefg"], "x"):
            assert bench.ask("put_pieces", offset=0, pieces=wrong) == admin.BAD_PARAMS, wrong
        assert bench.ask("put_pieces", offset=0, pieces=[b"ab"]) == {"next": 2}
        for path in FORBIDDEN:
            good = {"path": "/a/x", "size": 1, "sha256": b"x" * 32}
            assert bench.ask("put_begin", base=path, **good) == admin.REFUSED, path

    _on_bench(story)


def test_a_base_that_is_not_there_has_nothing():
    def story(bench):
        begin = with_old(bench, b"")
        os.remove(bench.folder + "/base")
        assert begin(b"new") == {"have": 0, "size": 0, "sums": b""}

    _on_bench(story)


def test_a_damaged_file_replaces_nothing():
    def story(bench):
        bench.begin("/file", b"old")
        bench.ask("put_data", offset=0, data=b"old")
        bench.ask("put_end")
        bench.begin("/file", b"new", hashlib.sha256(b"New").digest())
        bench.ask("put_data", offset=0, data=b"new")
        assert bench.ask("put_end") == admin.REFUSED
        assert bench.content("/file") == b"old"
        assert bench.content("/incoming.tmp") is None

    _on_bench(story)


def test_the_end_may_be_asked_twice():
    def story(bench):
        bench.begin("/file", b"")
        first = bench.ask("put_end")
        assert first == bench.ask("put_end") == {"sha256": hashlib.sha256(b"").digest()}
        assert bench.content("/file") == b""

    _on_bench(story)


def test_data_and_end_without_a_beginning_are_refused():
    def story(bench):
        assert bench.ask("put_data", offset=0, data=b"x") == admin.REFUSED
        assert bench.ask("put_end") == admin.REFUSED

    _on_bench(story)


def test_no_path_leads_to_what_is_the_nodes_own():
    def story(bench):
        for path in FORBIDDEN:
            assert bench.ask("put_begin", path=path, size=1, sha256=b"x" * 32) == admin.REFUSED, path
            assert bench.ask("remove", path=path) == admin.REFUSED, path

    _on_bench(story)


def test_wrong_kinds_of_parameters_are_refused():
    def story(bench):
        good = {"path": "/a/x", "size": 1, "sha256": b"x" * 32}
        for key, value in (("path", 5), ("size", "1"), ("size", -1), ("sha256", b"x"), ("sha256", "x" * 32)):
            params = dict(good)
            params[key] = value
            assert bench.ask("put_begin", **params) == admin.BAD_PARAMS, (key, value)
        bench.begin("/file", b"abc")
        assert bench.ask("put_data", offset=0, data="abc") == admin.BAD_PARAMS
        assert bench.ask("put_data", data=b"abc") == admin.BAD_PARAMS
        for files in (None, "x", [1], [["/a"]], [[1, b""]]):
            assert bench.ask("compare", files=files) == admin.BAD_PARAMS, files

    _on_bench(story)


def test_a_file_that_leaves_no_room_is_refused_before_it_comes():
    def story(bench):
        bench.node.free_bytes = 20000
        assert bench.begin("/file", b"x" * 5000) == admin.STORAGE_FULL
        assert bench.begin("/file", b"x" * 2000) == {"have": 0}

    _on_bench(story)


def test_what_is_not_there_cannot_be_removed():
    def story(bench):
        assert bench.ask("remove", path=bench.folder + "/nothing") == admin.NOT_FOUND
        bench.begin("/file", b"")
        bench.ask("put_end")
        assert bench.ask("remove", path=bench.folder + "/file") == {}
        assert os.listdir(bench.folder) == []

    _on_bench(story)
