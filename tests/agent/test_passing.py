"""A program's own text, held against what its target may not receive."""

import pytest
from pydantic import JsonValue

from agent.gate import Gate
from agent.plan import Plan
from connectors.entry import Category
from tests.agent.gate_world import CATEGORIES, ENTRY, TODAY, WRITES, by_value, call, policy


def said(text: str, **changes: JsonValue) -> str:
    """The code of what becomes of a full_name that a program made so; "" if it may be written."""
    gate = Gate(policy("program"), WRITES, CATEGORIES.get)
    outcome = gate.check(by_value(call(full_name=text)), {**ENTRY, **changes}, TODAY)
    return "" if isinstance(outcome, Plan) else outcome.code


def test_a_value_of_a_kind_that_is_not_approved_may_not_be_strung_into_a_text() -> None:
    notes = "Fell off a horse"
    assert said(f"Anabel: {notes}", notes=notes) == "computed_leaks"
    assert said(f"Anabel: {notes.upper()}!", notes=notes) == "computed_leaks"
    assert said("Anabel fell", notes=notes) == ""  # a part of it passes: a net, and no proof


def test_what_the_sources_say_themselves_may_be_said() -> None:
    assert said("Anabel Canario", notes="Anabel") == ""


def test_a_bare_day_is_nobodys() -> None:
    assert said("2026-03-05", notes="2026-03-05") == ""
    assert said("Call on 2026-03-05", notes="2026-03-05") == "computed_leaks"


@pytest.mark.parametrize("withheld", [(), (Category.SCHEDULE,)])
def test_what_the_system_may_not_hold_is_kept_out_too(withheld: tuple[Category, ...]) -> None:
    base = policy("program")
    operation = base.operations["crm_upsert_contact"]
    named = {name: grant for name, grant in operation.arguments.items() if name == "full_name"}
    granted = base.model_copy(
        update={
            "operations": {"crm_upsert_contact": operation.model_copy(update={"arguments": named})},
            "withheld": {"crm": withheld},
        }
    )
    made = by_value(call(full_name="Anabel, 4711 visits"))
    outcome = Gate(granted, WRITES, CATEGORIES.get).check(made, {**ENTRY, "visits": 4711}, TODAY)

    assert isinstance(outcome, Plan) == (not withheld)
