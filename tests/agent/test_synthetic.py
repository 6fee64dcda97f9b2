"""Made synthetic: decided as the real one, with nothing of it left."""

import re
import unicodedata
from collections.abc import Sequence
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest

from agent.case import Case
from agent.naming import MOMENT, parts, texts_in
from agent.plan import Plan, Refused
from agent.synthetic import FAMILY, GIVEN, Approved, shape, synthetic
from connectors.entry import Category, EntryField, leaves
from flows import golden, proving
from flows.review.examples import approved_of
from flows.tenants import load
from tests.campaign import FULL

ROOT = Path(__file__).parents[2] / "deployments"
LABELS = ("demo/warehouse", "harbor/recall", "juniper/accounts") if FULL else ("demo/warehouse",)
DAY = date(2026, 3, 2)
WHOLE_HOUR = re.compile(r"\d\d:00:00")  # names nobody, and may be drawn of one moment for another


@pytest.mark.parametrize("label", LABELS)
def test_every_shipped_example_has_an_invented_twin(label: str) -> None:
    deployment, approved = load(ROOT, label), approved_of(load(ROOT, label))
    examples = golden.load(ROOT / label)

    with closing(proving.decider_for(deployment, examples, "program", None)) as decider:

        def decide(cases: Sequence[Case]) -> list[Plan | Refused]:
            return [one.outcome for one in decider.decide(cases)]

        for name, example in examples.items():
            real = example.case(name)
            made = synthetic(real, approved, decide, name)

            assert made is not None, name
            assert [shape(one) for one in decide([real])] == [shape(one) for one in decide([made])]
            assert said(made, approved).isdisjoint(said(real, approved)), name
            assert made.patient == "example" and made.today != real.today
            assert synthetic(real, approved, decide, name) == made  # the same for the same write


def test_names_that_the_entry_gave_itself_are_not_kept() -> None:
    approved = Approved(fields={}, read=("metadata",), texts=frozenset())
    real = Case("1", {"metadata": {"Silva family": "Ana Silva", "n": [{"Mara": 4711}]}}, {}, DAY)

    made = synthetic(real, approved, alike, "seed")

    assert made is not None
    text = str(made.entry)
    assert not [word for word in ("Silva", "family", "Ana", "Mara", "4711") if word in text]
    assert made.entry.keys() == {"metadata"}


def test_equal_values_stay_equal_and_null_and_empty_stay_what_they_are() -> None:
    approved = Approved(fields={}, read=("a", "b", "c", "d", "e"), texts=frozenset())
    real = Case("1", {"a": "Silva", "b": ["Silva", None], "c": "", "d": [], "e": False}, {}, DAY)

    made = synthetic(real, approved, alike, "seed")

    assert made is not None
    assert made.entry["a"] != "Silva"
    assert made.entry == {"a": made.entry["a"], "b": [made.entry["a"], None], "c": "", "d": [], "e": False}


def test_a_time_of_day_is_drawn_and_keeps_its_form() -> None:
    approved = Approved(fields={}, read=("at", "on", "day", "until"), texts=frozenset())
    at = {"at": "2026-02-20T14:37:52.918Z", "on": "2026-02-21 09:15:00 -0500", "day": "2026-02-22T00:00:00Z"}

    for seed in range(50):
        made = synthetic(Case("1", at, {}, DAY), approved, alike, str(seed))

        assert made is not None
        first, second, third = (str(made.entry[name]) for name in at)
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT([01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z", first)
        assert not [part for part in ("14:37", "37:52", "52.918", "2026-02-20") if part in first]
        assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:00 -0500", second) and "09:15" not in second
        assert third.endswith("T00:00:00Z")


@pytest.mark.parametrize("counts", [11, 14, 17, 20])
def test_where_the_plan_counts_to_a_part_of_the_time_what_is_below_it_is_drawn(counts: int) -> None:
    approved = Approved(fields={}, read=("at",), texts=frozenset())
    real = "2026-02-20T14:37:52.918Z"

    def to_the_part(cases: Sequence[Case]) -> list[Plan | Refused]:
        same = [str(one.entry["at"])[11:counts] == real[11:counts] for one in cases]
        return [Plan(kind="skip", reason="x" if one else "y") for one in same]

    made = synthetic(Case("1", {"at": real}, {}, DAY), approved, to_the_part, "seed")

    if counts == 20:  # to the second: such an entry cannot be invented
        assert made is None
    else:
        assert made is not None
        drawn = str(made.entry["at"])
        assert drawn[11:counts] == real[11:counts] and drawn[counts:] != real[counts:]
        assert "52.918" not in drawn and drawn[:10] != real[:10]


def test_what_only_begins_as_a_day_is_no_day() -> None:
    approved = Approved(fields={}, read=("note",), texts=frozenset())

    made = synthetic(Case("1", {"note": "2026-02-20Torres moved"}, {}, DAY), approved, alike, "seed")

    assert made is not None and "Torres" not in str(made.entry) and "moved" not in str(made.entry)


@pytest.mark.parametrize(
    "name", ["प्रिया", "Jose\u0301", "นิดา", "محمد", "王伟", "Ⅷ", "Da\u200dna", "O\u2019Neill"]
)
def test_nothing_is_left_of_a_name_in_any_script(name: str) -> None:
    approved = Approved(fields={}, read=("name",), texts=frozenset())

    made = synthetic(Case("1", {"name": name}, {}, DAY), approved, alike, "seed")

    assert made is not None
    left = [c for c in str(made.entry["name"]) if unicodedata.category(c)[0] not in "PSZ"]
    assert len(str(made.entry["name"])) == len(name)
    assert all(c.isascii() for c in left)


def test_no_part_of_one_value_is_drawn_for_another() -> None:
    fields = {name: EntryField(name, "str", Category.IDENTITY) for name in ("first_name", "whole")}
    approved = Approved(fields=fields, read=("first_name", "whole"), texts=frozenset())
    everybody = " ".join((*GIVEN[:-1], *FAMILY))

    for seed in range(20):
        made = synthetic(
            Case("1", {"first_name": "X", "whole": everybody}, {}, DAY), approved, alike, str(seed)
        )
        assert made is not None and made.entry["first_name"] not in everybody.split()


def test_nothing_is_given_that_is_decided_otherwise() -> None:
    approved = Approved(fields={}, read=("name",), texts=frozenset())

    def only_silva(cases: Sequence[Case]) -> list[Plan | Refused]:
        return [Plan(kind="skip", reason="x" if one.entry["name"] == "Silva" else "y") for one in cases]

    assert synthetic(Case("1", {"name": "Silva"}, {}, DAY), approved, only_silva, "seed") is None


def alike(cases: Sequence[Case]) -> list[Plan | Refused]:
    return [Plan(kind="skip") for _ in cases]


def said(case: Case, approved: Approved) -> set[str]:
    """What names somebody, part by part: words, numbers, days and times that are not the rules' own."""
    found: set[str] = set()
    for value in (
        one for _, leaf in leaves(case.entry) for one in texts_in(leaf) if not approved.is_word(one)
    ):
        moment = MOMENT.fullmatch(value)
        found |= {moment[1], value[11:]} if moment else parts(value)
    return {one for one in found if len(one) > 2 and not WHOLE_HOUR.match(one)} - parts("@example.com")
