"""Documents are named by what they say, signatures merge by union, and damage from strangers never raises."""

import random

import pytest

from hedgerow.errors import LocalError
from hedgerow.fleet import charter, documents, keys
from hedgerow.fleet.charter import Charter, Steward, read_charter
from hedgerow.fleet.people import Custodian, Person, read_custodian, read_person
from hedgewire.cbor import Damage

ANA, BEN = (bytes([number]) * 32 for number in (1, 2))


def a_charter(**changes) -> Charter:
    first = {"name": "river", "version": 1, "stewards": (Steward("Ana", ANA), Steward("Ben", BEN, 4)), "threshold": 2}
    return Charter(**(first | changes))


def test_a_fleet_is_named_by_the_hash_of_its_first_charter():
    first = a_charter()
    assert first.fleet_id == first.to_document().digest[:8]


def test_signing_a_charter_does_not_rename_the_fleet():
    document = a_charter().to_document()
    assert document.with_signatures(((ANA, b"s" * 64),)).digest == document.digest


def test_a_later_charter_keeps_the_fleet_and_a_secession_begins_a_new_one():
    first = a_charter()
    parent = first.to_document().digest
    later = a_charter(version=2, fleet=first.fleet_id, parent=parent)
    seceded = a_charter(version=2, parent=parent)
    assert later.fleet_id == first.fleet_id
    assert seceded.fleet_id not in (first.fleet_id, later.fleet_id)


def test_copies_with_different_signatures_merge_in_either_order():
    document = a_charter().to_document()
    by_ana, by_ben = document.with_signatures(((ANA, b"a" * 64),)), document.with_signatures(((BEN, b"b" * 64),))
    assert by_ana.merged(by_ben) == by_ben.merged(by_ana)
    assert by_ana.merged(by_ben).merged(by_ana) == by_ana.merged(by_ben)
    assert len(by_ana.merged(by_ben).signatures) == 2


def test_two_different_documents_do_not_merge():
    with pytest.raises(LocalError):
        a_charter().to_document().merged(a_charter(version=9).to_document())


@pytest.mark.parametrize(
    ("made", "read"),
    [
        (a_charter(), read_charter),
        (charter.LaptopCertificate(b"fleet...", 1, "cafe", ANA, 20, 1, 250), charter.read_certificate),
        (Custodian("Rosa", ANA), read_custodian),
        (Person("Rosa", ANA, lent_by=b"nodeid.."), read_person),
    ],
)
def test_what_was_written_is_read_back(made, read):
    assert read(documents.decode(made.to_document().encode())) == made


def test_damaged_documents_are_a_value_and_never_raise():
    good = bytearray(a_charter().to_document().with_signatures(((ANA, b"a" * 64),)).encode())
    dice = random.Random(7)
    for _ in range(5000):
        bad = bytearray(good)
        for _ in range(dice.randint(1, 3)):
            bad[dice.randrange(len(bad))] = dice.randrange(256)
        del bad[dice.choice([len(bad), dice.randrange(len(bad))]) :]
        found = documents.decode(bytes(bad))
        if not isinstance(found, Damage):
            read_charter(found)


@pytest.mark.parametrize(
    "changes", [{"threshold": 3}, {"threshold": 0}, {"stewards": ()}, {"fleet": b"short"}, {"parent": b"short"}]
)
def test_a_charter_that_makes_no_sense_is_damage(changes):
    assert isinstance(read_charter(a_charter(**changes).to_document()), Damage)


def test_a_later_version_of_a_kind_is_not_misread():
    document = documents.make("charter", {"name": "x"} | {"v": 2})
    assert isinstance(read_charter(document), Damage)


def test_a_key_id_is_the_head_of_the_hash_of_the_public_key():
    public = keys.public_of(bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"))
    # RFC 8032, 7.1, test 1
    assert public.hex() == "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    assert len(keys.key_id(public)) == 8
