"""What a policy may not grant is said when it is loaded, on one line."""

from typing import Any

import pytest

from agent.gate import Code, Gate, PolicyError
from agent.policy import Grant, OperationGrant, Policy
from connectors.entry import Category
from tests.agent.gate_world import APPROVED, CATEGORIES, WRITES, policy


def contact(**grants: Grant) -> dict[str, Any]:
    return {"operations": {"crm_upsert_contact": OperationGrant(arguments=grants)}}


CASES: list[tuple[dict[str, Any], str]] = [
    (
        {"operations": {"crm_refund": OperationGrant(arguments={})}},
        "policy: crm_refund: no connected target has",
    ),
    (contact(phon=Grant()), "policy: crm_upsert_contact.phon: the write has no such argument"),
    (
        contact(email=Grant(sources=("emial",))),
        "policy: crm_upsert_contact.email: emial is no field of the entry",
    ),
    (contact(email=Grant(sources=("policies.0.num",))), "policies.0.num is no field of the entry"),
    (contact(email=Grant(sources=("policies.num",))), "policies.num is insurance, not approved for crm"),
    (contact(full_name=Grant(sources=("notes",), computed=True)), "notes is free_text, not approved for crm"),
    (
        contact(email=Grant(transforms=("eval",))),
        "policy: crm_upsert_contact.email: no transform eval; there are",
    ),
    (
        contact(email=Grant(free_text=True)),
        "policy: crm_upsert_contact.email: the write takes no free text here",
    ),
    (contact(status=Grant(constants=("true", True))), "two constants are written alike"),
    (
        {"categories": {"warehouse": APPROVED}},
        "policy: crm_upsert_contact: its target has no approved categories",
    ),
    (
        {"categories": {"crm": APPROVED, "crm_upsert": APPROVED}},
        "policy: crm_upsert_contact: could be of crm or crm_upsert; rename one target",
    ),
]


def gate(changes: dict[str, Any]) -> Gate:
    base: Policy = policy("program", operations={"crm_upsert_contact": OperationGrant(arguments={})})
    return Gate(base.model_copy(update=changes), WRITES, CATEGORIES.get)


@pytest.mark.parametrize(("changes", "message"), CASES, ids=[message for _, message in CASES])
def test_a_policy_that_cannot_be_is_refused_with_one_line(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(PolicyError) as raised:
        gate(changes)

    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


def test_an_unapproved_category_has_its_code() -> None:
    with pytest.raises(PolicyError) as raised:
        gate(contact(email=Grant(sources=("email", "policies.num"))))

    assert raised.value.code is Code.CATEGORY_NOT_APPROVED


@pytest.mark.parametrize(
    "withheld", [Category.CONTACT, Category.IDENTITY, Category.SCHEDULE, Category.CUSTOM]
)
def test_every_category_of_every_grant_must_be_approved(withheld: Category) -> None:
    approved = tuple(category for category in APPROVED if category is not withheld)
    categories = {"crm": approved, "warehouse": (Category.INSURANCE,)}

    with pytest.raises(PolicyError, match=f"is {withheld}, not approved for crm"):
        Gate(policy("program", categories=categories), WRITES, CATEGORIES.get)


def test_an_operation_of_another_target_does_not_count() -> None:
    categories = {"crm": APPROVED, "warehouse": APPROVED}

    with pytest.raises(PolicyError, match=r"policies\.\w+ is insurance, not approved for warehouse"):
        Gate(policy("program", categories=categories), WRITES, CATEGORIES.get)
