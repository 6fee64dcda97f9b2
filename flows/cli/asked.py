"""Who gives a command, and whether their tenant lets them."""

from typing import Annotated

import typer

from flows.ledger import audit
from flows.review import door
from flows.review.door import Role
from flows.settings import Settings

Person = Annotated[
    str, typer.Option(help="who asks: a name of tenant.yaml's people; else the machine's user")
]


def named(person: str) -> str:
    """The name of who gives the command."""
    return audit.person(person).removeprefix("person ")


def reviewer(label: str, person: str) -> str:
    """The same, of who may see values and decide. Raises NotAdmitted, IntegrationInvalid."""
    who = named(person)
    door.admitted(Settings(), label, who, Role.REVIEWER.word)
    return who


def approver(label: str, person: str) -> str:
    """The same, of who may let go what is held. Raises NotAdmitted, IntegrationInvalid."""
    who = named(person)
    door.approves(Settings(), label, who)
    return who
