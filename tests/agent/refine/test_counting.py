"""A counting is one expression: checked, run in the sandbox, and nothing but a number comes of it."""

import pytest

from agent.case import Case
from agent.refine.counting import Count, count, problems
from agent.refine.draft import Counting
from tests.agent.desk import ANA, FIELDS, TODAY

KNOWN = {field.path: field for field in FIELDS}
TWO = Counting(fields=("policies.num",), holds="len(entry.get('policies') or []) > 1")
SOON = Counting(
    fields=("next_visit",),
    holds="bool(entry.get('next_visit')) and (date.fromisoformat(entry['next_visit']) - today).days < 10",
)
HARSH = Counting(fields=("email",), holds="entry['email'].endswith('.com')")
ENDLESS = Counting(fields=("email",), holds="sum(1 for a in range(10**6) for b in range(10**6)) > 0")


def case(**changed: object) -> Case:
    return Case(patient="1", entry=ANA | changed, known={}, today=TODAY)  # type: ignore[arg-type]


def test_entries_are_counted() -> None:
    cases = [
        case(),
        case(policies=[{"num": "1"}, {"num": "2"}]),
        case(policies=None),
        case(next_visit="2027-01-01"),
    ]

    assert [problems(one, KNOWN) for one in (TWO, SOON, HARSH)] == [[], [], []]
    assert count([TWO, SOON], cases) == [Count(holds=1, failed=0), Count(holds=3, failed=0)]


def test_what_cannot_be_told_is_counted_beside() -> None:
    assert count([HARSH, ENDLESS], [case(), case(email=None)]) == [Count(1, 1), Count(0, 2)]


def test_without_entries_or_countings_nothing_is_run() -> None:
    assert count([TWO], []) == [Count(0, 0)] and count([], [case()]) == []


WRONG = {
    "no field": (Counting(fields=(), holds="True"), "name its fields"),
    "unknown field": (Counting(fields=("notes",), holds="True"), "notes is no field that may be read"),
    "another field": (Counting(fields=("email",), holds="bool(entry['phone'])"), "phone"),
    "statement": (Counting(fields=("email",), holds="import os"), "is not one Python expression"),
    "two lines": (Counting(fields=("email",), holds="True\nTrue"), "is not one Python expression"),
    "escape": (Counting(fields=("email",), holds="True) or (True"), "is not one Python expression"),
    "comment": (Counting(fields=("email",), holds="True --> <b>"), "without --"),
    "not a name": (Counting(fields=("email",), holds="open('/etc/passwd')"), "counting: "),
    "hash": (Counting(fields=("email",), holds="True # no"), "counting: "),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_no_counting_is_told(name: str) -> None:
    counting, told = WRONG[name]

    [problem, *_] = problems(counting, KNOWN)

    assert told in problem


def test_only_a_number_comes_of_it() -> None:
    """Whatever the expression gives is made true or false before it leaves the sandbox."""
    names = Counting(fields=("last_name",), holds="entry['last_name']")

    assert count([names], [case(last_name="Silva-Example")]) == [Count(1, 0)]
