"""S3 as the common suite takes it: moto's server behind a proxy, read by the SDK and the standard library."""

import gzip
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from connectors.s3 import S3, S3Credentials, S3Options
from connectors.sandbox.proxy import Proxy
from tests.connectors.bucket import moto
from tests.connectors.every import PEOPLE, TABLE, Case, Most, World, held

PLACE = "lake/people"


def newest(bucket: str, place: str) -> dict[str, Any] | None:
    """The newest manifest, by its name alone."""
    names = sorted(key for key in moto.keys(bucket) if key.startswith(f"{place}/_manifests/"))
    if not names:
        return None
    found: dict[str, Any] = json.loads(moto.objects(bucket)[names[-1]])
    return found


def current(bucket: str, place: str = PLACE) -> list[dict[str, Any]]:
    """The rows that count: of two with one key, that in the later part."""
    manifest, there = newest(bucket, place), moto.objects(bucket)
    rows: dict[tuple[Any, ...], dict[str, Any]] = {}
    if manifest is None:
        return []
    for entry in manifest["entries"]:
        content = gzip.decompress(there[entry["url"].removeprefix(f"s3://{bucket}/")]).decode()
        for line in content.split("\n"):
            if line:
                row = json.loads(line)
                rows[tuple(row[name] for name in manifest["key"])] = row
    return list(rows.values())


def take_a_column_away(bucket: str) -> None:
    """Somebody commits a manifest in which full_name is no text any more."""
    manifest = newest(bucket, PLACE)
    assert manifest is not None
    manifest["number"] += 1
    manifest["columns"]["full_name"] = "int"
    key = f"{PLACE}/_manifests/{manifest['number']:012d}.json"
    body = json.dumps(manifest).encode()
    digest = hashlib.sha256(body).hexdigest()
    moto.client().put_object(Bucket=bucket, Key=key, Body=body, Metadata={"sha256": digest})


@contextmanager
def opened(_folder: Path) -> Iterator[World]:
    bucket = moto.new_bucket()
    with Proxy(moto.server()) as proxy:
        values = {**moto.KEYS, "bucket": bucket, "url": proxy.url, "patience": moto.QUICK}
        options = {"prefix": "lake"}
        made = S3Credentials.model_validate(values)
        yield World(
            connect=lambda: S3(made, [TABLE], S3Options.model_validate(options)),
            samples=[PEOPLE],
            records=lambda _write: [held(TABLE, row) for row in current(bucket)],
            values=values,
            options=options,
            table=TABLE,
            proxy=proxy,
            alter=lambda: take_a_column_away(bucket),
            writes=lambda: len(moto.keys(bucket)),
        )


CASES = [
    Case(
        name="s3",
        connector=S3,
        credentials=S3Credentials,
        opened=opened,
        sdk=("boto3", "botocore", "pyarrow"),
        most=Most(writes=3, unit="objects"),
        exempt={
            "test_each_item_gets_its_own_answer": "one object is put for the whole batch: there or not",
            "test_what_leaves_is_counted[declared]": "as many parts are read as the records lie in",
        },
    )
]
