"""A bucket's credentials, permissions and failures, and its requests against AWS's own description."""

import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest

from connectors.bucket import Bucket, BucketCredentials
from connectors.bucket.failures import failure_by_status
from connectors.errors import Rejected, Transient, Unauthorized
from connectors.sandbox.faults import Fault
from connectors.sandbox.proxy import Proxy
from tests.connectors.bucket import moto

SHARED = Path(os.environ.get("FERRY_SPECS") or Path(__file__).resolve().parents[3].parent / "shared")
SPEC = SHARED / "specs" / "s3" / "s3-service-2.trimmed.json"


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    with Proxy(moto.server()) as made:
        yield made


@pytest.fixture
def opened(proxy: Proxy) -> Iterator[Callable[..., Bucket]]:
    made: list[Bucket] = []

    def new(**more: Any) -> Bucket:
        values = {
            **moto.KEYS,
            "bucket": moto.new_bucket(),
            "url": proxy.url,
            "patience": moto.PATIENT,
            **more,
        }
        made.append(Bucket("s3", BucketCredentials.model_validate(values)))
        return made[-1]

    yield new
    for one in made:
        one.close()


def test_what_is_there_is_never_replaced(opened: Callable[..., Bucket]) -> None:
    bucket = opened()

    assert bucket.put("a/b", b"one", "text/plain")
    assert bucket.put("a/b", b"one", "text/plain"), "the same once more is the same"
    assert not bucket.put("a/b", b"two", "text/plain")
    assert bucket.get("a/b") == b"one"
    assert bucket.get("a/c") is None
    bucket.remove("a/b")
    bucket.remove("a/b")
    assert bucket.get("a/b") is None


def test_names_come_in_order_over_many_pages(
    opened: Callable[..., Bucket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.bucket.SEARCHED", 3)
    bucket = opened()
    for number in range(7):
        bucket.put(f"x/{number}", b"", "text/plain")
    bucket.put("y/0", b"", "text/plain")

    assert list(bucket.names("x/")) == [f"x/{number}" for number in range(7)]
    assert list(bucket.names("x/", "x/4")) == ["x/5", "x/6"]
    assert list(bucket.names("z/")) == []


def test_a_page_that_is_not_full_is_not_taken_for_the_last(
    opened: Callable[..., Bucket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.bucket.SEARCHED", 3)
    bucket = opened()
    for number in range(5):
        bucket.put(f"x/{number}", b"", "text/plain")
    _sent(bucket, "before-parameter-build.s3.ListObjectsV2", lambda params, **_: params.update(MaxKeys=2))

    assert list(bucket.names("x/")) == [f"x/{number}" for number in range(5)]


@pytest.mark.parametrize("kms_key", ["0a1b", "arn:aws:kms:us-east-1:123456789012:key/0a1b", "alias/mine"])
def test_a_store_that_does_not_encrypt_as_asked_keeps_nothing(
    opened: Callable[..., Bucket], kms_key: str
) -> None:
    bucket = opened(kms_key=kms_key)
    assert bucket.put("a", b"one", "text/plain")
    _sent(bucket, "before-call.s3.PutObject", _without("x-amz-server-side-encryption"))

    with pytest.raises(Unauthorized) as error:
        bucket.put("b", b"two", "text/plain")
    assert error.value.code == "not_encrypted"
    assert list(moto.keys(bucket.name)) == ["a"]


def test_a_store_that_encrypts_with_another_key_is_not_written_to(opened: Callable[..., Bucket]) -> None:
    bucket = opened(kms_key="0a1b")
    header = "x-amz-server-side-encryption-aws-kms-key-id"
    bucket.missing("")
    _sent(bucket, "before-call.s3.PutObject", lambda params, **_: params["headers"].update({header: "other"}))

    with pytest.raises(Unauthorized):
        bucket.put("a", b"one", "text/plain")
    assert moto.keys(bucket.name) == []


def test_a_store_that_keeps_no_conditions_is_refused(opened: Callable[..., Bucket]) -> None:
    bucket = opened()
    assert bucket.missing("x/") == ()
    _sent(bucket, "before-call.s3.PutObject", _without("If-Match"))

    with pytest.raises(Rejected, match="could undo each other") as error:
        bucket.missing("x/")
    assert error.value.code == "no_conditions"
    assert moto.keys(bucket.name) == []


def test_a_page_in_the_place_of_an_answer_is_no_success(opened: Callable[..., Bucket], proxy: Proxy) -> None:
    bucket = opened()
    proxy.faults(Fault(trouble="html", method="PUT"))

    assert bucket.put("a", b"one", "text/plain")
    assert proxy.count("PUT") == 2
    assert moto.objects(bucket.name) == {"a": b"one"}


@pytest.mark.parametrize(
    ("method", "path", "permission"),
    [("GET", "list-type", "s3:ListBucket"), ("HEAD", ".none", "s3:GetObject"), ("PUT", "", "s3:PutObject")],
)
def test_what_may_not_be_done_is_named(
    opened: Callable[..., Bucket], proxy: Proxy, method: str, path: str, permission: str
) -> None:
    bucket = opened()
    assert bucket.missing("x/") == ()

    proxy.faults(Fault(trouble="403", method=method, path=path))
    assert bucket.missing("x/") == (permission,)
    assert moto.keys(bucket.name) == []


def test_a_bucket_that_is_not_there_is_the_tenants_matter(opened: Callable[..., Bucket]) -> None:
    bucket = opened(bucket="ferry-never-made")

    with pytest.raises(Unauthorized) as error:
        bucket.missing("")
    assert error.value.code == "no_bucket"
    with pytest.raises(Unauthorized):
        bucket.put("a", b"", "text/plain")


def test_a_role_is_assumed_and_assumed_anew(opened: Callable[..., Bucket], proxy: Proxy) -> None:
    bucket = opened(role="arn:aws:iam::123456789012:role/ferry", external_id="tenant-1")

    assert bucket.put("a", b"one", "text/plain")
    assert proxy.count("POST") == 1, "AssumeRole"


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (503, "SlowDown", "busy"),
        (503, "", "busy"),
        (429, "429", "busy"),
        (409, "ConditionalRequestConflict", "lost"),
        (500, "InternalError", "lost"),
        (400, "RequestTimeout", "lost"),
        (400, "ExpiredToken", "expired"),
        (403, "AccessDenied", "unauthorized"),
        (403, "SignatureDoesNotMatch", "unauthorized"),
        (301, "PermanentRedirect", "unauthorized"),
        (404, "NoSuchBucket", "unauthorized"),
        (400, "KMS.DisabledException", "unauthorized"),
        (400, "KMS.KMSInvalidStateException", "unauthorized"),
        (400, "EntityTooLarge", "rejected"),
        (400, "SomethingNew", "rejected"),
    ],
)
def test_every_refusal_has_its_meaning(status: int, code: str, kind: str) -> None:
    assert failure_by_status(status, code, None).kind == kind


def test_silence_that_is_asked_for_is_kept_by_all(opened: Callable[..., Bucket], proxy: Proxy) -> None:
    bucket = opened()
    proxy.faults(Fault(trouble="503", times=None, retry_after="3600"))

    with pytest.raises(Transient) as error:
        bucket.put("a", b"", "text/plain")
    assert error.value.wait is not None and error.value.wait.total_seconds() == 3600
    assert proxy.count() == 1


def test_a_refusal_is_not_tried_again(opened: Callable[..., Bucket], proxy: Proxy) -> None:
    bucket = opened(kms_key="key")

    proxy.faults(Fault(trouble="401", times=None))
    with pytest.raises(Unauthorized):
        bucket.put("a", b"", "text/plain")
    assert proxy.count() == 1


def test_nothing_of_this_machine_is_used(
    opened: Callable[..., Bucket], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bucket = opened()
    settings = tmp_path / "config"
    settings.write_text("[default]\nendpoint_url = http://127.0.0.1:9\nregion = mars-1\n")
    for name in ("HTTP_PROXY", "http_proxy", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(settings))
    monkeypatch.setenv("AWS_PROFILE", "of-this-machine")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "of-this-machine")

    assert bucket.put("a", b"one", "text/plain")


def test_every_request_is_one_that_aws_describes(opened: Callable[..., Bucket], proxy: Proxy) -> None:
    if not SPEC.exists():
        pytest.skip("needs the shared specs: set FERRY_SPECS")
    bucket = opened()
    bucket.missing("x/")
    bucket.put("x/a", b"one", "text/plain")
    bucket.put("x/a", b"one", "text/plain")
    bucket.get("x/a")
    list(bucket.names("x/", "x/0"))
    bucket.remove("x/a")
    operations = json.loads(SPEC.read_text())

    met = {_operation(one.method, one.path, bucket.name, operations) for one in proxy.seen}
    assert met == {"HeadBucket", "PutObject", "GetObject", "HeadObject", "ListObjectsV2", "DeleteObject"}


def _sent(bucket: Bucket, event: str, change: Callable[..., None]) -> None:
    """Change what the SDK sends from now on: what the store then does is what one that ignores it would."""
    bucket.missing("")
    bucket._client._requests.meta.events.register(event, change)


def _without(prefix: str) -> Callable[..., None]:
    def change(params: dict[str, Any], **_: object) -> None:
        for name in [name for name in params["headers"] if name.lower().startswith(prefix.lower())]:
            del params["headers"][name]

    return change


def _operation(method: str, path: str, bucket: str, spec: dict[str, Any]) -> str:
    """The described operation that a request is; fails if its query is none of that operation's."""
    parts = urlsplit(path)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    key = unquote(parts.path).removeprefix(f"/{bucket}").lstrip("/")
    for name, operation in spec["operations"].items():
        route = urlsplit(operation["http"]["requestUri"])
        fixed = dict(parse_qsl(route.query, keep_blank_values=True))
        wants_key = "{Key+}" in route.path
        if (
            operation["http"]["method"] != method
            or wants_key != bool(key)
            or not fixed.items() <= query.items()
        ):
            continue
        members = spec["shapes"][operation["input"]["shape"]]["members"].values()
        named = {one.get("locationName") for one in members if one.get("location") == "querystring"}
        free = set(query) - set(fixed) - {"x-id"}
        if free <= named and not re.search(r"[?&](uploads|uploadId|versioning)", path):
            return str(name)
    raise AssertionError(f"{method} with {sorted(query)} is no operation of S3's")
