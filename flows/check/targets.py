"""A target by itself: are its tables sound, and may its system hold what goes there?"""

from collections.abc import Iterator

from pydantic import ValidationError

from connectors.entry import Category
from connectors.holding import Holding
from flows.check.marked import Place
from flows.tenants import Target

Objection = tuple[Place, str, str]
"""A place below the target, what is wrong there, and what to do."""


def objections(system: str, holds: Holding, target: Target) -> Iterator[Objection]:
    """What may not go there, each thing to do once; and what is confirmed that is no condition of it."""
    told: set[str] = set()
    # that somebody is a patient is said by any write, whatever is approved
    for at, category in enumerate((*target.categories, Category.STATUS)):
        lack = holds.lack(category, target.confirmed)
        if lack and lack.todo not in told:
            told.add(lack.todo)
            yield (
                (("categories", at) if at < len(target.categories) else ()),
                f"{system} {lack.what}",
                lack.todo,
            )
    for name in target.confirmed:
        if name not in holds.names:
            there = ", ".join(sorted(holds.names)) or "none"
            yield ("confirmed", name), f"is no condition of {system}", f"remove it; there are: {there}"


def troubles(target: Target) -> Iterator[tuple[int, str]]:
    """What is wrong with each of its tables by itself, with the table's number."""
    for at, table in enumerate(target.tables):
        try:
            table.table()
        except ValidationError as error:
            for one in error.errors(include_input=False, include_url=False):
                yield at, one["msg"].removeprefix("Value error, ")
