"""What people said of entries that waited for them, each with a reason. Reasons and answers are sealed.

A word is about an entry as it was looked at, and the instructions that it waited by: it says nothing of
another version of either.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal, cast

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from flows.ledger import audit
from flows.ledger.stage_tables import WORD
from flows.ledger.store import Ledger, now
from flows.ledger.tables import ENTRY

PURPOSE = "word"
AT_ONCE = 500
LONG_AGO = date(2000, 1, 1)  # an entry to be decided again on it is decided by the next run
Verdict = Literal["leave", "again", "answer"]


@dataclass(frozen=True, slots=True)
class Word:
    """One person's word on one entry. The reason may hold patient data.

    leave: nothing is written of it until it changes. again: it is decided anew by the next run. answer: the
    same, and what a sentence asks a person to judge is answered by this; by label, as in `Plan.judged`.
    """

    verdict: Verdict
    reason: str
    answers: Mapping[str, str] = field(default_factory=dict[str, str])
    by: str = ""
    at: datetime | None = None
    fingerprint: str = ""
    instructions: str = ""


def of(ledger: Ledger, refs: Sequence[str]) -> dict[str, Word]:
    """The latest word on each of these entries, by pseudonym."""
    found: dict[str, Word] = {}
    with ledger.reading() as connection:
        for start in range(0, len(refs), AT_ONCE):
            query = sa.select(WORD).where(
                WORD.c.integration == ledger.integration, WORD.c.entry.in_(refs[start : start + AT_ONCE])
            )
            found |= {row.entry: _opened(ledger, row) for row in connection.execute(query)}
    return found


def answers(
    ledger: Ledger, instructions: str, fingerprints: Mapping[str, str]
) -> dict[str, Mapping[str, str]]:
    """What people answered of these entries, by pseudonym: of the entry as it is, by these instructions."""
    return {
        ref: word.answers
        for ref, word in of(ledger, list(fingerprints)).items()
        if (word.fingerprint, word.instructions) == (fingerprints[ref], instructions)
    }


def put(ledger: Ledger, connection: Connection, ref: str, word: Word) -> None:
    """Note a person's word in the place of an earlier one, in a fenced transaction of `ledger.person`'s.

    Unless the entry is to be left, the next run decides it anew.
    """
    said = json.dumps({"reason": word.reason, "answers": dict(word.answers)}, ensure_ascii=False)
    row = {
        "entry": ref,
        "integration": ledger.integration,
        "fingerprint": word.fingerprint,
        "instructions": word.instructions,
        "verdict": word.verdict,
        "said_sealed": ledger.seal.seal(said.encode(), PURPOSE),
        "by": word.by,
        "at": now(),
    }
    connection.execute(sa.delete(WORD).where(WORD.c.entry == ref))
    connection.execute(WORD.insert().values(row))
    if word.verdict != "leave":
        connection.execute(sa.update(ENTRY).where(ENTRY.c.ref == ref).values(again_on=LONG_AGO))
    audit.add(ledger, connection, f"a person's word on an entry: {word.verdict}", 1, ref)


def _opened(ledger: Ledger, row: "sa.Row[tuple[object, ...]]") -> Word:
    said = json.loads(ledger.seal.open(row.said_sealed, PURPOSE))
    return Word(
        verdict=cast(Verdict, row.verdict),
        reason=said["reason"],
        answers=said["answers"],
        by=row.by,
        at=row.at,
        fingerprint=row.fingerprint,
        instructions=row.instructions,
    )
