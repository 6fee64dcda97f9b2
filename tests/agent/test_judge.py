"""Judging: a program asks where a sentence needs judgement; the answer is one of its options, asked once."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from agent.agent import Terms
from agent.plan import Plan, Refused
from tests.agent.desk import ALLOWED, ANA, case, terms
from tests.agent.judged import (
    PROGRAM_TEXT,
    REASON,
    TWICE,
    Remembered,
    always,
    answers,
    decider,
    outcome,
)
from tests.agent.openai_server import Body, Endpoint, Reply, calls, in_turn, message, says, serving


@pytest.fixture(scope="module")
def serving_() -> Iterator[Endpoint]:
    with serving(in_turn(says(""))) as endpoint:
        yield endpoint


@pytest.fixture
def endpoint(serving_: Endpoint) -> Endpoint:
    serving_.bodies.clear()
    return serving_


@pytest.mark.parametrize(("option", "status"), [("urgent", "archived"), ("routine", "active")])
def test_the_plan_follows_the_option_and_says_that_it_was_judged(
    endpoint: Endpoint, option: str, status: str
) -> None:
    endpoint.model = always(option)
    made = decider(access=endpoint.access())
    [decision] = made.decide([case(REASON)])
    made.close()
    plan = decision.outcome

    assert isinstance(plan, Plan), plan
    assert plan.calls[0].values() == {"email": "ana@example.com", "status": status}
    assert plan.judged == {"S2": option}
    assert plan.judged_by == ("S2",)
    assert decision.model_requests == len(endpoint.bodies) == 1


def test_without_a_model_a_person_judges() -> None:
    plan = outcome(decider())

    assert plan == Plan(kind="review", because=("S2",), reason="judgement")


def test_several_questions_each_get_their_own_answer(endpoint: Endpoint) -> None:
    def model(body: Body) -> Reply:
        return answers("no" if "Has the patient left?" in body["messages"][-1]["content"] else "urgent")

    endpoint.model = model
    entry = {**ANA, "policies": [{"num": "A"}, {"num": "B"}]}
    made = decider(TWICE, access=endpoint.access())
    [decision] = made.decide([case(entry)])
    made.close()

    assert isinstance(decision.outcome, Plan), decision
    assert decision.outcome.judged == {"S2": "urgent", "S2.2": "urgent", "S3": "no"}
    assert decision.outcome.calls[0].values() == {"status": "archived"}
    assert len(endpoint.bodies) == 2  # both policies are <present>: one question, and S3's is asked once


def test_the_same_question_is_asked_once_and_of_another_model_or_program_anew(endpoint: Endpoint) -> None:
    endpoint.model = always("routine")
    remembered = Remembered()
    for _ in range(2):
        made = decider(access=endpoint.access(), judgements=remembered)
        made.decide([case(REASON)] * 3)
        made.close()
    asked = len(endpoint.bodies)
    outcome(decider(access=endpoint.access(), judgements=remembered, name="other"))
    outcome(decider(PROGRAM_TEXT + "# new\n", access=endpoint.access(), judgements=remembered))
    outcome(decider(access=endpoint.access(), judgements=remembered), {**REASON, "reason": "Another"})

    assert asked == 1
    assert len(endpoint.bodies) == 4


def test_another_version_and_another_place_are_asked_anew(endpoint: Endpoint) -> None:
    remembered = Remembered()
    model = always("routine")
    endpoint.model = model
    with serving(model) as elsewhere:
        outcome(decider(access=endpoint.access(), judgements=remembered))
        outcome(decider(access=elsewhere.access(), judgements=remembered))
        newer = ALLOWED.model_copy(update={"version": "test-model-2"})
        endpoint.model = lambda body: Reply(
            payload=model(body).payload.replace(b'"test-model"', b'"test-model-2"')
        )
        access = endpoint.access()
        outcome(decider(access=Terms(access, newer, terms(access).meter), judgements=remembered))
        for place in ({"project": "one"}, {"location": "us-east5"}):
            there = endpoint.access().model_copy(update=place)
            endpoint.model = model
            outcome(decider(access=there, judgements=remembered))

        assert (len(endpoint.bodies), len(elsewhere.bodies)) == (4, 1)
    assert len(remembered.kept) == 5


def test_a_retry_decides_the_same_although_the_model_changed_its_mind(endpoint: Endpoint) -> None:
    remembered = Remembered()
    plans = []
    for option in ("urgent", "routine"):
        endpoint.model = always(option)
        plans.append(outcome(decider(access=endpoint.access(), judgements=remembered)))

    assert plans[0] == plans[1]
    assert plans[0].model_dump_json() == plans[1].model_dump_json()


def test_what_was_kept_first_counts(endpoint: Endpoint) -> None:
    class Overtaken(Remembered):
        def keep(self, key: str, sentence: str, option: str) -> str:
            self.kept.setdefault(key, "urgent")  # by another thread, a moment ago
            return super().keep(key, sentence, option)

    endpoint.model = always("routine")
    plan = outcome(decider(access=endpoint.access(), judgements=Overtaken()))

    assert isinstance(plan, Plan)
    assert plan.judged == {"S2": "urgent"}


def test_what_the_ledger_could_not_keep_ends_the_group(endpoint: Endpoint) -> None:
    class Full(Remembered):
        def keep(self, key: str, sentence: str, option: str) -> str:
            raise OSError("disk full")

    endpoint.model = always("routine")
    made = decider(access=endpoint.access(), judgements=Full())

    with pytest.raises(OSError, match="disk full"):
        made.decide([case(REASON)])
    made.close()


BAD_ANSWERS: dict[str, Any] = {
    "another option": always("maybe"),
    "two options": always(["urgent", "routine"]),
    "a sentence": in_turn(says("The patient's reason is urgent.")),
    "another tool": in_turn(calls(("submit_plan", {"kind": "skip"}))),
    "not JSON": in_turn(calls(("answer", "{'response'"))),
    "null": always(None),
}


@pytest.mark.parametrize("name", BAD_ANSWERS)
def test_nothing_but_an_option_comes_out_of_a_judge(endpoint: Endpoint, name: str) -> None:
    endpoint.model = BAD_ANSWERS[name]
    remembered = Remembered()
    refused = outcome(decider(access=endpoint.access(bad_plans=1), judgements=remembered))

    assert refused == Refused(code="model_output_invalid")
    assert len(endpoint.bodies) == 2
    assert remembered.kept == {}


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (Reply(status=401, payload=b'{"error": {"message": "Chest pain"}}'), "model_unauthorized"),
        (message(None, [("answer", '{"response": "urg')], "length"), "model_truncated"),
        (replace(answers("urgent"), wait=5.0), "model_timeout"),
    ],
)
def test_a_judge_that_cannot_answer_is_a_code_and_its_neighbours_are_decided(
    endpoint: Endpoint, reply: Reply, code: str
) -> None:
    def model(body: Body) -> Reply:
        return reply if "Chest" in body["messages"][-1]["content"] else answers("routine")

    endpoint.model = model
    made = decider(access=endpoint.access(request_timeout=0.3))
    decisions = made.decide([case(REASON), case({**REASON, "reason": "A refill"})])
    made.close()

    assert decisions[0].outcome == Refused(code=code)
    assert isinstance(decisions[1].outcome, Plan)
    assert "Chest" not in repr(decisions)


def test_what_was_settled_beforehand_is_not_asked() -> None:
    made = decider(TWICE)
    entry = {**ANA, "policies": [{"num": "A"}, {"num": "B"}]}
    settled = {"S2": "routine", "S2.2": "urgent", "S3": "no"}
    told = [replace(case(entry), judged={**settled, "S3": gone}) for gone in ("no", "yes", "perhaps")]
    outcomes = [decision.outcome for decision in made.decide([*told, case(entry)])]
    made.close()

    assert isinstance(outcomes[0], Plan)
    assert outcomes[0].judged == settled
    assert outcomes[0].calls[0].values() == {"status": "archived"}
    assert outcomes[1] == Plan(kind="review", because=("S3",), reason="left", judged={**settled, "S3": "yes"})
    assert outcomes[2] == Refused(code="program_judge_misused", where="line 6")
    assert outcomes[3] == Plan(kind="review", because=("S2",), reason="judgement")


def test_the_requests_are_those_of_the_network(endpoint: Endpoint) -> None:
    endpoint.model = in_turn(answers("maybe"), answers("urgent"))
    made = decider(access=endpoint.access())
    [decision] = made.decide([case(REASON)])
    made.close()

    assert decision.model_requests == len(endpoint.bodies) == 2
    assert "Chest" in json.dumps(endpoint.requests()[0])
