"""Provider batches: the same plans as one by one, at the price of batches, and late answers wait."""

from datetime import timedelta
from typing import Any

import pytest

from agent.access import Batch
from agent.agent import Decider
from agent.budget import Budget, Budgets
from agent.failures import CannotAsk
from agent.plan import Plan, Refused
from tests.agent.batch_server import IN, OUT, Batches, Body, batches
from tests.agent.desk import ANA, Book, by_model, case, terms

MODEL = "openai-responses:test-model"
QUICK = Batch(
    within=timedelta(seconds=20), gather=timedelta(seconds=0.2), look_every=timedelta(milliseconds=50)
)
ENTRIES = [{**ANA, "active": bool(n % 3), "email": None if n % 2 else "ana@example.com"} for n in range(12)]


def told(body: Body) -> str:
    return next(str(one["content"]) for one in body["input"] if one.get("role") == "user")


def thinks(body: Body) -> Any:
    """A model that follows the desk's instructions."""
    record = told(body)
    if "@active: false" in record:
        return writes(["S2"], status="=archived")
    if "@email: null" in record:
        return {"kind": "review", "because": ["S4"], "reason": "no_email"}
    return writes(["S1"], full_name="@last_name", email="@email|lower")


def writes(because: list[str], **arguments: str) -> Any:
    call = {"op": "warehouse_upsert_patients", "because": because, "arguments": arguments}
    return {"kind": "write", "calls": [call]}


def decider(here: Batches, batch: Batch | None, book: Book | None = None, **limits: Any) -> Decider:
    return by_model(terms(here.access(**limits), book, batch=batch), model=MODEL)


def test_a_batch_makes_the_plans_that_single_requests_make_for_half_the_price() -> None:
    one_by_one, batched = Book(), Book()
    with batches(thinks) as here:
        here.looks = 2
        single, many = decider(here, None, one_by_one), decider(here, QUICK, batched)
        expected = [single.decide([case(entry)])[0].outcome for entry in ENTRIES]
        decided = many.decide([case(entry) for entry in ENTRIES])
        single.close()
        many.close()

    assert [decision.outcome for decision in decided] == expected
    assert {type(outcome) for outcome in expected} == {Plan}
    assert [decision.model_requests for decision in decided] == [1] * len(ENTRIES)
    assert [len(batch) for batch in here.batches] == [len(ENTRIES)] and len(here.single) == len(ENTRIES)
    assert one_by_one.sum.tokens == batched.sum.tokens == len(ENTRIES) * (IN + OUT)
    assert one_by_one.sum.micro_usd == len(ENTRIES) * (IN + 2 * OUT) == 2 * batched.sum.micro_usd
    assert here.deleted == ["file-0"]


def test_a_batched_request_is_word_for_word_the_single_one() -> None:
    with batches(thinks) as here:
        for batch in (None, QUICK):
            one = decider(here, batch)
            one.decide([case(ANA)])
            one.close()

    [[batched]], [single] = here.batches, here.single
    assert {**batched, "stream": False} == single
    assert "ana@example.com" not in str(batched) and "@email: <present>" in told(batched)


def test_what_expired_is_asked_again_and_what_stays_late_waits_for_the_next_run() -> None:
    late = {"left": 1}

    def once(body: Body) -> Any:
        late["left"] -= 1
        return thinks(body) if late["left"] < 0 else None

    with batches(once) as here:
        again = decider(here, QUICK)
        [decision] = again.decide([case(ANA)])
        again.close()
        here.looks = 10_000
        waiting = decider(here, QUICK.model_copy(update={"within": timedelta(seconds=1)}))
        [given_up] = waiting.decide([case(ANA)])
        waiting.close()

    assert isinstance(decision.outcome, Plan), decision
    assert len(here.batches) == 3
    assert given_up.outcome == Refused(code="model_timeout")


def test_a_look_that_fails_says_nothing_of_the_batch_and_the_sdk_repeats_nothing() -> None:
    with batches(thinks) as here:
        here.broken = 2
        one = decider(here, QUICK)
        [decision] = one.decide([case(ANA)])
        one.close()

    assert isinstance(decision.outcome, Plan), decision
    assert len(here.batches) == 1 and here.broken == 0
    assert set(here.repeated) == {"0"} and len(here.repeated) >= 4


def test_a_bad_plan_may_be_put_right_in_the_next_batch() -> None:
    def learns(body: Body) -> Any:
        return thinks(body) if "unknown_sentence" in str(body["input"]) else writes(["S9"], email="@email")

    with batches(learns) as here:
        one = decider(here, QUICK)
        [decision] = one.decide([case(ANA)])
        one.close()

    assert isinstance(decision.outcome, Plan), decision
    assert decision.model_requests == len(here.batches) == 2


def test_a_batch_keeps_the_budget_and_asks_nobody_who_is_not_allowed() -> None:
    with batches(thinks) as here:
        few = Budgets(run=Budget(requests=5))
        one = by_model(terms(here.access(), Book(), few, QUICK), model=MODEL)
        decided = one.decide([case(entry) for entry in ENTRIES])
        one.close()
        here.version = "another-model"
        other = decider(here, QUICK)
        [differs] = other.decide([case(ANA)])
        other.close()

    codes = [one.outcome.code for one in decided if isinstance(one.outcome, Refused)]
    assert codes == ["budget_reached"] * 7
    assert len(here.batches[0]) == 5
    assert differs.outcome == Refused(code="model_differs")


def test_an_endpoint_without_batches_is_refused_at_once() -> None:
    with batches(thinks) as here, pytest.raises(CannotAsk, match="has no batches there; remove batch"):
        by_model(terms(here.access(), batch=QUICK), model="openai-compatible:test-model")
