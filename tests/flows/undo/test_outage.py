"""A target that takes nothing for a while: what a person does there meanwhile is seen, and is not lost."""

import pytest

from flows import deliver
from tests.flows.undo.table import Table, table

__all__ = ["table"]


@pytest.fixture(autouse=True)
def few_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two attempts are several, and each waits for the lock for its full time."""
    monkeypatch.setattr(deliver, "PASSES", 1)


def in_an_outage(table: Table) -> str:
    """A run that could not deliver what was edited, though it tried several times. Its id."""
    with table.busy():
        ran = table.office.run()
    assert ran.state == "incomplete" and ran.counts["outcome_transient"] > 1, ran
    return ran.id


def test_what_a_person_wrote_meanwhile_is_what_was_there_before(table: Table) -> None:
    table.edit(last_name="New")
    run = in_an_outage(table)
    table.by_hand("full_name", "By Hand")
    assert table.office.run().state == "complete"
    assert table.held("full_name") == "Ana New"

    table.undone(run)

    assert table.held("full_name") == "By Hand"


def test_what_a_person_wrote_after_a_refusal_is_what_was_there_before(table: Table) -> None:
    """It was refused at the second attempt: the first one came to nothing, too."""
    table.edit(last_name="Newer")
    run = in_an_outage(table)
    table.refuse("Ana Newer")
    assert table.office.run().counts["outcome_rejected"] == 1
    table.by_hand("full_name", "By Hand")

    table.take_again()
    assert table.office.run().state == "complete"

    assert table.held("full_name") == "Ana Newer"
    table.undone(run)
    assert table.held("full_name") == "By Hand"


def test_what_would_empty_a_persons_value_meanwhile_waits(table: Table) -> None:
    table.limit("{ask_first: [blanks]}")
    table.by_hand("email", "")
    table.edit(email=None)
    in_an_outage(table)
    table.by_hand("email", "typed@example.com")

    ran = table.office.run()

    assert ran.codes["held empties_a_value"] == 1
    assert table.held("email") == "typed@example.com"


def test_a_record_that_a_person_removed_meanwhile_is_not_made_unseen(table: Table) -> None:
    table.limit("{ask_first: [creates]}")
    table.edit(last_name="New")
    in_an_outage(table)
    table.remove()

    ran = table.office.run()

    assert ran.codes["held new_record"] == 1
    assert table.held("full_name") is None


def test_new_records_and_empty_values_are_counted_once_however_often_they_leave(table: Table) -> None:
    table.limit("{at_least: 1, creates: 0.0, blanks: 1}")
    table.remove()
    table.edit(last_name="New")

    in_an_outage(table)

    assert table.office.run().state == "complete"
    assert table.held("full_name") == "Ana New"
