"""Any sequence of upserts leaves in a workbook what it leaves in a dict, as far as Excel can keep it."""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from pydantic import JsonValue

from connectors.excel import Excel, ExcelCredentials, ExcelOptions
from connectors.operation import Write
from tests.campaign import FULL
from tests.connectors import limited, upserts

EXAMPLES = 1_000 if FULL else 30
QUIET = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize=not FULL,
    suppress_health_check=list(HealthCheck),
)
NEVER = ("\ufffe", "\uffff")


def codes(name: str, given: JsonValue) -> set[str]:
    if name in ("key", "a_str", "other", "a_json"):
        return {"not_in_xml"} if any(character in str(given) for character in NEVER) else set()
    if name == "a_date" and isinstance(given, str):
        return {"out_of_range"} if date.fromisoformat(given) < date(1904, 1, 3) else set()
    if name == "a_datetime" and isinstance(given, str):
        moment = datetime.fromisoformat(given)
        early = {"out_of_range"} if moment.date() < date(1904, 1, 4) else set()
        ambiguous = {"ambiguous_time"} if moment.month in (10, 11) else set()
        return early | ambiguous | ({"too_precise"} if moment.microsecond % 1000 else set())
    return set()


@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
def test_the_workbook_is_what_a_dict_would_be(tmp_path: Path, zone: str) -> None:
    path = tmp_path / "everything.xlsx"
    reopen: Callable[[], Write] = lambda: write_in(path, zone)  # noqa: E731

    @QUIET
    @given(upserts.BATCHES)
    def holds(batches: Sequence[Sequence[upserts.Upsert]]) -> None:
        path.unlink(missing_ok=True)
        limited.check(reopen(), batches, codes, reopen)

    holds()


def test_json_that_looks_alike_is_told_apart(tmp_path: Path) -> None:
    upserts.check_alike(write_in(tmp_path / "everything.xlsx", "UTC"))


def write_in(path: Path, zone: str) -> Write:
    excel = Excel(ExcelCredentials(file=path), [upserts.TABLE], ExcelOptions(timezone=zone))
    return excel.writes()["upsert_everything"]
