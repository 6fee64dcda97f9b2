"""What a target may say about its tables."""

from collections.abc import Mapping, Sequence
from typing import Final, Literal

from pydantic import Field

from connectors.base import Settings
from connectors.tabular import Table

ObjectType = Literal["contacts", "companies"]
Sensitivity = Literal["sensitive", "highly_sensitive"]

TYPES: Final[Mapping[str, ObjectType]] = {"contacts": "contacts", "companies": "companies"}


class HubSpotOptions(Settings):
    """How the declared tables are kept in the portal."""

    objects: dict[str, ObjectType] = Field(
        default_factory=dict[str, ObjectType],
        description="the kind of record by table; without it the table's name says it",
    )
    adopt: bool = Field(default=True, description="take over the contact that a person made with this e-mail")
    sensitivity: dict[str, Sensitivity] = Field(
        default_factory=dict[str, Sensitivity],
        description="columns that are written only into properties of HubSpot's sensitive data",
    )
    group: str = Field(default="ferry", pattern=r"^[a-z][a-z0-9_]{0,49}$", description="of new properties")


def object_type(table: Table, options: HubSpotOptions) -> ObjectType:
    """The kind of record that the table's rows are. Raises ValueError."""
    kind = options.objects.get(table.name) or TYPES.get(table.name)
    if kind is None:
        raise ValueError(
            f"table {table.name} is neither contacts nor companies; name it so, or say in objects"
        )
    if len(table.key) != (1 if kind == "contacts" else 2):
        raise ValueError(
            "contacts have the patient's id as their only key; companies have one key of their own beside it"
        )
    if any(table.columns[name].type != "str" for name in table.key):
        raise ValueError("a key column must be a str")
    if any(name != name.lower() for name in table.columns):
        raise ValueError("a column's name must be lower case, as HubSpot's properties are")
    return kind


def check_options(tables: Sequence[Table], options: HubSpotOptions) -> None:
    """Raises ValueError for tables or columns that are not declared."""
    if len({table.name.lower() for table in tables}) < len(tables):
        raise ValueError("two tables have the same name")
    for name in options.objects.keys() - {table.name for table in tables}:
        raise ValueError(f"objects names the table {name}, which is not declared")
    for name in options.sensitivity.keys() - {column for table in tables for column in table.columns}:
        raise ValueError(f"sensitivity names the column {name}, which is not declared")
