"""Budgets: never more than was granted, whoever asks at once; and what may have been billed counts."""

import threading
from decimal import Decimal
from typing import Any

import pytest
from pydantic_ai.exceptions import ModelHTTPError
from pydantic_ai.messages import ModelMessage, ModelRequest, ModelResponse, TextPart, UserPromptPart
from pydantic_ai.models import ModelRequestParameters
from pydantic_ai.models.test import TestModel
from pydantic_ai.settings import ModelSettings
from pydantic_ai.usage import RequestUsage

from agent.access import Access, Batch
from agent.allowed import Price
from agent.budget import Budget, BudgetReached, Budgets, Meter, Use
from agent.loop import event_loop
from agent.metered import Metered, Terms
from agent.plan import Decision, Plan, Refused
from tests.agent.desk import ALLOWED, ANA, Book, by_model, case, terms
from tests.agent.openai_server import Endpoint, Model, Reply, in_turn, message, serving, submits
from tests.agent.test_agent_model import BAD, GOOD

ONE = Use(requests=1, tokens=960, micro_usd=1020)  # what the endpoint says each answer cost: 900 in, 60 out


def decided(
    model: Model, budgets: Budgets, number: int = 6, book: Book | None = None, **limits: Any
) -> tuple[list[Decision], Endpoint, Book]:
    book = book or Book()
    with serving(model) as endpoint:
        decider = by_model(terms(endpoint.access(**limits), book, budgets))
        decisions = decider.decide([case(ANA) for _ in range(number)])
        decider.close()
    return decisions, endpoint, book


def codes(decisions: list[Decision]) -> list[str]:
    return [
        f"{one.outcome.code} {one.outcome.where}" for one in decisions if isinstance(one.outcome, Refused)
    ]


@pytest.mark.parametrize(
    ("budgets", "scope"),
    [
        (Budgets(run=Budget(requests=4)), "run"),
        (Budgets(day=Budget(requests=4)), "day"),
        (Budgets(run=Budget(tokens=25_000)), "run"),
        (Budgets(day=Budget(tokens=25_000)), "day"),
        (Budgets(run=Budget(usd=Decimal("0.025"))), "run"),
        (Budgets(day=Budget(usd=Decimal("0.025"))), "day"),
    ],
)
def test_what_is_beyond_the_budget_is_not_asked_and_waits(budgets: Budgets, scope: str) -> None:
    decisions, endpoint, book = decided(in_turn(submits(GOOD)), budgets, 40, at_once=8)
    plans = [one for one in decisions if isinstance(one.outcome, Plan)]

    assert 0 < len(plans) < 40
    assert codes(decisions) == [f"budget_reached {scope}"] * (40 - len(plans))
    assert len(endpoint.bodies) == len(plans) == book.sum.requests
    assert budgets.run.holds(book.sum) and budgets.day.holds(book.sum)
    assert book.sum == Use(requests=len(plans), tokens=960 * len(plans), micro_usd=1020 * len(plans))


def test_what_was_used_before_today_counts() -> None:
    book = Book()
    book(Use(requests=9))
    decisions, endpoint, _ = decided(in_turn(submits(GOOD)), Budgets(day=Budget(requests=10)), 4, book)

    assert len(endpoint.bodies) == 1
    assert codes(decisions) == ["budget_reached day"] * 3


def test_nothing_is_asked_before_it_is_booked() -> None:
    book, seen = Book(), list[int]()

    def looks(body: Any) -> Reply:
        seen.append(book.sum.requests)
        return submits(GOOD)

    decided(looks, Budgets(), 3, book, at_once=1)

    assert seen == [1, 2, 3]


@pytest.mark.parametrize(
    ("model", "requests", "billed"),
    [
        (in_turn(Reply(429, b"{}", {"Retry-After": "0"}), submits(GOOD)), 2, 960),
        (in_turn(Reply(400, b"{}")), 1, 0),
        (in_turn(submits(BAD), submits(GOOD)), 2, 1920),
        (in_turn(message(None, [("submit_plan", '{"kind": "wri')], "length")), 1, 960),
    ],
)
def test_what_was_answered_counts_and_what_was_refused_does_not(
    model: Model, requests: int, billed: int
) -> None:
    _, _, book = decided(model, Budgets(), 1)

    assert (book.sum.requests, book.sum.tokens) == (requests, billed)


NO_USAGE = Reply(payload=submits(GOOD).payload.replace(b'"usage"', b'"unused"'))
HALF_A_USAGE = Reply(
    payload=submits(GOOD).payload.replace(b'"completion_tokens": 60', b'"completion_tokens": 0')
)


@pytest.mark.parametrize(
    ("reply", "requests"),
    [(Reply(wait=8.0), 1), (NO_USAGE, 1), (HALF_A_USAGE, 1), (Reply(payload=b"<html>proxy</html>"), 1)],
)
def test_what_may_have_been_billed_counts_as_the_most_that_it_can_have_been(
    reply: Reply, requests: int
) -> None:
    _, _, book = decided(in_turn(reply), Budgets(), 1, request_timeout=1.0)

    assert book.sum.requests == requests
    assert book.sum.tokens > 4096 * requests and book.sum.micro_usd > 2 * 4096 * requests
    assert len(book.added) == requests


@pytest.mark.parametrize(
    "caching", [{"written": 0}, {"cached": 0, "written": 0}, {"cached": 40, "written": 0}]
)
def test_a_price_without_a_price_for_the_cache_holds_the_budget(caching: dict[str, Any]) -> None:
    price = Price.model_validate({"input": 10, "output": 0, **caching})
    dearest = max(price.micro(input_=5000, cached=at, written=0, output=0) for at in (0, 5000))
    budgets, book = Budgets(run=Budget(usd=Decimal("0.0001"))), Book()
    with serving(in_turn(submits(GOOD))) as endpoint:
        asked = Terms(endpoint.access(), ALLOWED.model_copy(update={"price": price}), Meter(budgets, book))
        decider = by_model(asked)
        [decision] = decider.decide([case(ANA)])
        decider.close()

    assert price.at_most(input_=5000, output=0) == dearest > 0
    assert decision.outcome == Refused(code="budget_reached", where="run")
    assert endpoint.bodies == [] and book.sum == Use()


def test_a_failed_look_gives_nothing_back_of_a_batch_that_runs_on() -> None:
    book = Book()
    access = Access(base_url="http://127.0.0.1:1/v1")
    asked = Metered(Batched(), terms(access, book, batch=Batch()))
    question: list[ModelMessage] = [ModelRequest(parts=[UserPromptPart("words")])]
    settings, parameters = ModelSettings(max_tokens=1000), ModelRequestParameters()

    async def all_of_it() -> Use:
        waits = await asked.request(question, settings, parameters)
        submitted = book.sum
        for _ in range(2):
            with pytest.raises(ModelHTTPError):
                await asked.request([*question, waits], settings, parameters)
            assert book.sum == submitted
        await asked.request([*question, waits], settings, parameters)
        return submitted

    submitted = event_loop().run(all_of_it())

    assert submitted.tokens > 1000
    assert book.sum == Use(requests=1, tokens=960, micro_usd=510)


class Batched(TestModel):
    """A provider whose batch is begun, is twice not to be looked at, and is then there."""

    def __init__(self) -> None:
        super().__init__()
        self._looks = 0

    async def request(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
    ) -> ModelResponse:
        self._looks += 1
        if self._looks == 1:
            return ModelResponse(parts=[], state="suspended", provider_response_id="batch_1:1")
        if self._looks < 4:
            raise ModelHTTPError(status_code=503, model_name="test-model")
        usage = RequestUsage(input_tokens=900, output_tokens=60)
        return ModelResponse(parts=[TextPart("done")], usage=usage, model_name="test-model")


def test_a_version_beside_leaves_the_run_alone_and_half_of_the_day() -> None:
    budgets = Budgets(run=Budget(requests=4), day=Budget(requests=9, tokens=101, usd=Decimal("0.5")))
    book = Book()
    live, beside = Meter(budgets, book), Meter(budgets.beside(), book)

    for _ in range(4):
        beside.reserve(Use(requests=1))
    with pytest.raises(BudgetReached, match="run"):
        beside.reserve(Use(requests=1))
    for _ in range(4):
        live.reserve(Use(requests=1))
    with pytest.raises(BudgetReached, match="day"):
        Meter(budgets.beside(), book).reserve(Use(requests=1))

    assert budgets.beside().day == Budget(requests=4, tokens=50, usd=Decimal("0.25"))
    assert (live.run.requests, beside.run.requests, book.sum.requests) == (4, 4, 8)


def test_threads_that_ask_at_once_never_go_beyond() -> None:
    meter = Meter(Budgets(run=Budget(requests=50), day=Budget(requests=45)), Book())
    refused = list[str]()

    def ask() -> None:
        for _ in range(20):
            try:
                meter.reserve(ONE)
                meter.settle(ONE, ONE)
            except BudgetReached as reached:
                refused.append(reached.scope)

    threads = [threading.Thread(target=ask) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert meter.run.requests == 45
    assert refused == ["day"] * 55


def test_a_ledger_that_is_away_lets_no_request_out() -> None:
    class Away(Exception):
        pass

    def book(more: Use) -> Use:
        raise Away

    with serving(in_turn(submits(GOOD))) as endpoint:
        asked = terms(endpoint.access())
        assert asked.allowed
        decider = by_model(type(asked)(asked.access, asked.allowed, Meter(Budgets(), book)))
        [decision] = decider.decide([case()])
        decider.close()

    assert decision.outcome == Refused(code="unexpected", where="Away")
    assert decision.model_requests == len(endpoint.bodies) == 0


def test_another_model_ends_it_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    reply = Reply(payload=submits(GOOD).payload.replace(b'"test-model"', b'"test-model-2"'))
    decisions, endpoint, _ = decided(in_turn(reply), Budgets(), 6, at_once=1)

    assert codes(decisions) == ["model_differs "] * 6
    assert len(endpoint.bodies) == 1
    assert Access().answer_tokens == 4096
