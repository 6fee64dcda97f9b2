"""JSON Schemas of a tenant's files: an editor completes keys and shows mistakes while they are typed."""

import json
from pathlib import Path

from pydantic import BaseModel

from agent.golden import Golden
from agent.manifest import Manifest
from flows.check.prefect_file import Around, OneDeployment
from flows.models import Models
from flows.parameters import Parameters
from flows.tenants import Integration, Tenant

FOLDER = "schema"  # below deployments/; so no tenant has this name


class WholePrefectFile(Around):
    """A tenant's prefect.yaml: Prefect's own file, with what Ferry needs of it."""

    deployments: tuple[OneDeployment, ...]


KINDS: dict[str, type[BaseModel]] = {
    "tenant": Tenant,
    "integration": Integration,
    "fields": Manifest,
    "golden": Golden,
    "models": Models,
    "prefect": WholePrefectFile,
    "parameters": Parameters,
}


def texts() -> dict[str, str]:
    """Each schema's text, by the name of its file."""
    made: dict[str, str] = {}
    for name, kind in KINDS.items():
        schema = {"$schema": "https://json-schema.org/draft/2020-12/schema"} | kind.model_json_schema()
        made[f"{name}.json"] = json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
    return made


def write(folder: Path) -> list[Path]:
    """Write them all; gives the files."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts().items():
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in texts()]
