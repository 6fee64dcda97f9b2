"""What asking models may cost: counted before a request leaves, put right when its answer is there."""

import threading
from collections.abc import Callable
from decimal import Decimal
from typing import Literal

from pydantic import Field

from connectors.base import Settings

MILLION = 1_000_000
Scope = Literal["run", "day"]


class Use(Settings):
    """Requests, their tokens in and out, and millionths of a dollar."""

    requests: int = 0
    tokens: int = 0
    micro_usd: int = 0

    def __add__(self, other: "Use") -> "Use":
        return Use(
            requests=self.requests + other.requests,
            tokens=self.tokens + other.tokens,
            micro_usd=self.micro_usd + other.micro_usd,
        )

    def __sub__(self, other: "Use") -> "Use":
        return self + Use(requests=-other.requests, tokens=-other.tokens, micro_usd=-other.micro_usd)


class Budget(Settings):
    """The most that may be used. A request leaves only if the most that it can cost still fits."""

    requests: int = Field(default=10_000, ge=0, description="model requests")
    tokens: int = Field(default=50_000_000, ge=0, description="in and out")
    usd: Decimal = Field(default=Decimal(20), ge=0, description="US dollars, by the prices of models.yaml")

    def holds(self, use: Use) -> bool:
        return (
            use.requests <= self.requests
            and use.tokens <= self.tokens
            and use.micro_usd <= self.usd * MILLION
        )


class Budgets(Settings):
    """What an integration may use in one run, and in one day of the practice's."""

    run: Budget = Budget()
    day: Budget = Budget(requests=40_000, tokens=200_000_000, usd=Decimal(50))

    def beside(self) -> "Budgets":
        """Of a version that decides beside the live one: a run of its own, and the first half of the day.

        What is left of the day then is the live version's alone.
        """
        day = self.day
        half = Budget(requests=day.requests // 2, tokens=day.tokens // 2, usd=day.usd / 2)
        return Budgets(run=self.run, day=half)


class BudgetReached(Exception):
    """The next request could cost more than is left. What waits is decided when there is a budget again."""

    def __init__(self, scope: Scope) -> None:
        super().__init__(f"budget of the {scope} reached")
        self.scope = scope


class Meter:
    """Counts what one run uses, and what its integration uses in a day. Any thread may call it."""

    def __init__(self, budgets: Budgets, book: Callable[[Use], Use]) -> None:
        """`book` adds to what was used today, for good and before it returns; it gives the day's sum."""
        self._budgets = budgets
        self._book = book
        self._turn = threading.Lock()
        self._run = Use()

    @property
    def run(self) -> Use:
        """What the run has used so far, requests on their way at the most that they can cost."""
        return self._run

    def reserve(self, most: Use) -> None:
        """Set aside what a request can cost at most. Raises BudgetReached, and sets nothing aside."""
        with self._turn:
            if not self._budgets.run.holds(self._run + most):
                raise BudgetReached("run")
            if not self._budgets.day.holds(self._book(most)):
                self._book(Use() - most)
                raise BudgetReached("day")
            self._run += most

    def settle(self, most: Use, actual: Use) -> None:
        """The request that `most` was set aside for used this much."""
        with self._turn:
            self._book(actual - most)
            self._run += actual - most
