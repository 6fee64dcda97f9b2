"""The last runs as the dashboard shows them."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from flows import trend
from flows.ledger import lease, runs
from flows.ledger.plans import Versions
from tests.flows.ledgers import open_at


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_a_bar_is_as_long_as_its_number_and_anything_shows(one: int, other: int) -> None:
    most = max(one, other)
    bars = [trend.bar(one, most), trend.bar(other, most)]

    assert all(len(bar) <= trend.WIDTH for bar in bars)
    assert [bool(bar) for bar in bars] == [bool(one), bool(other)]
    assert not most or max(len(bar) for bar in bars) == trend.WIDTH
    assert one <= other or len(bars[0]) >= len(bars[1])


def test_the_newest_thirty_runs_are_shown_newest_first(tmp_path: Path) -> None:
    ledger = open_at(f"sqlite:///{tmp_path / 'ledger.db'}", tmp_path / "keys")
    for at in range(32):
        lease.take(ledger, f"r{at}")
        runs.begin(ledger, "changes", Versions("", ""))
        state, code = ("failed", "unauthorized") if at == 31 else ("complete", "")
        runs.end(ledger, state, code, {"planned": at, "outcome_done": at + 100}, {})
        lease.give_back(ledger)

    lines = trend.markdown(ledger).splitlines()

    assert lines[0] == "### acme/warehouse: the last 30 runs"
    rows = [line for line in lines if "changes" in line]
    assert len(rows) == 30
    assert "failed: unauthorized" in rows[0] and "| 31 | 131 |" in rows[0] and "█" * trend.WIDTH in rows[0]
    assert "| 2 | 102 |" in rows[-1]
    ledger.close()


def test_a_run_over_changes_that_swept_is_learnt_from_as_a_sweep(tmp_path: Path) -> None:
    ledger = open_at(f"sqlite:///{tmp_path / 'ledger.db'}", tmp_path / "keys")
    ends = [("complete", 1, 0), ("complete", 9, 1), ("incomplete", 5, 0), ("complete", 3, 0)]
    for at, (state, planned, swept) in enumerate(ends):
        lease.take(ledger, f"r{at}")
        runs.begin(ledger, "changes", Versions("", ""))
        runs.end(ledger, state, "", {"planned": planned, "entries": 10, "swept": swept}, {})
        lease.give_back(ledger)

    assert runs.shares(ledger, "changes", 30) == [0.3, 0.1]
    assert runs.shares(ledger, "sweep", 30) == [0.9]
    assert runs.shares(ledger, "changes", 1) == [0.3]
    ledger.close()
