"""Who is a better carrier, and how many copies move. All of it from numbers."""

from hedgenode.rules.routing import (
    FAR_MORE,
    FEW,
    FORGOTTEN_S,
    HALF_LIFE_S,
    MAX_PEERS,
    SAME_MEETING_S,
    Meetings,
    ahead,
    copies_to_give,
)


def test_a_meeting_raises_utility_and_time_halves_it():
    meetings = Meetings(1)
    assert meetings.utility(2, 0) == 0
    meetings.met(2, 0)
    once = meetings.utility(2, 0)
    assert 20 < once < 64, "one meeting may be chance"
    assert abs(meetings.utility(2, HALF_LIFE_S) - once // 2) <= 1
    assert abs(meetings.utility(2, 2 * HALF_LIFE_S) - once // 4) <= 1
    values = [meetings.utility(2, t * 3600) for t in range(0, 1000, 5)]
    assert values == sorted(values, reverse=True)
    assert values[-1] == 0


def test_hellos_of_one_encounter_are_one_meeting():
    meetings = Meetings(1)
    meetings.met(2, 0)
    for now_s in range(30, SAME_MEETING_S, 30):
        meetings.met(2, now_s)
    once = Meetings(1)
    once.met(2, 0)
    assert meetings.utility(2, SAME_MEETING_S) <= once.utility(2, 0)
    meetings.met(2, SAME_MEETING_S)
    assert meetings.utility(2, SAME_MEETING_S) > once.utility(2, 0)


def test_utility_stays_within_a_byte_however_often_they_meet():
    meetings = Meetings(1)
    for i in range(200):
        meetings.met(2, i * SAME_MEETING_S)
    assert 250 <= meetings.utility(2, 199 * SAME_MEETING_S) <= 255


def test_what_a_peer_meets_counts_less_than_what_is_met_itself():
    meetings = Meetings(1)
    meetings.met(2, 0)
    meetings.learn(2, [(3, 255), (1, 255), (2, 255)], 0)
    assert 0 < meetings.utility(3, 0) < meetings.utility(2, 0)
    assert meetings.utility(1, 0) == 0, "a node is no way to itself"
    meetings.met(3, 0)
    direct = meetings.utility(3, 0)
    meetings.learn(2, [(3, 10)], 0)
    assert meetings.utility(3, 0) == direct, "bad news from a peer does not lower what is known"


def test_a_stranger_cannot_be_learned_from():
    meetings = Meetings(1)
    meetings.learn(9, [(3, 255)], 0)
    assert meetings.utility(3, 0) == 0


def test_gossip_alone_fades():
    one, two = Meetings(1), Meetings(2)
    one.met(2, 0)
    two.met(1, 0)
    one.met(3, 0)
    highest = one.utility(3, 0)
    for i in range(1, 200):
        now_s = i * HALF_LIFE_S // 40
        one.met(2, now_s)
        two.met(1, now_s)
        one.learn(2, two.vector(24, now_s), now_s)
        two.learn(1, one.vector(24, now_s), now_s)
        assert one.utility(3, now_s) <= highest
    assert one.utility(3, now_s) < highest // 2


def test_the_table_is_bounded_and_keeps_the_most_useful():
    meetings = Meetings(1)
    for i in range(3):
        meetings.met(2, i * SAME_MEETING_S)
    now_s = 3 * SAME_MEETING_S
    for peer in range(100, 100 + 3 * MAX_PEERS):
        meetings.met(peer, now_s)
    assert len(meetings.vector(255, now_s)) == MAX_PEERS
    assert meetings.vector(1, now_s)[0][0] == 2


def test_the_vector_is_sorted_and_limited():
    meetings = Meetings(1)
    for peer in (5, 4, 3):
        meetings.met(peer, 0)
    meetings.met(4, SAME_MEETING_S)
    assert [peer for peer, _ in meetings.vector(24, SAME_MEETING_S)] == [4, 3, 5]
    assert len(meetings.vector(2, SAME_MEETING_S)) == 2
    assert meetings.vector(24, SAME_MEETING_S + FORGOTTEN_S + 1) == []


def test_the_table_survives_a_restart_with_its_ages():
    meetings = Meetings(1)
    meetings.met(2, 1000)
    meetings.met(3, 1000 + HALF_LIFE_S)
    now_s = 1000 + HALF_LIFE_S
    again = Meetings(1)
    again.from_bytes(meetings.to_bytes(now_s), 5)
    for peer in (2, 3):
        assert again.utility(peer, 5) == meetings.utility(peer, now_s)
        assert abs(again.utility(peer, 5 + HALF_LIFE_S) - meetings.utility(peer, now_s + HALF_LIFE_S)) <= 1


def test_what_a_captured_node_tells_is_capped_in_days():
    meetings = Meetings(1)
    meetings.met(2, 0)
    assert meetings.to_bytes(FORGOTTEN_S + 1) == b""


def test_damaged_bytes_of_the_table_do_no_harm():
    meetings = Meetings(1)
    meetings.from_bytes(bytes(range(256)) * 3, 0)
    for peer, utility in meetings.vector(255, 0):
        assert 0 < utility <= 255
        assert peer != 1


def test_the_destination_gets_everything():
    assert copies_to_give(6, True, 255, 0) == 6
    assert copies_to_give(1, True, 0, 0) == 1
    assert copies_to_give(0, True, 0, 0) == 1, "also from a node that has given its copies away"


def test_what_is_known_through_a_peer_does_not_count_against_it():
    meetings = Meetings(1)
    meetings.met(2, 0)
    meetings.learn(2, [(3, 100)], 0)
    assert meetings.utility(3, 0) > 0
    assert meetings.without(2, 3, 0) == 0
    assert meetings.without(4, 3, 0) == meetings.utility(3, 0)
    meetings.met(3, 0)
    assert meetings.without(2, 3, 0) == meetings.utility(3, 0), "what was met is known without anybody"


def test_among_more_than_a_table_holds_one_meeting_says_nothing():
    meetings = Meetings(1)
    for peer in range(100, 100 + MAX_PEERS):
        meetings.met(peer, 0)
    assert meetings.utility(3, 0) == 0
    assert meetings.without(2, 3, 0) == meetings.utility(100, 0)


def test_reach_counts_meetings_and_twice_as_many_are_eight_more():
    meetings = Meetings(1)
    assert meetings.reach(0) == 0
    seen = []
    for i in range(64):
        meetings.met(100 + i, 0)
        seen.append(meetings.reach(0))
    assert seen == sorted(seen)
    assert [seen[2 * n - 1] - seen[n - 1] for n in (1, 2, 8, 32)] == [8, 8, 8, 8]
    assert meetings.reach(HALF_LIFE_S) == seen[63] - 8
    assert meetings.reach(FORGOTTEN_S + 1) == 0


def test_reach_says_nothing_among_those_who_met_few():
    assert ahead(8, 0) == ahead(0, 8) == 0
    assert ahead(FEW, 8) == 8 - FEW
    assert ahead(0, FEW) == FEW
    assert ahead(80, None) == 0, "a peer of an older release"


def test_a_mule_gets_the_larger_part_and_a_recluse_nothing():
    assert copies_to_give(6, False, 0, 0, 8) == 4
    assert copies_to_give(6, False, 0, 0, 80) == 5, "both keep one at least"
    assert copies_to_give(6, False, 0, 0, -2) == 3
    assert copies_to_give(6, False, 0, 0, -4) == 0
    assert copies_to_give(6, False, 0, 40, -80) == 3, "but for one who meets the destination"


def test_the_last_copy_moves_to_a_mule_unless_we_meet_the_destination_ourselves():
    assert copies_to_give(1, False, 0, 0, FAR_MORE) == 1
    assert copies_to_give(1, False, 0, 0, FAR_MORE - 1) == 0
    assert copies_to_give(1, False, 40, 10, FAR_MORE) == 0


def test_copies_are_halved_on_the_way_and_none_appears_or_vanishes():
    for copies in range(2, 64):
        given = copies_to_give(copies, False, 200, 0)
        assert 1 <= given <= copies - 1
        assert given in (copies // 2, (copies + 1) // 2)


def test_the_last_copy_moves_only_to_a_clearly_better_carrier():
    assert copies_to_give(1, False, 0, 0) == 0
    assert copies_to_give(1, False, 100, 120) == 0
    assert copies_to_give(1, False, 100, 180) == 0
    assert copies_to_give(1, False, 100, 210) == 1
    assert copies_to_give(1, False, 200, 100) == 0
    assert copies_to_give(0, False, 0, 255) == 0


def test_the_last_copy_does_not_bounce_between_two_carriers():
    for own in range(0, 256, 5):
        for peer in range(0, 256, 5):
            for more in (0, 8, 40):
                assert not (copies_to_give(1, False, own, peer, more) and copies_to_give(1, False, peer, own, -more))
