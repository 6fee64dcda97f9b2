"""From values as Healthie writes them to values as entries hold them.

Times become UTC with Z, money integer minor units. What is malformed raises, with a code and no value.
"""

import re
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from typing import Final

from pydantic import JsonValue
from pydantic_core import from_json

Objects = dict[str, JsonValue]


class MalformedError(ValueError):
    """A value that is not what its field says. `code` is the trouble to report."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


NO_DECIMALS: Final = frozenset(
    [
        "BIF",
        "CLP",
        "DJF",
        "GNF",
        "JPY",
        "KMF",
        "KRW",
        "MGA",
        "PYG",
        "RWF",
        "UGX",
        "VND",
        "VUV",
        "XAF",
        "XOF",
        "XPF",
    ]
)
THREE_DECIMALS: Final = frozenset(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"])
NOISE: Final = Decimal("0.000001")  # of a float, and no amount
_MONEY: Final = re.compile(r"(-?)\$?(\d{1,12}|\d{1,3}(?:,\d{3}){1,3})(?:\.(\d{1,9}))?", re.ASCII)
_MOMENT: Final = re.compile(
    r"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?)(?: ?(Z|UTC|[+-]\d\d:?\d\d))?", re.ASCII
)
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def moment(text: str, zone: tzinfo) -> str:
    """A time in UTC with Z. Healthie's old form `2026-01-30 12:15:00 -0700` is read too."""
    return as_utc(text, zone).isoformat()[:-6] + "Z"


def as_utc(text: str, zone: tzinfo) -> datetime:
    """A time of Healthie's in UTC; without an offset it is in the account's zone."""
    found = _MOMENT.fullmatch(text)
    if found is None:
        raise MalformedError("datetime_malformed")
    clock, offset = found.groups(default="")
    try:
        parsed = datetime.fromisoformat(clock + ("Z" if offset == "UTC" else offset))
        if parsed.tzinfo is None:
            parsed = parsed.replace(tzinfo=zone)
        return parsed.astimezone(UTC)
    except (ValueError, OverflowError):
        raise MalformedError("datetime_malformed") from None


def day(text: str) -> str:
    """A plain date, as it is: a birthday has no time zone."""
    try:
        if _DAY.fullmatch(text) is None:
            raise MalformedError("date_malformed")
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise MalformedError("date_malformed") from None


def minor(amount: str | float, currency: str | None) -> int:
    """An amount in integer minor units of its currency (US dollars if Healthie names none)."""
    code = currency.upper() if currency else "USD"
    places = 0 if code in NO_DECIMALS else 3 if code in THREE_DECIMALS else 2
    text = amount if isinstance(amount, str) else format(_unit(Decimal(str(amount)), places), "f")
    found = _MONEY.fullmatch(text)
    if found is None:
        raise MalformedError("money_malformed")
    sign, whole, fraction = found.groups(default="")
    if fraction[places:].strip("0"):  # finer than the currency: rounding would invent an amount
        raise MalformedError("money_malformed")
    return int(f"{sign}{whole.replace(',', '')}{fraction[:places]:0<{places}}")


def _unit(amount: Decimal, places: int) -> Decimal:
    """A number that was computed in floats, without what the computing left behind the unit."""
    if amount.is_finite() and abs(amount) < 10**12:
        rounded = amount.quantize(Decimal(1).scaleb(-places))
        return rounded if abs(rounded - amount) <= NOISE else amount
    return amount


def metadata(value: JsonValue) -> Objects | None:
    """A metadata: an object, or the text of one. An empty text is an empty object."""
    if value is None or isinstance(value, dict):
        return value
    if value == "":
        return {}
    try:
        parsed: JsonValue = from_json(value, allow_inf_nan=False) if isinstance(value, str) else value
    except ValueError:
        parsed = None
    if not isinstance(parsed, dict):
        raise MalformedError("metadata_malformed")
    return parsed
