"""Made synthetic: decided as the real one, with nothing of it left."""

from collections.abc import Sequence
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest

from agent.case import Case
from agent.plan import Plan, Refused
from agent.synthetic import Approved, shape, synthetic
from connectors.entry import leaves
from flows import golden, proving
from flows.review.examples import approved_of
from flows.tenants import load
from tests.campaign import FULL

ROOT = Path(__file__).parents[2] / "deployments"
LABELS = ("demo/warehouse", "harbor/recall", "juniper/accounts") if FULL else ("demo/warehouse",)
DAY = date(2026, 3, 2)


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
            assert texts(made, approved).isdisjoint(texts(real, approved)), name
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


def test_nothing_is_given_that_is_decided_otherwise() -> None:
    approved = Approved(fields={}, read=("name",), texts=frozenset())

    def only_silva(cases: Sequence[Case]) -> list[Plan | Refused]:
        return [Plan(kind="skip", reason="x" if one.entry["name"] == "Silva" else "y") for one in cases]

    assert synthetic(Case("1", {"name": "Silva"}, {}, DAY), approved, only_silva, "seed") is None


def alike(cases: Sequence[Case]) -> list[Plan | Refused]:
    return [Plan(kind="skip") for _ in cases]


def texts(case: Case, approved: Approved) -> set[str]:
    """What names somebody: texts of an entry that are no words of the rules."""
    values = {value for _, value in leaves(case.entry) if isinstance(value, str) and len(value) > 2}
    return {value for value in values if not approved.is_word(value)}
