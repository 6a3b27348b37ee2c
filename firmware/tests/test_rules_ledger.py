"""What follows in a ledger, what a start notes, and which old entries may go."""

from hedgenode.rules import ledger as rules

A, B, C = b"a" * 32, b"b" * 32, b"c" * 32
FACTS = {
    "fleet": b"fleetid8",
    "short": 3,
    "charter": 1,
    "app": "0.1.0",
    "slot": b"slotslot",
    "config": b"confconf",
    "boot": 1,
    "watchdog": False,
}


def test_an_entry_follows_forks_or_stands_beyond_a_gap():
    assert rules.of_entry(4, A, 5, A) == rules.NEXT
    assert rules.of_entry(4, A, 5, B) == rules.FORK
    assert rules.of_entry(4, A, 6, A) == rules.LATER
    assert rules.of_entry(4, A, 6, B) == rules.LATER
    assert rules.of_entry(4, A, 4, B) == rules.OLDER


def test_only_an_entry_that_says_so_leaves_out_numbers():
    assert rules.of_entry(4, A, 1028, A, rules.LOST) == rules.NEXT
    assert rules.of_entry(4, A, 1028, B, rules.LOST) == rules.LATER
    assert rules.of_entry(4, A, 1028, A, "updated") == rules.LATER


def test_two_heads_are_the_same_a_fork_or_one_is_older():
    assert rules.of_head(7, A, 7, A) == rules.SAME
    assert rules.of_head(7, A, 7, B) == rules.FORK
    assert rules.of_head(7, A, 8, B) == rules.LATER
    assert rules.of_head(7, A, 6, A) == rules.OLDER


def test_the_first_start_notes_who_the_node_is_and_the_next_one_nothing():
    said = {}
    for kind, fields in rules.at_start(said, FACTS):
        said[kind] = fields
    assert sorted(said) == ["charter", "configured", "enrolled", "updated"]
    assert rules.at_start(said, dict(FACTS, boot=2)) == []


def test_a_start_notes_what_has_changed_and_nothing_else():
    said = dict(rules.at_start({}, FACTS))
    for change, kinds in (
        ({"app": "0.2.0"}, ["updated"]),
        ({"slot": b"otherone"}, ["updated"]),
        ({"config": b"otherone"}, ["configured"]),
        ({"charter": 2}, ["charter"]),
        ({"charter": 0}, []),
        ({"short": 4}, ["enrolled"]),
        ({"fleet": b"others!!"}, ["moved", "enrolled", "charter"]),
        ({"watchdog": True}, ["restarted"]),
    ):
        facts = dict(FACTS)
        facts.update(change)
        assert [kind for kind, _ in rules.at_start(said, facts)] == kinds, change


def test_a_configuration_noted_with_who_changed_it_is_not_noted_again():
    said = dict(rules.at_start({}, FACTS))
    said["configured"] = {"config": b"newnewne", "by": b"laptop88"}
    assert rules.at_start(said, dict(FACTS, config=b"newnewne")) == []


def test_a_node_that_restarts_for_ever_notes_ever_fewer():
    said = dict(rules.at_start({}, FACTS))
    noted = []
    for boot in range(2, 3000):
        for kind, fields in rules.at_start(said, dict(FACTS, boot=boot, watchdog=True)):
            said[kind] = fields
            noted.append(boot)
    assert noted[:5] == [2, 3, 4, 5, 6]
    assert 10 < len(noted) < 30
    [(_, later)] = rules.at_start(said, dict(FACTS, boot=9000, watchdog=True))
    assert later == {"boot": 9000, "run": 1}


def test_old_entries_go_when_they_are_signed_and_a_host_has_them_or_when_there_is_no_room():
    drop = rules.segments_to_drop
    assert drop([10, 20, 30], 30, 30, 3, 8) == 0
    assert drop([10, 20, 30, 40], 40, 40, 3, 8) == 1
    assert drop([10, 20, 30, 40, 50], 50, 15, 3, 8) == 1
    assert drop([10, 20, 30, 40], 40, 5, 3, 8) == 0
    assert drop([10, 20, 30, 40], 5, 40, 3, 8) == 0
    assert drop([10, 20, 30, 40, 50, 60, 70, 80, 90], 90, 0, 3, 8) == 1
    assert drop([10, 20, 30, 40, 50, 60, 70, 80, 90], 5, 0, 3, 8) == 0
    assert drop([10], 10, 10, 0, 0) == 0


def test_two_audits_by_the_same_in_a_row_are_one_entry():
    worth = rules.worth_noting
    assert worth("audited", {}, None, None)
    assert not worth("audited", {}, "audited", {})
    assert worth("audited", {"by": A}, "audited", {"by": B})
    assert worth("updated", {}, "updated", {})


def test_a_node_that_came_to_another_fleet_says_so_once():
    facts = {"fleet": b"new fleet"[:8], "short": 3, "charter": 1, "app": "1", "slot": b"s", "config": b"c", "boot": 9}
    facts["watchdog"] = False
    said = {"enrolled": {"fleet": b"old fleet"[:8], "short": 3}, "updated": {"app": "1", "slot": b"s"}}
    said.update({"configured": {"config": b"c"}, "charter": {"version": 4}})
    moved = {"left": b"old flee", "fleet": b"new flee", "short": 3}
    enrolled = {"fleet": b"new flee", "short": 3}
    assert rules.at_start(said, facts) == [("moved", moved), ("enrolled", enrolled), ("charter", {"version": 1})]
    said["moved"] = moved  # and then power went
    assert rules.at_start(said, facts) == [("enrolled", enrolled), ("charter", {"version": 1})]
    said["enrolled"] = enrolled
    assert rules.at_start(said, facts)[:1] != [("moved", moved)]
