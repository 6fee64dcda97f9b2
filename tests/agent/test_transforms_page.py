"""docs/transforms.md says what the table says, and its examples hold."""

import pytest

from agent.transforms import EXAMPLE_DAY, TRANSFORMS, apply
from agent.transforms_page import PAGE, page


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m agent.transforms_page"


@pytest.mark.parametrize("name", TRANSFORMS)
def test_each_example_holds(name: str) -> None:
    given, made = TRANSFORMS[name].example

    assert apply((name,), given, EXAMPLE_DAY) == made
    assert type(apply((name,), given, EXAMPLE_DAY)) is type(made)
