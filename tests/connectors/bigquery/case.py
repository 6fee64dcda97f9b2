"""BigQuery as the common suite takes it: the stand-in behind a proxy that faults."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from connectors.bigquery import BigQuery, BigQueryCredentials
from connectors.sandbox.bigquery import BigQueryServer
from connectors.sandbox.proxy import QUOTED, Proxy
from tests.connectors.bigquery.place import Place
from tests.connectors.every import PEOPLE, TABLE, Case, Held, Most, World, held

REASONS = {401: "authError", 403: "accessDenied", 429: "rateLimitExceeded"}


def refusal(status: int) -> dict[str, object]:
    """In Google's shape."""
    reason = REASONS.get(status, "backendError")
    named = {"message": QUOTED, "domain": "global", "reason": reason}
    return {"error": {"code": status, "message": QUOTED, "errors": [named]}}


@contextmanager
def opened(_folder: Path) -> Iterator[World]:
    with BigQueryServer() as server, Proxy(server.url, refusal=refusal) as proxy:
        place = Place(server, proxy.url)
        place.state.lasting = 0.05  # a statement outlives its sender

        def records(write: str) -> list[Held]:
            return [held(TABLE, row) for row in place.rows("people")]

        yield World(
            connect=lambda: place.connect(TABLE),
            samples=[PEOPLE],
            records=records,
            values=place.values(),
            options={"tables": {"people": {"cluster_by": ["full_name"]}}},
            table=TABLE,
            proxy=proxy,
            alter=lambda: server.state.renamed("people", "full_name", "renamed"),
            writes=lambda: len(place.jobs()) - place.jobs().count("read"),
            reads=lambda: place.jobs().count("read"),
        )


CASES = [
    Case(
        name="bigquery",
        connector=BigQuery,
        credentials=BigQueryCredentials,
        opened=opened,
        most=Most(writes=3, unit="jobs", reads=1),
        sdk=("google.cloud.bigquery", "google.auth", "requests", "sqlglot"),
        exempt={
            "test_each_item_gets_its_own_answer": "one job is run for the whole batch: done or not",
            "test_what_leaves_is_counted[declared]": "a job is looked at until it ends",
        },
    )
]
