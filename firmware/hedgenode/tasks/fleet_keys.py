"""Keys that come as documents: a new one for a group of this node, and that of the circle with a neighbouring fleet.

Loaded when such a document comes. Decides nothing: rules/moving.py says who may give which. Gives no key away.
"""

from hedgenode.crypto import suite
from hedgenode.crypto.linksec import link_keys
from hedgenode.rules import moving as rules
from hedgenode.rules import trust as trust_rules
from hedgenode.store.circles import Circle, Circles
from hedgenode.store.moving import signed_steps
from hedgenode.store.trust import TrustStore
from hedgenode.store.trust_table import FOLDER as TRUST
from hedgenode.tasks.moves import CIRCLES_PATH, ORIGIN_BYTES, chain_of, open_steps
from hedgewire import circle, group, rekey, trust

KINDS = (rekey.KIND, trust.NEIGHBOUR)


def put_steps(node, found):
    """Take the keys in that a document has for this node.

    Return whether it is worth passing on, and the sentence that refuses it or None. A generator (crypto.steps). A
    document that has nothing for this node is none of its business, and no mistake either.
    """
    public = None if node.layers.identity is None else node.layers.identity.public
    if public is None:
        return False, "this node has no key of its own"
    store = TrustStore(node.files, TRUST, node.config["fleet"], public)
    if not store.charters:
        return False, "this node knows no charter of its fleet yet; that comes first"
    if found.kind == trust.NEIGHBOUR:
        answer = yield from _neighbour_steps(node, store, found)
    else:
        answer = yield from _rekey_steps(node, store, found)
    return answer


def _rekey_steps(node, store, found):
    given = rekey.parse(found.fields)
    if isinstance(given, rekey.Damage):
        return False, "the document makes no sense: %s" % given.reason
    groups = node.layers.groups
    known = groups.find(given.group) if groups.usable else None
    if known is not None and given.epoch < known.chain.epoch // group.STEPS * group.STEPS:
        return False, None  # an old one that is still on its way
    same = None  # what this node has of the same generation
    if known is not None and given.epoch == known.chain.epoch // group.STEPS * group.STEPS:
        same = known
    ours, laptops = node.config["fleet"], _laptops(store)

    def fault(signers):
        begins = known is None or same is not None
        return rules.key_fault(given, store.charters[-1], laptops, ours, signers, store.revoked, begins)

    refusal = yield from signed_steps(found, laptops | trust_rules.counting(store.charters[-1]), fault)
    if refusal is not None:
        return False, refusal
    origin = trust_rules.digest(found.body)[:ORIGIN_BYTES]
    if not groups.usable or (same is not None and same.origin <= origin):
        # That of the same document again is passed on again: the power may have gone before it was.
        return same is None or same.origin == origin, None
    seed = yield from open_steps(node.layers.identity, given)
    if seed is None:
        return True, None
    chain = chain_of(given, seed)
    if same is not None and chain.secret_at(suite, same.chain.oldest) == same.chain.secret:
        return False, None  # for somebody who came later
    groups.put(given.name, chain, node.layers.now_s(), origin)
    if node.ledger is not None:
        fields = {"group": trust_rules.digest(given.group)[:ORIGIN_BYTES], "epoch": given.epoch}
        node.ledger.note("rekeyed", fields)
    node.journal.say("info", "group %s has a new key, from epoch %d on" % (given.name, given.epoch))
    return True, None


def _neighbour_steps(node, store, found):
    said = trust.read(found.fields, trust.NEIGHBOUR)
    if isinstance(said, trust.Damage):
        return False, "the document makes no sense: %s" % said.reason
    ours, theirs = node.config["fleet"], said.neighbour
    laptops = _laptops(store)

    def fault(signers):
        return rules.neighbour_fault(said, store.charters[-1], laptops, ours, signers, store.revoked)

    tag = theirs[0] << 8 | theirs[1]
    circles = Circles(node.files, CIRCLES_PATH) if node.radio_keys is None else node.radio_keys.circles
    for known in circles.all():
        if known.tag == tag and known.epochs[0][0] >= said.epoch:
            return False, None
    refusal = yield from signed_steps(found, laptops | trust_rules.counting(store.charters[-1]), fault)
    if refusal is not None:
        return False, refusal
    if said.members is None:
        return True, None
    seed = yield from open_steps(node.layers.identity, circle.rows(said))
    if seed is None:
        return True, None

    def keys_of(speaker):
        return [said.epoch, link_keys(circle.secret(suite, seed, ours, theirs, said.epoch, speaker))]

    made = Circle(tag, [keys_of(theirs)], keys_of(ours), None)
    if node.radio_keys is None:
        circles.put(made)
    else:
        node.radio_keys.befriend(made)
    node.journal.say("info", "%s is a neighbour now: both exchange what is public" % said.name)
    return True, None


def _laptops(store):
    """Public keys of laptops that may act now: the store keeps no other certificates but that of its own enrolment."""
    certificates = store.certificates.values()
    return {one.laptop for one in certificates if trust_rules.is_in_force(one, store.version, store.revoked)}
