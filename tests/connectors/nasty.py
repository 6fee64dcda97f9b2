"""Values that careless targets mangle, and strategies that use them."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

from hypothesis import strategies as st
from pydantic import JsonValue

TEXTS = [
    "", " ", "  lead", "trail  ", "\t", "\n", "\r\n", "\r", "a\r\nb", "\x01", "\x1a", "\x7f", "\x85",
    "\ufeff",
    "\ufeffbom", "\u2028", "\u202eright to left", "é", "e\u0301", "ﬀ", "ß", "İ", "ı", "👩‍👩‍👧‍👦", "𝒳",
    "\U0010ffff",
    "'", "''", '"', '""', "\\", "\\'", "\\0", "\\N", "`", "%", "%s", "%(x)s", ":x", "?", "$1", "{}", "--",
    ";",
    "'; DROP TABLE patients; --", "NULL", "null", "None", "\\x00", "true", "0", "00123", "1e5", "-5",
    "+1 415 555 0100", "=1+1", "@x", "'=1", "''-1", "|", ",", "a,b", 'a"b', '"a"', "ＡＢ", "1;2", "\u3000x",
]  # fmt: skip
LONG = ["x" * 100_000, "=cmd|' /C calc'!A0", "é" * 40_000]
UNSTORABLE = {
    "nul\0": "nul_character",
    "\0": "nul_character",
    "\ud800": "lone_surrogate",
    "a\udfff": "lone_surrogate",
}
KEYS = [
    "1",
    "01",
    "a",
    "A",
    "ß",
    "ss",
    "é",
    "e\u0301",
    "a'b",
    'a"b',
    "a,b",
    "a\nb",
    "=1",
    "'=1",
    "\\",
    "%s",
    "ı",
    "null",
]

_FINE = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
TEXT = st.one_of(st.sampled_from(TEXTS), _FINE)
_OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
_NUMBERS = st.one_of(
    st.integers(-(2**63), 2**63 - 1),
    st.floats(-1e15, 1e15, allow_nan=False).filter(lambda n: n == 0 or abs(n) > 1e-9),
)
JSON: st.SearchStrategy[JsonValue] = st.recursive(
    st.one_of(st.none(), st.booleans(), _NUMBERS, TEXT),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXT, inner, max_size=3)),
    max_leaves=6,
)


def spelled(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


# column type -> (as it is given, as it must come back)
VALUES: Mapping[str, st.SearchStrategy[tuple[JsonValue, JsonValue]]] = {
    "str": TEXT.map(lambda text: (text, text)),
    "int": st.integers(-(2**63), 2**63 - 1).map(lambda number: (number, number)),
    "decimal": st.decimals(Decimal(-(10**29) + 1), Decimal(10**29 - 1), places=9).map(
        lambda number: (format(number, "f"), plain(number))
    ),
    "bool": st.booleans().map(lambda true: (true, true)),
    "date": st.dates(date(1000, 1, 1)).map(lambda day: (day.isoformat(), day.isoformat())),
    "datetime": st.datetimes(datetime(1000, 1, 2), datetime(9999, 12, 30), timezones=_OFFSETS).map(  # noqa: DTZ001
        lambda moment: (moment.isoformat(), spelled(moment))
    ),
    "json": JSON.map(lambda value: (value, value)),
}


def plain(number: Decimal) -> str:
    text = format(number, "f").rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text
