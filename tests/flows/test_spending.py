"""What asking models cost is kept, by integration and day, whoever asks and whoever holds the lease."""

import threading
from datetime import date
from pathlib import Path

from agent.budget import Budget, BudgetReached, Budgets, Use
from flows.ledger import spending
from tests.flows.ledgers import open_at

MONDAY, TUESDAY = date(2026, 11, 23), date(2026, 11, 24)
SOME = Use(requests=1, tokens=960, micro_usd=1020)


def test_days_and_integrations_are_apart_and_no_lease_is_needed(ledger_url: str, tmp_path: Path) -> None:
    one, other = open_at(ledger_url, tmp_path), open_at(ledger_url, tmp_path, "triage")

    assert spending.book(one, MONDAY, SOME) == SOME
    assert spending.book(one, MONDAY, SOME) == SOME + SOME
    assert spending.book(one, TUESDAY, SOME) == SOME
    assert spending.book(other, MONDAY, SOME) == SOME
    assert spending.book(one, MONDAY, Use() - SOME) == SOME
    assert spending.used(one, MONDAY) == spending.used(other, MONDAY) == SOME
    assert spending.used(other, TUESDAY) == Use()
    one.close()
    other.close()


def test_runs_at_the_same_moment_do_not_spend_more_than_the_day_allows(
    ledger_url: str, tmp_path: Path
) -> None:
    """A dry run needs no lease, so it may go beside a run."""
    asked: list[str] = []
    ledgers = [open_at(ledger_url, tmp_path) for _ in range(3)]
    start = threading.Barrier(3)

    def ask(ledger: spending.Ledger) -> None:
        meter = spending.meter(ledger, Budgets(day=Budget(requests=20)), MONDAY)
        start.wait(30)
        for _ in range(12):
            try:
                meter.reserve(SOME)
                asked.append("")
            except BudgetReached as reached:
                assert reached.scope == "day"

    threads = [threading.Thread(target=ask, args=(ledger,)) for ledger in ledgers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert len(asked) == spending.used(ledgers[0], MONDAY).requests <= 20
    assert len(asked) >= 18  # who was refused gives back what another might have had
    for ledger in ledgers:
        ledger.close()
