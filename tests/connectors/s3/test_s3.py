"""A dataset in a bucket: what is put, what counts, and what is read back."""

import gzip
import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import JsonValue, ValidationError

from connectors.errors import Rejected, Transient
from connectors.operation import Item, Outcome
from connectors.s3 import S3, S3Credentials, S3Options, dataset
from connectors.sandbox.faults import Fault
from connectors.sandbox.proxy import Proxy
from connectors.tabular import Column, Drift, Table
from tests.connectors.bucket import moto
from tests.connectors.s3.conftest import PATIENTS, Connect


def items(*rows: tuple[str, Mapping[str, JsonValue]]) -> list[Item]:
    return [Item(f"k{at}", patient, values) for at, (patient, values) in enumerate(rows)]


def upsert(s3: S3, *rows: tuple[str, Mapping[str, JsonValue]]) -> list[Outcome]:
    return list(s3.writes()["upsert_patients"].send(items(*rows)))


def present(s3: S3, patient: str, *names: str) -> Mapping[str, JsonValue] | None:
    ask = s3.writes()["upsert_patients"].present
    assert ask is not None
    return ask([Item("k", patient, dict.fromkeys(names))])["k"]


def parts(bucket: str) -> list[str]:
    return [key for key in moto.keys(bucket) if "/part-" in key]


def manifests(bucket: str) -> list[dict[str, Any]]:
    return [json.loads(body) for key, body in sorted(moto.objects(bucket).items()) if "_manifests/" in key]


def put(bucket: str, key: str, body: bytes) -> None:
    digest = hashlib.sha256(body).hexdigest()
    moto.client().put_object(Bucket=bucket, Key=key, Body=body, Metadata={"sha256": digest})


def test_rows_are_put_whole_and_the_newest_counts(connect: Connect, bucket: str) -> None:
    s3 = connect(options={"prefix": "ferry/lake"})
    upsert(s3, ("1", {"name": "Ana", "phone": "+1 415 555 0100", "visits": 3}), ("2", {"name": ""}))
    outcomes = upsert(s3, ("1", {"name": None}), ("3", {"visits": 0}))

    assert [outcome.state for outcome in outcomes] == ["done", "done"]
    first, second = manifests(bucket)
    assert [part["rows"] for part in second["entries"]] == [2, 2]
    assert second["entries"][0] == first["entries"][0]
    content = moto.objects(bucket)[second["entries"][1]["url"].removeprefix(f"s3://{bucket}/")]
    assert gzip.decompress(content).decode().splitlines() == [
        '{"patient_id":"1","name":null,"phone":"+1 415 555 0100","visits":3,"_version":2}',
        '{"patient_id":"3","name":null,"phone":null,"visits":0,"_version":2}',
    ]
    assert present(connect(options={"prefix": "ferry/lake"}), "1", "name", "phone") == {
        "name": None,
        "phone": "+1 415 555 0100",
    }
    assert present(s3, "9", "name") is None


def test_a_thousand_entries_are_two_objects_and_nothing_the_second_time(
    connect: Connect, bucket: str, proxy: Proxy
) -> None:
    rows: list[tuple[str, Mapping[str, JsonValue]]] = [
        (f"p{at}", {"name": f"Ana {at}", "visits": at}) for at in range(1000)
    ]
    upsert(connect(), *rows)
    assert (proxy.count("PUT"), len(moto.keys(bucket))) == (2, 2)

    proxy.forget()
    assert {outcome.state for outcome in upsert(connect(), *rows)} == {"done"}
    assert (proxy.count("PUT"), proxy.count("DELETE"), len(moto.keys(bucket))) == (0, 0, 2)


def test_a_value_that_only_looks_alike_is_another_one(connect: Connect) -> None:
    columns = {**PATIENTS.columns, "name": Column(type="json")}
    s3 = connect(PATIENTS.model_copy(update={"columns": columns}))
    values: list[JsonValue] = [1, True, "1", [1], [True], 0, False, None, "", {"a": 1}, {"a": True}]
    for value in values:
        upsert(s3, ("1", {"name": value}))
        held = present(s3, "1", "name")

        assert json.dumps(held) == json.dumps({"name": value})


def test_of_two_writers_neither_undoes_the_other(connect: Connect, bucket: str, proxy: Proxy) -> None:
    one, other = connect(), connect()
    upsert(one, ("1", {"name": "Ana", "phone": "0"}))
    upsert(other, ("2", {"name": "Bob"}))
    proxy.before(1, lambda: upsert(one, ("1", {"phone": "555"})) and None, path="000000000003.json")
    outcomes = upsert(other, ("1", {"name": "Anna"}))

    assert [outcome.state for outcome in outcomes] == ["done"]
    assert [manifest["number"] for manifest in manifests(bucket)] == [1, 2, 3, 4]
    assert present(connect(), "1", "name", "phone") == {"name": "Anna", "phone": "555"}


def test_others_that_are_always_faster_are_waited_for(connect: Connect, proxy: Proxy) -> None:
    one, other = connect(), connect()
    upsert(one, ("1", {"visits": 0}))
    for number in range(2, 12):
        visits: dict[str, JsonValue] = {"visits": number}
        path = f"{number:012d}.json"
        proxy.before(1, lambda visits=visits: upsert(one, ("1", visits)) and None, path=path)  # type: ignore[misc]

    with pytest.raises(Transient, match="others write"):
        upsert(other, ("2", {"name": "Bob"}))
    assert present(connect(), "2", "name") is None


def test_a_part_without_a_manifest_does_not_count(connect: Connect, bucket: str, proxy: Proxy) -> None:
    proxy.faults(Fault(trouble="reset", times=None, method="PUT", path="_manifests"))
    with pytest.raises(Exception, match="whether the object was put"):
        upsert(connect(), ("1", {"name": "Ana"}))
    proxy.faults()

    assert len(parts(bucket)) == 1
    assert present(connect(), "1", "name") is None
    upsert(connect(), ("1", {"name": "Anna"}))
    assert present(connect(), "1", "name") == {"name": "Anna"}


def test_many_small_parts_are_put_together(
    connect: Connect, bucket: str, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dataset, "MANY", 4)
    monkeypatch.setattr(dataset, "LARGE", 3)
    s3, expected = connect(), {}
    for at in range(11):
        patient = f"p{at % 5}"
        expected[patient] = {"name": f"Ana {at}", "visits": at}
        upsert(s3, (patient, expected[patient]))
    newest = manifests(bucket)[-1]["entries"]

    assert len(newest) < 6
    assert sum("/together/" in part["url"] for part in newest) >= 2
    assert sum(part["rows"] for part in newest) < 11, "what was replaced is not put together"
    assert len(parts(bucket)) > 11, "what was put is still there"
    proxy.forget()
    again = connect()
    assert {patient: present(again, patient, "name", "visits") for patient in expected} == expected
    assert proxy.count("GET", "/part-") < 12
    for patient, values in expected.items():
        assert present(s3, patient, "name", "visits") == values


def test_no_key_says_anything_of_a_patient(connect: Connect, bucket: str) -> None:
    for partition in ("day", "month", "none"):
        upsert(connect(options={"partition": partition, "prefix": partition}), ("ana-1", {"name": "Ana"}))

    folder, part = r"(dt=\d{4}-\d\d(-\d\d)?/)?", r"part-\d{12}-[0-9a-f]{16}"
    shape = rf"(day|month|none)/patients/(_manifests/\d{{12}}\.json|{folder}{part}\.jsonl\.gz)"
    assert len(moto.keys(bucket)) == 6
    for key in moto.keys(bucket):
        assert re.fullmatch(shape, key)
        head = moto.client().head_object(Bucket=bucket, Key=key)
        assert set(head["Metadata"]) == {"sha256"}


def test_objects_are_encrypted_with_the_key_that_is_named(connect: Connect, bucket: str) -> None:
    key = "arn:aws:kms:us-east-1:123456789012:key/0a1b"
    upsert(connect(kms_key=key), ("1", {"name": "Ana"}))

    for name in moto.keys(bucket):
        head = moto.client().head_object(Bucket=bucket, Key=name)
        assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == ("aws:kms", key)


def test_columns_are_added_and_those_of_others_carried_on(connect: Connect) -> None:
    upsert(connect(), ("1", {"name": "Ana", "visits": 3}))
    columns = {name: PATIENTS.columns[name] for name in ("patient_id", "name")}
    other = PATIENTS.model_copy(update={"columns": {**columns, "city": Column(type="str")}})
    s3 = connect(other)

    assert {(drift.column, drift.code) for drift in s3.drift()} == {
        ("city", "missing_column"), ("phone", "extra_column"), ("visits", "extra_column"),
    }  # fmt: skip
    upsert(s3, ("1", {"city": "Bern"}), ("2", {"name": "Bob"}))
    assert [(one.column, one.code) for one in s3.drift()] == [
        ("phone", "extra_column"),
        ("visits", "extra_column"),
    ]
    again = connect(PATIENTS.model_copy(update={"columns": {**PATIENTS.columns, "city": Column(type="str")}}))
    assert present(again, "1", "name", "visits", "city") == {"name": "Ana", "visits": 3, "city": "Bern"}


def test_what_does_not_fit_is_refused(connect: Connect, bucket: str) -> None:
    upsert(connect(), ("1", {"name": "Ana", "visits": 3}))
    before = moto.keys(bucket)
    retyped = connect(
        PATIENTS.model_copy(update={"columns": {**PATIENTS.columns, "visits": Column(type="str")}})
    )
    rekeyed = connect(PATIENTS.model_copy(update={"key": ("patient_id", "phone")}))

    assert retyped.drift() == [Drift("patients", "visits", "wrong_type")]
    assert upsert(retyped, ("1", {"visits": "3"})) == [Outcome("k0", "rejected", "schema_drift")]
    assert rekeyed.drift() == [Drift("patients", "", "missing_key")]
    assert upsert(rekeyed, ("1", {"phone": "3"})) == [Outcome("k0", "rejected", "schema_drift")]
    assert moto.keys(bucket) == before
    assert [one.state for one in upsert(retyped, ("1", {"name": "Anna"}))] == ["done"]
    assert present(connect(), "1", "name", "visits") == {"name": "Anna", "visits": 3}


def test_a_part_that_went_away_is_not_taken_for_no_record(connect: Connect, bucket: str) -> None:
    upsert(connect(), ("1", {"name": "Ana"}))
    moto.client().delete_object(Bucket=bucket, Key=parts(bucket)[0])

    with pytest.raises(Rejected) as lost:
        present(connect(), "1", "name")
    assert lost.value.code == "lost_part"
    assert upsert(connect(), ("1", {"name": "x"})) == [Outcome("k0", "rejected", "lost_part")]


def test_a_part_that_was_changed_is_not_read(connect: Connect, bucket: str) -> None:
    upsert(connect(), ("1", {"name": "Ana"}))
    key = parts(bucket)[0]
    digest = moto.client().head_object(Bucket=bucket, Key=key)["Metadata"]["sha256"]
    moto.client().put_object(Bucket=bucket, Key=key, Body=gzip.compress(b"{}\n"), Metadata={"sha256": digest})

    with pytest.raises(Transient):
        present(connect(), "1", "name")


@pytest.mark.parametrize("body", [b"", b"{}", b'{"number": 7}', b"\xff", b'{"number": 2, "entries": [1]}'])
def test_a_manifest_of_somebody_elses_stops_everything(connect: Connect, bucket: str, body: bytes) -> None:
    upsert(connect(), ("1", {"name": "Ana"}))
    put(bucket, "patients/_manifests/000000000002.json", body)

    assert upsert(connect(), ("1", {"name": "x"})) == [Outcome("k0", "rejected", "bad_manifest")]


def test_a_manifest_that_names_a_strange_part_is_refused(connect: Connect, bucket: str) -> None:
    upsert(connect(), ("1", {"name": "Ana"}))
    manifest = manifests(bucket)[0]
    manifest["number"] = 2
    manifest["entries"][0]["url"] = "s3://another/patients/part-1.jsonl"
    put(bucket, "patients/_manifests/000000000002.json", json.dumps(manifest).encode())

    assert upsert(connect(), ("1", {"name": "x"})) == [Outcome("k0", "rejected", "bad_manifest")]


@pytest.mark.parametrize(
    "wrong",
    [{"prefix": "/x"}, {"prefix": "a//b"}, {"prefix": "../x"}, {"prefix": "a b"}, {"prefix": "a'b"},
     {"format": "xml"}, {"partition": "patient"}, {"x": 1}],
)  # fmt: skip
def test_an_option_that_is_none_is_refused(wrong: Mapping[str, object]) -> None:
    with pytest.raises(ValidationError):
        S3Options.model_validate(wrong)


@pytest.mark.parametrize(
    "wrong",
    [{"bucket": "Upper"}, {"bucket": "a/b"}, {"region": "us east"}, {"role": "admin"},
     {"url": "http://example.com"}, {"url": "https://169.254.169.254"}],
)  # fmt: skip
def test_a_bucket_that_is_none_is_refused(wrong: Mapping[str, object]) -> None:
    with pytest.raises(ValidationError) as error:
        S3Credentials.model_validate({**moto.KEYS, "bucket": "fine", **wrong})
    assert moto.KEYS["secret_access_key"] not in str(error.value)


def test_the_account_is_the_bucket_whatever_the_target_says(connect: Connect, bucket: str) -> None:
    """It is pinned when the connection is made, and no target's options are known then."""
    one, other = connect().check(), connect(options={"prefix": "lake"}).check()

    assert one.identity == other.identity == f"s3://127.0.0.1/{bucket}"
    assert not one.sandbox
    assert one.missing == ()


def test_two_tables_of_one_name_are_refused() -> None:
    known = S3Credentials.model_validate({**moto.KEYS, "bucket": "fine"})
    with pytest.raises(ValueError, match="same name"):
        S3(known, [PATIENTS, Table.model_validate({**PATIENTS.model_dump(), "name": "Patients"})])
