"""Any sequence of upserts leaves in a base what it leaves in a dict, as far as Airtable can keep it."""

from collections.abc import Sequence
from contextlib import closing
from datetime import datetime
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from pydantic import JsonValue, SecretStr

from connectors.airtable import Airtable, AirtableCredentials
from connectors.sandbox.airtable import TOKEN, AirtableStandIn, Rules
from tests.campaign import FULL
from tests.connectors import limited, upserts
from tests.connectors.nasty import plain

EXAMPLES = 1_000 if FULL else 25
QUIET = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize=not FULL,
    suppress_health_check=list(HealthCheck),
)


def codes(name: str, given: JsonValue) -> set[str]:
    if name == "key":
        text = str(given)
        return {"inexact_key"} if "\\" in text or not text.isprintable() else set()
    if isinstance(given, str) and name in ("a_str", "other"):
        return set() if given == given.strip() == given.strip("\ufeff") else {"not_trimmed"}
    if name == "a_int" and isinstance(given, int):
        return {"out_of_range"} if abs(given) >= 2**53 else set()
    if name == "a_decimal" and isinstance(given, str):
        whole, _, places = plain(Decimal(given)).lstrip("-").partition(".")
        return (
            {"too_precise"}
            if len((whole + places).strip("0")) > 15 or len(places) > 8 or len(whole) > 15
            else set()
        )
    if name == "a_datetime" and isinstance(given, str):
        return {"too_precise"} if datetime.fromisoformat(given).microsecond % 1000 else set()
    return set()


@pytest.mark.parametrize("rules", [Rules(), Rules(reordered=True)], ids=["in order", "reordered"])
def test_the_base_is_what_a_dict_would_be(rules: Rules) -> None:
    with AirtableStandIn(rules) as stand_in, closing(airtable(stand_in)) as connector:
        connector.prepare()

        @QUIET
        @given(upserts.BATCHES)
        def holds(batches: Sequence[Sequence[upserts.Upsert]]) -> None:
            stand_in.base.table("everything").records.clear()
            limited.check(connector.writes()["upsert_everything"], batches, codes)

        holds()


def test_json_that_looks_alike_is_told_apart() -> None:
    with AirtableStandIn() as stand_in, closing(airtable(stand_in)) as connector:
        upserts.check_alike(connector.writes()["upsert_everything"])


def airtable(stand_in: AirtableStandIn) -> Airtable:
    credentials = AirtableCredentials(url=stand_in.url, token=SecretStr(TOKEN), base=stand_in.base.id)
    return Airtable(credentials, [upserts.TABLE])
