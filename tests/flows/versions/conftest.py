"""A practice of six patients in a repository of its own, whose files a test may change."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from connectors.sandbox.healthie.edits import Edit
from tests.faults.world import DEPLOYMENTS, Practice

Make = Callable[[str], Practice]
LABEL = "acme/simple"
OTHERWISE = """\
def decide(entry, today):
    if not entry.get("last_name"):
        return review("S2", "no_name")
    name = " ".join(part for part in [entry.get("last_name"), entry.get("first_name")] if part)
    row = warehouse_upsert_patients(because=["S1"], full_name=name, email=entry.get("email", MISSING))
    return [row]
"""


@pytest.fixture
def here(practice: Make, tmp_path: Path) -> Practice:
    """The practice before its first run: all patients are active and named."""
    made = practice("versions")
    made.label = LABEL
    shutil.copytree(DEPLOYMENTS, tmp_path / "deployments")
    made.extra = {"FERRY_DEPLOYMENTS": str(tmp_path / "deployments"), "FERRY_QUIET": "1"}
    for at, one in enumerate(made.healthie.ids()):
        named = {"first_name": "Ana", "last_name": f"Start{at}", "email": f"p{at}@example.com"}
        made.healthie.apply([Edit(act="restore", id=one), Edit(id=one, values=named | {"metadata": None})])
    return made


@pytest.fixture
def folder(here: Practice, tmp_path: Path) -> Path:
    """The integration's files."""
    return tmp_path / "deployments" / LABEL


def beside(folder: Path, **files: str) -> Path:
    """The same files in `next/`, some of them others."""
    there = folder / "next"
    there.mkdir()
    for path in folder.glob("*.*"):
        shutil.copyfile(path, there / path.name)
    for name, text in files.items():
        (there / name.replace("_", ".")).write_text(text)
    return there


def last_run(practice: Practice) -> str:
    ((run,),) = practice.ledger("SELECT id FROM run ORDER BY started DESC LIMIT 1")
    return str(run)
