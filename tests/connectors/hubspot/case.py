"""HubSpot as the common suite takes it: contacts of its stand-in."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import JsonValue, SecretStr

from connectors.http import Patience
from connectors.hubspot import HubSpot, HubSpotCredentials, HubSpotOptions
from connectors.sandbox.hubspot import StandIn
from connectors.sandbox.proxy import QUOTED, Proxy
from tests.connectors.every import PEOPLE, TABLE, Case, Held, Most, World
from tests.connectors.hubspot.portals import value_of

PATIENCE = Patience(first_wait=0.01, back_off=0.05, longest_wait=1.5, answer=0.5, connect=1.0)
OPTIONS = HubSpotOptions(objects={TABLE.name: "contacts"})


@contextmanager
def opened(_folder: Path) -> Iterator[World]:
    with StandIn() as stand_in, Proxy(stand_in.url, refusal=_refusal) as proxy:
        values: dict[str, JsonValue] = {
            "url": proxy.url,
            "access_token": stand_in.token,
            "patience": PATIENCE.model_dump(mode="json"),
        }
        known = HubSpotCredentials(url=proxy.url, access_token=SecretStr(stand_in.token), patience=PATIENCE)
        yield World(
            connect=lambda: HubSpot(known, [TABLE], OPTIONS),
            samples=[PEOPLE],
            records=lambda write: _records(stand_in),
            values=values,
            options=OPTIONS.model_dump(mode="json"),
            table=TABLE,
            proxy=proxy,
            alter=lambda: stand_in.take_away("full_name"),
            writes=lambda: sum(stand_in.counts().get(kind, 0) for kind in ("write", "definition")),
            reads=lambda: stand_in.counts().get("read", 0),
        )


def _records(stand_in: StandIn) -> list[Held]:
    return [_held(record["properties"]) for record in stand_in.records() if not record["archived"]]


def _held(properties: JsonValue) -> Held:
    assert isinstance(properties, dict)
    columns = TABLE.columns.items()
    held: dict[str, JsonValue] = {name: value_of(properties.get(name), one.type) for name, one in columns}
    return {**held, "patient": held["patient_id"]}


def _refusal(status: int) -> dict[str, object]:
    return {
        "status": "error",
        "message": QUOTED,
        "correlationId": "c0ffee00-0000-0000-0000-000000000000",
        "category": "RATE_LIMITS" if status == 429 else "INTERNAL_ERROR",
        "context": {"propertyValue": [QUOTED]},
        "errors": [{"message": QUOTED, "in": "email"}],
    }


def _answers(path: str, answer: JsonValue) -> list[JsonValue] | None:
    results = answer["results"] if "/batch/upsert" in path and isinstance(answer, dict) else None
    return results if isinstance(results, list) else None


CASES = [
    Case(
        name="hubspot",
        connector=HubSpot,
        credentials=HubSpotCredentials,
        opened=opened,
        sdk=("hubspot", "urllib3"),
        answers=_answers,
        most=Most(writes=10, reads=10, unit="requests"),
        exempt={
            "test_nasty_values['']": "HubSpot has one empty: an empty text clears the property, as null does",
        },
    )
]
