"""What the fault tests do to a practice, and what they look for afterwards."""

import itertools
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import cast

import httpx
import sqlalchemy as sa
from pydantic import JsonValue

from connectors.sandbox.healthie.edits import Edit
from flows.ledger.tables import CURSOR
from tests.faults.world import Practice

_words = itertools.count(1)
LONG_AGO = timedelta(hours=3)
EARLIER = timedelta(hours=1)


def rename(practice: Practice, word: str, *, ago: timedelta = timedelta()) -> dict[str, list[str]]:
    """Give every patient a last name that nobody ever had, so long ago. What has to arrive, by patient."""
    patients, number = practice.healthie.ids(), next(_words)
    names = {one: f"{word}{number}n{at}x" for at, one in enumerate(patients)}
    moment = datetime.now(UTC) - ago
    practice.healthie.apply(
        [Edit(id=one, values={"last_name": name}, at=moment) for one, name in names.items()]
    )
    return {one: [name] for one, name in names.items()}


def awake(practice: Practice) -> None:
    """Every patient is an active one."""
    practice.healthie.apply([Edit(act="restore", id=one) for one in practice.healthie.ids()])


def pass_time(practice: Practice, by: timedelta) -> None:
    """As if the last run had been so long ago: its cursors are further back."""
    engine = sa.create_engine(practice.url)
    with engine.begin() as connection:
        for row in connection.execute(sa.select(CURSOR)).all():
            here = (CURSOR.c.integration == row.integration) & (CURSOR.c.feed == row.feed)
            connection.execute(sa.update(CURSOR).where(here).values(watermark=row.watermark - by))
    engine.dispose()


def arrivals(practice: Practice) -> list[dict[str, JsonValue]]:
    """Every request that Healthie got, in order, and what trouble it met."""
    return cast(list[dict[str, JsonValue]], practice.healthie.requests()["requests"])


def next_request(practice: Practice) -> int:
    """The number that Healthie's next request will have."""
    practice.healthie.reset()
    httpx.post(practice.healthie.endpoint, json={"query": "{ __typename }"}, trust_env=False)
    return int(str(arrivals(practice)[-1]["number"])) + 1


def met(practice: Practice, trouble: str) -> int:
    """How many requests met this trouble."""
    return sum(one["trouble"] == trouble for one in arrivals(practice))


def cursors(practice: Practice) -> Mapping[object, object]:
    """How far each feed was read, as the ledger has it."""
    rows = practice.ledger("SELECT feed, watermark FROM cursor")
    return {row[0]: row[1] for row in rows}


def ended(practice: Practice) -> str:
    """The last run's end as its process said it: one line."""
    lines = (practice.folder / "engine.log").read_text().splitlines()
    at = max(number for number, line in enumerate(lines) if line.startswith("ended: "))
    assert at == len(lines) - 1, lines[at:]
    return lines[at].rsplit("CodedFailure: ", 1)[-1]


def blind_mismatches(practice: Practice) -> list[str]:
    """Blind deliveries whose state in the ledger is not what the target's log shows of them.

    done: arrived once. unknown: at most once, and listed by that. anything else: not at all.
    """
    arrived = [effect.key for effect in practice.probe.effects() if effect.operation == "send_event"]
    wrong: list[str] = []
    for key, state in practice.ledger("SELECT key, state FROM delivery WHERE delivery_class = 'blind'"):
        times = arrived.count(str(key))
        allowed = {"done": (1,), "unknown": (0, 1)}.get(str(state), (0,))
        if times not in allowed:
            wrong.append(f"{state}: arrived {times} times")
    return wrong


def unplanned_effects(practice: Practice, since: int) -> list[str]:
    """Effects, from the `since`-th on, that no delivery of the ledger accounts for."""
    planned = {key for (key,) in practice.ledger("SELECT key FROM delivery")}
    return [one.operation for one in practice.probe.effects()[since:] if one.key not in planned]
