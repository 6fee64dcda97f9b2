"""Healthie as the common suite takes it: the source of entries, and what is written back there."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

from pydantic import JsonValue, SecretStr

from connectors.healthie import Healthie, HealthieCredentials
from connectors.http import Patience
from connectors.operation import Arguments
from connectors.sandbox.healthie.stand_in import StandIn
from connectors.sandbox.proxy import QUOTED, Proxy
from tests.connectors.every import MARK, Case, Held, Sample, World

PATIENTS = 200
PATIENCE = Patience(first_wait=0.01, back_off=0.05, longest_wait=1.5, answer=0.5, connect=1.0)
ADDRESS: Arguments = {"city": "Reno", "state": "NV", "zip": "89501"}


@contextmanager
def opened(_folder: Path) -> Iterator[World]:
    with StandIn(patients=PATIENTS, seed=5) as stand_in, Proxy(stand_in.url, refusal=_refusal) as proxy:
        values: dict[str, JsonValue] = {"url": f"{proxy.url}/graphql", "api_key": stand_in.api_key}
        yield World(
            connect=lambda: _connected(values),
            samples=_samples(stand_in.ids()),
            records=lambda write: _records(stand_in, write),
            values=values,
            proxy=proxy,
        )


def _connected(values: dict[str, JsonValue]) -> Healthie:
    secret = SecretStr(str(values["api_key"]))
    made = HealthieCredentials(url=str(values["url"]), api_key=secret, patience=PATIENCE)
    return Healthie(made, read_only=False)


def _refusal(status: int) -> dict[str, object]:
    return {"errors": [{"message": QUOTED, "extensions": {"code": f"HTTP_{status}"}}]}


def _samples(ids: list[str]) -> list[Sample]:
    return [
        Sample(
            "update_client",
            lambda record, version: (ids[record], {"legal_name": f"{MARK} {version}"}),
            text="legal_name",
        ),
        Sample(
            "set_metadata",
            lambda record, version: (ids[record], {"name": "surname", "value": f"{MARK} {version}"}),
            text="value",
        ),
        Sample(
            "create_location",
            lambda record, version: (ids[record], {"line1": f"{version} {MARK} Street", **ADDRESS}),
            text="line1",
        ),
    ]


def _records(stand_in: StandIn, write: str) -> list[Held]:
    if write == "create_location":
        return [{**row, "patient": row["user_id"]} for row in stand_in.rows("Location")]
    users = stand_in.rows()
    if write == "update_client":
        return [{**row, "patient": row["id"]} for row in users]
    return [
        {"name": "surname", "value": value, "patient": row["id"]}
        for row in users
        for value in _surnames(row.get("metadata"))
    ]


def _surnames(metadata: JsonValue) -> list[JsonValue]:
    whole = json.loads(metadata) if isinstance(metadata, str) else None
    ours = cast(dict[str, JsonValue], whole["ferry"]) if isinstance(whole, dict) and "ferry" in whole else {}
    return [ours["surname"]] if "surname" in ours else []


CASES = [
    Case(
        name="healthie",
        connector=Healthie,
        credentials=HealthieCredentials,
        opened=opened,
        exempt={
            "test_each_item_gets_its_own_answer": "a mutation is of one item, and so is its answer",
            "test_every_write_is_declared[remove_tag]": "what was taken away leaves nothing to be read back",
            "test_every_write_is_declared[update_task]": "no query for a single task is admitted",
            "test_every_write_is_declared[complete_task]": "it has no argument that could be read back",
            "test_killed_at_random_moments": "it has no tables; tests/faults/test_random_kills.py kills it",
            "test_a_schema_that_changes_in_the_middle": "its fields are the vendor's and change with the "
            "API's version, which the credentials pin",
        },
    )
]
