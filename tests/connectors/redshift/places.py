"""A warehouse for a test: the packaged PostgreSQL behind the stand-in, and a bucket of moto's."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from connectors.redshift import Redshift, RedshiftCredentials
from connectors.sandbox.redshift import ROLE, Behind, StandIn
from connectors.sandbox.redshift.dialect import CATALOGUE
from connectors.tabular import Table
from tests.connectors.bucket import moto
from tests.connectors.sql import servers


@dataclass(frozen=True)
class Warehouse:
    """One database behind a stand-in of its own."""

    place: servers.Place
    stand_in: StandIn
    bucket: str

    def values(self, port: int = 0) -> dict[str, Any]:
        return {
            **moto.KEYS,
            "bucket": self.bucket,
            "url": moto.server(),
            "patience": moto.QUICK,
            "warehouse": f"http://127.0.0.1:{port or self.stand_in.port}",
            "database": str(sa.make_url(self.place.url).database),
            "user": "ferry",
            "password": "warehouse-password",
            "copy_role": ROLE,
            "silence": 5,
        }

    def redshift(self, *tables: Table) -> Redshift:
        return Redshift(RedshiftCredentials.model_validate(self.values()), tables)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return self.place.rows(query)

    def run(self, *statements: str) -> None:
        self.place.run(*statements)


@contextmanager
def opened(server: str) -> Iterator[Warehouse]:
    """An empty warehouse on that PostgreSQL."""
    place = servers.new_database("postgresql", server)
    place.run(*CATALOGUE)
    s3 = moto.client()

    def fetch(bucket: str, key: str) -> bytes | None:
        try:
            return bytes(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
        except s3.exceptions.NoSuchKey:
            return None

    with tempfile.TemporaryDirectory(prefix="ferry-loads-") as folder:
        Path(folder).chmod(0o755)
        with StandIn(Behind(str(place.behind), Path(folder)), fetch) as stand_in:
            yield Warehouse(place, stand_in, moto.new_bucket())
