"""Approvals: what an integration does was read by a person, and has not been changed since.

approval.yaml beside the instructions pins each file by its SHA-256, and how a model is reached. A run
refuses anything else.
"""

import datetime
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import Field, JsonValue, StringConstraints, ValidationError

from connectors.base import Settings
from flows import models, pins, proof
from flows.errors import Spoken
from flows.pins import PROOF_FILE, Connections, Hashes, Models
from flows.tenants import Integration
from flows.written import IntegrationInvalid, content_of

FILE = "approval.yaml"
Person = Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=100)]
Objection = tuple[tuple[str, ...], str, str]  # where in approval.yaml, what, what to do
HEADER = """\
# Written by: ferry approve {label}. A run refuses files that differ from these.
# author wrote them, approver read them: two people in production. expires: the last valid day.
"""


class NotApproved(Spoken):
    """An integration's files are not those that were approved. One line."""


class Approval(Settings):
    """Who approved which files and models, and until when."""

    author: Person
    approver: Person
    date: datetime.date
    expires: datetime.date | None = Field(default=None, description="the last day on which it is valid")
    files: Hashes
    models: Models = Field(
        default_factory=dict[str, dict[str, JsonValue]], description="those asked, and how"
    )
    reasons: dict[str, str] = Field(
        default_factory=dict[str, str], description="why it decides otherwise than before, by sentence"
    )

    @property
    def by_two(self) -> bool:
        return self.author.casefold() != self.approver.casefold()


@dataclass(frozen=True, slots=True)
class Signed:
    """Who approves, and what they say to it."""

    author: str
    approver: str
    today: datetime.date
    expires: datetime.date | None = None
    reasons: Mapping[str, str] = field(default_factory=dict[str, str])


def approve(
    folder: Path,
    integration: Integration,
    connections: Connections,
    signed: Signed,
    *,
    production: bool,
    looked: str = "",
    note: Callable[[str], None] = lambda act: None,
) -> Approval:
    """Pin an integration's files as they are now, in its approval.yaml.

    looked: the version that was looked at, as `pins.version` names it; "": nothing was before.
    note: notes the act before it is done; if it raises, nothing is approved.

    Raises:
        NotApproved: author and approver are one person in production, it would be expired already, it is
            not proved, the version beside it cannot be pinned, or the files are others than were looked at.
    """
    label = f"{folder.parent.name}/{folder.name}"
    asked = _models(folder, integration, connections)
    made = _approval(label, signed, pins.files(folder, integration), asked)
    if production and not made.by_two:
        raise NotApproved(f"{label}: author and approver are one person; in production they must be two")
    if made.expires and made.expires < signed.today:
        raise NotApproved(f"{label}: {made.expires} is in the past; name a later day")
    if looked and pins.version(folder) != looked:  # after they were hashed: what is pinned is what was seen
        raise NotApproved(f"{label}: its files changed while they were looked at; look at them again")
    unproved = proof.missing(folder, integration, made.models, production=production)
    for what, todo in (*_of_shadow(folder, integration), *unproved):
        raise NotApproved(f"{label}: {what}; {todo}")
    note(f"{folder.name} approved by {made.approver}, written by {made.author}")
    content = made.model_dump(exclude_none=True, exclude_defaults=True)
    text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
    (folder / FILE).write_text(HEADER.format(label=label) + text, encoding="utf-8")
    return made


def _approval(label: str, signed: Signed, files: Hashes, models: Models) -> Approval:
    try:
        return Approval(
            author=signed.author,
            approver=signed.approver,
            date=signed.today,
            expires=signed.expires,
            files=files,
            models=models,
            reasons=dict(signed.reasons),
        )
    except ValidationError:
        raise NotApproved(
            f"{label}: author and approver are names of 2 to 100 letters; write them so"
        ) from None


def require(
    folder: Path,
    integration: Integration,
    connections: Connections,
    *,
    production: bool,
    today: datetime.date,
) -> None:
    """Nothing, if the files are as they were approved, or if none is needed here and none is there.

    Raises:
        NotApproved: they are not.
    """
    label = f"{folder.parent.name}/{folder.name}"
    if not (folder / FILE).exists():
        if production:
            raise NotApproved(f"{label}: was not approved; run: {command(folder)}")
        if integration.decide.fallback:
            raise NotApproved(f"{label}: names a fallback that nobody approved; run: {command(folder)}")
        return
    approved = _read(folder)
    unpinned = ((("files",), what, todo) for what, todo in _of_shadow(folder, integration))
    found = objections(folder, approved, integration, connections, production=production, today=today)
    for _, what, todo in (*unpinned, *found):
        raise NotApproved(f"{label}: {what}; {todo}")


def require_beside(folder: Path, version: str, present: Hashes) -> None:
    """Nothing, if the files of the version in a folder beside these are those that were approved with them.

    Nor if it is a commit, which its own name pins, or if nothing was approved here.

    Raises:
        NotApproved: they are not.
    """
    if not (folder / FILE).exists() or not (folder / version).is_dir():
        return
    files, prefix = _read(folder).files, f"{version}/"
    if present != {name.removeprefix(prefix): files[name] for name in files if name.startswith(prefix)}:
        raise NotApproved(
            f"{folder.parent.name}/{folder.name}: {version} differs from what was approved; "
            f"have it read again and run: {command(folder)}"
        )


def _read(folder: Path) -> Approval:
    try:
        return Approval.model_validate(content_of(folder / FILE))
    except (OSError, ValueError, yaml.YAMLError):
        raise NotApproved(
            f"{folder / FILE}: is not readable as an approval; run: {command(folder)}"
        ) from None


def objections(
    folder: Path,
    approved: Approval,
    integration: Integration | None,
    connections: Connections,
    *,
    production: bool,
    today: datetime.date,
) -> Iterator[Objection]:
    """Why an approval does not hold. What cannot be read (None) is told elsewhere, and is none."""
    again = f"have it read again and run: {command(folder)}"
    yield from _of_files(approved, pins.files(folder, integration), again)
    if integration:
        present = _models(folder, integration, connections)
        for model in present.keys() | approved.models.keys():
            was, is_now = approved.models.get(model), present.get(model)
            if was != is_now:
                other = f" ({pins.differing(was, is_now)})" if was and is_now else ""
                yield ("models", model), f"{model} is not reached as it was approved{other}", again
        for what, todo in proof.missing(folder, integration, present, production=production):
            yield ("files", PROOF_FILE), what, todo
    if approved.expires and approved.expires < today:
        yield ("expires",), f"the approval expired on {approved.expires}", again
    if production and not approved.by_two:
        yield ("approver",), "author and approver are one person", "have another person approve it"


def _of_shadow(folder: Path, integration: Integration) -> Iterator[tuple[str, str]]:
    """What is named as the version beside this one and cannot be pinned: what, and what to do."""
    if integration.shadow and (problem := pins.unpinnable(folder, integration.shadow)):
        yield f"shadow.version {problem}", pins.PINNABLE


def _models(folder: Path, integration: Integration, connections: Connections) -> Models:
    """As they are now. A list that cannot be read is told of elsewhere, and has no model."""
    try:
        listed = models.load(folder.parents[1])
    except IntegrationInvalid:
        listed = models.Models({})
    return pins.models(integration, connections, listed)


def _of_files(approved: Approval, present: Hashes, again: str) -> Iterator[Objection]:
    for name in {**approved.files, **present}:
        was, is_now = approved.files.get(name), present.get(name)
        if was != is_now:
            how = "was not approved" if was is None else "differs from what was approved"
            how = how if is_now else "was approved and is not there"
            yield ("files", name), f"{name} {how}", again


def command(folder: Path) -> str:
    return f"ferry approve {folder.parent.name}/{folder.name} --author NAME --approver NAME"
