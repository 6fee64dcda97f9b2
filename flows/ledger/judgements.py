"""Judgements: what was answered where a sentence needs judgement, so that it is asked once.

What was asked is a keyed hash of all that the answer depends on, and the answer is sealed.
"""

from collections.abc import Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from flows.ledger import audit
from flows.ledger.store import Ledger, now
from flows.ledger.tables import JUDGEMENT

AT_ONCE = 500  # questions that are looked up in one query
PURPOSE = "judgement"


class Judgements:
    """The judgements of one integration; see agent/judge.py for what is promised."""

    def __init__(self, ledger: Ledger, *, keeps: bool) -> None:
        """`keeps`: False for a dry run, which has no lease and writes nothing."""
        self._ledger, self._keeps = ledger, keeps

    def find(self, keys: Sequence[str]) -> Mapping[str, str]:
        """The options that were chosen, by key, of those that were judged before."""
        hashes = {self._hash(key): key for key in keys}
        found: dict[str, str] = {}
        listed = list(hashes)
        with self._ledger.reading() as connection:
            for start in range(0, len(listed), AT_ONCE):
                rows = self._rows(connection, listed[start : start + AT_ONCE])
                found |= {hashes[asked]: option for asked, option in rows.items()}
        return found

    def keep(self, key: str, sentence: str, option: str) -> str:
        """Remember an option; gives the one that counts from now on: the first that was kept.

        Raises LeaseLost, LedgerUnavailable: nothing was kept, and nothing may be decided by it.
        """
        if not self._keeps:
            return option
        ledger, asked = self._ledger, self._hash(key)
        with ledger.writing("judgement") as connection:
            kept = self._rows(connection, [asked]).get(asked)
            if kept is not None:
                return kept
            connection.execute(
                JUDGEMENT.insert().values(
                    integration=ledger.integration,
                    asked=asked,
                    sentence=sentence,
                    option_sealed=ledger.seal.seal(option.encode(), PURPOSE),
                    run=ledger.run,
                    made=now(),
                )
            )
            audit.add(ledger, connection, "judgement kept", 1, asked)
        return option

    def _hash(self, key: str) -> str:
        return self._ledger.seal.keyed_hash("judgement/1", self._ledger.integration, key)

    def _rows(self, connection: Connection, asked: Sequence[str]) -> dict[str, str]:
        mine = sa.select(JUDGEMENT.c.asked, JUDGEMENT.c.option_sealed).where(
            JUDGEMENT.c.integration == self._ledger.integration, JUDGEMENT.c.asked.in_(asked)
        )
        seal = self._ledger.seal
        return {row.asked: seal.open(row.option_sealed, PURPOSE).decode() for row in connection.execute(mine)}
