"""Values as Healthie writes them, and as entries hold them."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from connectors.entry import Absent, Found, leaves, without_positions
from connectors.healthie.entry import project
from connectors.healthie.fields import branches, catalogue
from connectors.healthie.normal import MalformedError, as_utc, day, metadata, minor, moment
from connectors.healthie.patient import Patient
from connectors.healthie.reading import Draft, finished
from connectors.healthie.records import Kind, Record

NEW_YORK = ZoneInfo("America/New_York")
MOMENTS = st.datetimes(
    min_value=datetime(1900, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
    max_value=datetime(2099, 12, 31),  # noqa: DTZ001
    timezones=st.just(UTC),
).map(lambda at: at.replace(microsecond=0))


def entry_of(node: dict[str, JsonValue], *paths: str) -> Found:
    return project(Patient.model_validate({"id": "1", **node}), frozenset(paths), NEW_YORK)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-01-30 12:15:00 -0700", "2026-01-30T19:15:00Z"),
        ("2026-01-30T12:15:00-05:00", "2026-01-30T17:15:00Z"),
        ("2026-01-30T12:15:00Z", "2026-01-30T12:15:00Z"),
        ("2026-01-30 12:15:00 UTC", "2026-01-30T12:15:00Z"),
        ("2026-01-30T12:15", "2026-01-30T17:15:00Z"),  # the account's zone
        ("2026-07-30 12:15:00", "2026-07-30T16:15:00Z"),
        ("2026-01-30T12:15:00.250Z", "2026-01-30T12:15:00.250000Z"),
    ],
)
def test_times_become_utc(written: str, meant: str) -> None:
    assert moment(written, NEW_YORK) == meant


@given(MOMENTS, st.integers(-14 * 4, 14 * 4), st.booleans())
def test_a_time_is_the_same_instant_whatever_its_offset(at: datetime, quarters: int, old: bool) -> None:
    sign, minutes = ("-" if quarters < 0 else "+"), abs(quarters) * 15
    local = at.replace(tzinfo=None) + timedelta(minutes=15 * quarters)
    offset = f"{sign}{minutes // 60:02}{'' if old else ':'}{minutes % 60:02}"
    text = f"{local.isoformat(sep=' ' if old else 'T')}{' ' if old else ''}{offset}"

    assert as_utc(text, NEW_YORK) == at


@pytest.mark.parametrize(
    "text", ["", "tomorrow", "2026-02-30T10:00:00Z", "2026-01-30", "20260130T101500Z", "1767225600"]
)
def test_a_malformed_time_has_a_code_and_no_value(text: str) -> None:
    with pytest.raises(MalformedError) as malformed:
        moment(text, UTC)

    assert str(malformed.value) == malformed.value.code == "datetime_malformed"


def test_a_birthday_has_no_zone() -> None:
    assert day("1980-12-31") == "1980-12-31"
    for text in ("1980-12-31T00:00:00-05:00", "12/31/1980", "1980-02-30", ""):
        with pytest.raises(MalformedError):
            day(text)


@pytest.mark.parametrize(
    ("amount", "currency", "units"),
    [
        ("120.00", "usd", 12000),
        ("120", None, 12000),
        ("0.5", "USD", 50),
        ("1,234.50", "USD", 123450),
        ("$10.00", "USD", 1000),
        ("-3.20", "USD", -320),
        (264.1, None, 26410),
        (0.0, "USD", 0),
        (33.330000000000005, "USD", 3333),  # Healthie counts balance_due in floats
        (0.1 + 0.2, None, 30),
        (-1.0000001, "USD", -100),
        (499.9999999, "JPY", 500),
        (1.2340000000000002, "KWD", 1234),
        ("500", "JPY", 500),
        ("1.234", "KWD", 1234),
    ],
)
def test_money_becomes_minor_units(amount: str | float, currency: str | None, units: int) -> None:
    assert minor(amount, currency) == units


@given(st.integers(-(10**11), 10**11))
def test_cents_survive_text_and_number(cents: int) -> None:
    text = str(Decimal(cents).scaleb(-2))

    assert minor(text, "USD") == minor(float(text), "USD") == cents


@pytest.mark.parametrize(
    "amount",
    [
        "",
        "abc",
        "1.005",
        "1.234,50",
        "1,23.00",
        "NaN",
        "1e3",
        float("nan"),
        float("inf"),
        0.001,
        33.33001,
        1e300,
        "33.330000000000005",
    ],
)
def test_an_amount_is_never_guessed(amount: str | float) -> None:
    with pytest.raises(MalformedError) as malformed:
        minor(amount, "USD")

    assert malformed.value.code == "money_malformed"


def test_missing_null_and_empty_stay_apart() -> None:
    found = entry_of(
        {"email": None, "phone_number": "", "locations": [], "policies": None, "user_group": None},
        *("email", "phone_number", "first_name", "locations.city", "policies.num", "user_group.name", "dob"),
    )

    assert found.entry == {
        "email": None,
        "phone_number": "",
        "locations": [],
        "policies": None,
        "user_group": None,
    }
    assert "first_name" not in found.entry and "dob" not in found.entry


def test_only_asked_paths_are_in_the_entry_even_if_more_was_answered() -> None:
    node = {"email": "ana@example.com", "ssn": "x", "first_name": "Ana", "location": {"id": "3", "city": "X"}}

    assert entry_of(node, "email", "location.city").entry == {
        "email": "ana@example.com",
        "location": {"city": "X"},
    }


def test_lists_are_ordered_by_id_as_a_number() -> None:
    tags = [{"id": "10", "name": "b"}, {"id": "9", "name": "a"}, {"id": "100", "name": "c"}]

    assert entry_of({"active_tags": tags}, "active_tags.name").entry == {
        "active_tags": [{"name": "a"}, {"name": "b"}, {"name": "c"}]
    }


def test_money_is_read_with_its_own_currency() -> None:
    payments = [{"id": 1, "price": "500", "currency": "JPY"}, {"id": 2, "price": "5", "currency": None}]

    assert entry_of({"requested_payments": payments}, "requested_payments.price_minor").entry == {
        "requested_payments": [{"price_minor": 500}, {"price_minor": 500}]
    }
    assert entry_of({"policies": [{"copay_value": 2500}]}, "policies.copay_value_minor").entry == {
        "policies": [{"copay_value_minor": 2500}]
    }


def test_metadata_keys_are_picked_out_of_the_text() -> None:
    text = json.dumps({"mrn": "7", "flags": {"vip": True, "old": None}, "other": 1})

    assert entry_of({"metadata": text}, "metadata.mrn", "metadata.flags.vip", "metadata.none").entry == {
        "metadata": {"flags": {"vip": True}, "mrn": "7"}
    }
    assert entry_of({"metadata": text}, "metadata.mrn", "metadata").entry == {"metadata": json.loads(text)}
    assert entry_of({"metadata": text}, "metadata.none").entry == {}
    assert entry_of({"metadata": None}, "metadata.mrn").entry == {}
    assert entry_of({"metadata": None}, "metadata").entry == {"metadata": None}
    assert entry_of({"metadata": text}, "metadata.flags", "metadata.flags.vip").entry == {
        "metadata": {"flags": {"vip": True, "old": None}}
    }


@pytest.mark.parametrize("text", ["{not json", "[1]", "5", "null", '{"a": NaN}', "plain words"])
def test_a_malformed_metadata_is_left_out_and_named(text: str) -> None:
    found = entry_of({"metadata": text, "email": "ana@example.com"}, "metadata.mrn", "email")

    assert found.entry == {"email": "ana@example.com"}
    assert found.troubles == ("metadata_malformed",)


def test_an_empty_metadata_is_an_empty_object() -> None:
    assert metadata("") == {} and metadata("{}") == {} and metadata(None) is None


def test_malformed_values_are_left_out_and_named_once() -> None:
    appointments = [{"id": "1", "date": "soon", "length": 30}, {"id": "2", "date": "later", "length": 45}]
    found = entry_of(
        {"dob": "31.12.1980", "appointments": appointments}, "dob", "appointments.date", "appointments.length"
    )

    assert found.entry == {"appointments": [{"length": 30}, {"length": 45}]}
    assert found.troubles == ("date_malformed", "datetime_malformed")


def test_one_patient_that_does_not_parse_spoils_no_other() -> None:
    drafts = [Draft("1", {"id": "1", "email": ["?"]}), Draft("2", {"id": "2", "email": "bo@example.com"})]

    assert set(map(repr, finished(drafts, frozenset({"email"}), UTC))) == {
        repr(Absent("1", "unreadable")),
        repr(Found("2", {"email": "bo@example.com"})),
    }


def _everything(record: type[Record]) -> dict[str, JsonValue]:
    """A node with a value in every field that a record has."""
    values: dict[Kind, JsonValue] = {
        Kind.TEXT: "text",
        Kind.FLAG: True,
        Kind.WHOLE: 3,
        Kind.DAY: "1980-01-02",
        Kind.MOMENT: "2026-01-30T12:15:00Z",
        Kind.MONEY: "1.00",
        Kind.CENTS: 100,
        Kind.JSON: {"a": 1},
    }
    node: dict[str, JsonValue] = {}
    for name, field in record.model_fields.items():
        branch = branches(record).get(name)
        if branch is None:
            node[name] = values[next(mark for mark in field.metadata if isinstance(mark, Kind))]
        else:
            below = _everything(branch.record)
            node[name] = [below] if branch.many else below
    return node


def test_every_field_of_the_catalogue_has_its_value_and_its_type() -> None:
    found = entry_of(_everything(Patient), *catalogue())
    concrete = dict(leaves(found.entry))
    there = {without_positions(path): value for path, value in concrete.items()}
    types = {"str": str, "int": int, "bool": bool, "date": str, "datetime": str}

    assert found.troubles == ()
    for path, field in catalogue().items():
        shown = f"{path}.a" if field.type == "json" else path
        assert type(there[shown]) is (int if field.type == "json" else types[field.type]), path
        assert field.many == (shown not in concrete), path
