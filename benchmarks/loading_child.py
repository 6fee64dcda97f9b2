"""One table loaded twice: `python -m benchmarks.loading_child <order.json> <measured.json>`.

By Ferry's SQL target or by dlt. Everything is imported, and the rows are made, before the clock starts.
"""

import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import dlt
import sqlalchemy as sa
from dlt.destinations import sqlalchemy
from pydantic import SecretStr

from benchmarks.figures import BenchmarkFailed
from benchmarks.measured import LoadMeasured, LoadOrder
from connectors.operation import Item
from connectors.sql import Sql, SqlCredentials
from connectors.tabular import Column, Table
from connectors.values import as_json

TABLE = Table(
    name="patients",
    key=("patient_id",),
    patient="patient_id",
    columns={
        "patient_id": Column(type="str"),
        "first_name": Column(type="str", max_length=80),
        "email": Column(type="str"),
        "visits": Column(type="int"),
        "balance": Column(type="decimal"),
        "active": Column(type="bool"),
        "born_on": Column(type="date"),
        "seen_at": Column(type="datetime"),
    },
)
KINDS = {"str": "text", "int": "bigint", "datetime": "timestamp"}  # dlt's words, where they differ
Row = dict[str, Any]
PAGE = 5000  # rows in one yield to dlt


def main() -> None:
    order = LoadOrder.model_validate_json(Path(sys.argv[1]).read_bytes())
    load = _ferry(order) if order.by == "ferry" else _dlt(order)
    first, again = (load(_rows(order.rows, version)) for version in (1, 2))
    Path(sys.argv[2]).write_text(LoadMeasured(first=first, again=again).model_dump_json())


def _rows(number: int, version: int) -> list[Row]:
    day, moment = date(1950, 1, 1), datetime(2026, 3, 1, 12, tzinfo=UTC)
    return [
        {
            "patient_id": str(at),
            "first_name": f"Ana {at % 97}",
            "email": f"ana.{at}@example.com",
            "visits": at * version,
            "balance": Decimal(at) / 4 + version,
            "active": (at + version) % 2 == 0,
            "born_on": day + timedelta(days=at % 20_000),
            "seen_at": moment + timedelta(seconds=at * version),
        }
        for at in range(number)
    ]


def _ferry(order: LoadOrder) -> Callable[[Sequence[Row]], float]:
    sql = Sql(SqlCredentials(url=SecretStr(order.url)), [TABLE])
    write = sql.writes()[TABLE.write]

    def load(rows: Sequence[Row]) -> float:
        items = [
            Item(row["patient_id"], row["patient_id"], {name: as_json(row[name]) for name in TABLE.plain})
            for row in rows
        ]
        began = time.perf_counter()
        for at in range(0, len(items), write.batch):
            if any(outcome.state != "done" for outcome in write.send(items[at : at + write.batch])):
                raise BenchmarkFailed("a row was not written")
        return time.perf_counter() - began

    return load


def _dlt(order: LoadOrder) -> Callable[[Sequence[Row]], float]:
    named = sa.make_url(order.url)
    if named.get_backend_name() == "postgresql":  # dlt wants a host, also where a socket is named beside it
        named = named.set(drivername="postgresql+psycopg", host="localhost")
    url = named.render_as_string(hide_password=False)
    pipeline = dlt.pipeline(
        "bench",
        pipelines_dir=order.folder,
        destination=sqlalchemy(url),
        dataset_name="main" if url.startswith("sqlite") else "public",
    )
    columns: Any = {name: {"data_type": KINDS.get(one.type, one.type)} for name, one in TABLE.columns.items()}

    def load(rows: Sequence[Row]) -> float:
        pages = [list(rows[at : at + PAGE]) for at in range(0, len(rows), PAGE)]
        resource = dlt.resource(
            pages, name=TABLE.name, primary_key="patient_id", write_disposition="merge", columns=columns
        )
        began = time.perf_counter()
        pipeline.run(resource).raise_on_failed_jobs()
        return time.perf_counter() - began

    return load


if __name__ == "__main__":
    main()
