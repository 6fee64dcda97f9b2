"""Bad sentences are caught with their kind; good ones are left alone."""

from collections import Counter

import pytest

from agent.lint import Kind
from tests.agent.lint.bad import BAD
from tests.agent.lint.good import GOOD
from tests.agent.lint.world import Case


def named(case: Case) -> str:
    return f"{case.kind or 'good'}-{case.style}-{case.text[:50]}"


@pytest.mark.parametrize("case", BAD, ids=named)
def test_a_bad_sentence_is_caught_with_its_kind(case: Case) -> None:
    found = case.found()

    assert (case.wrong, case.kind) in {(one.sentence, one.kind) for one in found}, found
    assert {one.sentence for one in found} == {case.wrong}, found


@pytest.mark.parametrize("case", GOOD, ids=named)
def test_a_good_sentence_is_left_alone(case: Case) -> None:
    assert case.found() == []


def test_the_table_covers_every_kind_in_every_style() -> None:
    cells = Counter((case.kind, case.style) for case in BAD)

    assert len(BAD) >= 40
    assert len(GOOD) >= 40
    assert {(kind, style) for kind in Kind for style in ("bullets", "prose", "table")} == set(cells)
    assert min(cells.values()) >= 3
    assert {case.style for case in GOOD} == {"bullets", "prose", "table"}
