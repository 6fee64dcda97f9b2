"""What a system may hold, and what is said where it may not."""

import pytest

from agent.gate import Gate
from agent.policy import Policy
from agent.refusals import Code, PolicyError
from connectors.entry import Category
from connectors.holding import BAA, OWN, Condition, Holding
from flows.check.targets import objections
from flows.tenants import Target
from tests.agent import gate_world

SENSITIVE = Condition("sensitive_data", "sensitive data is switched on")
CRM = Holding(more={Category.CUSTOM: (SENSITIVE,)}, forbidden={Category.CLINICAL: "its search shows it"})


def test_what_is_not_said_needs_an_agreement() -> None:
    assert all(Holding().lack(category, ()) for category in Category)
    assert not any(Holding().lack(category, {"baa": "signed"}) for category in Category)
    assert not any(OWN.lack(category, ()) for category in Category)


def test_a_category_may_need_more_or_be_forbidden() -> None:
    assert CRM.needed(Category.CUSTOM) == (BAA, SENSITIVE)
    assert CRM.names == {"baa", "sensitive_data"}
    assert CRM.lack(Category.CUSTOM, {"baa"}) == (
        "may hold custom only if sensitive data is switched on",
        'if so, write there: confirmed: {sensitive_data: "since when, by whom"}',
    )
    assert CRM.lack(Category.CLINICAL, CRM.names) == (
        "may not hold clinical: its search shows it",
        "take clinical out",
    )


def test_each_thing_to_do_is_told_once_at_its_place() -> None:
    target = Target(
        connection="crm",
        categories=(Category.CONTACT, Category.CLINICAL, Category.CUSTOM),
        confirmed={"bba": "typo"},
    )

    assert [(place, what) for place, what, _ in objections("crm", CRM, target)] == [
        (("categories", 0), f"crm may hold contact only if {BAA.meaning}"),
        (("categories", 1), "crm may not hold clinical: its search shows it"),
        (("confirmed", "bba"), "is no condition of crm"),
    ]


def test_a_target_without_patient_data_says_all_the_same_who_is_a_patient() -> None:
    assert [place for place, _, _ in objections("crm", CRM, Target(connection="crm", categories=()))] == [()]
    confirmed = Target(connection="crm", categories=(), confirmed={"baa": "signed 2026-03-01"})
    assert list(objections("crm", CRM, confirmed)) == []


@pytest.mark.parametrize("withheld", [Category.CONTACT, Category.STATUS])
def test_the_gate_takes_no_policy_that_sends_what_may_not_be_held(withheld: Category) -> None:
    base: Policy = gate_world.policy("program")
    Gate(base, gate_world.WRITES, gate_world.CATEGORIES.get)

    with pytest.raises(
        PolicyError, match=rf"the system of crm may not hold {withheld}; see: ferry check"
    ) as raised:
        Gate(
            base.model_copy(update={"withheld": {"crm": (withheld,)}}),
            gate_world.WRITES,
            gate_world.CATEGORIES.get,
        )
    assert raised.value.code is Code.CATEGORY_WITHHELD
