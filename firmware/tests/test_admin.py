"""Administration messages: fields in, fields out; another version or shape is damage."""

from harness import assert_damage, from_typed, vectors

from hedgewire import admin, cbor

PARSERS = {"request": admin.parse_request, "answer": admin.parse_answer, "event": admin.parse_event}


def test_requests():
    for case in vectors("admin")["requests"]:
        params = from_typed(case["params"])
        raw = bytes.fromhex(case["hex"])
        assert admin.request(case["seq"], case["method"], params) == raw
        found = admin.parse_request(raw)
        assert (found.seq, found.method, found.params) == (case["seq"], case["method"], params)


def test_answers():
    for case in vectors("admin")["answers"]:
        result = from_typed(case["result"])
        raw = bytes.fromhex(case["hex"])
        assert admin.answer(case["seq"], case["code"], result) == raw
        found = admin.parse_answer(raw)
        assert (found.seq, found.code, found.result) == (case["seq"], case["code"], result)


def test_events():
    for case in vectors("admin")["events"]:
        fields = from_typed(case["fields"])
        raw = bytes.fromhex(case["hex"])
        assert admin.event(case["topic"], fields) == raw
        found = admin.parse_event(raw)
        assert (found.topic, found.fields) == (case["topic"], fields)


def test_damaged_vectors_are_named():
    for case in vectors("admin")["damaged"]:
        assert_damage(PARSERS[case["parse"]](bytes.fromhex(case["hex"])), case)


def test_a_later_version_is_told_from_damage():
    later = admin.parse_request(cbor.encode([admin.VERSION + 1, "whatever", "it", "holds", "then"]))
    assert later.reason == "version"
