"""The index of the store: what it says is what it was told, in 24 bytes a message."""

from store_cut import Chance

from hedgenode.rules.expiry import MAX_LIFETIME_S
from hedgenode.store.index import DELIVERED, END_STEP_S, HANDED, MAX_COPIES, MAX_SEGMENTS, OWN, STATES, STORED, Index
from hedgenode.store.segments import TOKEN_SPAN

FLEET, EVERYONE = 974848, 1040383


def _id(number):
    return (number * 40503 & 0xFFFF).to_bytes(2, "big") + number.to_bytes(6, "big")


def _add(index, number, source=FLEET, destination=EVERYONE, copies=1, state=STORED, seq=1, token=TOKEN_SPAN, end_s=0):
    return index.add(_id(number), token, source, destination, copies, state, 200, seq, end_s)


def test_a_message_costs_at_most_24_bytes_in_ram_with_the_heads_of_its_pages():
    index = Index()
    for number in range(1024):
        _add(index, number)
    pages = index._ids._tags + index._ids._rests + index._rows
    head_bytes = 16 + 4  # of the object, and its place in a list, on a 32-bit board
    assert sum(len(page) + head_bytes for page in pages) <= 1024 * 24
    assert max(len(page) for page in pages) < 1024, "no large free stretch of heap is needed"


def test_it_agrees_with_a_plain_table_whatever_is_done():
    index, table, chance = Index(), {}, Chance(7)
    for step in range(1, 3000):
        number = chance.below(300)
        dice = chance.below(10)
        slot = index.find(_id(number))
        assert (slot >= 0) == (number in table)
        if number not in table and dice < 6:
            source, destination = FLEET + chance.below(90), (EVERYONE, 2**40 + chance.below(9))[chance.below(2)]
            token = (step // 100 + 1) * TOKEN_SPAN + chance.below(TOKEN_SPAN)
            row = [
                token,
                source,
                destination,
                chance.below(32),
                STATES[1 + chance.below(4)],
                chance.below(65536),
                step * 50,
            ]
            index.add(_id(number), *row, step)
            table[number] = row
        elif number in table and dice < 3:
            index.drop(slot)
            del table[number]
        elif number in table and dice < 6:
            table[number][3:5] = [chance.below(MAX_COPIES + 1), (STORED, DELIVERED, HANDED, OWN)[chance.below(4)]]
            index.update(slot, *table[number][3:5])
        elif number in table:
            table[number][0] = (step // 100 + 1) * TOKEN_SPAN + chance.below(TOKEN_SPAN)
            index.move(slot, table[number][0])
        assert index.count == len(table)
    entries = [index.entry(slot) for slot in index.slots()]
    assert sorted(list(e)[1:] for e in entries) == sorted([_id(number)] + row for number, row in table.items())


def test_a_segment_is_told_from_all_that_may_stand_beside_it():
    index = Index()
    for last in (MAX_SEGMENTS, MAX_SEGMENTS * 5 + 7):
        numbers = list(range(last - MAX_SEGMENTS + 1, last + 1))
        slots = [_add(index, number, token=number * TOKEN_SPAN + number) for number in numbers]
        assert [index.entry(slot).token for slot in slots] == [number * TOKEN_SPAN + number for number in numbers]
        for slot in slots:
            index.drop(slot)


def test_arrival_numbers_keep_their_order_over_a_quarter_of_a_million_arrivals():
    index = Index()
    seqs = [2**31, 2**31 + 1, 2**31 + 65536, 2**31 + 2**18 - 1]
    slots = [_add(index, number, seq=seq) for number, seq in enumerate(seqs)]
    assert [index.entry(slot).seq for slot in slots] == seqs


def test_an_end_is_known_to_two_minutes_and_never_too_late():
    for clock_s in (0, 5000, 2**23 - 3, 2**23, 10**9):
        for left_s in (-200000, -1, 0, 1, END_STEP_S - 1, END_STEP_S, 86400, MAX_LIFETIME_S):
            index = Index()
            slot = _add(index, 1, end_s=max(0, clock_s + left_s))
            if left_s < 0:
                assert index.may_be_over(slot, clock_s)
            elif left_s >= END_STEP_S:
                assert not index.may_be_over(slot, clock_s), (clock_s, left_s)


def test_fleets_that_have_no_message_left_make_room_for_others():
    index = Index()
    slots = [_add(index, number, source=number << 16) for number in range(255)]
    assert index.has_room_for(254 << 16, EVERYONE)
    assert not index.has_room_for(255 << 16, EVERYONE)
    index.drop(slots[7])
    assert index.has_room_for(255 << 16, EVERYONE)
    slot = _add(index, 255, source=255 << 16)
    assert index.entry(slot).source == 255 << 16
    assert [index.entry(slots[number]).source >> 16 for number in (0, 6, 8, 254)] == [0, 6, 8, 254]
