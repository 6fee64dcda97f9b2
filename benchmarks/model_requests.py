"""What a model is asked: how often, with which part always the same, and how much of an entry."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import yaml

from benchmarks.figures import BenchmarkFailed, Figure, Measurement
from benchmarks.ground import ROOT, Ground, Home, middle
from benchmarks.measured import LABEL, Measured, Order
from benchmarks.model_endpoint import ModelEndpoint
from benchmarks.told import Request, different, tokens
from connectors.healthie.fields import catalogue

PROGRAM = "Model requests per changed entry, a program decides"
MODEL = "Model requests per changed entry, a model decides"
UNCHANGED = "Model requests per unchanged entry, a model decides"
STATIC = "Static parts that the model's requests begin with: different ones"
TOKENS = "Tokens of an entry, read as the manifest says, against the whole entry"
ROWS = (PROGRAM, MODEL, UNCHANGED, STATIC, TOKENS)
ALLOWED = {"version": "bench", "local": True, "price": {"input": 0, "output": 0}}


def measure(ground: Ground) -> Measurement:
    program = ground.loaded(ground.sizes.small).loads[0]
    size = ground.sizes.by_model
    with ModelEndpoint() as endpoint:
        home = ground.home(size, _deployments(ground.folder("deployments"), endpoint.url))
        first, asked = _asked(home, endpoint, size)
        again = home.run(Order(kind="sweep"))
        asked_again = len(endpoint.bodies) - len(asked)
        whole = ground.home(size, _deployments(ground.folder("deployments"), endpoint.url, whole=True))
        _, entries = _asked(whole, endpoint, size)
    if again.counts.get("unchanged") != size:
        raise BenchmarkFailed(f"by a model, again: {again.counts}")
    if first.counts.get("model_requests") != len(asked):
        raise BenchmarkFailed(f"the endpoint counted {len(asked)} requests, the run {first.counts}")
    return Measurement(
        [
            _exactly(PROGRAM, program.counts.get("model_requests", 0), program.counts["planned"], 0,
                     "by the run's own count; the deployment has no model connection"),
            _exactly(MODEL, len(asked), size, 1, "by the endpoint's count, no lookup used"),
            _exactly(UNCHANGED, asked_again, size, 0, "by the endpoint's count, in a sweep over everyone"),
            _static(asked),
            _ratio(asked, entries),
        ]
    )  # fmt: skip


def _asked(home: Home, endpoint: ModelEndpoint, size: int) -> tuple[Measured, list[Request]]:
    """A first load, and what it asked the model."""
    before = len(endpoint.bodies)
    run = home.run(Order())
    if run.counts.get("planned") != size:
        raise BenchmarkFailed(f"by a model: {run.counts}")
    try:
        return run, [Request.of(body) for body in endpoint.bodies[before:]]
    except ValueError as error:
        raise BenchmarkFailed(f"by a model: {error}") from None


def _exactly(what: str, requests: int, entries: int, target: int, how: str) -> Figure:
    return Figure(
        what,
        f"{requests / entries:g}",
        str(target),
        requests == target * entries,
        f"{requests} for {entries:,} entries; {how}",
    )


def _static(requests: Sequence[Request]) -> Figure:
    """Instructions, plan and settings: a provider's cache is of use only if they never differ."""
    found = different(requests)
    ahead = middle([request.ahead for request in requests])
    entry = middle([len(request.entry.encode()) for request in requests])
    how = (
        f"{len(requests)} requests on the wire, all bytes but the last message's compared; "
        f"{ahead:,.0f} bytes are always the same, {entry:,.0f} are the entry (medians)"
    )
    return Figure(STATIC, str(found), "1", found == 1, how)


def _ratio(asked: Sequence[Request], whole: Sequence[Request]) -> Figure:
    """By the median entry; beside it by characters, which nobody has to estimate."""
    few, many = (_middle(requests, tokens) for requests in (asked, whole))
    short, long = (_middle(requests, len) for requests in (asked, whole))
    how = (
        f"medians of {len(asked)} entries on the wire: {few:,.0f} tokens to {many:,.0f} (estimated: words, "
        f"numbers and marks), {short:,.0f} characters to {long:,.0f}; identifiers masked in both; whole: "
        f"each of the {len(catalogue())} fields that can be read"
    )
    return Figure(TOKENS, f"{few / many:.2f} times ({short / long:.2f} by characters)", "–", None, how)


def _middle(requests: Sequence[Request], of: Callable[[str], int]) -> float:
    return middle([of(request.entry) for request in requests])


def _deployments(folder: Path, url: str, *, whole: bool = False) -> Path:
    """The measured deployment, with a model in the program's place; `whole` reads all there is."""
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
    if whole:
        told.with_name("fields.yaml").write_text(yaml.safe_dump({"S1": list(catalogue())}))
    told.with_name("approval.yaml").unlink()  # these files were not approved by anybody
    return folder


def _read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return content
