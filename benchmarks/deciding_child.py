"""Everyone decided once: `python -m benchmarks.deciding_child <order.json> <measured.json>`.

Everything is imported, everyone read and the sandbox started before the clock starts; then groups of
entries go through the agent loop, the sandbox and the gate, as a run sends them.
"""

import hashlib
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from pydantic import SecretStr

from agent.agent import Case, Decider
from agent.gate import Gate, plan_hash
from agent.plan import Decision, Plan
from benchmarks.figures import BenchmarkFailed
from benchmarks.measured import LABEL, DecideMeasured, DecideOrder
from benchmarks.stopwatch import cpu_seconds
from connectors.entry import Category, Found
from connectors.healthie import Healthie, HealthieCredentials
from connectors.sql import Sql, SqlCredentials
from flows import connections
from flows.decide import GROUP
from flows.tenants import Deployment, load


def main() -> None:
    order = DecideOrder.model_validate_json(Path(sys.argv[1]).read_bytes())
    deployment = load(Path("deployments"), LABEL)
    healthie = Healthie(HealthieCredentials(url=order.url, api_key=SecretStr(order.key)), read_only=True)
    cases = [Case(found.patient, found.entry, {}, order.today) for found in _everyone(healthie, deployment)]
    decider = _decider(deployment, healthie)
    decider.decide(cases[:1])  # from here on the loop and the sandbox's worker are there
    before, begun = cpu_seconds(), time.perf_counter()
    decisions = list(_decided(decider, cases))
    seconds = time.perf_counter() - begun
    decider.close()  # the worker ends, and its time is counted
    after = cpu_seconds()
    healthie.close()
    measured = DecideMeasured(
        seconds=seconds,
        cpu=after[0] - before[0],
        cpu_of_children=after[1] - before[1],
        decided=len(decisions),
        written=sum(isinstance(one.outcome, Plan) and one.outcome.kind == "write" for one in decisions),
        plans=_digest(decisions),
    )
    Path(sys.argv[2]).write_text(measured.model_dump_json())


def _everyone(healthie: Healthie, deployment: Deployment) -> list[Found]:
    patients = [patient for page in healthie.everyone() for patient in page]
    readings = list(healthie.read(patients, deployment.manifest.paths))
    found = [one for one in readings if isinstance(one, Found)]
    if len(found) != len(patients):
        raise BenchmarkFailed(f"{len(found)} of {len(patients)} entries were read")
    return sorted(found, key=lambda one: one.patient)


def _decider(deployment: Deployment, healthie: Healthie) -> Decider:
    tables = [table.table() for target in deployment.integration.targets.values() for table in target.tables]
    target = Sql(SqlCredentials(url=SecretStr("sqlite:////dev/null")), tables)
    writes = connections.writes(deployment, {"warehouse": target})
    policy, fields = deployment.integration.policy(deployment.instructions), healthie.fields()

    def category(path: str) -> Category | None:
        return fields[path].category if path in fields else None

    gate = Gate(policy, writes, category)
    return Decider(gate=gate, policy=policy, instructions=deployment.instructions, writes=writes)


def _decided(decider: Decider, cases: Sequence[Case]) -> Iterable[Decision]:
    for start in range(0, len(cases), GROUP):
        yield from decider.decide(cases[start : start + GROUP])


def _digest(decisions: Sequence[Decision]) -> str:
    """Equal digests mean equal plans of everyone, byte for byte."""
    whole = hashlib.sha256()
    for decision in decisions:
        if not isinstance(decision.outcome, Plan):
            raise BenchmarkFailed(f"an entry was refused: {decision.outcome.code} {decision.outcome.where}")
        whole.update(plan_hash(decision.outcome).encode())
    return whole.hexdigest()


if __name__ == "__main__":
    main()
