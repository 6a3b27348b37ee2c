"""A module that is needed seldom is loaded when it is first asked for, and answers as if it had always been there."""

import sys

from like_micropython import run

try:
    import cryptolib  # noqa: F401
except ImportError:
    import fake_cryptolib

    fake_cryptolib.install()

from hedgenode.rarely import forget
from hedgenode.rules.roles import LAPTOP
from hedgenode.tasks.admin import Admin, Asker
from hedgenode.tasks.late import GROUPS, Late
from hedgewire import admin


class Layers:
    def memberships(self):
        return []


class Node:
    layers = Layers()


def asked(method):
    answers = []
    administration = Admin((), None, Late(Node()))
    asker = Asker(LAPTOP, lambda _, data: answers.append(admin.parse_answer(data)))
    run(administration.handle(admin.request(1, method, {}), asker))
    return answers[-1].code


def test_the_module_comes_with_the_first_question():
    sys.modules.pop("hedgenode.tasks.admin_groups", None)
    assert asked("fly") == admin.UNKNOWN_METHOD
    assert "hedgenode.tasks.admin_groups" not in sys.modules
    assert asked("groups") == admin.DONE
    assert asked("group_put") == admin.BAD_PARAMS


def test_the_names_are_those_of_the_modules():
    for _, _, names in GROUPS:
        for name in names.split(" "):
            late = Late(Node())
            late.take(name)
            assert sorted(late._methods) == sorted(names.split(" ")), name


def test_a_module_is_gone_after_its_answer_but_for_a_file_on_its_way():
    late = Late(Node())
    begin = late.take("put_begin")
    late.give_back()
    assert late._methods["put_begin"] == begin
    late.take("put_data")
    late.give_back()
    assert late._methods["put_begin"] == begin
    late.take("put_end")
    late.give_back()
    assert not late._methods
    late.take("groups")
    late.give_back()
    assert not late._methods
    assert late.take("fly") is None


def test_a_module_that_the_ledger_has_let_go_meanwhile_is_given_back_without_failing():
    late = Late(Node())
    late.take("files")
    forget("hedgenode.tasks.admin_files")  # as Rarely does at its end with all that came since its begin
    late.give_back()
    assert not late._methods
    assert late.take("compare") is not None
    late.give_back()
