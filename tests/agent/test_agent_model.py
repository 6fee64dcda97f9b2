"""Deciding by a model, over real HTTP: what it is asked, what comes of its answers."""

import json
from typing import Any

import pytest
from pydantic import JsonValue

from agent.agent import Decider, View
from agent.plan import Decision, Plan, Refused
from connectors.entry import Category
from tests.agent.desk import ANA, CATEGORIES, PROGRAM, Directory, by_model, by_program, case
from tests.agent.openai_server import Endpoint, Model, Reply, calls, in_turn, message, says, serving, submits

GOOD = {
    "kind": "write",
    "calls": [
        {
            "op": "warehouse_upsert_patients",
            "because": ["S1"],
            "arguments": {"full_name": "@last_name", "email": "@email|lower", "status": None},
        }
    ],
}
BAD = {
    "kind": "write",
    "calls": [{"op": "warehouse_upsert_patients", "because": ["S9"], "arguments": {"email": "@email"}}],
}


def asked(model: Model, directory: Directory | None = None, **limits: Any) -> tuple[Decision, Endpoint]:
    """One decision, and the endpoint that was asked for it."""
    with serving(model) as endpoint:
        decider = by_model(endpoint.access(**limits), directory)
        try:
            [decision] = decider.decide([case()])
        finally:
            decider.close()
    return decision, endpoint


def test_an_ordinary_entry_costs_exactly_one_request() -> None:
    decision, endpoint = asked(in_turn(submits(GOOD)))

    assert isinstance(decision.outcome, Plan), decision
    assert decision.outcome.calls[0].values() == {"full_name": "Silva-Example", "email": "ana@example.com"}
    assert decision.model_requests == 1
    assert len(endpoint.bodies) == 1


def test_a_lookup_makes_it_two() -> None:
    directory = Directory({"owner": "Dr. Example"})
    look = calls(("crm_find_owner", {"email": "@email", "kind": "team"}))
    decision, endpoint = asked(in_turn(look, submits(GOOD)), directory)

    assert isinstance(decision.outcome, Plan), decision
    assert decision.model_requests == len(endpoint.bodies) == 2
    assert directory.asked == [("4101", {"email": "ana@example.com", "kind": "team"})]
    assert "Dr. Example" in endpoint.bodies[1].decode()


def test_a_bad_plan_may_be_put_right_once_told_why() -> None:
    decision, endpoint = asked(in_turn(submits(BAD), submits(GOOD)))

    assert isinstance(decision.outcome, Plan), decision
    assert decision.model_requests == len(endpoint.bodies) == 2
    assert "unknown_sentence warehouse_upsert_patients" in endpoint.bodies[1].decode()


def test_a_plan_that_stays_bad_is_refused_with_the_gates_word() -> None:
    decision, endpoint = asked(in_turn(submits(BAD)), bad_plans=2)

    assert decision.outcome == Refused(code="unknown_sentence", where="warehouse_upsert_patients")
    assert decision.model_requests == len(endpoint.bodies) == 3


def test_what_is_not_revealed_is_in_no_request() -> None:
    directory = Directory({"owner": "Dr. Example", "mail": "ANA@example.com", "Silva-Example": ["XQH-88213"]})
    look = calls(("crm_find_owner", {"email": "@email"}))
    _, endpoint = asked(in_turn(look, submits(BAD), submits(GOOD)), directory)
    sent = b"\n".join(endpoint.bodies).decode().casefold()

    hidden = ["Ana", "Silva", "1990", "ana@example.com", "555-0142", "512", "XQH-88213", "Blue", "4101"]
    assert len(endpoint.bodies) == 3
    assert [value for value in hidden if value.casefold() in sent.replace("analy", "")] == []
    assert "2026-12-01" in sent  # a date of the schedule, which is revealed
    assert "@email: <present>" in json.loads(endpoint.bodies[0])["messages"][-1]["content"]


def test_the_same_text_comes_first_and_the_entry_last() -> None:
    bodies = []
    for entry in (ANA, {**ANA, "active": False, "next_visit": None}):
        with serving(in_turn(submits({"kind": "skip", "because": ["S3"], "reason": "no_name"}))) as endpoint:
            decider = by_model(endpoint.access(), Directory())
            decider.decide([case(entry)])
            decider.close()
        bodies.append(endpoint.requests()[0])
    first, second = bodies

    assert first["tools"] == second["tools"]
    assert [tool["function"]["name"] for tool in first["tools"]] == ["crm_find_owner", "submit_plan"]
    assert first["messages"][:-1] == second["messages"][:-1]
    assert "S1. Keep every active patient" in first["messages"][0]["content"]
    assert first["messages"][-1] != second["messages"][-1]
    assert first["temperature"] == 0.0
    assert first["max_tokens" if "max_tokens" in first else "max_completion_tokens"] == 4096


def test_skip_and_review_come_through() -> None:
    decision, _ = asked(in_turn(submits({"kind": "review", "because": ["S4"], "reason": "no_email"})))

    assert decision.outcome == Plan(kind="review", because=("S4",), reason="no_email")


def test_free_text_is_possible_where_it_is_granted_only() -> None:
    note = {
        "op": "crm_note_visit",
        "because": ["S5"],
        "arguments": {"on": "@next_visit", "note": '"Comes in December"'},
    }
    name = {"op": "warehouse_upsert_patients", "because": ["S1"], "arguments": {"full_name": '"Somebody"'}}
    granted, _ = asked(in_turn(submits({"kind": "write", "calls": [note]})))
    refused, _ = asked(in_turn(submits({"kind": "write", "calls": [name]})))

    assert isinstance(granted.outcome, Plan), granted
    assert granted.outcome.calls[0].values() == {"on": "2026-12-01", "note": "Comes in December"}
    assert granted.outcome.calls[0].arguments["note"].source.kind == "free_text"
    assert refused.outcome == Refused(
        code="free_text_not_granted", where="warehouse_upsert_patients.full_name"
    )


def test_what_is_known_is_shown_without_what_is_hidden() -> None:
    with serving(in_turn(submits(GOOD))) as endpoint:
        decider = by_model(endpoint.access(), Directory())
        decider.decide([case(ANA, {"crm_find_owner": {"owner": "Dr. Example", "of": "new@example.com"}})])
        decider.close()
    told = endpoint.requests()[0]["messages"][-1]["content"]

    assert 'What crm_find_owner answered: {"owner": "Dr. Example", "of": "<present>"}' in told


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        (None, "null"),
        ([], "[]"),
        ("Ana", '"<present>"'),
        ({"id": "4101", "owner": None, "of": None}, '{"id": "<present>", "owner": null, "of": null}'),
        ({"of": "", "owner": ""}, '{"of": "<empty>", "owner": ""}'),
        ({"of": True, "rows": 7}, '{"of": "<present>", "rows": "<present>"}'),
        ({"owner": "for ANA@example.com"}, '{"owner": "<hidden>"}'),
        (
            {"rows": [{"owner_id": 5, "name": "Lima", "next": "2026-12-01"}, {"name": None, "next": []}]},
            '{"rows": [{"owner_id": "<present>", "name": "<present>", "next": "2026-12-01"}, '
            '{"name": null, "next": []}]}',
        ),
        (
            {"extra": {"on": "2026-12-01", "of": ["Silva-Example"]}},
            '{"extra": {"on": "2026-12-01", "of": ["<hidden>"]}}',
        ),
        ({"Lima": "x", "mail": "new@example.com"}, "{}"),  # a name that was not declared may be a value
        ({"owner": "Dr. Example", "mail": {"of": "x"}}, '{"owner": "Dr. Example"}'),
    ],
)
def test_of_an_answer_only_declared_fields_of_revealed_kinds_are_shown(answer: JsonValue, shown: str) -> None:
    view = View(CATEGORIES.get, {Category.STATUS, Category.SCHEDULE}, CATEGORIES)

    assert view.answer(Directory().lookups()["crm_find_owner"], answer, ANA) == shown


def test_an_answer_of_an_undeclared_lookup_is_hidden() -> None:
    view = View(CATEGORIES.get, {Category.STATUS, Category.SCHEDULE}, CATEGORIES)

    assert view.answer(None, {"owner": "Dr. Example"}, ANA) == '"<present>"'
    assert view.answer(None, [{"owner": "Dr. Example"}], ANA) == '"<present>"'
    assert view.answer(None, None, ANA) == "null"


def test_a_model_and_a_program_make_the_same_plan() -> None:
    by_hand = {
        "kind": "write",
        "calls": [
            {"op": "warehouse_upsert_patients", "because": ["S2"], "arguments": {"status": "=archived"}}
        ],
    }
    entry = {**ANA, "active": False}
    with serving(in_turn(submits(by_hand))) as endpoint:
        deciders: list[Decider] = [by_model(endpoint.access()), by_program(PROGRAM)]
        outcomes = [decider.decide([case(entry)])[0].outcome for decider in deciders]
        for decider in deciders:
            decider.close()

    assert outcomes[0] == outcomes[1]
    assert isinstance(outcomes[0], Plan)


PROSE = says("I would archive this patient.")
FAILURES: dict[str, tuple[Model, str, int]] = {
    "refusal": (in_turn(message(None, [], "stop", refusal="I cannot help")), "model_refused", 1),
    "content filter": (in_turn(message(None, [], "content_filter")), "model_refused", 1),
    "truncated plan": (
        in_turn(message(None, [("submit_plan", '{"kind": "wri')], "length")),
        "model_truncated",
        1,
    ),
    "whole plan, yet truncated": (
        in_turn(message(None, [("submit_plan", json.dumps(GOOD))], "length")),
        "model_truncated",
        1,
    ),
    "prose only": (in_turn(PROSE), "model_output_invalid", 3),
    "empty": (in_turn(says("")), "model_output_invalid", 3),
    "garbage": (in_turn(Reply(payload=b"<html>proxy error</html>")), "model_unavailable", 3),
    "no choices": (in_turn(Reply(payload=b'{"id": "x", "choices": []}')), "model_output_invalid", 3),
    "400": (in_turn(Reply(400, b'{"error": {"message": "ana@example.com"}}')), "model_rejected", 1),
    "401": (in_turn(Reply(401, b'{"error": {"message": "bad key"}}')), "model_unauthorized", 1),
    "404": (in_turn(Reply(404, b'{"error": {"message": "no model"}}')), "model_not_found", 1),
    "429 for a long time": (in_turn(Reply(429, b"{}", {"Retry-After": "3600"})), "model_unavailable", 1),
    "429 for ever": (in_turn(Reply(429, b"{}", {"Retry-After": "0"})), "model_unavailable", 3),
    "500 for ever": (in_turn(Reply(500, b"{}", {"Retry-After": "0"})), "model_unavailable", 3),
    "503 for ever": (in_turn(Reply(503, b"{}", {"Retry-After": "0"})), "model_unavailable", 3),
    "an answer that drips": (in_turn(Reply(payload=submits(GOOD).payload, drip=0.6)), "model_timeout", 1),
    "silence": (in_turn(Reply(wait=8.0)), "model_timeout", 1),
}


@pytest.mark.parametrize("name", FAILURES)
def test_a_failing_endpoint_is_a_code(name: str) -> None:
    model, code, requests = FAILURES[name]
    decision, endpoint = asked(model, request_timeout=1.0)

    assert isinstance(decision.outcome, Refused)
    assert decision.outcome.code == code
    assert decision.outcome.where == ""
    assert "ana@example.com" not in repr(decision)
    assert decision.model_requests == len(endpoint.bodies) <= requests


def test_what_passes_is_tried_again_and_counted() -> None:
    passing = [Reply(status, b"{}", {"Retry-After": "0"}) for status in (429, 503)]
    decision, endpoint = asked(in_turn(*passing, submits(GOOD)))

    assert isinstance(decision.outcome, Plan), decision
    assert decision.model_requests == len(endpoint.bodies) == 3


def test_an_endpoint_that_is_not_there_is_unavailable() -> None:
    with serving(in_turn(submits(GOOD))) as endpoint:
        access = endpoint.access(request_timeout=10.0)
    decider = by_model(access)
    [decision] = decider.decide([case()])
    decider.close()

    assert decision.outcome == Refused(code="model_unavailable")


def test_words_beside_a_plan_do_not_matter() -> None:
    decision, _ = asked(in_turn(message("Here you are.", [("submit_plan", json.dumps(GOOD))], "tool_calls")))

    assert isinstance(decision.outcome, Plan)
