"""The one way to HubSpot: its SDK's requests, moved to the dated API, over the one HTTP client.

`hubspot-api-client` builds each request and its models serialize it. It is not let send any: its own way
out has no time limits, retries reads unasked, logs bodies, and puts whole answers into exceptions.
"""

import threading
import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from importlib import import_module
from types import ModuleType
from typing import Any, Final
from urllib.parse import urlencode

import httpx
from pydantic import SecretStr, ValidationError
from pydantic_core import from_json, to_json

from connectors.errors import Denied, Transient, Unknown
from connectors.http import Answer, Http, Limiter, limiter_for
from connectors.hubspot.credentials import HubSpotCredentials
from connectors.hubspot.failures import check
from connectors.hubspot.versions import dated
from connectors.hubspot.wire import Details, Properties, Shape

READS: Final = ("/search", "/batch/read")  # what is sent by POST and changes nothing


@dataclass(frozen=True, slots=True)
class Apis:
    """The SDK's parts that are used. Each would be made anew whenever it is looked up there."""

    objects: Any
    batches: Any
    search: Any
    properties: Any
    defining: Any
    groups: Any
    associations: Any
    lists: Any
    memberships: Any


class Client:
    """Sends what the SDK builds. Safe to use from several threads. Read-only, nothing but reads leaves."""

    def __init__(self, credentials: HubSpotCredentials, *, read_only: bool) -> None:
        self._credentials = credentials
        self._read_only = read_only
        self._clock: datetime | None = None
        self._lock = threading.Lock()
        self._portal: Details | None = None
        self._http = Http(
            "hubspot",
            limiter=limiter_for(f"hubspot {credentials.app}", credentials.rate),
            patience=credentials.pace,
            auth=_Token(credentials.access_token),
        )

    @cached_property
    def sdk(self) -> "Apis":
        """The SDK's parts, made at the first request: it is large, and `ferry check` sends none."""
        crm = _entry(self._credentials, self._request).crm
        return Apis(
            objects=crm.objects.basic_api,
            batches=crm.objects.batch_api,
            search=crm.objects.search_api,
            properties=crm.properties.core_api,
            defining=crm.properties.batch_api,
            groups=crm.properties.groups_api,
            associations=crm.associations.v4.batch_api,
            lists=crm.lists.lists_api,
            memberships=crm.lists.memberships_api,
        )

    @property
    def clock(self) -> datetime | None:
        """HubSpot's own clock at its last answer (UTC)."""
        return self._clock

    @property
    def requests(self) -> int:
        """How many requests have left, retries included."""
        return self._http.requests

    @property
    def portal(self) -> Details:
        """The portal that the token belongs to; asked for once."""
        if self._portal is None:
            self._portal = self.read(self._plain, Details, "/account-info/v3/details")
        return self._portal

    def listed(self, object_type: str, sensitivity: str) -> Properties:
        """The properties of one sensitivity; the SDK's own method knows the plain ones alone."""
        query = [("dataSensitivity", sensitivity)]
        return self.read(self._plain, Properties, f"/crm/v3/properties/{object_type}", query)

    def read(self, method: Any, shape: type[Shape], *arguments: object, **options: object) -> Shape:
        """What one of the SDK's reads answers. Raises Transient, Rejected or Unauthorized."""
        found = _parsed(method(*arguments, **options, _preload_content=False), shape)
        if found is None:
            raise Transient("bad_answer", "hubspot: the answer is not what was agreed")
        return found

    def write(self, method: Any, shape: type[Shape], *arguments: object, **options: object) -> Shape:
        """What one of the SDK's writes answers. Raises Unknown, too."""
        found = _parsed(method(*arguments, **options, _preload_content=False), shape)
        if found is None:
            raise Unknown("bad_answer", "hubspot: the answer is not what was agreed")
        return found

    def _plain(self, path: str, query: Sequence[tuple[str, str]] = (), *, _preload_content: bool) -> Answer:
        """A read for which the SDK has no method."""
        api = self.sdk.properties.api_client
        accept = {"Accept": "application/json"}
        found: Answer = api.call_api(path, "GET", {}, list(query), accept, _preload_content=_preload_content)
        return found

    def close(self) -> None:
        self._http.close()

    def _request(
        self,
        method: str,
        url: str,
        query_params: Sequence[tuple[str, object]] | None = None,
        headers: Mapping[str, str] | None = None,
        post_params: object = None,
        body: object = None,
        _preload_content: bool = True,
        _request_timeout: object = None,
    ) -> Answer:
        """The SDK's way out, in the place of its own: same signature, no urllib3."""
        path = dated(url.removeprefix(self._credentials.url))
        reads = method == "GET" or path.endswith(READS)
        if self._read_only and not reads:
            raise Denied("read_only", "hubspot: a source is only read; nothing was sent")
        query = (
            f"?{urlencode([(name, _plainly(value)) for name, value in query_params])}" if query_params else ""
        )
        searches = path.endswith("/search")
        if searches:
            self._wait_to_search()
        answer = self._http.send(
            method,
            f"{self._credentials.url}{path}{query}",
            content=None if body is None else to_json(body),
            headers=headers,
            repeatable=reads,
            accept=self._found if searches else self._accepted,
        )
        with self._lock:
            self._clock = answer.clock or self._clock
        return answer

    def _wait_to_search(self) -> None:
        wait = self._searches().turn(self._credentials.pace.longest_wait)
        if wait < 0:
            raise Transient("rate_limited", "hubspot: too many searches wait", wait=timedelta(seconds=-wait))
        time.sleep(wait)

    def _searches(self) -> Limiter:
        """A search is a request like others, and counted by portal besides."""
        known = self._credentials
        account = known.app if self._portal is None else f"{known.url} {self._portal.portal_id}"
        return limiter_for(f"hubspot search {account}", known.search_rate)

    def _found(self, answer: Answer) -> Answer:
        """A search's answer. One that came too fast holds back whoever searches the portal."""
        try:
            return self._accepted(answer)
        except Transient as limited:
            if limited.wait is not None:
                self._searches().pause(limited.wait.total_seconds())
            raise

    def _accepted(self, answer: Answer) -> Answer:
        zone = "UTC" if self._portal is None else self._portal.time_zone
        check(answer, back_off=self._credentials.pace.back_off, zone=zone)
        if not _is_object(answer.content):
            raise Unknown("garbled", "hubspot: the answer is no JSON object")
        return answer


def _plainly(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _is_object(content: bytes) -> bool:
    try:
        return isinstance(from_json(content), dict)
    except ValueError:
        return False


class _Token(httpx.Auth):
    def __init__(self, token: SecretStr) -> None:
        self._token = token

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = f"Bearer {self._token.get_secret_value()}"
        yield request


def _entry(credentials: HubSpotCredentials, request: Any) -> Any:
    """The SDK's entry point, whose clients send through `request`."""

    def api(package: ModuleType, name: str, config: Mapping[str, object]) -> Any:
        configuration = package.Configuration()
        configuration.host = credentials.url
        client = package.ApiClient(configuration=configuration)
        client.user_agent = "Ferry"
        client.request = request
        return getattr(package, name)(api_client=client)

    return import_module("hubspot").HubSpot(api_factory=api)


def _parsed(answer: Answer, shape: type[Shape]) -> Shape | None:
    """The answer as a model, None if it is none: that error would carry the answer."""
    try:
        return shape.model_validate_json(answer.content)
    except ValidationError:
        return None
