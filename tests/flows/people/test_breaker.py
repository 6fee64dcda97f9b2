"""The breaker: what it lets pass, what it holds, and what it learns from earlier runs."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.operation import ArgumentModel, Arguments, Delivery, Item, Write
from flows.breaker import LEARN_FROM, Breaker, usual
from flows.ledger.deliveries import Due
from flows.limits import Limits

UPSERT = Write("upsert", "", ArgumentModel, Delivery.UPSERT, lambda _: [], lambda patient, _: patient)
SHARE = st.floats(0.0, 1.0)
SHARES = st.lists(SHARE, min_size=LEARN_FROM, max_size=30)
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def due(key: str, *, released: bool = False, first_sent: datetime | None = None, **values: str) -> Due:
    arguments: Arguments = values or {"name": "Ana"}
    return Due(
        item=Item(key, "1", arguments),
        entry="e",
        version=1,
        state="planned",
        record=key,
        first_sent=first_sent,
        sent=None,
        newest=True,
        released=released,
    )


def batch(number: int, start: int = 0) -> list[Due]:
    return [due(f"k{at}") for at in range(start, start + number)]


def none_there(ones: list[Due]) -> dict[str, Arguments | None]:
    return {one.item.key: None for one in ones}


def breaker(entries: int = 1000, *, unlimited: bool = False, **limits: object) -> Breaker:
    return Breaker(Limits.model_validate({"at_least": 10, **limits}), entries, unlimited=unlimited)


@given(SHARES, SHARE)
def test_usual_is_never_below_the_floor_and_never_below_the_median(shares: list[float], floor: float) -> None:
    learnt = usual(shares, floor)

    assert learnt is not None and learnt >= floor
    assert sum(share <= learnt for share in shares) * 2 >= len(shares)


@given(st.data())
def test_usual_does_not_depend_on_the_order(data: st.DataObject) -> None:
    shares = data.draw(SHARES)

    assert usual(shares, 0.0) == usual(data.draw(st.permutations(shares)), 0.0)


@given(st.lists(st.floats(0.0, 0.1), min_size=21, max_size=21), st.lists(SHARE, max_size=9))
def test_odd_days_among_the_runs_do_not_move_it_far(ordinary: list[float], odd: list[float]) -> None:
    learnt = usual([*ordinary, *odd], 0.05)

    assert learnt is not None and learnt <= 0.1 + 6 * 1.4826 * 0.1 + 1e-9


@given(st.lists(SHARE, max_size=LEARN_FROM - 1))
def test_nothing_is_learnt_from_few_runs(shares: list[float]) -> None:
    assert usual(shares, 0.05) is None


@given(st.lists(st.integers(1, 40), max_size=40))
def test_once_too_many_writes_were_planned_the_rest_of_the_run_waits(groups: list[int]) -> None:
    one = breaker(entries=100, share=0.5)

    codes = [one.planned(size, size, ()) for size in groups]

    passed = sum(size for size, code in zip(groups, codes, strict=True) if not code)
    assert passed <= 50
    first = codes.index("too_many_writes") if "too_many_writes" in codes else len(codes)
    assert codes == [""] * first + ["too_many_writes"] * (len(codes) - first)
    assert first == len(codes) or sum(groups[: first + 1]) > 50


def test_a_share_far_above_the_learnt_one_waits_and_a_usual_one_passes() -> None:
    before = [0.08, 0.1, 0.09, 0.1, 0.11]

    assert breaker().planned(110, 110, before) == ""
    assert breaker().planned(300, 300, before) == "unusual_share"
    assert breaker().planned(300, 300, before[:4]) == ""
    assert breaker(entries=20).planned(10, 10, [0.0] * 30) == ""  # few are never unusual
    assert breaker(unlimited=True).planned(900, 900, before) == ""


def test_new_records_beyond_the_limit_wait_and_changes_of_others_go_out() -> None:
    one = breaker(entries=100, creates=0.2)
    first, second = batch(20), batch(5, start=20)
    there: Mapping[str, Arguments | None] = {"k20": {"name": "Old"}, "k21": {"name": "Old"}}

    assert one.held(first, none_there(first), UPSERT) == {}
    held = one.held(second, {**none_there(second), **there}, UPSERT)
    again = one.held([due("k30")], {"k30": None}, UPSERT)

    assert held == dict.fromkeys(["k22", "k23", "k24"], "too_many_creates")
    assert again == {"k30": "too_many_creates"}  # the rest of the run, too
    assert one.creates == 20


def test_a_target_that_cannot_be_asked_has_no_creates() -> None:
    assert breaker(entries=0).held(batch(50), {}, UPSERT) == {}


def test_values_that_would_become_empty_wait_beyond_the_limit_of_the_run() -> None:
    one = breaker(blanks=3)
    there = {"name": "Old", "email": "ana@example.com"}

    first = one.held([due("a", name="", email="")], {"a": there}, UPSERT)
    second = one.held([due("b", name="", email=""), due("c", name="New")], {"b": there, "c": there}, UPSERT)

    assert first == {}
    assert second == {"b": "too_many_blanks"}
    assert one.blanks == 2


def test_an_unusual_share_of_one_batch_waits_before_the_limit_is_reached() -> None:
    ones = [due(f"k{at}", name="" if at < 10 else "New") for at in range(40)]
    there: dict[str, Arguments | None] = {one.item.key: {"name": "Old"} for one in ones}

    assert breaker().held(ones, there, UPSERT) == {f"k{at}": "too_many_blanks" for at in range(10)}
    assert breaker(blanked=0.5).held(ones, there, UPSERT) == {}


def test_missing_is_not_empty_and_empty_stays_empty() -> None:
    one = breaker(blanks=0)

    assert one.held([due("a", name="New")], {"a": {"name": "Old", "email": "x"}}, UPSERT) == {}
    assert one.held([due("a", name="")], {"a": {"name": ""}}, UPSERT) == {}


def test_what_leaves_again_since_nothing_of_it_was_applied_is_weighed_again_and_counted_once() -> None:
    one = breaker(entries=0, at_least=1, blanks=1, ask_first=["blanks"])
    new, emptied = [due("a")], [due("b", name="")]
    for _ in range(3):
        assert one.held(new, none_there(new), UPSERT) == {}
        assert one.held(emptied, {"b": {"name": ""}}, UPSERT) == {}

    assert one.held(emptied, {"b": {"name": "Typed"}}, UPSERT) == {"b": "empties_a_value"}
    assert (one.creates, one.blanks) == (1, 0)


def test_what_a_person_released_and_what_left_before_is_not_weighed() -> None:
    one = breaker(entries=0, at_least=0, blanks=0)
    ones = [due("a", released=True, name=""), due("b", first_sent=LONG_AGO, name="")]

    assert one.held(ones, none_there(ones), UPSERT) == {}
    assert one.held(ones, {"a": {"name": "Old"}, "b": {"name": "Old"}}, UPSERT) == {}
    assert one.held([due("c")], {"c": None}, UPSERT) == {"c": "too_many_creates"}


@pytest.mark.parametrize("unlimited", [True, False])
def test_a_first_run_makes_all_its_records_and_still_empties_nothing(unlimited: bool) -> None:
    one = breaker(entries=0, unlimited=unlimited, blanks=0)
    ones = batch(50)

    assert bool(one.held(ones, none_there(ones), UPSERT)) is not unlimited
    assert one.held([due("x", name="")], {"x": {"name": "Old"}}, UPSERT) == {"x": "too_many_blanks"}


def test_a_kind_of_write_that_a_person_is_to_see_waits_in_any_number() -> None:
    there: Arguments = {"name": "Ana", "email": "a@example.com"}
    new, emptied, changed = due("new"), due("emptied", email=""), due("changed", name="New")
    before = {"new": None, "emptied": there, "changed": there}
    every = breaker(ask_first=["creates", "blanks", "money"])

    assert every.held([new, emptied, changed], before, UPSERT) == {
        "new": "new_record",
        "emptied": "empties_a_value",
    }
    assert every.held([due("new", released=True)], {"new": None}, UPSERT) == {}
    assert breaker().held([new, emptied, changed], before, UPSERT) == {}


def test_a_write_that_moves_money_or_always_makes_a_record_waits_without_a_look() -> None:
    charge = replace(UPSERT, delivery=Delivery.KEYED, money=True)

    assert breaker(ask_first=["money"]).held([due("a")], {}, charge) == {"a": "moves_money"}
    assert breaker(ask_first=["creates"]).held([due("a")], {}, charge) == {"a": "new_record"}
    assert breaker(ask_first=["blanks"]).held([due("a")], {}, charge) == {}
