"""A value as a cell holds it, and back again."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from pydantic import JsonValue

from connectors.sheets.cells import Formula, Held, Scalar, cell_of, same, text_of, value_of
from connectors.values import ColumnType, Value, as_json


@pytest.mark.parametrize(
    ("kind", "value", "cell"),
    [
        ("str", "007", "007"),
        ("int", 0, 0),
        ("int", -999_999_999_999_999, -999_999_999_999_999),
        ("int", 1_000_000_000_000_000, "1000000000000000"),  # Sheets shows 15 digits
        ("int", 2**63 - 1, "9223372036854775807"),
        ("decimal", Decimal("0.1"), 0.1),
        ("decimal", Decimal("12.50"), 12.5),
        ("decimal", Decimal("100"), 100),
        ("decimal", Decimal("0.000000001"), 1e-9),
        ("decimal", Decimal("1234567890.1234567"), "1234567890.1234567"),
        ("bool", False, False),
        ("date", date(2026, 3, 1), "2026-03-01"),
        ("datetime", datetime(2026, 3, 1, 12, tzinfo=UTC), "2026-03-01T12:00:00Z"),
        ("json", "5", '"5"'),
        ("json", 5, "5"),
        ("json", {"a": ["é"]}, '{"a": ["é"]}'),
        ("str", None, ""),
    ],
)
def test_a_value_is_a_cell_and_the_cell_the_value(kind: ColumnType, value: Value, cell: Scalar) -> None:
    made = cell_of(value, kind)

    assert (type(made), made) == (type(cell), cell)
    assert value_of(made if made != "" else None, kind) == (
        format(value.normalize(), "f") if isinstance(value, Decimal) else as_json(value)
    )


@pytest.mark.parametrize(
    ("kind", "cell", "value"),
    [
        ("str", 123.0, "123"),
        ("str", True, "TRUE"),
        ("int", 5.5, "5.5"),
        ("int", "1_000", "1_000"),
        ("int", True, "TRUE"),
        ("decimal", "1e5", "1e5"),
        ("decimal", "NaN", "NaN"),
        ("bool", "yes", "yes"),
        ("date", 46082.0, "2026-03-01"),  # a person typed a day
        ("date", 46082.5, "46082.5"),
        ("date", 1e15, "1000000000000000"),
        ("json", "no json", "no json"),
        ("json", 5.0, 5.0),
        ("str", None, None),
        ("int", Formula(), "=…"),
    ],
)
def test_what_people_typed_is_read_as_what_it_is(kind: ColumnType, cell: Held, value: JsonValue) -> None:
    assert value_of(cell, kind) == value


@pytest.mark.parametrize(
    ("sent", "found", "is_same"),
    [
        ("", None, True),
        ("", "", True),
        ("", 0.0, False),
        ("1", 1.0, False),
        (1, 1.0, True),
        (1, True, False),
        (True, 1.0, False),
        ("a", "a", True),
        ("a", "A", False),
        (0.1, 0.1, True),
        (0, None, False),
    ],
)
def test_whether_a_cell_holds_what_was_sent(sent: Scalar, found: JsonValue, is_same: bool) -> None:
    assert same(sent, found) is is_same


def test_a_key_is_recognised_by_its_text() -> None:
    assert [text_of(cell) for cell in (123.0, "00123", True, None, Formula(), 1.5)] == [
        "123", "00123", "TRUE", "", "", "1.5",
    ]  # fmt: skip
