"""Groups as documents: who may say what, who gets the secret, and that copies merge."""

import itertools

import pytest
from papers import FIRST, FLEET, a_fleet, public, seed, signed

from hedgerow.errors import RefusedError, UsageError
from hedgerow.fleet import groups, keys, standing
from hedgerow.fleet.documents import Document
from hedgerow.fleet.groups import FLEET_NAME, Group, Groups, Membership
from hedgewire import group as wire

BAKERS = Group("bakers", FLEET, b"bakers..")
LAPTOP, OTHER = "laptop-0", "laptop-1"
OWN = [seed(LAPTOP)]


def known(*papers: Document) -> Groups:
    found = [*a_fleet(0, 1), *papers]
    return Groups.of(found, standing.judge(found, FLEET))


def member(name: str, group: Group = BAKERS) -> Membership:
    return Membership(FLEET, group.group, public(name))


def begun(by: str = LAPTOP) -> list[Document]:
    """The group with its first secret, made by that laptop."""
    given = groups.give(known(), BAKERS, [public(by)])
    return [signed(BAKERS, by), signed(member(by), by), given.signed(seed(by))]


def test_everybody_is_a_group_without_a_document():
    assert known().named(FLEET_NAME) == Group(FLEET_NAME, FLEET, FLEET)
    assert known().seed(FLEET, OWN) is None


@pytest.mark.parametrize(
    ("signer", "counts"), [(LAPTOP, True), ("Ana", True), ("stranger", False), ("laptop-7", False)]
)
def test_a_group_counts_if_a_laptop_in_force_or_a_steward_says_so(signer, counts):
    papers = [signed(BAKERS, signer), signed(member("elm"), signer)]
    assert (BAKERS.group in known(*papers).by_id) == counts
    assert bool(known(*papers).members) == counts


def test_a_group_of_another_fleet_says_nothing():
    assert Group("bakers", b"other...", b"bakers..").name not in {
        one.name for one in known(signed(Group("bakers", b"other...", b"bakers.."), LAPTOP)).by_id.values()
    }


def test_the_maker_finds_the_seed_and_another_laptop_only_when_it_is_let_in():
    papers = begun()
    epoch, found = known(*papers).seed(BAKERS.group, OWN)
    assert (epoch, len(found)) == (256, 16)
    assert known(*papers).seed(BAKERS.group, [seed(OTHER)]) is None
    grant = groups.give(known(*papers), BAKERS, [public(OTHER)], found).signed(seed(LAPTOP))
    assert known(*papers, grant).seed(BAKERS.group, [seed(OTHER)]) == (epoch, found)
    for order in itertools.permutations([*papers, grant]):
        assert known(*order) == known(*papers, grant)


def test_who_cannot_read_a_secret_cannot_give_it():
    with pytest.raises(RefusedError, match="cannot be read"):
        groups.give(known(*begun()), BAKERS, [public("elm")], None)


def test_a_later_generation_needs_as_many_stewards_as_the_charter_asks_for():
    papers = begun()
    before = known(*papers).seed(BAKERS.group, OWN)
    later = groups.give(known(), BAKERS, [public(LAPTOP)])
    fields = {**later.fields, "epoch": 512}
    # Wrapped under the first epoch, so it opens to nobody: here it counts who signed.
    paper = groups.documents.make("rekey", {key: value for key, value in fields.items() if key not in ("kind", "v")})
    for signers, epoch in (([LAPTOP], 256), (["Ana"], 256), (["Ana", "Ben"], 512)):
        found = known(*papers, paper.signed(*(seed(name) for name in signers)))
        assert found.generations[BAKERS.group].epoch == epoch
    assert known(*papers, paper.signed(seed(LAPTOP))).seed(BAKERS.group, OWN) == before


def test_a_chain_begins_where_the_group_is_and_a_laptop_reads_all_of_a_generation():
    found = known(*begun())
    assert found.chain(BAKERS.group, OWN).epoch == 256
    later = found.chain(BAKERS.group, OWN, 260)
    assert (later.epoch, later.oldest) == (260, 260)
    assert later.secret == found.chain(BAKERS.group, OWN).secret_at(groups.suite, 260)
    assert found.chain(BAKERS.group, OWN, 9999).epoch == wire.last_epoch(256)
    assert found.reader(BAKERS.group, OWN).oldest == 256
    assert found.chain(BAKERS.group, [seed("elm")]) is None


def test_names_that_do_not_fit_are_refused_in_a_sentence():
    for name in ("", "n" * 25, "ü" * 13, FLEET_NAME):
        with pytest.raises(UsageError):
            groups.new_group(FLEET, name)
    with pytest.raises(UsageError, match="no group"):
        known().named("bakers")
    twins = [signed(BAKERS, LAPTOP), signed(Group("bakers", FLEET, b"others.."), OTHER)]
    with pytest.raises(UsageError, match="more than one"):
        known(*twins).named("bakers")
    assert known(*twins).named(b"others..".hex()).group == b"others.."


def test_a_key_of_nobody_and_too_many_members_are_refused():
    with pytest.raises(UsageError):
        groups.give(known(), BAKERS, [bytes(32)])
    with pytest.raises(UsageError):
        groups.give(known(), BAKERS, [keys.public_of(bytes([number]) * 32) for number in range(1, 66)])
    assert FIRST.threshold == 2
