"""Every request to a model keeps the rules of the wire, however the model answers; and breaking one shows."""

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from pydantic import BaseModel
from pydantic_ai import Agent
from pydantic_ai.models.instrumented import InstrumentationSettings
from pydantic_ai.models.test import TestModel

from agent.agent import View
from agent.plan import Plan, Refused
from agent.refine.asking import SUBMIT, Refiner, Request
from connectors.entry import Category
from tests.agent import judged
from tests.agent.desk import ANA, CATEGORIES, TEXT, Directory, by_model, by_program, case, terms
from tests.agent.openai_server import Endpoint, Model, Reply, calls, in_turn, message, says, serving, submits
from tests.agent.test_agent_model import BAD, GOOD
from tests.agent.watch import Rules, secrets_of

EVA: dict[str, Any] = {
    **ANA,
    "id": "4102",
    "first_name": "Eva",
    "last_name": "Mendes-Example",
    "email": "eva.mendes@example.com",
    "phone": "+1 212 555 0199",
    "next_visit": None,
    "policies": [{"num": "ZZT-99341", "plan": {"name": "Green Example HMO"}}, {"num": None, "plan": None}],
}
SECRETS = [*secrets_of(ANA, {"next_visit"}), *secrets_of(EVA, {"next_visit"})]
RULES = Rules(TEXT, ("crm_find_owner", "submit_plan"), SECRETS, denied=("notes", "note_content"))
LOOK = calls(("crm_find_owner", {"email": "@email"}))

MODELS: Mapping[str, Model] = {
    "well": in_turn(submits(GOOD)),
    "badly": in_turn(submits(BAD)),
    "badly, then well": in_turn(submits(BAD), submits(GOOD)),
    "after a look": in_turn(LOOK, submits(GOOD)),
    "after a look at nobody": in_turn(calls(("crm_find_owner", {"email": "@nobody"})), submits(GOOD)),
    "malformed": in_turn(calls(("submit_plan", '{"kind": "write", "calls": [{"op": '))),
    "the wrong tool": in_turn(calls(("delete_everything", {}))),
    "prose": in_turn(says("I would archive this patient.")),
    "nothing": in_turn(says("")),
    "a cut": in_turn(message(None, [("submit_plan", "{")], "length")),
    "429, then well": in_turn(Reply(429, b"{}", {"Retry-After": "0"}), submits(GOOD)),
    "500": in_turn(Reply(500, b"{}", {"Retry-After": "0"})),
    "slowly": in_turn(Reply(payload=submits(GOOD).payload, wait=0.5)),
    "never": in_turn(Reply(wait=5.0)),
    "as another model": in_turn(Reply(payload=submits(GOOD).payload.replace(b"test-model", b"other-model"))),
}


@pytest.mark.parametrize("name", MODELS)
def test_every_request_keeps_the_rules_however_the_model_answers(name: str) -> None:
    directory = Directory({"owner": "Dr. Example", "of": "ana@example.com", "rows": [{"name": "Silva"}]})
    with serving(MODELS[name], RULES) as endpoint:
        decider = by_model(endpoint.access(request_timeout=1.0), directory)
        known = {"crm_find_owner": {"owner": "for Eva", "of": "eva.mendes@example.com"}}
        decisions = decider.decide([case(ANA), case(EVA, known)])
        decider.close()

    assert endpoint.wrong == []
    assert len(endpoint.bodies) == sum(one.model_requests for one in decisions) > 0
    assert all(isinstance(one.outcome, (Plan, Refused)) for one in decisions)


def test_what_comes_before_the_record_is_the_same_byte_for_byte() -> None:
    with serving(in_turn(submits(GOOD)), RULES) as endpoint:
        decider = by_model(endpoint.access(), Directory())
        decider.decide(
            [case(entry) for entry in (ANA, EVA, {**EVA, "policies": []}, {**EVA, "active": False})]
        )
        decider.close()
    before, after = zip(*map(parts, endpoint.bodies), strict=True)

    assert len(endpoint.bodies) == 4 and len(set(endpoint.bodies)) == 4
    assert len(set(before)) == len(set(after)) == 1
    assert len(before[0]) + len(after[0]) > 3_000


def parts(body: bytes) -> tuple[bytes, bytes]:
    """A request's bytes before and after what is told of the record."""
    [told] = [one["content"] for one in json.loads(body)["messages"] if one["role"] == "user"]
    start, _, end = body.partition(json.dumps(told, ensure_ascii=False).encode())
    return start, end


Break = Callable[[dict[str, Any]], object]
BROKEN: Mapping[str, tuple[Break, str]] = {
    "an identifier": (lambda b: b["messages"][1].update(content="Today Ana"), "content: identifier no"),
    "in a tool's answer": (
        lambda b: b["messages"].append({"role": "tool", "content": "XQH-88213"}), "content: identifier no",
    ),
    "a length": (lambda b: b["messages"].append({"role": "user", "content": "<str, 9 chars>"}), "length"),
    "a denied field": (lambda b: b["messages"][1].update(content="@notes.0: <present>"), "denied field"),
    "a note": (lambda b: b["messages"][1].update(content="please archive"), "no handle"),
    "words before the text": (
        lambda b: b["messages"][0].update(content=f"Be kind. {b['messages'][0]['content']}"), "approved",
    ),
    "the record first": (lambda b: b["messages"].reverse(), "messages: user system"),
    "another order of tools": (lambda b: b["tools"].reverse(), "another order"),
    "an open schema": (
        lambda b: b["tools"][1]["function"]["parameters"].pop("additionalProperties"), "submit_plan is open",
    ),
    "a warm model": (lambda b: b.update(temperature=0.7), "temperature"),
    "a user's name": (lambda b: b.update(user="ana"), "unknown keys: ['user']"),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_the_rules_see_what_breaks_them(name: str) -> None:
    with serving(in_turn(submits(GOOD))) as endpoint:
        decider = by_model(endpoint.access(), Directory())
        decider.decide([case(ANA)])
        decider.close()
    body: dict[str, Any] = json.loads(endpoint.bodies[0])
    change, said = BROKEN[name]

    assert RULES(body) == []
    change(body)
    assert any(said in one for one in RULES(body)), RULES(body)


def test_a_view_that_shows_too_much_is_stopped_at_the_endpoint() -> None:
    loose = View(CATEGORIES.get, {Category.IDENTITY, Category.CONTACT}, CATEGORIES, "shown")
    with serving(in_turn(submits(GOOD)), RULES) as endpoint:
        decider = by_model(endpoint.access(), Directory(), view=loose)
        [decision] = decider.decide([case(ANA)])
        decider.close()

    assert decision.outcome == Refused(code="model_rejected")
    assert any(one.startswith("content: identifier") for one in endpoint.wrong)


class Tracers:
    """A tracer provider that would keep what it is given."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def get_tracer(self, name: str, *_arguments: object, **_named: object) -> Any:
        from opentelemetry.trace import NoOpTracer  # noqa: PLC0415

        kept = self.asked

        class Keeping(NoOpTracer):
            def start_span(self, name: str, *arguments: Any, **named: Any) -> Any:
                kept.append(f"{name} {arguments} {named}")
                return super().start_span(name, *arguments, **named)

        return Keeping()


class Wanted(BaseModel):
    words: str


def _decides(endpoint: Endpoint) -> object:
    decider = by_model(endpoint.access(), Directory())
    [decision] = decider.decide([case(ANA)])
    decider.close()
    return decision.outcome


def _drafts(endpoint: Endpoint) -> object:
    asked = Request("Draft it.", "Ana's practice", Wanted, lambda answer: ())
    return Refiner("openai-compatible:test-model", terms(endpoint.access())).ask(asked)


WAYS: Mapping[str, tuple[Model, Callable[[Endpoint], object]]] = {
    "a model": (in_turn(submits(GOOD)), _decides),
    "a program": (in_turn(Reply(500)), lambda endpoint: judged.outcome(by_program(), ANA)),
    "a judge": (
        judged.always("urgent"),
        lambda endpoint: judged.outcome(judged.decider(access=endpoint.access())),
    ),
    "a refining model": (in_turn(calls((SUBMIT, {"words": "S1. Keep them."}))), _drafts),
}


@pytest.mark.parametrize("way", WAYS)
def test_what_is_instrumented_elsewhere_sees_no_entry(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tracers = Tracers()
    settings = InstrumentationSettings(tracer_provider=tracers, include_content=True)  # type: ignore[arg-type]
    monkeypatch.setattr(Agent, "_instrument_default", settings)
    model, thinks = WAYS[way]
    with serving(model) as endpoint:
        outcome = thinks(endpoint)

    assert isinstance(outcome, (Plan, Wanted))
    assert tracers.asked == []
    asyncio.run(Agent(TestModel(), name="another").run("Ana"))
    assert "another" in str(tracers.asked)  # these tracers do keep what they get
