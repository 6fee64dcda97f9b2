"""docs/transforms.md, made from the table of transforms: `python -m agent.transforms_page` writes it anew."""

import json
from pathlib import Path

from agent.transforms import EXAMPLE_DAY, TRANSFORMS, Transform

PAGE = Path(__file__).parent.parent / "docs" / "transforms.md"

HEAD = f"""\
# Transforms

The ways in which a value may be rewritten between an entry and a target. There are no others; each gives the
same for the same value, on every machine. `python -m agent.transforms_page` writes this page from the table
in `agent/transforms.py`.

- **A grant names those that its argument may have** (`integration.yaml`):
  `email: {{type: str, because: [S5], from: [email], transforms: [lower]}}`. Then a value that was made so out
  of `from` passes the gate, and no other.
- **A program calls them by name**: `lower(entry["email"])`, `join_space(entry["first_name"], "Silva")`. All
  of them are there; the grant decides what may be written. A function of the program's own with the same name
  is used instead.
- **A model writes them after a handle**: `@email|lower`, `@first_name+last_name|join_space|upper`, from left
  to right.

Null stays null and empty stays empty. `MISSING` stays `MISSING` in a program, so that nothing is blanked;
what a transform cannot read gives None there, and is refused (`transform_failed`) where a model asks for it.
A join leaves out what is missing, null or empty; the gate looks for it over all of `from`, in that order.

`age` and `age_band` are those of the run's day; `local_date` is the practice's (`timezone` of `tenant.yaml`).
The examples are for {EXAMPLE_DAY.today:%-d %B %Y} in {EXAMPLE_DAY.timezone}.

| transform | takes | gives | what it gives | example |
|---|---|---|---|---|
"""


def page() -> str:
    """The page's text."""
    return HEAD + "".join(_row(transform) for transform in TRANSFORMS.values())


def _row(transform: Transform) -> str:
    given, made = transform.example
    listed = given if transform.joins and isinstance(given, list) else [given]
    call = f"{transform.name}({', '.join(_written(value) for value in listed)})"
    cells = (f"`{transform.name}`", transform.takes, transform.gives, transform.summary)
    return f"| {' | '.join(cells)} | `{call}` is `{_written(made)}` |\n"


def _written(value: object) -> str:
    """A value as a program writes it."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    return repr(value)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
