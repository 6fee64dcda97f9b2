"""Golden examples, proofs and approvals for tests, as if the examples had been run; and the command."""

import datetime
import os
import subprocess
import sys
from pathlib import Path

import yaml

from flows import approval, pins, proof
from flows.approval import Signed
from flows.tenants import load

ROOT = Path(__file__).parents[3]
TODAY = datetime.date(2026, 3, 1)
MODEL = "openai-compatible:clinic-small"
OTHER = "openai-compatible:clinic-large"

EXAMPLE = """\
shows: an archived patient
today: 2026-03-02
entry: {active: false}
plan:
  calls: [{op: warehouse_upsert_patients, because: [S1, S2], arguments: {status: archived}}]
"""


def example(folder: Path, name: str = "archived") -> None:
    (folder / "golden").mkdir(exist_ok=True)
    (folder / "golden" / f"{name}.yaml").write_text(EXAMPLE)


def proved(folder: Path, by: str = "program", repeats: int = 1, passed: int | None = None) -> None:
    """Write a proof: every example was answered right in so many of the repeats."""
    if not (folder / "golden").is_dir():
        example(folder)
    of = load(folder.parents[1], f"{folder.parent.name}/{folder.name}")
    settings = pins.models(of.integration, of.connections, of.models).get(by, {})
    examples = [path.stem for path in (folder / "golden").glob("*.yaml")]
    files = pins.tested(folder)
    right = dict.fromkeys(examples, repeats if passed is None else passed)
    proof.put(folder, proof.made(files, settings, by=by, repeats=repeats, right=right, bound=0.5))


def approve(folder: Path, *, production: bool = True) -> None:
    of = load(folder.parents[1], f"example/{folder.name}")
    by = Signed("Ana Author", "Ben Reader", TODAY)
    approval.approve(folder, of.integration, of.connections, by, production=production)


def with_fallback(folder: Path) -> None:
    path = folder / "integration.yaml"
    path.write_text(
        path.read_text().replace("  connection: model", f"  fallback: {OTHER}\n  connection: model")
    )


def as_another_version(folder: Path, id_: str) -> None:
    path = folder.parents[1] / "models.yaml"
    listed = yaml.safe_load(path.read_text())
    listed[id_]["version"] = "another-2027"
    path.write_text(yaml.safe_dump(listed))


def allowed_too(folder: Path, id_: str) -> None:
    path = folder.parents[1] / "models.yaml"
    listed = yaml.safe_load(path.read_text())
    path.write_text(yaml.safe_dump({**listed, id_: dict(listed[MODEL])}))


def ferry(root: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if name != "PREFECT_API_URL"}
    return subprocess.run(
        [sys.executable, "-m", "flows", *arguments],
        env=clean | {"FERRY_DEPLOYMENTS": str(root), "FERRY_HOME": str(root.parent / "home")} | environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
