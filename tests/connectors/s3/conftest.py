from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from typing import Any

import pytest

from connectors.s3 import S3, S3Credentials, S3Options
from connectors.sandbox.proxy import Proxy
from connectors.tabular import Column, Table
from tests.connectors.bucket import moto

PATIENTS = Table(
    name="patients",
    key=("patient_id",),
    patient="patient_id",
    columns={
        "patient_id": Column(type="str"),
        "name": Column(type="str"),
        "phone": Column(type="str"),
        "visits": Column(type="int"),
    },
)
Connect = Callable[..., S3]


@pytest.fixture
def bucket() -> str:
    return moto.new_bucket()


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    """Before moto's server; counts what comes."""
    with Proxy(moto.server()) as made:
        yield made


@pytest.fixture
def connect(bucket: str, proxy: Proxy) -> Iterator[Connect]:
    """A new connector to the bucket, which remembers nothing."""
    with ExitStack() as stack:

        def made(table: Table = PATIENTS, options: Mapping[str, Any] | None = None, **more: Any) -> S3:
            values = {**moto.KEYS, "bucket": bucket, "url": proxy.url, "patience": moto.PATIENT, **more}
            connector = S3(
                S3Credentials.model_validate(values), [table], S3Options.model_validate(options or {})
            )
            stack.callback(connector.close)
            return connector

        yield made
