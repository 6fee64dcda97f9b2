"""Which attempt's reading is what was there before: that of the first one that may have been applied."""

from contextlib import ExitStack

import pytest

from connectors.operation import Outcome
from flows.ledger import deliveries, written
from tests.flows.undo.office import _plan_pages
from tests.flows.undo.table import Table, table

__all__ = ["table"]

WRITE = "warehouse_upsert_patients"
NOTHING = [("transient", None)]
LOST = [("unknown", None)]
REFUSED = [("rejected", None)]
WRITTEN_WRONG = [("rejected", "its id")]


@pytest.mark.parametrize(
    ("attempts", "first"),
    [
        (NOTHING, 1),
        (NOTHING * 3, 3),
        (NOTHING * 2 + REFUSED, 3),
        (NOTHING * 2 + LOST + NOTHING * 2, 2),
        (LOST + NOTHING, 0),
        (LOST + REFUSED, 0),
        (WRITTEN_WRONG + NOTHING, 0),
        ([*NOTHING, ("cut off", None), *NOTHING], 1),
    ],
)
def test_what_was_there_is_read_anew_until_an_attempt_may_have_been_applied(
    table: Table, attempts: list[tuple[str, str | None]], first: int
) -> None:
    table.edit(last_name="New")
    with ExitStack() as stack:
        run = table.office._begun(stack, "changes")
        _plan_pages(run)
        (key,) = [one.item.key for one in deliveries.due(run.ledger, WRITE, ["planned"], 9)]
        for at, (state, reference) in enumerate([*attempts, ("done", None)]):
            (due,) = deliveries.due(run.ledger, WRITE, ["planned"], 9)
            deliveries.mark_sent(run.ledger, [due], {key: {"full_name": f"read {at}"}})
            if state != "cut off":
                deliveries.settle(run.ledger, [Outcome(key, state, reference=reference)])  # type: ignore[arg-type]  # drawn
            if state != "done":
                deliveries.move(run.ledger, [key], "planned")

        (one,) = written.of_keys(run.ledger, [key])

        assert one.before == {"full_name": f"read {first}"}
        assert one.may_be_there
