"""What an approval pins of an integration: its files byte for byte, and how its models are reached."""

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated

from pydantic import JsonValue, StringConstraints, ValidationError

from agent import golden
from agent.access import Access
from agent.instructions import PROGRAM_FILE, TEXT_FILE
from agent.manifest import FILE as FIELDS_FILE
from flows import models as models_file
from flows import values
from flows.rehearsal import Shadow
from flows.tenants import ConnectionSettings, Integration

INTEGRATION_FILE = "integration.yaml"
PROOF_FILE = "proof.yaml"
SINGLE = (TEXT_FILE, PROGRAM_FILE, INTEGRATION_FILE, FIELDS_FILE)
PINNABLE = "name such a folder, or all 40 digits of a commit"  # as the version beside the live one
SECRET = frozenset({"api_key"})

Hash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Hashes = dict[str, Hash]
Models = dict[str, dict[str, JsonValue]]
Connections = Mapping[str, ConnectionSettings | None]
"""A tenant's connections by name; None: what is said of it cannot be used."""


def tested(folder: Path) -> Hashes:
    """The SHA-256 of each file that decides what is done: what a proof is about."""
    names = (*SINGLE, *_golden(folder))
    return {name: sha256(folder / name) for name in names if (folder / name).is_file()}


def files(folder: Path, integration: Integration | None = None) -> Hashes:
    """The same, and the version that decides beside it, if that is a folder here. What an approval pins.

    A proof is not pinned: it names the files it is of, and whoever tests again does not end an approval.
    """
    found = tested(folder)
    beside = folder / integration.shadow.version if integration and integration.shadow else None
    if beside is not None and beside.is_dir():
        found |= {f"{beside.name}/{name}": hashed for name, hashed in files(beside).items()}
    return found


def unpinnable(folder: Path, shadow: Shadow) -> str:
    """Why a version beside the live one may be another one tomorrow, "" if it may not."""
    if shadow.is_commit or tested(folder / shadow.version):
        return ""
    return f"is {shadow.version}, and no folder with a version's files stands there"


def version(folder: Path) -> str:
    """Names what these files make an integration do: another one for any other byte."""
    text = "".join(f"{name} {hashed}\n" for name, hashed in sorted(tested(folder).items()))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def models(integration: Integration, connections: Connections, listed: models_file.Models) -> Models:
    """How each model that may be asked is reached, in clear, without what is secret, and its version.

    listed: models.yaml, which says as which version each has to answer.
    """
    name = integration.decide.connection
    connection = connections.get(name) if name else None
    settings = _settings(connection.settings if connection else {})
    return {id_: settings | _version(listed, id_) for id_ in integration.decide.models().values()}


def _version(listed: models_file.Models, id_: str) -> dict[str, JsonValue]:
    """Nothing where the list has no such model; ferry check and every run tell of it."""
    return {"version": listed.root[id_].version} if id_ in listed.root else {}


def differing(one: Mapping[str, JsonValue], other: Mapping[str, JsonValue]) -> str:
    """The names of what a model is not asked with alike, "" if there is none."""
    return ", ".join(sorted(name for name in {**one, **other} if one.get(name) != other.get(name)))


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _golden(folder: Path) -> Iterator[str]:
    for path in sorted((folder / golden.FOLDER).glob("*.yaml")):
        yield f"{golden.FOLDER}/{path.name}"


def _settings(written: Mapping[str, str]) -> dict[str, JsonValue]:
    """All settings of a connection to a model: also those that nobody wrote, as they are without a word."""
    clear = {name: text for name, text in written.items() if name not in SECRET}
    elsewhere = {name: text for name, text in clear.items() if values.is_reference(text)}
    here = {name: text for name, text in clear.items() if name not in elsewhere}
    try:
        access = Access.model_validate(here)
    except ValidationError:  # ferry check tells of it
        return dict(sorted(clear.items()))
    effective: dict[str, JsonValue] = access.model_dump(mode="json", exclude=set(SECRET))
    return dict(sorted((effective | elsewhere).items()))
