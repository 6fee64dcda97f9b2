"""An example that is kept is invented, holds declared fields only, and agrees with the program."""

import json
from typing import Any

import pytest

from agent.coverage import unshown
from agent.golden import ExpectedPlan
from agent.instructions import Instructions
from agent.manifest import Manifest
from agent.plan import Argument, Call, Plan, Refused, Source
from agent.refine.draft import DraftedExamples
from agent.refine.examples import against, judged, met, name, read
from tests.agent.desk import TEXT, policy

POLICY = policy("program")
INSTRUCTIONS = Instructions.parse(TEXT)
MANIFEST = Manifest({"S1": ("active", "email", "last_name", "policies.num")})
ENTRY = {"active": True, "email": "ana@example.com", "last_name": None, "policies": [{"num": "1"}]}
PLAN = {
    "calls": [
        {"op": "warehouse_upsert_patients", "because": ["S1"], "arguments": {"email": "ana@example.com"}}
    ]
}


def example(**changed: Any) -> dict[str, Any]:
    given = {
        "shows": "One e-mail",
        "today": "2026-03-02",
        "entry": json.dumps(ENTRY),
        "plan": json.dumps(PLAN),
    }
    return given | changed


def drafted(*examples: dict[str, Any]) -> DraftedExamples:
    return DraftedExamples.model_validate({"examples": examples})


def came(*, email: str | None = "ana@example.com", because: tuple[str, ...] = ("S1",)) -> Plan:
    source = Source(kind="leaf", paths=("email",))
    arguments = {"email": Argument(value=email, source=source)}
    return Plan(
        kind="write",
        calls=(Call(operation="warehouse_upsert_patients", arguments=arguments, because=because),),
    )


def test_an_example_is_read() -> None:
    [golden], problems = read(drafted(example()), MANIFEST, POLICY)

    assert problems == [] and name(golden) == "one-e-mail.yaml"
    assert golden.entry == ENTRY and golden.plan == ExpectedPlan.model_validate(PLAN)


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no JSON": ({"entry": "{'active': True}"}, "example 1: the JSON: Invalid JSON"),
    "no object": ({"plan": "[]"}, "example 1: the JSON: Input should be an object"),
    "no day": ({"today": "March"}, "example 1: today: "),
    "another key": ({"plan": '{"kind": "write", "sudo": 1}'}, "example 1: plan.sudo: Extra inputs"),
    "another kind": ({"plan": '{"kind": "delete"}'}, "example 1: plan.kind: "),
    "a field that is not read": ({"entry": '{"dob": "1990-01-01"}'}, "entry: dob is not among the declared"),
    "below one": ({"entry": '{"policies": [{"name": "x"}]}'}, "entry: policies.name is not among"),
    "no such sentence": ({"plan": '{"kind": "skip", "because": ["S9"]}'}, "plan: S9 is no sentence"),
    "no such operation": (
        {"plan": '{"calls": [{"op": "crm_delete", "because": ["S1"]}]}'},
        "plan: crm_delete is no granted operation",
    ),
    "no such argument": (
        {"plan": '{"calls": [{"op": "warehouse_upsert_patients", "because": [], "arguments": {"id": "1"}}]}'},
        "plan: warehouse_upsert_patients.id is not granted",
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_wrong_is_told(wrong: str) -> None:
    changed, told = WRONG[wrong]

    _, problems = read(drafted(example(**changed)), MANIFEST, POLICY)

    assert any(told in problem for problem in problems), problems


def test_two_that_show_the_same_are_told() -> None:
    _, problems = read(drafted(example(), example(shows="one e mail!")), MANIFEST, POLICY)

    assert problems == ["example 2: an earlier example shows the same"]


def test_null_and_empty_lists_are_no_other_fields() -> None:
    entry = {"active": None, "policies": []}

    _, problems = read(drafted(example(entry=json.dumps(entry))), MANIFEST, POLICY)

    assert problems == []


def test_sentences_that_no_plan_cites_are_told() -> None:
    found, _ = read(drafted(example()), MANIFEST, POLICY)

    assert unshown(INSTRUCTIONS.numbers, found) == ("S2", "S3", "S4", "S5")


def test_what_an_example_expects_otherwise_is_told_by_name() -> None:
    [golden], _ = read(drafted(example()), MANIFEST, POLICY)

    assert against(golden, came(because=("S2",))) == []
    assert against(golden, came(email=None)) == ["warehouse_upsert_patients.email"]
    assert against(golden, Refused(code="program_error")) == ["refused with program_error"]
    assert against(golden, Plan(kind="skip", because=("S3",))) == ["what becomes of such a patient"]
    assert against(golden, came().model_copy(update={"calls": ()})) == ["which operations are called"]


def test_kept_ones_cite_as_the_program_does_and_the_others_are_given_back() -> None:
    found, _ = read(drafted(example(), example(shows="Another")), MANIFEST, POLICY)

    outcomes = [came(because=("S1", "S2")), came(email=None)]
    held = judged(found, outcomes)

    assert met(found, outcomes) == 1
    assert [(one.shows, one.plan.calls[0].because) for one in held.kept] == [("One e-mail", ("S1", "S2"))]
    assert [(golden.shows, names) for golden, names in held.others] == [
        ("Another", ("warehouse_upsert_patients.email",))
    ]
