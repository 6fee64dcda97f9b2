"""A bucket of Amazon S3, for all connectors that put objects there. Objects are made whole and never changed.

Every put is conditional, so it may be repeated: an object that is there already is compared with what
should be there. The SDK is imported with the first request.
"""

import hashlib
import random
import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Annotated, Final, TypeVar

from pydantic import Field, SecretStr

from connectors.address import Endpoint, Reach, host_of, is_local
from connectors.base import Settings
from connectors.bucket.failures import Failed, Failure
from connectors.errors import ConnectorError, Rejected, Transient, Unauthorized, Unknown
from connectors.http import Limiter, Patience, limiter_for
from connectors.sent import Sent

if TYPE_CHECKING:
    from connectors.bucket.client import Client

Answer = TypeVar("Answer")

RATE: Final = 50.0  # requests a second and bucket; S3 itself takes 3,500 writes a second and prefix
AWS: Final = "https://s3.amazonaws.com"
SEARCHED: Final = 1000  # names in one page of a listing


Role = Annotated[
    str, Field(pattern=r"^arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9_+=,.@/-]+$", max_length=600)
]
"""The ARN of an IAM role: it is put into a statement's text, so nothing else may be."""


class BucketCredentials(Settings):
    """A bucket, and the key by which it is reached.

    role: an IAM role that the key assumes first, with `external_id` if the account asks for one.
    kms_key: encrypt with this KMS key; without it, as the bucket's own default says.
    url: where the store is, if it is not AWS's own: a stand-in, or another one that speaks S3.
    """

    bucket: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")]
    region: Annotated[str, Field(pattern=r"^[a-z]{2,}(-[a-z]+)+-[0-9]{1,2}$")] = "us-east-1"
    access_key_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9]{4,128}$")]
    secret_access_key: SecretStr
    role: Role | None = None
    external_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_+=,.@:/-]+$", max_length=1224)] | None = None
    kms_key: Annotated[str, Field(pattern=r"^[A-Za-z0-9:/_-]+$", max_length=256)] | None = None
    url: Endpoint = AWS
    patience: Patience | None = None

    @property
    def local(self) -> bool:
        """A stand-in on this machine."""
        return is_local(self.url)

    @property
    def endpoint(self) -> str | None:
        """Where the store is; None for AWS's own, which is found by its region."""
        return None if self.url == AWS else self.url

    @property
    def pace(self) -> Patience:
        """The patience asked for, or a shorter one for a stand-in on this machine."""
        if self.patience is not None:
            return self.patience
        return Patience(first_wait=0.05, back_off=0.5, answer=20.0) if self.local else Patience()


class Bucket:
    """One bucket. Safe to use from several threads.

    Args:
        system: the connector's name, for messages.
        read_only: nothing but reads leaves: any other request is refused before it is sent.
    """

    def __init__(self, system: str, credentials: BucketCredentials, *, read_only: bool = False) -> None:
        self.name = credentials.bucket
        self.sent = Sent()
        own = credentials.endpoint is None
        self.identity = f"s3://{self.name}" if own else f"s3://{host_of(credentials.url)}/{self.name}"
        self._system = system
        self._credentials, self._read_only = credentials, read_only
        self._patience = credentials.pace
        rate = None if credentials.local else RATE
        self._limiter: Limiter = limiter_for(f"s3 {credentials.url} {credentials.bucket}", rate)
        self._reach = Reach(system, credentials.url)
        self._client: Client | None = None
        self._lock = threading.Lock()

    def missing(self, prefix: str) -> tuple[str, ...]:
        """What the key may not do, by reads and, if it is to write, a put that puts nothing.

        Raises Unauthorized, Transient, or Rejected for a store that keeps no conditions.
        """
        self._call(lambda client: client.head_bucket(), repeat=True)
        asked: dict[str, Callable[[Client], object]] = {
            "s3:ListBucket": lambda client: client.names(prefix, "", 1),
            "s3:GetObject": lambda client: client.digest(f"{prefix}.none"),
        }
        if not self._read_only:
            asked["s3:PutObject"] = lambda client: self._keeps_conditions(client, f"{prefix}.none")
        return tuple(permission for permission, ask in asked.items() if not self._may(ask))

    def _keeps_conditions(self, client: "Client", key: str) -> None:
        if not client.puts_on_condition(key):
            message = "puts an object whatever its condition (If-Match), so two runs could undo each other"
            raise Rejected("no_conditions", f"{self._system}: the store {message}; use another one")

    def put(self, key: str, body: bytes, kind: str) -> bool:
        """Put an object that nothing may stand in for. False if another one has its key.

        Raises Transient (surely not there), Unknown, Unauthorized or Rejected.
        """
        digest = hashlib.sha256(body).hexdigest()

        def put(client: "Client") -> bool:
            if client.put(key, body, kind, digest):
                return True
            return client.digest(key) == digest

        return self._call(put, repeat=False)

    def get(self, key: str) -> bytes | None:
        """An object's whole content; None if there is no such object. Raises as reads do."""
        return self._call(lambda client: client.get(key), repeat=True)

    def names(self, prefix: str, after: str = "") -> Iterator[str]:
        """The keys that begin with the prefix and come after that one, in order. Raises as reads do."""
        names, more = self._page(prefix, after, "")
        yield from names
        while more:
            names, more = self._page(prefix, after, more)
            yield from names

    def _page(self, prefix: str, after: str, page: str) -> tuple[list[str], str]:
        return self._call(lambda client: client.names(prefix, after, SEARCHED, page), repeat=True)

    def remove(self, key: str) -> None:
        """Remove an object, also if it is not there. Raises as writes do."""
        self._call(lambda client: client.remove(key), repeat=False)

    def close(self) -> None:
        """Give back the sockets."""
        with self._lock:
            if self._client is not None:
                self._client.close()
                self._client = None

    def _may(self, ask: "Callable[[Client], object]") -> bool:
        try:
            self._call(ask, repeat=True)
        except Unauthorized:
            return False
        return True

    def _reached(self) -> "Client":
        with self._lock:
            if self._client is None:
                from connectors.bucket.client import Client  # noqa: PLC0415  # the SDK takes half a second

                self._client = Client(self._credentials, self._patience, self.sent, read_only=self._read_only)
            return self._client

    def _call(self, act: "Callable[[Client], Answer]", *, repeat: bool) -> Answer:
        """What `act` gives, after a few attempts. `repeat`: it changes nothing, so nothing is in doubt."""
        doubt, failure = False, Failure("lost", "unreachable")
        for attempt in range(self._patience.attempts):
            if not self._took_turn():
                failure = Failure("busy", "rate_limited")
                break
            try:
                return act(self._reached())
            except Failed as failed:
                failure = failed.failure
            doubt = doubt or (failure.kind == "lost" and not repeat)
            if failure.kind in ("unauthorized", "rejected"):
                break
            if not self._waited(failure, attempt):
                break
        raise self._error(failure, doubt=doubt)

    def _took_turn(self) -> bool:
        """False if the store asked for a longer silence than is waited for here."""
        self._reach.sure()
        wait = self._limiter.turn(self._patience.longest_wait)
        time.sleep(max(wait, 0.0))
        return wait >= 0

    def _waited(self, failure: Failure, attempt: int) -> bool:
        """Wait before the next attempt; False if that is not worth it."""
        if failure.kind == "expired":
            self.close()  # the role is assumed anew
            return True
        wait = self._patience.first_wait * 2**attempt * random.uniform(0.5, 1.0)  # noqa: S311  # jitter
        if failure.kind == "busy":
            asked = self._patience.back_off if failure.wait is None else failure.wait.total_seconds()
            self._limiter.pause(asked)
            return asked <= self._patience.longest_wait
        if attempt + 1 < self._patience.attempts:
            time.sleep(wait)
        return True

    def _error(self, failure: Failure, *, doubt: bool) -> ConnectorError:
        message = f"{self._system}: the bucket: {failure.code}"
        if doubt:
            return Unknown(failure.code, f"{message}: whether the object was put must be looked up")
        if failure.kind in ("unauthorized", "expired"):
            return Unauthorized(failure.code, f"{message}: check the key, its rights and the bucket's region")
        if failure.kind == "rejected":
            return Rejected(failure.code, f"{message}: the store refused the request")
        return Transient(failure.code, f"{message}: nothing was put, try again", wait=failure.wait)
