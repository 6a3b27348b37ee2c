"""A node moves to another fleet wholly or not at all, whatever is sent to it and whenever its power goes."""

import council
from council import FIRST, FLEET, LEAVING, digest_of, public_of, signed

from hedgenode import config
from hedgenode.crypto import ed25519
from hedgenode.crypto.steps import finish
from hedgenode.rules import moving as rules
from hedgenode.store.counters import read_whole, write_atomic
from hedgenode.store.moving import Moving, finish_steps
from hedgenode.store.ram import RamFiles
from hedgenode.store.trust import TrustStore
from hedgewire import cbor, document, rekey, trust

NEXT, TRUST, CONFIG, LABEL = "/next", "/trust", "/config.cbor", "/label"
THERE = digest_of(LEAVING)[:8]
LAP = council.certificate()
MINE = council.enrolment(short=3, custodian="rosa", of=LAP)
NEW_LAP = council.certificate("lap2", 2, fleet=THERE, first_short=1000)
NEW_MINE = council.enrolment(
    laptop="lap2", short=3, of=NEW_LAP, fleet=THERE, custodian="rosa", replaces=digest_of(MINE)
)
MOVE = council.move(of=MINE)
KEY_FIELDS = {"fleet": THERE, "group": THERE, "name": "brook", "epoch": 256, "ephemeral": bytes(32)}


def key_body(**changes):
    says = dict(KEY_FIELDS)
    says["members"] = bytes(24)
    says.update(changes)
    return document.make(rekey.KIND, says)


SETTINGS = {"v": 1, "short": 3, "id": bytes(8), "fleet": FLEET, "name": "oak", "charter": 1, "hello_ms": 500}
PARTS = (
    (MOVE, ("rosa",)),
    (LEAVING, ("rosa",)),
    (NEW_LAP, ("rosa",)),
    (NEW_MINE, ("lap2",)),
    (key_body(), ("lap2",)),
)


class PowerCut(Exception):
    pass


class Flash(RamFiles):
    """Loses power at the n-th change."""

    def __init__(self, contents=None, at=None):
        RamFiles.__init__(self)
        self.contents = {name: bytearray(data) for name, data in (contents or {}).items()}
        self.left = at

    def _change(self):
        if self.left is not None:
            self.left -= 1
            if self.left == 0:
                raise PowerCut

    def open(self, path, mode):
        if "r" not in mode:
            self._change()
        return RamFiles.open(self, path, mode)

    def sync(self, file):
        self._change()
        RamFiles.sync(self, file)

    def remove(self, path):
        self._change()
        RamFiles.remove(self, path)

    def rename(self, old, new):
        self._change()
        RamFiles.rename(self, old, new)


def settled(mine=MINE, **settings):
    """The flash of a node of the first fleet."""
    files = Flash()
    store = TrustStore(files, TRUST, FLEET, public_of("node"), verify_steps)
    papers = [(FIRST, ("ana", "ben")), (LAP, ("ana", "ben"))] + ([] if mine is None else [(mine, ("lap",))])
    for body, names in papers:
        assert finish(store.put_steps(signed(body, *names))) is None
    write_atomic(files, CONFIG, cbor.encode(dict(SETTINGS, **settings)))
    return files


def opens(seed=b"s" * 16):
    def steps(given):
        yield
        return seed

    return steps


_checked = {}


def verify_steps(public, body, signature):
    """The real one; what was asked before is remembered, for a chip is not slower than patience here."""
    asked = (public, body, signature)
    if asked not in _checked:
        _checked[asked] = yield from ed25519.verify_steps(public, body, signature)
    return _checked[asked]


def moving(files, seed=b"s" * 16, needs_key=True):
    return Moving(files, NEXT, TRUST, FLEET, public_of("node"), opens(seed), needs_key, verify_steps)


def put(files, body, *names, **options):
    """None, or why it was refused; every part meets a node that has restarted."""
    return finish(moving(files, **options).put_steps(signed(body, *names)))


def with_parts(count, files=None):
    files = settled() if files is None else files
    for body, names in PARTS[:count]:
        assert put(files, body, *names) is None, document.understand(body)["kind"]
    return files


def switch(files):
    """What the node does once nothing is lacking."""
    present = cbor.decode(read_whole(files, CONFIG))
    write_atomic(files, CONFIG, cbor.encode(moving(files).config(present)))


class Keys:
    """Stands for where the node keeps its keys: takes and lets go in one step, as the erasing slots do."""

    def __init__(self):
        self.held = [FLEET]

    def take_steps(self, given, digest):
        yield
        self.held = [given.group]


def start(files, keys):
    """A node's start: (its fleet, the fleet whose documents it holds and who has a role there)."""
    settings = cbor.decode(read_whole(files, CONFIG))
    left = finish(finish_steps(files, NEXT, TRUST, settings["fleet"], keys.take_steps))
    store = TrustStore(files, TRUST, settings["fleet"], public_of("node"))
    return settings, store, left


def test_a_household_moves_its_node_and_everything_else_stays():
    files = with_parts(5)
    assert moving(files).lacks() is None
    switch(files)
    keys = Keys()
    settings, store, left = start(files, keys)
    assert left == FLEET
    assert settings == dict(SETTINGS, fleet=THERE, charter=2, custodian=council.id_of("rosa"))
    assert keys.held == [THERE]
    assert [kind for _, kind in store.documents()] == ["charter", "laptop", "enrolment"]
    assert [store.role(public_of(name)) for name in ("rosa", "lap2", "ana", "lap")] == [4, 3, 0, 0]
    assert not [name for name in files.contents if name.startswith(NEXT)]
    assert start(files, keys)[2] is None


def test_what_is_lacking_is_said_and_until_then_the_node_is_what_it_was():
    for count, wanted in enumerate(("a move", "charter", "certificate", "an enrolment", "key")):
        files = with_parts(count)
        assert wanted in moving(files).lacks(), count
        settings, store, left = start(files, Keys())
        assert (settings["fleet"], store.version, left) == (FLEET, 1, None)
        assert store.role(public_of("lap")) == 3
    assert moving(with_parts(4), needs_key=False).lacks() is None


def test_no_majority_moves_a_node_of_a_household_and_no_stranger_makes_it_keep_anything():
    files = settled()
    before = dict(files.contents)
    assert "household" in put(files, MOVE, "ana", "ben", "cy", "lap")
    assert "no move is under way" in put(files, LEAVING, "rosa")
    assert "no move is under way" in put(files, key_body(), "lap2")
    assert files.contents == before


def test_a_signature_that_is_wrong_moves_nothing():
    files = settled()
    good = document.decode(signed(MOVE, "rosa")).signatures[0]
    for wrong in ((good[0], bytes(64)), (good[0], good[1][:63] + bytes([good[1][63] ^ 1]))):
        refusal = finish(moving(files).put_steps(document.encode(MOVE, [wrong])))
        assert "signature is wrong" in refusal
    assert moving(files).move is None


def test_stewards_move_a_node_that_has_no_household():
    mine = council.enrolment(short=3, of=LAP)
    files = settled(mine)
    there = council.move(of=mine)
    assert "lacks 1 of 2" in put(files, there, "ana")
    assert "lacks 2 of 2" in put(files, there, "lap", "node")
    assert put(files, there, "ana", "cy") is None


def test_a_move_of_another_node_fleet_or_time_is_refused():
    files = settled()
    for body, word in (
        (council.move(node="other", of=MINE), "another node"),
        (council.move(of=MINE, fleet=b"other..."), "another fleet"),
        (council.move(of=council.enrolment(serial=2)), "another enrolment"),
        (council.move(), "another enrolment"),
    ):
        assert word in put(files, body, "rosa")
    assert "makes no sense" in put(files, document.make(trust.MOVE, {"node": 1}), "rosa")


def test_only_the_charter_that_the_move_names_signed_by_enough_of_its_own_opens_the_new_fleet():
    files = with_parts(1)
    assert "another charter" in put(files, council.charter(2, ("rosa", "eve"), 1, parent=digest_of(FIRST)), "rosa")
    assert "lacks 1 of 1" in put(files, LEAVING, "ana", "ben", "cy")
    assert put(files, LEAVING, "rosa") is None


def test_an_enrolment_of_another_node_or_one_that_takes_it_from_its_household_is_refused():
    files = with_parts(3)

    def mine(**changes):
        changes.setdefault("custodian", "rosa")
        changes.setdefault("replaces", digest_of(MINE))
        changes.setdefault("short", 3)
        return council.enrolment(laptop="lap2", of=NEW_LAP, fleet=THERE, **changes)

    assert "another node" in put(files, mine(node="other"), "lap2")
    assert "has not agreed" in put(files, mine(custodian=None), "lap2")
    assert "has not agreed" in put(files, mine(custodian="eve"), "lap2", "eve")
    assert "has not signed" in put(files, mine(), "lap")
    assert "outside the block" in put(files, mine(short=4), "lap2")
    assert put(files, mine(short=1003), "lap2") is None


def test_the_key_has_to_be_for_this_node_and_this_fleet_and_from_who_lets_it_in():
    assert "comes first" in put(with_parts(1), key_body(), "rosa").replace("to come first", "comes first")
    files = with_parts(4)
    assert "lacks 1 of 1" in put(files, key_body(), "lap", "eve")
    assert "for others" in put(files, key_body(), "lap2", seed=None)
    assert "another fleet" in put(files, key_body(fleet=FLEET, group=FLEET), "lap2")
    assert "of the fleet" in put(files, key_body(group=b"harvest."), "lap2")
    assert "makes no sense" in put(files, key_body(members=b""), "lap2")
    assert put(files, key_body(), "rosa") is None


def test_who_may_move_a_node_may_think_again_until_it_has_gone():
    files = with_parts(5)
    alone = council.charter(9, ("rosa", "dora"), 1, parent=digest_of(FIRST))
    assert put(files, council.move(of=MINE, to=alone), "rosa") is None
    assert "charter" in moving(files).lacks()
    assert put(files, alone, "dora") is None


def test_a_move_is_forgotten_once_the_node_is_enrolled_anew_where_it_is():
    files = with_parts(5)
    anew = council.enrolment(serial=2, custodian="rosa", of=LAP, replaces=digest_of(MINE))
    store = TrustStore(files, TRUST, FLEET, public_of("node"))
    assert finish(store.put_steps(signed(anew, "lap"))) is None
    assert moving(files).move is None
    assert not [name for name in files.contents if name.startswith(NEXT)]


def test_an_old_move_cannot_send_a_node_back():
    files = with_parts(5)
    switch(files)
    start(files, Keys())
    again = Moving(files, NEXT, TRUST, THERE, public_of("node"), opens())
    assert "another fleet" in finish(again.put_steps(signed(MOVE, "rosa")))


def test_documents_that_concern_a_move_are_told_from_those_of_the_fleet():
    def about(files, body):
        found = document.decode(signed(body))
        return moving(files).is_about(found)

    none, some = settled(), with_parts(1)
    assert about(none, MOVE)
    for body, _ in PARTS[1:]:
        assert not about(none, body)
        assert about(some, body)
    for body in (FIRST, LAP, MINE, council.custodian(), council.revocation("eve"), council.charter(1, ("eve",), 1)):
        assert not about(some, body)


def test_the_node_is_in_one_fleet_or_the_other_after_a_power_cut_at_every_change_of_flash():
    """From the first part to the last rename, and a second cut at every change of the start after it."""
    cuts = 0
    base = settled()
    for at in range(1, 200):
        files = Flash(base.contents, at)
        keys = Keys()
        try:
            go(files, keys)
            break
        except PowerCut:
            cuts += 1
        for second in range(1, 40):
            left = Flash(files.contents, second)
            kept = Keys()
            kept.held = list(keys.held)
            try:
                start(left, kept)
            except PowerCut:
                left.left = None
                assert_whole(left, kept)
                continue
            left.left = None
            assert_whole(left, kept)
            break
    assert cuts >= 25


def go(files, keys):
    with_parts(5, files)
    switch(files)
    start(files, keys)


def assert_whole(files, keys):
    settings, store, _ = start(files, keys)
    assert store.damaged == 0
    there = settings["fleet"] == THERE
    assert keys.held == [THERE if there else FLEET]
    assert store.version == (2 if there else 1)
    assert store.role(public_of("lap2" if there else "lap")) == 3
    assert store.role(public_of("lap" if there else "lap2")) == 0
    assert (settings["name"], settings["short"], settings["hello_ms"]) == ("oak", 3, 500)
    assert store.enrolment.digest == digest_of(NEW_MINE if there else MINE)
    # And it goes on: what is lacking can be sent again.
    if not there:
        for body, names in PARTS:
            put(files, body, *names)
        assert moving(files).lacks() is None


def test_the_configuration_that_it_gets_is_a_good_one():
    files = with_parts(5)
    made = config.whole(moving(files).config(dict(SETTINGS)))
    assert config.fault(made) is None


# ---- a node that belongs to nobody yet: whoever shows its label (tasks/waiting.py) brings the papers

NOBODYS = dict(SETTINGS, fleet=rules.NOBODY, name="waiting", short=0xFFFE, charter=0)
SECOND = council.second()
FOUND = council.certificate("lap", 2)
FIRST_MINE = council.enrolment(short=3, custodian="rosa", of=FOUND)
CLAIM = council.move(of=None, to=SECOND, fleet=rules.NOBODY)
CLAIM_PARTS = (
    (CLAIM, ()),
    (SECOND, ("ana", "ben")),
    (FOUND, ("ana", "ben")),
    (FIRST_MINE, ("lap",)),
)


def waiting(contents=None, at=None):
    files = Flash(contents)
    if contents is None:
        write_atomic(files, CONFIG, cbor.encode(NOBODYS))
        write_atomic(files, LABEL, bytes(16))
    files.left = at
    return files


def claim(files, body, *names):
    there = Moving(files, NEXT, TRUST, rules.NOBODY, public_of("node"), opens(), False, verify_steps)
    return finish(there.put_steps(signed(body, *names)))


def claimed(files, count=4):
    for body, names in CLAIM_PARTS[:count]:
        assert claim(files, body, *names) is None, document.understand(body)["kind"]
    there = Moving(files, NEXT, TRUST, rules.NOBODY, public_of("node"), opens(), False, verify_steps)
    if there.lacks() is None:
        write_atomic(files, CONFIG, cbor.encode(there.config(cbor.decode(read_whole(files, CONFIG)))))


def first_start(files):
    settings = cbor.decode(read_whole(files, CONFIG))
    left = finish(finish_steps(files, NEXT, TRUST, settings["fleet"], Keys().take_steps, (LABEL,)))
    return settings, TrustStore(files, TRUST, settings["fleet"], public_of("node")), left


def test_a_node_of_nobody_goes_to_its_first_fleet_and_its_label_opens_nothing_any_more():
    files = waiting()
    claimed(files)
    settings, store, left = first_start(files)
    assert left == rules.NOBODY
    assert (settings["fleet"], settings["short"], settings["charter"]) == (FLEET, 3, 2)
    assert store.role(public_of("lap")) == 3
    assert (store.role(public_of("rosa")), store.version) == (2, 2)
    assert read_whole(files, LABEL) is None


def test_a_node_of_nobody_takes_only_what_leads_it_itself_to_a_fleet():
    files = waiting()
    before = dict(files.contents)
    assert "another node" in claim(files, council.move(node="other", to=SECOND, fleet=rules.NOBODY))
    assert "another fleet" in claim(files, council.move())
    assert "another enrolment" in claim(files, council.move(of=MINE, to=SECOND, fleet=rules.NOBODY))
    assert "no move is under way" in claim(files, SECOND, "ana", "ben")
    assert files.contents == before
    assert claim(files, CLAIM) is None
    assert "lacks" in claim(files, SECOND, "ana")
    assert "another charter" in claim(files, FIRST, "ana", "ben")


def test_a_node_of_nobody_waits_on_or_is_its_fleets_after_a_power_cut_at_every_change_of_flash():
    base = waiting()
    cuts = 0
    for at in range(1, 200):
        files = waiting(base.contents, at)
        try:
            claimed(files)
            first_start(files)
            break
        except PowerCut:
            cuts += 1
        for second in range(1, 40):
            left = waiting(files.contents, second)
            try:
                first_start(left)
            except PowerCut:
                left.left = None
                assert_waits_or_belongs(left)
                continue
            left.left = None
            assert_waits_or_belongs(left)
            break
    assert cuts >= 20


def assert_waits_or_belongs(files):
    settings, store, _ = first_start(files)
    if settings["fleet"] == FLEET:
        assert (store.role(public_of("lap")), store.damaged) == (3, 0)
        assert read_whole(files, LABEL) is None
        return
    assert settings["fleet"] == rules.NOBODY
    assert read_whole(files, LABEL) == bytes(16)  # so the same papers can be brought again
    claimed(files)
    assert first_start(files)[0]["fleet"] == FLEET
