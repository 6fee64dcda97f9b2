"""Approvals: what an integration does was read by a person, and has not been changed since.

approval.yaml beside the instructions pins each file by its SHA-256. A run refuses anything else.
"""

import datetime
import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import Field, StringConstraints, ValidationError

from connectors.base import Settings
from flows.errors import Spoken

FILE = "approval.yaml"
Pinned = Literal["instructions.md", "program.py", "integration.yaml", "fields.yaml"]
PINNED: tuple[Pinned, ...] = ("instructions.md", "program.py", "integration.yaml", "fields.yaml")
Hash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Person = Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=100)]
HEADER = """\
# Written by: ferry approve {label}. A run refuses files that differ from these.
# author wrote them, approver read them: two people in production. expires: the last valid day.
"""


class NotApproved(Spoken):
    """An integration's files are not those that were approved. One line."""


class Approval(Settings):
    """Who approved which files, and until when."""

    author: Person
    approver: Person
    date: datetime.date
    expires: datetime.date | None = Field(default=None, description="the last day on which it is valid")
    files: dict[Pinned, Hash]

    @property
    def by_two(self) -> bool:
        return self.author.casefold() != self.approver.casefold()


def hashes(folder: Path) -> dict[Pinned, str]:
    """The SHA-256 of each of the files that are there, byte for byte."""
    present: list[Pinned] = [name for name in PINNED if (folder / name).is_file()]
    return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in present}


def approve(
    folder: Path,
    *,
    author: str,
    approver: str,
    today: datetime.date,
    expires: datetime.date | None = None,
    production: bool,
    note: Callable[[str], None] = lambda act: None,
) -> Approval:
    """Pin an integration's files as they are now, in its approval.yaml.

    note: notes the act before it is done; if it raises, nothing is approved.

    Raises:
        NotApproved: author and approver are one person in production, or it would be expired already.
    """
    label = f"{folder.parent.name}/{folder.name}"
    try:
        made = Approval(
            author=author, approver=approver, date=today, expires=expires, files=dict(hashes(folder))
        )
    except ValidationError:
        raise NotApproved(
            f"{label}: author and approver are names of 2 to 100 letters; write them so"
        ) from None
    if production and not made.by_two:
        raise NotApproved(f"{label}: author and approver are one person; in production they must be two")
    if expires and expires < today:
        raise NotApproved(f"{label}: {expires} is in the past; name a later day")
    note(f"{folder.name} approved by {approver}, written by {author}")
    text = yaml.safe_dump(made.model_dump(exclude_none=True), sort_keys=False, allow_unicode=True)
    (folder / FILE).write_text(HEADER.format(label=label) + text, encoding="utf-8")
    return made


def require(folder: Path, *, production: bool, today: datetime.date) -> None:
    """Nothing, if the files are as they were approved, or if none is needed here and none is there.

    Raises:
        NotApproved: they are not.
    """
    path, label = folder / FILE, f"{folder.parent.name}/{folder.name}"
    if not path.exists():
        if production:
            raise NotApproved(f"{label}: was not approved; run: {command(folder)}")
        return
    try:
        approved = Approval.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, yaml.YAMLError):
        raise NotApproved(f"{path}: is not readable as an approval; run: {command(folder)}") from None
    for _, what, todo in objections(folder, approved, production=production, today=today):
        raise NotApproved(f"{label}: {what}; {todo}")


def objections(
    folder: Path, approved: Approval, *, production: bool, today: datetime.date
) -> Iterator[tuple[tuple[str, ...], str, str]]:
    """Why an approval does not hold: where in approval.yaml, what, and what to do."""
    again = f"have it read again and run: {command(folder)}"
    present = hashes(folder)
    for name in PINNED:
        was, is_now = approved.files.get(name), present.get(name)
        if was != is_now:
            how = "was not approved" if was is None else "differs from what was approved"
            how = how if is_now else "was approved and is not there"
            yield ("files", name), f"{name} {how}", again
    if approved.expires and approved.expires < today:
        yield ("expires",), f"the approval expired on {approved.expires}", again
    if production and not approved.by_two:
        yield ("approver",), "author and approver are one person", "have another person approve it"


def command(folder: Path) -> str:
    return f"ferry approve {folder.parent.name}/{folder.name} --author NAME --approver NAME"
