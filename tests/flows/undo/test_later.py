"""What a later run, or a later undo, wrote of the same records: what of it keeps a run from being undone."""

from tests.flows.undo.table import Table, table

__all__ = ["table"]


def test_what_a_later_run_wrote_again_as_it_was_is_no_later_value(table: Table) -> None:
    run = table.carried(last_name="Bad")
    later = table.carried(email="other@example.com")

    assert table.undone(run.id).counts["undo_kept"] == 0

    assert (table.held("full_name"), table.held("email")) == ("Ana Start0", "other@example.com")
    table.undone(later.id)
    assert table.held("email") == "p0@example.com"


def test_what_a_later_run_wrote_over_a_persons_value_is_its_own(table: Table) -> None:
    run = table.carried(last_name="Bad")
    table.by_hand("full_name", "By Hand")
    table.carried(email="other@example.com")

    assert table.undone(run.id).counts["undo_kept"] == 1

    assert table.held("full_name") == "Ana Bad"


def test_what_undos_left_as_the_run_wrote_it_is_undone_again(table: Table) -> None:
    run = table.carried(last_name="Bad")
    newer = table.carried(last_name="Newer")
    table.undone(newer.id)
    assert table.held("full_name") == "Ana Bad"

    undo = table.undone(run.id)
    assert table.held("full_name") == "Ana Start0"
    table.undone(undo.id)
    assert table.held("full_name") == "Ana Bad"
    table.undone(run.id)

    assert table.held("full_name") == "Ana Start0"


def test_what_a_person_wrote_after_an_undo_stays(table: Table) -> None:
    run = table.carried(last_name="Bad")
    table.undone(run.id)
    table.by_hand("full_name", "Ana Bad")

    assert table.undone(run.id).counts["undo_kept"] == 1

    assert table.held("full_name") == "Ana Bad"


def test_a_code_that_a_person_wrote_with_one_zero_more_is_another_one(table: Table) -> None:
    table.carried(metadata='{"channel": "250.1"}')
    run = table.carried(metadata='{"channel": "250.2"}')
    table.by_hand("channel", "250.20")

    assert table.undone(run.id).counts["undo_kept"] == 1

    assert table.held("channel") == "250.20"


def test_a_number_that_the_target_writes_otherwise_is_the_same(table: Table) -> None:
    table.declare("channel: {type: str,", "channel: {type: decimal,")
    table.carried(metadata='{"channel": "1.25"}')
    run = table.carried(metadata='{"channel": "2.50"}')
    table.by_hand("channel", "2.500")

    assert table.undone(run.id).counts["undo_kept"] == 0

    assert table.held("channel") == "1.25"
