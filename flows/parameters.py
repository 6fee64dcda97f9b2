"""What one run is asked to do: the one parameter of the flow `sync`.

The dashboard makes a form of it, and Prefect refuses values that do not fit before a run exists. It holds
names and words of closed sets; nothing of a patient's.
"""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints

from connectors.base import Settings
from flows.errors import Spoken

NAME = r"^[a-z][a-z0-9_-]*$"
NAME_AT_MOST = 63
Name = Annotated[str, StringConstraints(pattern=NAME, max_length=NAME_AT_MOST)]
Kind = Literal["changes", "sweep", "resync", "retry", "undo"]
Mode = Literal["live", "staging"]
Emit = Literal["always", "first-week-of-month", "last-week-of-month"]
COVERED_BY: Mapping[Kind, tuple[Kind, ...]] = {
    "changes": ("changes", "sweep", "resync"),
    "sweep": ("sweep", "resync"),
    "resync": ("resync",),
    "retry": ("retry", "changes", "sweep", "resync"),
    "undo": (),
}
"""Runs that have done, for a run of that kind, what it would do."""


class NotALabel(Spoken):
    """A word that should have been `tenant/integration`. One line."""


class Parameters(Settings):
    """One run of one integration."""

    tenant: Name = Field(description="the practice: a folder below deployments/")
    integration: Name = Field(description="the integration: a folder below the tenant's")
    kind: Kind = Field(
        default="changes",
        description="changes: what the source shows as changed. sweep: read everyone. resync: everyone "
        "again, as a new version. retry: only what is open. undo: put back what a run wrote",
    )
    run: Annotated[str, StringConstraints(pattern=r"^(r[0-9a-z]{10,40})?$")] = Field(
        default="", description="of an undo: the run, as the report names it"
    )
    mode: Mode = Field(
        default="live",
        description="live. staging: read the source and decide as live, and write to a stage alone",
    )
    dry_run: bool = Field(default=False, description="decide and show; send nothing, remember nothing")
    emit: Emit = Field(
        default="always",
        description="on a weekly schedule: decide every week, deliver in the month's first or last week only",
    )

    @property
    def label(self) -> str:
        return f"{self.tenant}/{self.integration}"

    @property
    def staged(self) -> bool:
        return self.mode == "staging"

    @classmethod
    def of(cls, label: str, kind: Kind = "changes", *, dry_run: bool = False) -> Self:
        """Parameters from `tenant/integration`.

        Raises:
            NotALabel: it is written otherwise.
        """
        tenant, _, name = label.partition("/")
        try:
            return cls(tenant=tenant, integration=name, kind=kind, dry_run=dry_run)
        except ValueError:
            raise NotALabel(
                f"{label}: is not TENANT/INTEGRATION in small letters, digits, - and _; "
                "see ferry status for those there are"
            ) from None
