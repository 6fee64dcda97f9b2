"""Golden examples and proofs for tests of approvals: as if the examples had been run."""

from pathlib import Path

from flows import pins, proof
from flows.tenants import load

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
