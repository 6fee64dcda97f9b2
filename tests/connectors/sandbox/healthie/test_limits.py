"""Keys, versions, complexity, depth, page sizes and rate limits."""

from datetime import UTC, datetime

import pytest

from connectors.sandbox.healthie import StandIn
from tests.connectors.sandbox.healthie.conftest import Client

ONE = "{ currentUser { id } }"


def complexity(healthie: StandIn) -> int:
    return healthie.requests()["requests"][-1]["complexity"]


@pytest.mark.parametrize(
    ("document", "cost"),
    [
        ("{ users(first: 3) { nodes { id appointments { id length } } } }", 14),
        ("{ users { nodes { id appointments { id length } } } }", 402),
        ("{ users(first: 2) { nodes { id __typename } page_info { has_next_page } total_count } }", 7),
        ("{ tasks(first: 5) { nodes { assignees(first: 2) { nodes { id } } } } }", 22),
        ("{ users(last: 4) { edges { cursor node { id } } } }", 14),
        ("query($n: Int = 7) { users(first: $n) { nodes { ...F } } } fragment F on User { id }", 9),
        ("{ users(first: 2) { nodes { id @skip(if: true) active @include(if: true) } } }", 4),
    ],
)
def test_complexity_follows_the_documented_examples(document, cost, client: Client, healthie: StandIn):
    client.data(document)

    assert complexity(healthie) == cost


def test_a_request_above_the_limit_is_refused_in_the_documented_words(client: Client):
    document = "{ users(first: 100) { nodes { " + " ".join(f"a{at}: id" for at in range(20)) + " } } }"

    expected = "Query has complexity of 2002, which exceeds max complexity of 2000"

    assert client.errors(document) == [expected]
    assert client.data(document.replace("a19: id", ""))


def test_variables_decide_what_a_page_counts(client: Client, healthie: StandIn):
    document = "query($n: Int) { users(first: $n) { nodes { id } } }"
    client.data(document, n=50)
    fifty = complexity(healthie)
    client.data(document, n=None)

    assert (fifty, complexity(healthie)) == (52, 102)


def test_a_request_that_is_too_deep_is_refused(client: Client):
    inner = "id"
    for _ in range(25):
        inner = f"dietitian {{ {inner} }}"

    assert client.errors(f"{{ currentUser {{ {inner} }} }}")[0].startswith("Query has depth of 27")


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Basic gh_sbox_nobody"},
        {"Authorization": "Basic Z2hfc2JveF9hbGw6"},
        {"Authorization": ""},
        {"AuthorizationSource": "Web"},
    ],
)
def test_a_wrong_key_is_refused(headers, client: Client):
    client.headers |= headers

    assert client.send(ONE).status_code == 401


@pytest.mark.parametrize("version", ["2026-01-02", "latest", "2027-01-01"])
def test_an_unpublished_version_is_refused(version, client: Client):
    client.headers["Healthie-GraphQL-API-Version"] = version

    assert client.send(ONE).json()["errors"][0]["extensions"]["code"] == "UNSUPPORTED_API_VERSION"


def test_header_names_are_read_without_case(client: Client):
    client.headers = {name.lower(): value for name, value in client.headers.items()}

    assert client.data(ONE)


def test_a_missing_version_is_refused_or_warned_about(client: Client, healthie: StandIn):
    del client.headers["Healthie-GraphQL-API-Version"]
    refused = client.send(ONE).json()
    healthie.configure(version_required=False)
    warned = client.send(ONE).json()

    assert refused["errors"][0]["extensions"]["code"] == "MISSING_API_VERSION_HEADER"
    assert warned["extensions"]["warnings"][0]["code"] == "MISSING_API_VERSION_HEADER"
    assert warned["data"]["currentUser"]["id"]


def test_a_version_sunsets_and_is_then_refused(client: Client, healthie: StandIn):
    now = healthie.now()
    try:
        healthie.set_clock(datetime(2026, 6, 30, 12, tzinfo=UTC))
        before = client.send(ONE).json()
        healthie.set_clock(datetime(2026, 7, 1, 12, tzinfo=UTC))
        during = client.send(ONE).json()
        healthie.set_clock(datetime(2027, 1, 31, 12, tzinfo=UTC))
        after = client.send(ONE).json()
    finally:
        healthie.set_clock(now, frozen=False)

    assert "extensions" not in before
    assert during["extensions"]["warnings"][0]["code"] == "API_VERSION_SUNSET_WARNING"
    assert after["errors"][0]["extensions"]["code"] == "UNSUPPORTED_API_VERSION"


def test_pages_are_ten_by_default_and_never_more_than_the_cap(client: Client, healthie: StandIn):
    healthie.configure(page_cap=40)
    try:
        assert len(client.data("{ users { nodes { id } } }")["users"]["nodes"]) == 10
        assert len(client.data("{ users(first: 500) { nodes { id } } }")["users"]["nodes"]) == 40
    finally:
        healthie.configure(page_cap=100)


@pytest.mark.parametrize(("style", "status"), [("http_429", 429), ("errors_200", 200)])
def test_a_burst_above_the_rate_limit_is_refused(style, status, client: Client, healthie: StandIn):
    healthie.configure(rate_limit={"requests": 3, "seconds": 30, "style": style, "retry_after": 60})
    answers = [client.send(ONE) for _ in range(4)]

    assert [answer.json().get("errors") is None for answer in answers] == [True, True, True, False]
    assert answers[3].status_code == status
    assert answers[3].json()["errors"][0]["extensions"]["code"] == "TOO_MANY_REQUESTS"
    assert answers[3].headers.get("Retry-After") == ("60" if status == 429 else None)


def test_both_directions_at_once_are_refused(client: Client):
    assert client.errors("{ users(first: 1, last: 1) { nodes { id } } }")


def test_an_argument_the_stand_in_does_not_serve_is_an_error_and_not_ignored(client: Client):
    assert client.errors('{ billingItems(keywords: "x", first: 1) { nodes { id } } }')


def test_unknown_fields_and_bad_variables_are_errors_with_http_200(client: Client):
    document = "mutation($i: updateClientInput!) { updateClient(input: $i) { messages { message } } }"
    answer = client.send(document, {"i": {"id": "1", "height_in": 3}})

    assert client.errors("{ users { nodes { nope } } }")[0].startswith("Cannot query field 'nope'")
    assert (answer.status_code, "height_in" in answer.json()["errors"][0]["message"]) == (200, True)
