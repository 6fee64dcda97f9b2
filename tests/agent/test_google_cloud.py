"""Gemini and Claude on Google Cloud, over real HTTP: what exactly is asked of them, and what it costs."""

import json
from collections.abc import Iterator
from math import ceil
from typing import Any
from urllib.parse import urlsplit

import pytest

from agent.access import Access
from agent.agent import Terms
from agent.allowed import Allowed, Price
from agent.budget import Budgets, Meter
from agent.models import model_of
from agent.plan import Decision, Plan, Refused
from agent.prompt import standing
from tests.agent.desk import ANA, TEXT, Book, Directory, by_model, case
from tests.agent.test_agent_model import GOOD
from tests.agent.vertex_server import (
    CACHED,
    IN,
    LOCATION,
    OUT,
    PROJECT,
    TOKEN,
    Request,
    Vertex,
    service_account,
)
from tests.agent.vertex_server import vertex as serving

GEMINI, CLAUDE = "gemini-2.5-flash", "claude-sonnet-4-6"
NAMES = (GEMINI, CLAUDE)
THERE = f"projects/{PROJECT}/locations/{LOCATION}/publishers"
PATHS = {
    GEMINI: f"/v1beta1/{THERE}/google/models/{GEMINI}:generateContent",
    CLAUDE: f"/v1/{THERE}/anthropic/models/{CLAUDE}:rawPredict",
}
PRICE = Price.model_validate({"input": 3, "output": 15, "cached": "0.3", "written": "3.75"})


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vertex]:
    with serving() as here, pytest.MonkeyPatch.context() as patch:
        account = service_account(tmp_path_factory.mktemp("account"), here.url)
        patch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(account))
        for name in ("GOOGLE_API_KEY", "GEMINI_API_KEY", "GOOGLE_CLOUD_PROJECT", "GOOGLE_CLOUD_LOCATION"):
            patch.setenv(name, "of-the-environment")
        yield here


def asked(
    cloud: Vertex, name: str, entries: list[Any], arguments: Any = GOOD, **limits: Any
) -> tuple[list[Decision], list[Request], Book]:
    """Decisions on entries one after the other, the requests they took, and what was booked."""
    cloud.requests.clear()
    cloud.arguments, cloud.version = arguments, name
    book = Book()
    allowed = Allowed(version=name, regions=(LOCATION,), baa="Example, since 2026-01-01", price=PRICE)
    terms = Terms(cloud.access(**limits), allowed, Meter(Budgets(), book))
    decider = by_model(terms, Directory(), model=f"google-cloud:{name}")
    try:
        decisions = [decider.decide([case(entry)])[0] for entry in entries]
    finally:
        decider.close()
    return decisions, list(cloud.requests), book


OTHER = {**ANA, "active": False, "next_visit": None}


@pytest.mark.parametrize("name", NAMES)
def test_an_entry_is_one_request_at_the_right_place_with_the_projects_own_credential(
    cloud: Vertex, name: str
) -> None:
    decisions, requests, _ = asked(cloud, name, [ANA])

    assert isinstance(decisions[0].outcome, Plan), decisions
    assert decisions[0].model_requests == 1
    assert [request.path for request in requests] == [PATHS[name]]
    headers = {key.lower(): value for key, value in requests[0].headers.items()}
    assert headers["authorization"] == f"Bearer {TOKEN}"
    assert "of-the-environment" not in json.dumps(headers)


@pytest.mark.parametrize("name", NAMES)
def test_the_approved_text_stands_first_word_for_word_and_nothing_around_it(cloud: Vertex, name: str) -> None:
    _, [request], _ = asked(cloud, name, [ANA])

    [system] = request.body["systemInstruction"]["parts"] if name == GEMINI else request.body["system"]
    assert system["text"] == standing(TEXT).rstrip("\n")


@pytest.mark.parametrize("name", NAMES)
def test_what_comes_before_the_entry_is_the_same_for_every_entry(cloud: Vertex, name: str) -> None:
    _, [first, second], _ = asked(cloud, name, [ANA, OTHER])
    turns = "contents" if name == GEMINI else "messages"

    assert len(first.body[turns]) == len(second.body[turns]) == 1
    assert first.body[turns] != second.body[turns]
    assert {**first.body, turns: []} == {**second.body, turns: []}


@pytest.mark.parametrize("name", NAMES)
def test_nothing_that_identifies_is_in_a_request(cloud: Vertex, name: str) -> None:
    _, requests, _ = asked(cloud, name, [ANA])
    sent = json.dumps(requests[0].body).casefold()

    hidden = ["Silva", "1990", "ana@example.com", "555-0142", "512", "XQH-88213", "4101"]
    assert [value for value in hidden if value.casefold() in sent] == []
    assert "2026-12-01" in sent and "@email: <present>" in sent


def test_geminis_settings_and_tools(cloud: Vertex) -> None:
    _, [request], _ = asked(cloud, GEMINI, [ANA])

    config = request.body["generationConfig"]
    assert (config["temperature"], config["maxOutputTokens"]) == (0.0, 4096)
    [tools] = request.body["tools"]
    assert [one["name"] for one in tools["functionDeclarations"]] == ["crm_find_owner", "submit_plan"]
    assert set(request.body) == {"systemInstruction", "contents", "tools", "toolConfig", "generationConfig"}


def test_claudes_settings_and_tools_and_what_is_to_be_cached(cloud: Vertex) -> None:
    _, [request], _ = asked(cloud, CLAUDE, [ANA])
    body = request.body

    assert (body["temperature"], body["max_tokens"]) == (0.0, 4096)
    assert not body.get("stream")
    assert [one["name"] for one in body["tools"]] == ["crm_find_owner", "submit_plan"]
    assert body["system"][-1]["cache_control"] == {"type": "ephemeral", "ttl": "5m"}
    assert "cache_control" not in json.dumps(body["messages"])


@pytest.mark.parametrize("name", NAMES)
def test_what_it_cost_is_what_the_answer_says_by_the_listed_prices(cloud: Vertex, name: str) -> None:
    _, _, book = asked(cloud, name, [ANA])

    most, given_back = book.added
    assert most.requests == 1 and most.micro_usd > 1000 and most.tokens > IN
    assert book.sum.requests == 1
    assert book.sum.tokens == IN + OUT
    assert book.sum.micro_usd == ceil(3 * (IN - CACHED) + 0.3 * CACHED + 15 * OUT)
    assert given_back.tokens == book.sum.tokens - most.tokens


@pytest.mark.parametrize("name", NAMES)
def test_another_version_than_the_allowed_one_is_refused(cloud: Vertex, name: str) -> None:
    cloud.requests.clear()
    cloud.arguments, cloud.version = GOOD, f"{name}-next"
    allowed = Allowed(version=name, regions=(LOCATION,), baa="Example, since 2026-01-01", price=PRICE)
    terms = Terms(cloud.access(), allowed, Meter(Budgets(), Book()))
    decider = by_model(terms, model=f"google-cloud:{name}")
    first, second = (decider.decide([case()])[0] for _ in range(2))
    decider.close()

    assert first.outcome == second.outcome == Refused(code="model_differs")
    assert len(cloud.requests) == 1


@pytest.mark.parametrize("name", NAMES)
def test_429_is_tried_again_by_us_alone(cloud: Vertex, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.metered.WAIT", 0.01)
    cloud.status = 429
    try:
        decisions, requests, book = asked(cloud, name, [ANA])
    finally:
        cloud.status = 200

    assert decisions[0].outcome == Refused(code="model_unavailable")
    assert len(requests) == decisions[0].model_requests == 3
    assert (book.sum.requests, book.sum.tokens, book.sum.micro_usd) == (3, 0, 0)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("location", "host"),
    [
        ("us-east5", "us-east5-aiplatform.googleapis.com"),
        ("global", "aiplatform.googleapis.com"),
        ("eu", "aiplatform.eu.rep.googleapis.com"),
    ],
)
def test_no_variable_of_the_environment_names_another_place(
    cloud: Vertex, monkeypatch: pytest.MonkeyPatch, name: str, location: str, host: str
) -> None:
    for variable in ("GOOGLE_VERTEX_BASE_URL", "GOOGLE_GEMINI_BASE_URL", "ANTHROPIC_VERTEX_BASE_URL"):
        monkeypatch.setenv(variable, "https://elsewhere.example.com")

    model = model_of(f"google-cloud:{name}", Access(project=PROJECT, location=location))

    assert urlsplit(str(model.base_url)).hostname == host
