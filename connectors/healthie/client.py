"""The one way to Healthie: guarded GraphQL documents over the one HTTP client."""

import threading
from collections.abc import Generator
from datetime import datetime
from typing import Any, Final, cast

import httpx
from gql import Client as GraphQLClient
from gql import GraphQLRequest
from gql.transport import Transport
from graphql import ExecutionResult
from pydantic import JsonValue, SecretStr
from pydantic_core import to_json

from connectors.address import place_of
from connectors.errors import Unauthorized
from connectors.healthie.credentials import HealthieCredentials
from connectors.healthie.guard import Document, admitted, check_input
from connectors.healthie.reply import Reply, reply
from connectors.http import Http, limiter_for

Variables = dict[str, JsonValue]

WARNING_CODES: Final = 20  # kept at most


class Client:
    """Sends documents that the guard admits. Safe to use from several threads."""

    def __init__(self, credentials: HealthieCredentials, *, read_only: bool) -> None:
        self._read_only = read_only
        self._refused = credentials.mixed_up
        self._transport = _Transport(credentials)
        # gql's own HTTPX transport puts bodies into exceptions and debug logs, and prints the document
        # anew for each request; its session, with a transport of ours, does neither
        self._session = GraphQLClient(transport=self._transport).connect_sync()  # type: ignore[no-untyped-call]
        self._warnings: dict[str, None] = {}
        self._clock: datetime | None = None
        self._lock = threading.Lock()

    @property
    def read_only(self) -> bool:
        return self._read_only

    @property
    def clock(self) -> datetime | None:
        """Healthie's own clock at its last answer (UTC)."""
        return self._clock

    @property
    def requests(self) -> int:
        """How many requests have left, retries included."""
        return self._transport.http.requests

    @property
    def warnings(self) -> tuple[str, ...]:
        """Codes that Healthie warned with: API_VERSION_SUNSET_WARNING, …"""
        return tuple(self._warnings)

    def run(self, text: str, variables: Variables) -> Reply:
        """Send a document. A query is tried again a few times, a mutation never.

        Raises Denied before anything leaves; Transient, Unknown (mutations only), Rejected,
        Unauthorized.
        """
        if self._refused:
            message = "healthie: this key belongs to another environment (sandbox, production) than the url"
            raise Unauthorized("wrong_environment", message)
        document = admitted(text, read_only=self._read_only)
        if document.mutation:
            check_input(variables)
        request = _Request(document, variables)
        self._session.execute(request)
        answer = request.reply
        with self._lock:
            self._clock = answer.clock or self._clock
            for code in answer.warnings[:WARNING_CODES]:
                self._warnings[code] = None
        return answer

    def close(self) -> None:
        self._session.client.close_sync()


class _Request(GraphQLRequest):
    """A request whose document was parsed and printed once, and the reply to it."""

    reply: Reply

    def __init__(self, document: Document, variables: Variables) -> None:
        super().__init__(document.node, variable_values=variables)
        self.checked = document

    @property
    def body(self) -> bytes:
        return to_json({"query": self.checked.text, "variables": self.variable_values})


class _Key(httpx.Auth):
    def __init__(self, key: SecretStr) -> None:
        self._key = key

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        # Healthie's Basic takes the raw key, no base64 of user and password
        request.headers["Authorization"] = f"Basic {self._key.get_secret_value()}"
        yield request


class _Transport(Transport):
    """gql's way out: our HTTP client, which alone knows time limits, retries and the limiter."""

    def __init__(self, credentials: HealthieCredentials) -> None:
        self._url = credentials.url
        self._patience = credentials.pace
        self._headers = {
            "Content-Type": "application/json",
            "Accept": "application/json",
            "AuthorizationSource": "API",
            "Healthie-GraphQL-API-Version": credentials.api_version,
        }
        self.http = Http(
            "healthie",
            limiter=limiter_for(place_of(credentials.url), credentials.rate),
            patience=self._patience,
            auth=_Key(credentials.api_key),
        )

    def execute(self, request: GraphQLRequest, *args: Any, **kwargs: Any) -> ExecutionResult:
        """Send one request. Errors carry codes and places only, none of the server's words."""
        prepared = cast(_Request, request)  # the only kind that `Client` makes
        answer = self.http.send(
            "POST",
            self._url,
            content=prepared.body,
            headers=self._headers,
            repeatable=not prepared.checked.mutation,
            accept=lambda answer: reply(answer, self._patience, prepared.checked.roots),
        )
        prepared.reply = answer
        return ExecutionResult(data=answer.data)  # errors beside data stay in the reply, by alias

    def close(self) -> None:
        self.http.close()
