"""The gate, draft by draft."""

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from pydantic import Field, JsonValue, create_model

from agent.gate import Gate, plan_hash
from agent.plan import Draft, Plan, Refused, Source
from agent.policy import Grant, OperationGrant
from connectors.entry import Category
from connectors.operation import ArgumentModel
from tests.agent.gate_attacks import ATTACKS
from tests.agent.gate_world import (
    CATEGORIES,
    ENTRY,
    TODAY,
    WRITES,
    Attack,
    by_reference,
    by_value,
    call,
    policy,
    row,
)


def gate(by: str = "program") -> Gate:
    return Gate(policy("program" if by == "program" else "model"), WRITES, CATEGORIES.get)


def passed(outcome: Plan | Refused) -> Plan:
    assert isinstance(outcome, Plan), outcome
    return outcome


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_each_draft_is_refused_with_its_code_or_passes(attack: Attack) -> None:
    outcome = gate(attack.by).check(attack.draft, ENTRY, TODAY)

    if attack.code:
        assert outcome == Refused(code=attack.code, where=attack.where)
        assert type(outcome.code) is str
    else:
        passed(outcome)


def test_a_plan_says_where_each_value_comes_from() -> None:
    draft = by_value(
        call(email="ana@example.com", phone="+14155550101", status="active", full_name="A. Canario")
    )

    arguments = passed(gate().check(draft, ENTRY, TODAY)).calls[0].arguments

    assert {name: argument.source for name, argument in arguments.items()} == {
        "email": Source(kind="leaf", paths=("email",)),
        "phone": Source(kind="transform", paths=("phone_number",), transforms=("e164",)),
        "status": Source(kind="constant"),
        "full_name": Source(kind="computed", paths=("first_name", "last_name")),
    }


def test_a_value_in_a_list_names_its_position() -> None:
    plan = passed(gate().check(by_value(row(policy_id="12", number="ZX-00319", group="")), ENTRY, TODAY))

    assert plan.calls[0].arguments["number"].source.paths == ("policies.1.num",)
    assert plan.calls[0].arguments["group"].source.paths == ("policies.1.group",)


def test_missing_null_and_empty_stay_three_things() -> None:
    missing = passed(gate().check(by_value(call(email="ana@example.com")), ENTRY, TODAY)).calls[0]
    null = passed(gate().check(by_value(call(middle_name=None)), ENTRY, TODAY)).calls[0]
    empty = passed(gate().check(by_value(call(middle_name="")), ENTRY, TODAY)).calls[0]

    assert "middle_name" not in missing.arguments
    assert null.values() == {"middle_name": None}
    assert empty.values() == {"middle_name": ""}
    assert empty.arguments["middle_name"].source.paths == ("suffix",)


def test_a_null_needs_a_null_and_not_a_gap() -> None:
    entry = {name: value for name, value in ENTRY.items() if name != "middle_name"}

    assert gate().check(by_value(call(middle_name=None)), entry, TODAY) == Refused(
        code="value_without_source", where="crm_upsert_contact.middle_name"
    )


def test_a_value_is_carried_as_its_argument_writes_it() -> None:
    plan = passed(gate().check(by_value(call(seen_at=ENTRY["updated_at"])), ENTRY, TODAY))

    assert plan.calls[0].values() == {"seen_at": "2026-01-30T12:15:00-07:00"}
    assert plan.calls[0].arguments["seen_at"].source == Source(kind="leaf", paths=("updated_at",))


def test_both_forms_of_one_plan_are_one_plan() -> None:
    value = gate().check(by_value(call(email="ana@example.com", phone="+14155550101")), ENTRY, TODAY)
    handle = gate("model").check(by_reference(call(phone="@phone_number|e164", email="@email")), ENTRY, TODAY)

    assert plan_hash(passed(value)) == plan_hash(passed(handle))


def test_a_plan_s_hash_is_stable_and_tells_types_apart() -> None:
    one = passed(gate().check(by_value(call(visits=1)), ENTRY, TODAY))
    other = passed(gate().check(by_value(call(visits=7)), ENTRY, TODAY))

    assert plan_hash(one) == plan_hash(Plan.model_validate_json(one.model_dump_json()))
    assert plan_hash(one) == "a79313514787c89138a6f9082e6d3cd8ed1f58a1deacfd43df1c998f5cc7b036"
    assert plan_hash(one) != plan_hash(other)


def test_a_sentence_cited_twice_is_carried_once() -> None:
    draft = by_value(call(because=("S2", "S1", "S2"), status="active"))

    assert passed(gate().check(draft, ENTRY, TODAY)).calls[0].because == ("S2", "S1")


def test_an_argument_is_named_by_its_alias() -> None:
    class Sheet(ArgumentModel):
        full_name: str | None = Field(default=None, alias="Full Name")

    write = replace(WRITES["crm_upsert_contact"], arguments=Sheet, free_text=frozenset())
    grants = {"Full Name": Grant(sources=("first_name",))}
    allowed = policy("program", operations={"crm_upsert_contact": OperationGrant(arguments=grants)})
    draft = by_value(call(**{"Full Name": "Anabel"}))

    plan = passed(Gate(allowed, {"crm_upsert_contact": write}, CATEGORIES.get).check(draft, ENTRY, TODAY))

    assert plan.calls[0].values() == {"Full Name": "Anabel"}


def test_twenty_arguments_out_of_a_hundred_leaves_take_a_tenth_of_a_millisecond() -> None:
    names = [f"c{n}" for n in range(20)]
    fields: dict[str, Any] = dict.fromkeys(names, (str | None, None))
    wide = replace(
        WRITES["crm_tag_contact"], arguments=create_model("Wide", __base__=ArgumentModel, **fields)
    )
    grants = {name: Grant(sources=(f"f{name}",), transforms=("upper",)) for name in names}
    allowed = policy("program", operations={"crm_wide": OperationGrant(arguments=grants)})
    checked = Gate(allowed, {"crm_wide": wide}, lambda path: Category.STATUS)
    entry: dict[str, JsonValue] = {f"fc{n}": f"value {n}" for n in range(100)}
    draft = by_value(call("crm_wide", **{name: f"VALUE {name[1:]}" for name in names}))
    passed(checked.check(draft, entry, TODAY))

    assert min(_seconds(checked, draft, entry) for _ in range(50)) < 0.001  # 0.00012 on an idle core


def test_a_check_is_fast_and_stays_so_on_long_lists() -> None:
    entry = ENTRY | {"policies": [{"id": str(n), "num": f"N-{n}", "group": None} for n in range(400)]}
    checked, draft = gate(), by_value(row(policy_id="399", number="N-399"), call(email="ana@example.com"))
    passed(checked.check(draft, entry, TODAY))

    best = min(_seconds(checked, draft, entry) for _ in range(20))

    assert best < 0.01  # some 1 ms here; a search that is quadratic in the list takes 100


def _seconds(checked: Gate, draft: Draft, entry: Mapping[str, JsonValue]) -> float:
    began = time.perf_counter()
    checked.check(draft, entry, TODAY)
    return time.perf_counter() - began
