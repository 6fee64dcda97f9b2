from collections.abc import Callable

import pytest

from connectors.sandbox.healthie.edits import Edit
from tests.faults.world import Practice

LABEL = "acme/simple"


@pytest.fixture
def here(practice: Callable[[str], Practice]) -> Practice:
    """A practice of six active patients, whose integration lets pass three writes in a run."""
    made = practice("people")
    made.label = LABEL
    for at, one in enumerate(made.healthie.ids()):
        values = {"first_name": "Ana", "last_name": f"Start{at}", "email": "ana@example.com"}
        made.healthie.apply([Edit(act="restore", id=one), Edit(id=one, values=values)])
    return made


@pytest.fixture
def flood(here: Practice) -> Callable[[str], list[str]]:
    """Give every patient a name that begins so; the names that are to arrive."""

    def change(word: str) -> list[str]:
        patients = here.healthie.ids()
        here.healthie.apply(
            [Edit(id=one, values={"last_name": f"{word}{at}"}) for at, one in enumerate(patients)]
        )
        return [f"Ana {word}{at}" for at in range(len(patients))]

    return change
