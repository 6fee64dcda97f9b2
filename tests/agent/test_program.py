"""What a program decides, and what it finds around it."""

import pytest

from agent.agent import Case, Decider
from agent.plan import Plan, Refused
from agent.policy import Grant, OperationGrant
from tests.agent.desk import ANA, TODAY, by_program, case


def decided(source: str | None = None, entry: dict[str, object] | None = None) -> Plan | Refused:
    decider = by_program(source) if source else by_program()
    try:
        return decider.decide([case(entry or ANA)])[0].outcome  # type: ignore[arg-type]
    finally:
        decider.close()


def test_a_program_makes_a_plan_that_cites_its_sentences() -> None:
    plan = decided()

    assert isinstance(plan, Plan)
    assert [call.operation for call in plan.calls] == ["warehouse_upsert_patients"]
    assert plan.calls[0].because == ("S1",)
    assert plan.calls[0].values() == {"full_name": "Ana Silva-Example", "email": "ana@example.com"}
    assert plan.calls[0].arguments["email"].source.paths == ("email",)


def test_a_program_costs_no_model_request() -> None:
    decider = by_program()
    decisions = decider.decide([case()] * 3)
    decider.close()

    assert [decision.model_requests for decision in decisions] == [0, 0, 0]


def test_the_same_case_gives_the_same_plan_byte_for_byte() -> None:
    source = """\
import random
def decide(entry, today):
    word = random.choice(sorted(set(["active", "archived"])))
    return [warehouse_upsert_patients(because=["S1"], status=word, email=entry["email"])]
"""
    cases = [case({**ANA, "email": f"p{n}@example.com"}) for n in range(40)]
    first, second = by_program(source), by_program(source)
    one = [decision.model_dump_json() for decision in first.decide(cases)]
    two = [decision.model_dump_json() for decision in second.decide(cases)]
    first.close()
    second.close()

    assert one == two
    assert all('"write"' in text for text in one)


def test_missing_null_and_empty_stay_three_things() -> None:
    source = """\
def decide(entry, today):
    return [warehouse_upsert_patients(because=["S1"], email=entry.get("email", MISSING), full_name="Ana")]
"""
    outcomes = []
    for entry in (
        {"first_name": "Ana"},
        {"first_name": "Ana", "email": None},
        {"first_name": "Ana", "email": ""},
    ):
        plan = decided(source, entry)
        assert isinstance(plan, Plan), plan
        outcomes.append(plan.calls[0].values().get("email", "missing"))

    assert outcomes == ["missing", None, ""]


def test_skip_and_review_give_their_sentence_reason_and_day() -> None:
    skipped = decided(entry={"id": "1", "active": True})
    asked = decided(entry={**ANA, "email": None})

    assert skipped == Plan(kind="skip", because=("S3",), reason="no_name")
    assert isinstance(asked, Plan)
    assert (asked.kind, asked.reason, str(asked.again_on)) == ("review", "no_email", "2026-12-01")


def test_a_plan_may_ask_to_be_made_again_on_a_day() -> None:
    source = """\
from datetime import timedelta
def decide(entry, today):
    call = warehouse_upsert_patients(because=["S2"], status="archived")
    return plan([call], again_on=today + timedelta(days=30))
"""
    plan = decided(source)

    assert isinstance(plan, Plan)
    assert str(plan.again_on) == "2026-12-22"


def test_a_program_may_take_what_is_known() -> None:
    source = """\
def decide(entry, today, known):
    word = "archived" if known["crm_find_owner"] == {"owner": "none"} else "active"
    return [warehouse_upsert_patients(because=["S1"], status=word)]
"""
    decider = by_program(source)
    decisions = decider.decide(
        [Case("1", ANA, {"crm_find_owner": {"owner": owner}}, TODAY) for owner in ("none", "x")]
    )
    decider.close()

    plans = [decision.outcome for decision in decisions]
    assert [plan.calls[0].values() for plan in plans if isinstance(plan, Plan)] == [
        {"status": "archived"},
        {"status": "active"},
    ]


def test_dates_a_program_makes_are_written_as_dates() -> None:
    source = """\
from datetime import date
def decide(entry, today):
    return [crm_note_visit(because=["S5"], on=date.fromisoformat(entry["next_visit"]))]
"""
    plan = decided(source)

    assert isinstance(plan, Plan), plan
    assert plan.calls[0].values() == {"on": "2026-12-01"}


@pytest.mark.parametrize(
    "body",
    [
        "return [crm_delete_contact(because=['S1'], email='ana@example.com')]",
        "return [warehouse_upsert_patients(because=['S1'], insurance=entry['policies'][0]['num'])]",
        "return [warehouse_upsert_patients(['S1'], 'Ana')]",
    ],
)
def test_what_is_not_granted_has_no_name_in_a_program(body: str) -> None:
    refused = decided(f"def decide(entry, today):\n    {body}\n")

    assert refused == Refused(code="program_error", where="line 2")


def test_a_call_that_is_forged_as_data_still_meets_the_gate() -> None:
    source = """\
def decide(entry, today):
    return [{"op": "crm_delete_contact", "because": ["S1"], "arguments": {"email": "ana@example.com"}}]
"""
    refused = decided(source)

    assert refused == Refused(code="program_output_invalid")


def test_a_value_from_nowhere_is_refused_by_the_gate() -> None:
    call = "warehouse_upsert_patients(because=['S1'], email='x@evil.example')"
    refused = decided(f"def decide(entry, today):\n    return [{call}]\n")

    assert refused == Refused(code="value_without_source", where="warehouse_upsert_patients.email")


def test_instructions_that_were_not_compiled_name_no_program() -> None:
    with pytest.raises(ValueError, match="not compiled"):
        by_program(source=None)  # type: ignore[arg-type]


def test_a_grant_of_what_no_operation_has_is_found_at_once() -> None:
    grant = OperationGrant(arguments={"ssn": Grant(sources=("email",))})

    with pytest.raises(ValueError, match="ssn"):
        by_program(warehouse_upsert_patients=grant)


def test_deciders_of_several_programs_do_not_mix() -> None:
    sources = [f"def decide(entry, today):\n    return skip('S{n}', 'no_name')\n" for n in (1, 2, 3)]
    deciders: list[Decider] = [by_program(source) for source in sources]
    outcomes = [decider.decide([case()])[0].outcome for decider in deciders for _ in range(2)]
    for decider in deciders:
        decider.close()

    assert [outcome.because for outcome in outcomes if isinstance(outcome, Plan)] == [
        ("S1",),
        ("S1",),
        ("S2",),
        ("S2",),
        ("S3",),
        ("S3",),
    ]
