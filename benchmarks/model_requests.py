"""How often a model is asked: what an entry costs where a model decides."""

import shutil
from pathlib import Path
from typing import Any

import yaml

from benchmarks.figures import BenchmarkFailed, Figure, Measurement
from benchmarks.ground import ROOT, Ground
from benchmarks.measured import LABEL, Order
from benchmarks.model_endpoint import ModelEndpoint

PROGRAM = "Model requests per changed entry, a program decides"
MODEL = "Model requests per changed entry, a model decides"
UNCHANGED = "Model requests per unchanged entry, a model decides"
ROWS = (PROGRAM, MODEL, UNCHANGED)
ALLOWED = {"version": "bench", "local": True, "price": {"input": 0, "output": 0}}


def measure(ground: Ground) -> Measurement:
    program = ground.loaded(ground.sizes.small).loads[0]
    size = ground.sizes.by_model
    with ModelEndpoint() as endpoint:
        home = ground.home(size, _deployments(ground.folder("deployments"), endpoint.url))
        first = home.run(Order())
        asked = endpoint.count
        again = home.run(Order(mode="sweep"))
        asked_again = endpoint.count - asked
    if first.counts.get("planned") != size or again.counts.get("unchanged") != size:
        raise BenchmarkFailed(f"by a model: {first.counts}, then {again.counts}")
    if first.counts.get("model_requests") != asked:
        raise BenchmarkFailed(f"the endpoint counted {asked} requests, the run {first.counts}")
    return Measurement(
        [
            _exactly(PROGRAM, program.counts.get("model_requests", 0), program.counts["planned"], 0,
                     "by the run's own count; the deployment has no model connection"),
            _exactly(MODEL, asked, size, 1, "by the endpoint's count, no lookup used"),
            _exactly(UNCHANGED, asked_again, size, 0, "by the endpoint's count, in a sweep over everyone"),
        ]
    )  # fmt: skip


def _exactly(what: str, requests: int, entries: int, target: int, how: str) -> Figure:
    return Figure(
        what,
        f"{requests / entries:g}",
        str(target),
        requests == target * entries,
        f"{requests} for {entries:,} entries; {how}",
    )


def _deployments(folder: Path, url: str) -> Path:
    """The measured deployment, with a model in the program's place."""
    tenant, integration = LABEL.split("/")
    shutil.copytree(ROOT / "deployments" / tenant, folder / tenant)
    described = folder / tenant / "tenant.yaml"
    connections = _read(described)
    connections["connections"]["model"] = {"connector": "model", "settings": {"base_url": url}}
    described.write_text(yaml.safe_dump(connections))
    (folder / "models.yaml").write_text(yaml.safe_dump({"openai-compatible:bench": ALLOWED}))
    told = folder / tenant / integration / "integration.yaml"
    content = _read(told)
    content["decide"] = {"by": "openai-compatible:bench", "connection": "model"}
    told.write_text(yaml.safe_dump(content))
    (folder / tenant / integration / "approval.yaml").unlink()  # these files were not approved by anybody
    return folder


def _read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return content
