"""The list of models: what is asked, where, under which agreement, at what price."""

from collections.abc import Mapping
from typing import Any

import pytest

from agent.access import Access
from agent.agent import Decider, Terms
from agent.allowed import Allowed, Price, is_loopback, objections
from agent.failures import CannotAsk
from tests.agent.desk import by_model, terms

PRICE = {"input": "3", "output": "15", "cached": "0.3", "batch": "0.5"}
CLOUD: Mapping[str, Any] = {"version": "claude-x-20260101", "regions": ["us-east5"], "baa": "Google, 2026"}
OWN: Mapping[str, Any] = {"version": "small-1", "hosts": ["models.clinic.example"], "baa": "our own machine"}
LOCAL: Mapping[str, Any] = {"version": "small-1", "local": True}
THERE = Access(project="p", location="us-east5")
MACHINE = Access(base_url="http://127.0.0.1:8000/v1")
ASTRAY = THERE.model_copy(update={"base_url": "http://evil.example"})


def said(id_: str, model: Mapping[str, Any], access: Access | None, *, production: bool = False) -> list[str]:
    listed = Allowed.model_validate({"price": PRICE} | dict(model))
    return list(objections(id_, listed, access, production=production))


@pytest.mark.parametrize(
    ("id_", "model", "access"),
    [
        ("google-cloud:claude-x", CLOUD, THERE),
        ("google-cloud:claude-x", CLOUD, None),
        ("openai-compatible:small", OWN, Access(base_url="https://models.clinic.example/v1")),
        ("google-cloud:gemini-x", {**CLOUD, "hosts": ["private.example"]},
         Access(project="p", location="us-east5", base_url="https://private.example")),
    ],
)  # fmt: skip
def test_what_is_listed_may_be_asked_where_it_is_listed(
    id_: str, model: Mapping[str, Any], access: Access | None
) -> None:
    assert said(id_, model, access, production=True) == []


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000/v1", "http://localhost/v1", "http://[::1]:9/v1"])
def test_a_trial_on_this_machine_needs_no_agreement_and_is_none_in_production(url: str) -> None:
    assert said("openai-compatible:small", LOCAL, Access(base_url=url)) == []
    assert "production refuses" in said("openai-compatible:small", LOCAL, None, production=True)[0]


@pytest.mark.parametrize(
    ("id_", "model", "access", "word"),
    [
        ("google-cloud:claude-x", {**CLOUD, "baa": " "}, THERE, "business associate agreement"),
        ("google-cloud:claude-x", {**CLOUD, "price": None}, THERE, "no price"),
        ("google-cloud:claude-x", {**CLOUD, "version": "claude-latest"}, THERE, "not pinned"),
        ("google-cloud:claude-x", CLOUD, Access(project="p", location="global"), "location"),
        ("google-cloud:claude-x", CLOUD, ASTRAY, "base_url"),
        ("openai-compatible:small", OWN, Access(base_url="https://models.clinic.example.evil"), "base_url"),
        ("openai-compatible:small", OWN, Access(base_url="https://models.clinic.example@evil"), "base_url"),
        ("openai-compatible:small", OWN, Access(), "base_url"),
        ("openai-compatible:small", OWN, MACHINE, "base_url"),
        ("openai-compatible:small", LOCAL, Access(base_url="https://10.0.0.8/v1"), "base_url"),
    ],
)  # fmt: skip
def test_nothing_else_may_be_asked(id_: str, model: Mapping[str, Any], access: Access, word: str) -> None:
    assert any(word in one for one in said(id_, model, access))


def test_a_host_is_this_machine_by_its_address_alone() -> None:
    assert [host for host in ("127.0.0.1", "127.9.9.9", "::1", "localhost") if not is_loopback(host)] == []
    assert [h for h in ("127.0.0.1.evil.example", "10.0.0.1", "", "localhost.evil") if is_loopback(h)] == []


def test_a_model_named_by_its_id_is_not_asked_without_being_listed() -> None:
    with pytest.raises(CannotAsk, match="is not on the list of allowed models"):
        by_model(Terms(MACHINE))
    on = terms(MACHINE)
    free = Terms(MACHINE, Allowed(version="small-1", local=True), on.meter)
    with pytest.raises(CannotAsk, match="has no price, so no budget can hold"):
        by_model(free)
    Decider.close(by_model(on))


@pytest.mark.parametrize(
    ("tokens", "batched", "cost"),
    [
        ({"input_": 1_000_000, "cached": 0, "written": 0, "output": 0}, False, 3_000_000),
        ({"input_": 1_000_000, "cached": 1_000_000, "written": 0, "output": 0}, False, 300_000),
        ({"input_": 1_000, "cached": 0, "written": 1_000, "output": 0}, False, 6_000),
        ({"input_": 0, "cached": 0, "written": 0, "output": 1}, False, 15),
        ({"input_": 1_000, "cached": 1_000, "written": 0, "output": 1}, False, 315),
        ({"input_": 1_001, "cached": 1_001, "written": 0, "output": 0}, False, 301),  # 300.3 is rounded up
        ({"input_": 1_000_000, "cached": 0, "written": 0, "output": 0}, True, 1_500_000),
    ],
)
def test_a_price_is_by_the_million_and_rounded_up(tokens: Any, batched: bool, cost: int) -> None:
    assert Price.model_validate(PRICE).micro(**tokens, batched=batched) == cost
