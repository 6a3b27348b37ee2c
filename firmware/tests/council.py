"""A fleet's stewards, laptops and documents for tests on both interpreters, with real keys and real signatures."""

import hashlib

from hedgenode.crypto import ed25519
from hedgewire import document, trust

_SEEDS = {}


def seed_of(name):
    return hashlib.sha256(name.encode()).digest()


def public_of(name):
    if name not in _SEEDS:
        _SEEDS[name] = ed25519.public_key(seed_of(name))
    return _SEEDS[name]


def id_of(name):
    return hashlib.sha256(public_of(name)).digest()[:8]


def digest_of(body):
    return hashlib.sha256(body).digest()


def signed(body, *names):
    return document.encode(body, [(public_of(name), ed25519.sign(seed_of(name), body)) for name in names])


def charter(version=1, stewards=("ana", "ben", "cy"), threshold=2, fleet=None, parent=None, revoked=(), terms=None):
    terms = terms or {}
    council = [[name, public_of(name), terms.get(name)] for name in stewards]
    says = {"name": "river", "version": version, "stewards": council, "threshold": threshold}
    says.update({"fleet": fleet, "parent": parent, "revoked": sorted(id_of(name) for name in revoked)})
    return document.make(trust.CHARTER, says)


FIRST = charter()
FLEET = digest_of(FIRST)[:8]


LEAVING = charter(2, ("rosa",), 1, parent=digest_of(FIRST))  # a household on its own


def second(**changes):
    changes.setdefault("fleet", FLEET)
    changes.setdefault("parent", digest_of(FIRST))
    return charter(2, **changes)


def certificate(laptop="lap", charter_version=1, enrolments=3, first_short=1, until_version=None, fleet=FLEET):
    says = {"fleet": fleet, "charter_version": charter_version, "name": laptop, "laptop": public_of(laptop)}
    says.update({"enrolments": enrolments, "first_short": first_short, "short_count": 10})
    says["until_version"] = until_version
    return document.make(trust.LAPTOP, says)


def enrolment(node="node", laptop="lap", serial=1, short=1, of=None, fleet=FLEET, custodian=None, replaces=None):
    says = {"fleet": fleet, "node": public_of(node), "short": short, "name": "oak", "board": "B"}
    says["custodian"] = None if custodian is None else public_of(custodian)
    says.update({"laptop": public_of(laptop), "certificate": digest_of(of or certificate(laptop)), "serial": serial})
    says.update({"replaces": replaces, "charter_version": 1})
    return document.make(trust.ENROLMENT, says)


def revocation(*names, charter_version=1, fleet=FLEET):
    says = {"fleet": fleet, "charter_version": charter_version, "charter": None}
    says["keys"] = sorted(id_of(name) for name in names)
    return document.make(trust.REVOCATION, says)


def move(node="node", of=None, to=None, fleet=FLEET):
    """`of`: the body of the enrolment that it leaves; `to`: that of the charter where it leads."""
    says = {"fleet": fleet, "node": public_of(node), "enrolment": None if of is None else digest_of(of)}
    to = LEAVING if to is None else to
    says.update({"to": document.understand(to)["fleet"] or digest_of(to)[:8], "charter": digest_of(to)})
    return document.make(trust.MOVE, says)


def neighbour(fleet=FLEET, of=None, epoch=1, ephemeral=None, members=None):
    of = LEAVING if of is None else of
    says = {"fleet": fleet, "neighbour": digest_of(of)[:8], "name": "brook", "charter": digest_of(of), "epoch": epoch}
    says.update({"ephemeral": ephemeral, "members": members})
    return document.make(trust.NEIGHBOUR, says)


def custodian(name="rosa"):
    return document.make(trust.CUSTODIAN, {"name": name, "public": public_of(name)})


def statement(body):
    found = document.understand(body)
    assert isinstance(found, dict)
    return trust.read(found, found["kind"], digest_of(body))


def publics(*names):
    return {public_of(name) for name in names}
