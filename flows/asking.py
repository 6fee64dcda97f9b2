"""Asking models: what they are asked is counted against the budgets, and what they judged is remembered."""

from dataclasses import dataclass
from datetime import date
from typing import Self

from agent.budget import Budgets, Meter
from agent.judge import Judgements
from flows.ledger import judgements, spending
from flows.ledger.store import Ledger


@dataclass(frozen=True, slots=True)
class Asking:
    """Where one integration's requests to models are booked."""

    meter: Meter
    judgements: Judgements

    @classmethod
    def booked(cls, ledger: Ledger, budgets: Budgets, today: date, *, keeps: bool) -> Self:
        """In the ledger. `today`: the practice's day. `keeps`: new judgements are remembered, too."""
        return cls(spending.meter(ledger, budgets, today), judgements.Judgements(ledger, keeps=keeps))

    @classmethod
    def beside(cls, ledger: Ledger, budgets: Budgets, today: date) -> Self:
        """Of a version beside the live one: what it asks is no part of the run, nor kept what it judges."""
        return cls.booked(ledger, budgets.beside(), today, keeps=False)
