"""The same job as a dlt pipeline: `python -m benchmarks.dlt_child <order.json> <measured.json>`.

The same patients through the same reader, the same rules as plain Python, the same table in SQLite,
merged by patient id. Everything is imported before the clock starts.
"""

import json
import sys
import time
from collections.abc import Callable, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import dlt
from dlt.destinations import sqlalchemy
from pydantic import JsonValue, SecretStr

from agent.compiled import Program
from benchmarks.measured import LABEL, DltMeasured, DltOrder
from benchmarks.stopwatch import Waiting, around, peak_memory
from connectors.entry import Entry, Found
from connectors.healthie import Healthie, HealthieCredentials
from connectors.http import Http
from connectors.sql import Sql, SqlCredentials
from flows import connections
from flows.tenants import Deployment, load

Row = dict[str, JsonValue]
PAGE = 500  # entries in one yield, as many as Ferry holds at a time


def main() -> None:
    order = DltOrder.model_validate_json(Path(sys.argv[1]).read_bytes())
    deployment = load(Path("deployments"), LABEL)
    row_of = _rules(deployment)
    waiting = Waiting()
    around(Http, "_exchange", waiting.request)
    begun = time.perf_counter()
    _pipeline(order, deployment, row_of)
    wall = time.perf_counter() - begun
    measured = DltMeasured(wall=wall, waiting=waiting.seconds, peak=peak_memory(), requests=waiting.requests)
    Path(sys.argv[2]).write_text(measured.model_dump_json())


def _pipeline(order: DltOrder, deployment: Deployment, row_of: Callable[[Entry], Row | None]) -> None:
    """Read everyone, make rows, merge them: Healthie has no "changed since" for what the rules read."""

    @dlt.resource(
        name="patients", primary_key="patient_id", write_disposition="merge", columns=_columns(deployment)
    )
    def patients() -> Iterator[list[Row]]:
        key = SecretStr(order.key)
        healthie = Healthie(HealthieCredentials(url=order.url, api_key=key), read_only=True)
        everyone = [patient for page in healthie.everyone() for patient in page]
        for start in range(0, len(everyone), PAGE):
            rows: list[Row] = []
            for reading in healthie.read(everyone[start : start + PAGE], deployment.manifest.paths):
                if isinstance(reading, Found) and (row := row_of(reading.entry)) is not None:
                    rows.append({"patient_id": reading.patient, **row})
            yield rows
        healthie.close()

    pipeline = dlt.pipeline(
        "bench",
        pipelines_dir=order.pipelines,
        destination=sqlalchemy(f"sqlite:///{order.database}"),
        dataset_name="main",
    )
    pipeline.run(patients()).raise_on_failed_jobs()


def _columns(deployment: Deployment) -> dict[str, Any]:
    """The table's columns, declared as Ferry's are."""
    table = deployment.integration.targets["warehouse"].tables[0]
    kinds = {"str": "text", "int": "bigint"}
    return {name: {"data_type": kinds[column.type]} for name, column in table.columns.items()}


def _rules(deployment: Deployment) -> Callable[[Entry], Row | None]:
    """The deployment's program, run as plain Python: no sandbox and no gate."""
    target = Sql(SqlCredentials(url=SecretStr("sqlite:////dev/null")), _tables(deployment))
    writes = connections.writes(deployment, {"warehouse": target})
    policy = deployment.policy()
    rules: dict[str, Any] = {}
    exec(Program(deployment.instructions.program or "", policy, writes).defined, rules)
    today = datetime.now(ZoneInfo(deployment.timezone)).date()
    return lambda entry: _row(rules, entry, today)


def _row(rules: dict[str, Any], entry: Entry, today: date) -> Row | None:
    answer = json.loads(rules["_answer"](rules["decide"](entry, today)))
    calls: list[dict[str, Any]] = answer.get("calls", [])
    return calls[0]["arguments"] if calls else None


def _tables(deployment: Deployment) -> list[Any]:
    return [table.table() for table in deployment.integration.targets["warehouse"].tables]


if __name__ == "__main__":
    main()
