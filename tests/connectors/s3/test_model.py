"""Any batches, in every format: the dataset is what a dict would be."""

from collections.abc import Callable, Sequence
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings

from connectors.operation import Write
from tests.campaign import FULL
from tests.connectors import upserts
from tests.connectors.s3.conftest import Connect

QUIET = settings(
    max_examples=200 if FULL else 8,
    deadline=None,
    database=None,
    derandomize=not FULL,
    suppress_health_check=list(HealthCheck),
)
OPTIONS = [
    {"format": kind, "compression": compression, "partition": partition}
    for kind, compression, partition in (
        ("jsonl", "gzip", "day"),
        ("jsonl", "zstd", "none"),
        ("csv", "none", "month"),
        ("csv", "zstd", "day"),
        ("parquet", "none", "none"),
        ("parquet", "zstd", "day"),
    )
]


def words(options: dict[str, str]) -> str:
    return f"{options['format']}-{options['compression']}"


@pytest.mark.parametrize("options", OPTIONS, ids=words)
def test_the_dataset_is_what_a_dict_would_be(connect: Connect, options: dict[str, str]) -> None:
    number = count()

    @QUIET
    @given(upserts.BATCHES)
    def holds(batches: Sequence[Sequence[upserts.Upsert]]) -> None:
        prefix = f"run{next(number)}"
        reopen: Callable[[], Write] = lambda: connect(  # noqa: E731
            upserts.TABLE, {**options, "prefix": prefix}
        ).writes()[upserts.TABLE.write]
        upserts.check(reopen(), batches, reopen)

    holds()


@pytest.mark.parametrize("options", OPTIONS, ids=words)
def test_json_that_looks_alike_is_told_apart(connect: Connect, options: dict[str, str]) -> None:
    upserts.check_alike(connect(upserts.TABLE, options).writes()[upserts.TABLE.write])


def test_formats_may_change_from_run_to_run(connect: Connect) -> None:
    for options in OPTIONS:
        write = connect(upserts.TABLE, options).writes()[upserts.TABLE.write]
        patient = f"{options['format']}-{options['compression']}"
        batch: list[upserts.Upsert] = [(patient, 0, {"a_decimal": ("1.50", "1.5"), "other": ("", "")})]
        assert write.send(upserts.items_of(batch))[0].state == "done"
    write = connect(upserts.TABLE).writes()[upserts.TABLE.write]
    assert write.present is not None

    every: list[upserts.Upsert] = [
        (words(options), 0, {"a_decimal": ("1", "1"), "other": ("", "")}) for options in OPTIONS
    ]
    held = write.present(upserts.items_of(every))
    assert list(held.values()) == [{"part": 0, "a_decimal": "1.5", "other": ""}] * len(OPTIONS)
