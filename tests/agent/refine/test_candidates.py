"""A candidate is held to types, citations and the gate; the one that is kept agrees most."""

from collections.abc import Sequence

import pytest

from agent.instructions import Instructions
from agent.manifest import Manifest
from agent.plan import Plan, Refused
from agent.policy import Grant, OperationGrant
from agent.refine.candidates import Desk, chosen, codes, gate_problem
from agent.refine.disagreements import Outcome
from tests.agent.desk import ANA, CATEGORIES, FIELDS, PROGRAM, TEXT, WRITES, case, policy

DESK = Desk(
    instructions=Instructions.parse(TEXT),
    manifest=Manifest({"S1": ("active", "email"), "S4": ("email",)}),
    policy=policy("program"),
    writes=WRITES,
    fields=FIELDS,
    category=CATEGORIES.get,
)


def test_a_program_that_holds_is_run_behind_the_gate() -> None:
    assert DESK.problems(PROGRAM) == []

    [written, review] = DESK.outcomes(PROGRAM, [case(), case(ANA | {"email": None})])

    assert isinstance(written, Plan) and written.calls[0].values()["email"] == "ana@example.com"
    assert isinstance(review, Plan) and (review.kind, review.reason) == ("review", "no_email")


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("def decide(entry, today):\n    return [crm_delete_contact(because=['S1'])]\n", "line 2: "),
        ("def decide(entry, today):\n    return skip('S9', 'no_name')\n", "program.py:2: cites S9"),
        ("def decide(entry):\n    return []\n", "line 1: write it as def decide"),
        ("def decide(entry, today):\n    return entry['pone']\n", "pone"),
        ("import os\n\ndef decide(entry, today):\n    return os.listdir()\n", "line "),
        ("def decide(", "is not Python"),
    ],
)
def test_a_program_that_does_not_hold_is_told(source: str, told: str) -> None:
    [problem, *_] = DESK.problems(source)

    assert told in problem


def test_what_the_gate_refuses_is_an_outcome() -> None:
    call = "warehouse_upsert_patients(because=['S1'], email='eve@example.com')"
    invented = f"def decide(entry, today):\n    return [{call}]\n"

    assert DESK.outcomes(invented, [case()]) == [
        Refused(code="value_without_source", where="warehouse_upsert_patients.email")
    ]


def test_grants_that_cannot_be_used_are_told() -> None:
    grant = OperationGrant(arguments={"on": Grant(sources=("email",))})
    wrong = DESK.policy.model_copy(update={"operations": {"crm_note_visit": grant}})
    desk = Desk(DESK.instructions, DESK.manifest, wrong, WRITES, FIELDS, CATEGORIES.get)

    assert gate_problem(DESK) == ""
    assert "email is contact, not approved for crm" in gate_problem(desk)


def test_the_sentences_that_speak_of_an_argument() -> None:
    assert DESK.speak("warehouse_upsert_patients.email") == ("S1", "S4")
    assert DESK.speak("warehouse_upsert_patients.status") == ()
    assert DESK.speak("crm_delete_contact.email") == () and DESK.speak("what becomes of it") == ()


SKIP, REVIEW, FAILED = Plan(kind="skip"), Plan(kind="review"), Refused(code="program_error", where="line 3")


@pytest.mark.parametrize(
    ("outcomes", "met", "kept"),
    [
        ([[SKIP], [SKIP]], [0, 0], 0),
        ([[SKIP], [REVIEW]], [0, 1], 1),
        ([[FAILED, SKIP], [SKIP, SKIP]], [1, 1], 1),
        ([[REVIEW], [SKIP], [SKIP]], [1, 1, 1], 1),
        ([[REVIEW], [SKIP], [SKIP]], [2, 1, 1], 0),
    ],
)
def test_the_one_that_is_kept(outcomes: Sequence[Sequence[Outcome]], met: list[int], kept: int) -> None:
    assert chosen(outcomes, met) == kept


def test_codes_are_counted() -> None:
    assert codes([SKIP, FAILED, FAILED]) == {"program_error:line 3": 2}
