"""What a model is offered: the shape of a plan, lookups, and models by their id."""

from typing import Any

import pytest
from pydantic import SecretStr, ValidationError
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.google import GoogleModel
from pydantic_ai.models.wrapper import WrapperModel

from agent.access import Access
from agent.metered import Terms
from agent.models import model_of, settings_of
from agent.policy import Policy
from agent.tools import draft_of, plan_type
from tests.agent.desk import WRITES, policy


def schema(by: Any = "reference") -> dict[str, Any]:
    return plan_type(by, policy("model"), WRITES).model_json_schema()


def objects(node: Any) -> list[dict[str, Any]]:
    """Every object schema in a schema."""
    found = [node] if isinstance(node, dict) and node.get("type") == "object" else []
    inner = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return found + [below for part in inner for below in objects(part)]


def test_only_granted_operations_and_arguments_have_a_name() -> None:
    text = str(schema())

    assert "warehouse_upsert_patients" in text
    assert "crm_note_visit" in text
    for absent in ("crm_delete_contact", "insurance", "born"):
        assert absent not in text


def test_every_object_lists_its_names_and_takes_no_other() -> None:
    found = objects(schema())

    assert len(found) == 5  # the plan, and for each of two operations a call and its arguments
    for part in found:
        assert part["additionalProperties"] is False
        assert part["properties"]


def test_a_call_says_which_operation_it_is() -> None:
    definitions = schema()["$defs"]

    for name in ("warehouse_upsert_patients", "crm_note_visit"):
        assert definitions[name]["properties"]["op"] == {"const": name, "title": "Op", "type": "string"}
        assert "op" in definitions[name]["required"]


def test_an_argument_says_what_may_stand_in_it() -> None:
    arguments = schema()["$defs"]["warehouse_upsert_patients_arguments"]["properties"]

    assert (
        arguments["email"]["description"] == "one of @email; a path may be followed by |lower; null: not set"
    )
    assert arguments["status"]["description"] == "one of =active, =archived; null: not set"


def test_null_is_not_set_for_a_model_and_null_for_a_program() -> None:
    call = {"op": "warehouse_upsert_patients", "because": ["S1"], "arguments": {"email": None}}
    drafts = [
        draft_of(
            by, plan_type(by, policy("program"), WRITES).model_validate({"kind": "write", "calls": [call]})
        )
        for by in ("reference", "value")
    ]

    assert [draft.calls[0].arguments for draft in drafts] == [{}, {"email": None}]


def test_a_programs_value_is_checked_but_not_rewritten() -> None:
    plan = plan_type("value", policy("program"), WRITES)
    good = {"op": "crm_note_visit", "because": ["S5"], "arguments": {"on": "2026-12-01"}}
    bad = {"op": "crm_note_visit", "because": ["S5"], "arguments": {"on": "zeb-4711"}}

    assert draft_of("value", plan.model_validate({"kind": "write", "calls": [good]})).calls[0].arguments == {
        "on": "2026-12-01"
    }
    with pytest.raises(ValidationError) as error:
        plan.model_validate({"kind": "write", "calls": [bad]})
    assert "zeb-4711" not in str(error.value)


def test_a_policy_without_operations_can_still_skip() -> None:
    empty = Policy(operations={}, sentences=("S1",), categories={}, by="model")
    plan = plan_type("reference", empty, WRITES).model_validate({"kind": "skip", "because": ["S1"]})

    assert draft_of("reference", plan).kind == "skip"


def test_models_are_found_by_their_id() -> None:
    cloud = Access(project="a-project", location="us-central1")

    assert model_of("openai-compatible:qwen", Access(base_url="http://127.0.0.1:9/v1")).model_name == "qwen"
    for name, kind in (("claude-sonnet-4-6", AnthropicModel), ("gemini-2.5-flash", GoogleModel)):
        model = model_of(f"google-cloud:{name}", cloud)
        assert isinstance(model, WrapperModel) and isinstance(model.wrapped, kind)


@pytest.mark.parametrize(
    ("id_", "word"),
    [
        ("openai-compatible:qwen", "base_url"),
        ("openai-compatible:", "NAME"),
        ("openai:gpt-5", "openai-responses:NAME"),
        ("openai-responses:gpt-5", "base_url"),
        ("google-cloud:gemini-2.5-flash", "project"),
        ("google-cloud:claude-sonnet-4-6", "location"),
        ("no-such-vendor:model", "no-such-vendor"),
    ],
)
def test_a_model_that_cannot_be_reached_so_is_refused_at_once(id_: str, word: str) -> None:
    with pytest.raises(ValueError, match=word):
        model_of(id_, Access())


def test_retries_of_the_sdks_are_off_and_keys_are_not_shown() -> None:
    access = Access(api_key=SecretStr("sk-zebra"))

    assert settings_of(Terms(access))["max_retries"] == 0
    assert settings_of(Terms(access))["temperature"] == 0.0
    assert "zebra" not in repr(access)
