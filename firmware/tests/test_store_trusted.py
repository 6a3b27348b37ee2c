"""Roles of keys in little RAM: the same as the documents say, also after a power cut between table and document."""

import council
from council import FIRST, FLEET, digest_of, id_of, public_of, second, signed
from cut_files import CutFiles, PowerCutError

from hedgenode.crypto.steps import finish
from hedgenode.rules import trust as rules
from hedgenode.store.ram import RamFiles
from hedgenode.store.trusted import Trusted

LAP = council.certificate()
TABLE = "/trust/roles"


def opened(files, fleet=FLEET):
    return Trusted(files, "/trust", fleet, public_of("node"))


def put(node, body, *names):
    return finish(node.put_steps(signed(body, *names)))


def trusting(files=None):
    node = opened(files or RamFiles())
    assert put(node, FIRST, "ana", "ben") == ("charter", None)
    assert put(node, LAP, "ana", "ben") == ("laptop", None)
    return node


def roles(node):
    return [node.role(public_of(name)) for name in ("ana", "lap", "eve")]


def test_a_node_without_documents_knows_nobody():
    node = opened(RamFiles())
    assert (node.version, roles(node), node.documents()) == (0, [0, 0, 0], [])
    assert node.key_with_id(id_of("ana")) is None


def test_roles_and_keys_are_those_of_the_documents_before_and_after_a_restart():
    node = trusting()
    for one in (node, opened(node._files)):
        assert (one.version, roles(one)) == (1, [rules.STEWARD, rules.LAPTOP, rules.STRANGER])
        assert one.key_with_id(id_of("lap")) == public_of("lap")
        assert one.key_with_id(id_of("eve")) is None
        assert one.key_with_id(b"") is None
        assert one.get(digest_of(LAP)) == signed(LAP, "ana", "ben")
        assert len(one.documents()) == 2


def test_what_is_known_already_is_nothing_new_and_what_is_refused_says_why():
    node = trusting()
    assert put(node, LAP, "ana", "ben") == (None, None)
    new, refusal = put(node, second(), "ana")
    assert new is None
    assert "lacks 1 of 2" in refusal


def test_a_restart_reads_the_table_and_opens_no_document():
    node = trusting()
    only_table = RamFiles()
    only_table.contents[TABLE] = node._files.contents[TABLE]
    left = opened(only_table)
    assert roles(left) == [rules.STEWARD, rules.LAPTOP, rules.STRANGER]
    assert left.documents() == [[digest_of(FIRST), "charter"], [digest_of(LAP), "laptop"]]
    assert left.get(digest_of(LAP)) is None


def test_a_table_that_is_not_there_damaged_or_of_another_fleet_is_made_again():
    node = trusting()
    good = bytes(node._files.contents[TABLE])
    for bad in (None, b"", b"\xff", good[:-1]):
        if bad is None:
            node._files.remove(TABLE)
        else:
            node._files.contents[TABLE] = bytearray(bad)
        assert roles(opened(node._files)) == [rules.STEWARD, rules.LAPTOP, rules.STRANGER]
        assert bytes(node._files.contents[TABLE]) == good
    assert roles(opened(node._files, b"another.")) == [0, 0, 0]


def test_after_a_power_cut_the_table_never_says_more_than_the_documents():
    before = trusting()._files.contents
    cuts = 0
    for at in range(1, 30):
        contents = {name: bytearray(data) for name, data in before.items()}
        try:
            put(opened(CutFiles(contents, at)), council.revocation("lap"), "ana", "ben")
            break
        except PowerCutError:
            cuts += 1
        left = opened(CutFiles(contents, 10**6))
        revoked = any(kind == "revocation" for _, kind in left.documents())
        assert (left.role(public_of("lap")) == rules.STRANGER) == revoked, at
    assert cuts > 4


def test_one_document_at_a_time():
    node = trusting()
    steps = node.put_steps(signed(second(), "ana", "ben"))
    next(steps)
    assert node.busy
    steps.close()
    assert not node.busy
