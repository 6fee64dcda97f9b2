"""The SDK's client for one bucket: one request each, and every exception of the SDK ends here.

What an exception says may quote a key or an answer, so ours are raised outside of the `except`.
"""

import hashlib
import os
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

import boto3  # type: ignore[import-untyped]  # has no types
from botocore.config import Config  # type: ignore[import-untyped]  # likewise
from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]  # likewise
from botocore.parsers import ResponseParserError  # type: ignore[import-untyped]  # likewise
from botocore.session import Session  # type: ignore[import-untyped]  # likewise
from urllib3.exceptions import HTTPError

from connectors.bucket.failures import Failed, Failure, failure_by_status
from connectors.errors import Denied
from connectors.http import Answer, Patience
from connectors.sent import Sent

if TYPE_CHECKING:
    from connectors.bucket import BucketCredentials

Result = TypeVar("Result")
Given = Mapping[str, Any]  # an answer of the SDK

DIGEST = "sha256"  # the name of our metadata: an ETag is no content's hash with KMS
BROKEN = (BotoCoreError, ResponseParserError, HTTPError, OSError, ValueError, KeyError)
LONGEST = timedelta(days=1)  # of a wait that is asked for
_MAKING = threading.Lock()  # a session makes one client at a time
READS = frozenset({"GET", "HEAD"})
ABSENT = frozenset({"NoSuchKey", "404", "NotFound"})


class Requests(Protocol):
    """What we use of the SDK's client."""

    def head_bucket(self, **names: object) -> Given: ...
    def put_object(self, **names: object) -> Given: ...
    def get_object(self, **names: object) -> Given: ...
    def head_object(self, **names: object) -> Given: ...
    def list_objects_v2(self, **names: object) -> Given: ...
    def delete_object(self, **names: object) -> Given: ...
    def close(self) -> None: ...


class Client:
    """One bucket, with the credentials of a connection or of the role that they assume."""

    def __init__(
        self, credentials: "BucketCredentials", patience: Patience, sent: Sent, *, read_only: bool = False
    ) -> None:
        self._bucket = {"Bucket": credentials.bucket}
        self._key = ""
        self._sealing: dict[str, object] = {}
        if credentials.kms_key:
            self._key = credentials.kms_key.rpartition("/")[2]
            self._sealing = {
                "ServerSideEncryption": "aws:kms",
                "SSEKMSKeyId": credentials.kms_key,
                "BucketKeyEnabled": True,
            }
        self._requests = ended(lambda: _requests(credentials, patience, sent, read_only=read_only))

    def head_bucket(self) -> None:
        """Is the bucket there, and ours to look into?"""
        ended(lambda: self._requests.head_bucket(**self._bucket))

    def put(self, key: str, body: bytes, kind: str, digest: str) -> bool:
        """Put it if nothing is there. False if something is."""

        def put() -> bool:
            try:
                given = self._requests.put_object(
                    **self._bucket, Key=key, Body=body, ContentType=kind, IfNoneMatch="*",
                    Metadata={DIGEST: digest}, **self._sealing,
                )  # fmt: skip
            except ClientError as error:
                if _code(error) == "PreconditionFailed" or _status(error) == 412:
                    return False
                raise
            _whole(bool(given.get("ETag")))  # without it, somebody else answered for the store
            if not self._is_sealed(given):
                with suppress(ClientError, *BROKEN):  # what was put may not lie there in clear
                    self._requests.delete_object(**self._bucket, Key=key)
                raise Failed(Failure("unauthorized", "not_encrypted"))
            return True

        return ended(put)

    def _is_sealed(self, given: Given) -> bool:
        """Does the store say that it encrypted with the key that was asked for? It names a key by its ARN."""
        if not self._sealing:
            return True
        used = str(given.get("SSEKMSKeyId", ""))
        alias = "alias/" in str(self._sealing["SSEKMSKeyId"])
        named = bool(used) if alias else used.rpartition("/")[2] == self._key
        return named and given.get("ServerSideEncryption") == self._sealing["ServerSideEncryption"]

    def puts_on_condition(self, key: str) -> bool:
        """May objects be put, and are conditions kept? Puts nothing, for its condition is never met."""

        def put() -> bool:
            try:
                given = self._requests.put_object(
                    **self._bucket, Key=key, Body=b"", IfMatch='"none"', **self._sealing
                )
            except ClientError as error:
                if _status(error) in (404, 412) and _code(error) != "NoSuchBucket":
                    return True
                raise
            _whole(bool(given.get("ETag")))  # else it is no store that answers
            with suppress(ClientError, *BROKEN):
                self._requests.delete_object(**self._bucket, Key=key)
            return False

        return ended(put)

    def get(self, key: str) -> bytes | None:
        """An object's whole content; None if there is no such object."""

        def get() -> bytes | None:
            try:
                given = self._requests.get_object(**self._bucket, Key=key)
                with given["Body"] as body:
                    content = bytes(body.read())
            except ClientError as error:
                if _code(error) in ABSENT:
                    return None
                raise
            _whole(given.get("Metadata", {}).get(DIGEST) == hashlib.sha256(content).hexdigest())
            return content

        return ended(get)

    def digest(self, key: str) -> str | None:
        """The digest that an object was put with; "" if it has none, None if there is no such object."""

        def head() -> str | None:
            try:
                given = self._requests.head_object(**self._bucket, Key=key)
            except ClientError as error:
                if _code(error) in ABSENT:
                    return None
                raise
            _whole(bool(given.get("ETag")))
            return str(given["Metadata"].get(DIGEST, ""))

        return ended(head)

    def names(self, prefix: str, after: str, most: int, page: str = "") -> tuple[list[str], str]:
        """At most so many keys that begin with the prefix and come after that one, in order; the next page.

        A page may have fewer keys, and others follow all the same.
        """

        def listed() -> tuple[list[str], str]:
            more = {"StartAfter": after} if after else {}
            more |= {"ContinuationToken": page} if page else {}
            given = self._requests.list_objects_v2(**self._bucket, Prefix=prefix, MaxKeys=most, **more)
            _whole(given.get("Name") == self._bucket["Bucket"])
            names = [str(one["Key"]) for one in given.get("Contents", ())]
            return names, str(given["NextContinuationToken"]) if given["IsTruncated"] else ""

        return ended(listed)

    def remove(self, key: str) -> None:
        """Remove an object."""

        def remove() -> None:
            given = self._requests.delete_object(**self._bucket, Key=key)
            _whole(given["ResponseMetadata"]["HTTPStatusCode"] == 204)

        ended(remove)

    def close(self) -> None:
        self._requests.close()


def ended(act: Callable[[], Result]) -> Result:
    """What `act` gives. Raises Failed, whatever the SDK raised."""
    try:
        return act()
    except ClientError as error:
        failure = failure_by_status(_status(error), _code(error), _retry_after(error))
    except BROKEN:
        failure = Failure("lost", "connection_lost")
    raise Failed(failure)


def _requests(
    credentials: "BucketCredentials", patience: Patience, sent: Sent, *, read_only: bool
) -> Requests:
    """A client that takes nothing from this machine's environment or files, and retries nothing."""
    settings = Config(
        retries={"total_max_attempts": 1},
        connect_timeout=patience.connect,
        read_timeout=patience.answer,
        proxies={},
        ignore_configured_endpoint_urls=True,
        s3={"addressing_style": "path" if credentials.endpoint else "virtual"},
    )
    place = {"region_name": credentials.region, "endpoint_url": credentials.endpoint, "config": settings}
    keys = {
        "aws_access_key_id": credentials.access_key_id,
        "aws_secret_access_key": credentials.secret_access_key.get_secret_value(),
    }
    with _MAKING:
        if credentials.role:
            keys = _assumed(credentials, _session().client("sts", **place, **keys))
            sent.one()
        made = _session().client("s3", **place, **keys)
    made.meta.events.register("before-call.s3", _stay)

    def leaves(**_: object) -> None:
        sent.one()

    made.meta.events.register("before-send.s3", leaves)
    if read_only:
        made.meta.events.register_first("before-send.s3", _only_reads)
    return cast(Requests, made)


def _only_reads(request: Any, **_: object) -> None:  # as the SDK is about to send it
    """Raises Denied for what is no read, whichever call of the SDK's it is."""
    if request.method not in READS:
        raise Denied("read_only", "the bucket: this connection only reads")


def _stay(params: dict[str, Any], **_: object) -> None:  # a request, as the SDK keeps it
    """The SDK would go after a bucket into the region that an answer names, by requests of its own."""
    params["context"]["s3_redirect"]["redirected"] = True


@cache
def _session() -> Any:  # boto3 has no types
    """The process's one session, which reads the SDK's descriptions once. It knows no credentials."""
    nothing = {
        "profile": (None, None, None, None),
        "config_file": (None, None, os.devnull, None),
        "credentials_file": (None, None, os.devnull, None),
    }
    return boto3.Session(botocore_session=Session(session_vars=nothing))


def _assumed(credentials: "BucketCredentials", sts: Any) -> dict[str, str]:  # boto3 has no types
    more = {"ExternalId": credentials.external_id} if credentials.external_id else {}
    try:
        given = sts.assume_role(RoleArn=credentials.role, RoleSessionName="ferry", **more)["Credentials"]
    finally:
        sts.close()
    return {
        "aws_access_key_id": given["AccessKeyId"],
        "aws_secret_access_key": given["SecretAccessKey"],
        "aws_session_token": given["SessionToken"],
    }


def _whole(sound: bool) -> bool:
    """Is it an answer of a store's at all? Raises Failed for a page that somebody else put in its place."""
    if not sound:
        raise Failed(Failure("lost", "bad_answer"))
    return True


def _answer(error: object) -> Given:
    return cast(Given, getattr(error, "response", {}))


def _code(error: object) -> str:
    return str(_answer(error).get("Error", {}).get("Code", ""))


def _status(error: object) -> int:
    return int(_answer(error).get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _retry_after(error: object) -> timedelta | None:
    headers = _answer(error).get("ResponseMetadata", {}).get("HTTPHeaders", {})
    asked = Answer(_status(error), headers, b"").retry_after
    return None if asked is None else min(asked, LONGEST)
