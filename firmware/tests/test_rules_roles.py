"""Which role may ask for what. Whoever opens a method to everybody has to say so here."""

from hedgenode.rules import roles
from hedgenode.rules.roles import CUSTODIAN, LAPTOP, NOBODY, PERSON, STEWARD, STRANGER
from hedgenode.tasks.admin_messages import MessageMethods
from hedgenode.tasks.admin_node import NodeMethods
from hedgenode.tasks.late import GROUPS

FOR_EVERYBODY = (
    "document documents document_put hello identify inbox post reserve".split()
    + "session_open session_prove session_resume".split()
)
FOR_PERSONS = "accept bundle bundles".split()
CHANGES_A_NODE = (
    "audited configure dev document_send far_send group_advance group_put group_remove ledger_kept"
    " put_begin put_data put_end put_pieces remove restart set_time slot_confirm slot_prepare slot_try"
).split()
TELLS_OF_IT = (
    "compare config far_read files follow groups ledger ledger_head log move neighbours probe samples slots status"
).split()


def test_a_stranger_may_what_is_for_everybody():
    for method in FOR_EVERYBODY:
        assert roles.refusal(method, STRANGER) is None, method


def test_nothing_else_is_for_a_stranger():
    for method in FOR_PERSONS + CHANGES_A_NODE + TELLS_OF_IT + ["what nobody has thought of yet"]:
        assert method in roles.refusal(method, STRANGER), method


def test_a_person_carries_and_changes_nothing():
    for method in FOR_EVERYBODY + FOR_PERSONS:
        assert roles.refusal(method, PERSON) is None, method
    for method in CHANGES_A_NODE + TELLS_OF_IT + ["what nobody has thought of yet"]:
        assert roles.refusal(method, PERSON) is not None, method


def test_household_laptop_and_steward_may_all_of_it():
    for method in FOR_EVERYBODY + FOR_PERSONS + CHANGES_A_NODE + TELLS_OF_IT:
        for role in (CUSTODIAN, LAPTOP, STEWARD):
            assert roles.refusal(method, role) is None, (method, role)


def test_what_stands_in_no_list_is_refused_to_everybody():
    for method in ("what nobody has thought of yet", "", "put_begin put_data", "status "):
        for role in (STRANGER, PERSON, CUSTODIAN, LAPTOP, STEWARD):
            assert method in roles.refusal(method, role), (method, role)


def test_every_method_of_a_node_stands_in_one_list():
    known = FOR_EVERYBODY + FOR_PERSONS + CHANGES_A_NODE + TELLS_OF_IT
    node = list(NodeMethods(None).methods) + list(MessageMethods(None).methods)
    for _, _, names in GROUPS:
        node += names.split(" ")
    for method in node:
        assert known.count(method) == 1, method
        assert roles.least(method) < NOBODY, method
