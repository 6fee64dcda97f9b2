"""The last runs of an integration, side by side, as the dashboard shows them. Counts and codes only."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from flows.ledger import runs
from flows.ledger.store import Ledger
from flows.naming import told

RUNS = 30
WIDTH = 10  # of the longest bar, in characters
BLOCKS = "▏▎▍▌▋▊▉█"


@dataclass(frozen=True, slots=True)
class Past:
    """One run of the past."""

    id: str
    started: datetime
    took: timedelta | None
    kind: str
    state: str
    code: str
    counts: Mapping[str, int]


def past(ledger: Ledger, number: int = RUNS) -> list[Past]:
    """The last runs, newest first."""
    return [
        Past(
            id=row.id,
            started=row.started,
            took=row.ended - row.started if row.ended else None,
            kind=row.kind,
            state=row.state,
            code=row.code,
            counts=cast(Mapping[str, int], row.counts),
        )
        for row in runs.latest(ledger, number)
    ]


def markdown(ledger: Ledger) -> str:
    """A table of the last runs with a bar for what changed, and a line for how they ended."""
    found, whose = past(ledger), told(*ledger.of)
    arrived = "would arrive" if ledger.of[1] == "staging" else "arrived"
    return "\n".join([f"### {whose}: the last {len(found)} runs", "", *_table(found, arrived)])


def _table(found: list[Past], arrived: str) -> Iterator[str]:
    most = max((_changed(one) for one in found), default=0)
    yield f"| started (UTC) | took | kind | ended | changed | {arrived} | refused | held | changed |"
    yield "|---|---:|---|---|---:|---:|---:|---:|:---|"
    for one in found:
        counts = one.counts
        cells = [
            f"{one.started:%m-%d %H:%M}",
            _time(one.took),
            one.kind,
            f"{one.state}: {one.code}" if one.code else one.state,
            _changed(one),
            counts.get("outcome_done", 0),
            counts.get("outcome_rejected", 0),
            counts.get("held", 0),
            bar(_changed(one), most),
        ]
        yield "| " + " | ".join(str(cell) for cell in cells) + " |"


def _changed(one: Past) -> int:
    return one.counts.get("planned", 0)


def bar(number: int, most: int) -> str:
    """A bar as long as the number is beside the largest one; anything above 0 shows."""
    eighths = round(number / most * WIDTH * 8) if most else 0
    if number:
        eighths = max(1, eighths)
    whole, rest = divmod(eighths, 8)
    return BLOCKS[-1] * whole + (BLOCKS[rest - 1] if rest else "")


def _time(took: timedelta | None) -> str:
    if took is None:
        return ""
    seconds = took.total_seconds()
    return f"{seconds:.1f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
