"""Rows: how the stand-in keeps an object. Plain dicts; a field absent or None is served as null."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import cast
from zoneinfo import ZoneInfo

Row = dict[str, object]
Args = Mapping[str, object]


def text(source: Mapping[str, object], name: str) -> str | None:
    """The value as text, None where it is absent, null or empty."""
    value = source.get(name)
    return str(value) if value not in (None, "") else None


def input_of(args: Args) -> Row:
    """The `input` object of a mutation, {} where there is none."""
    asked = args.get("input")
    return dict(cast(Row, asked)) if isinstance(asked, dict) else {}


def names(line: str) -> tuple[str, ...]:
    """The words of a line, for long lists of names."""
    return tuple(line.split())


def number(source: Mapping[str, object], name: str) -> int | None:
    value = source.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def texts(source: Mapping[str, object], name: str) -> list[str]:
    """The list under that name as texts; nulls in it are left out."""
    value = source.get(name)
    return [str(item) for item in cast(Sequence[object], value) if item is not None] if value else []


def objects(source: Mapping[str, object], name: str) -> list[Row]:
    """The list of objects under that name."""
    value = source.get(name)
    return [item for item in cast(Sequence[Row | None], value) if item is not None] if value else []


def moment(source: Mapping[str, object], name: str) -> datetime | None:
    value = source.get(name)
    return value if isinstance(value, datetime) else None


def read_moment(value: object) -> datetime:
    """An ISO 8601 text with offset as UTC; without offset it counts as UTC.

    Raises:
        ValueError: it is no such text.
    """
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    parsed = datetime.fromisoformat(str(value))
    return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)


def read_date(value: object) -> date:
    """An ISO date. Raises ValueError."""
    return value if isinstance(value, date) else date.fromisoformat(str(value))


def micros(value: datetime | None) -> int:
    """A sortable whole number for an instant; None sorts first."""
    return round(value.timestamp() * 1_000_000) if value else -1


def midnight(value: object, zone: str) -> datetime | None:
    """A date as the midnight of that zone, an instant as it is; None and "" as none.

    Raises:
        ValueError: it is neither.
    """
    if not value:
        return None
    words = str(value)
    if "T" in words:
        return read_moment(words)
    return datetime.fromisoformat(f"{words}T00:00:00").replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
