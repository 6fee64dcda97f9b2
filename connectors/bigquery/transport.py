"""The SDK's requests through Ferry's own client: its time limits, retries, limiter and error table hold."""

import io
import json
import threading
from collections.abc import Mapping
from functools import partial
from typing import Any, Final, cast
from urllib.parse import urlsplit

import requests
from google.auth import exceptions as auth
from google.auth.transport import Request, Response
from google.oauth2.service_account import Credentials

from connectors.bigquery.credentials import BigQueryCredentials
from connectors.bigquery.failures import NAME, accepted
from connectors.errors import Denied, Unauthorized
from connectors.http import Answer, Http, Patience, by_status, limiter_for

SCOPES: Final = ("https://www.googleapis.com/auth/bigquery",)
ONLY_READS: Final = ("https://www.googleapis.com/auth/cloud-platform.read-only",)  # jobs.query takes it, too


class _Token(Response):
    """An answer of the token endpoint, as google-auth reads it."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    @property
    def status(self) -> int:
        return self._answer.status

    @property
    def headers(self) -> Mapping[str, str]:
        return self._answer.headers

    @property
    def data(self) -> bytes:
        return self._answer.content


class _Tokens(Request):
    """How google-auth asks for a token. What the endpoint refuses is google-auth's to read."""

    def __init__(self, http: Http, patience: Patience) -> None:
        self._http, self._patience = http, patience

    def __call__(
        self,
        url: str,
        method: str = "GET",
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        **_: Any,  # google-auth's own: nothing of it concerns us
    ) -> _Token:
        def read(answer: Answer) -> Answer:
            if answer.status == 429 or answer.status >= 500:
                by_status(NAME, answer, self._patience)
            return answer

        return _Token(
            self._http.send(method, url, content=body, headers=headers, repeatable=True, accept=read)
        )


class Transport:
    """What the SDK takes for a session of `requests`. Safe to use from several threads.

    Raises Ferry's errors through the SDK, which knows none of them and so repeats nothing.

    read_only: what is no read is refused before it is sent, and the token allows Google no more.
    """

    is_mtls = False

    def __init__(self, credentials: BigQueryCredentials, *, read_only: bool = False) -> None:
        self._read_only = read_only
        self._patience = credentials.pace
        limiter = limiter_for(f"{NAME}:{credentials.url}:{credentials.project}", credentials.rate)
        self._http = Http(NAME, limiter=limiter, patience=self._patience)
        self._tokens = _Tokens(self._http, self._patience)
        self._lock = threading.Lock()
        self._signer = _signer(credentials, ONLY_READS if read_only else SCOPES)
        self._there = urlsplit(credentials.url)

    @property
    def signer(self) -> Credentials:
        return self._signer

    def request(
        self,
        method: str,
        url: str,
        data: str | bytes | None = None,
        headers: Mapping[str, str] | None = None,
        **_: Any,  # the SDK's timeout: the client's own is shorter
    ) -> requests.Response:
        """Send it and give its proper answer. Raises Transient, Unknown, Rejected or Unauthorized.

        Reads are tried again here; jobs.query is one, as nothing else is sent by it.
        """
        content = data.encode() if isinstance(data, str) else data
        # The SDK lets the environment say where its requests go (GOOGLE_API_USE_MTLS_ENDPOINT).
        url = urlsplit(url)._replace(scheme=self._there.scheme, netloc=self._there.netloc).geturl()
        if self._read_only and not _is_read(method, url, content):
            raise Denied("read_only", f"{NAME}: this connection only reads")
        answer = self._http.send(
            method,
            url,
            content=content,
            headers={**(headers or {}), **self._authorization(method, url)},
            repeatable=method == "GET" or _is_query(url),
            accept=partial(accepted, patience=self._patience),
        )
        response = requests.Response()
        response.status_code, response.raw = answer.status, io.BytesIO(answer.content)
        response.headers.update(answer.headers)
        return response

    @property
    def requests(self) -> int:
        """How many requests have left, retries included."""
        return self._http.requests

    def close(self) -> None:
        self._http.close()

    def _authorization(self, method: str, url: str) -> dict[str, str]:
        headers: dict[str, str] = {}
        try:
            with self._lock:
                cast(Any, self._signer).before_request(self._tokens, method, url, headers)
        except auth.GoogleAuthError:
            pass  # it carries the endpoint's answer
        else:
            return headers
        raise Unauthorized("unauthorized", f"{NAME}: no token for the service account; connect again")


def _is_query(url: str) -> bool:
    return url.partition("?")[0].endswith("/queries")


def _is_read(method: str, url: str, content: bytes | None) -> bool:
    """A GET, or one statement that selects: jobs.query names no table for what it finds."""
    if method == "GET":
        return True
    if method != "POST" or not _is_query(url):
        return False
    text = str(json.loads(content or b"{}").get("query", ""))
    return text.startswith("SELECT ") and ";" not in text


def _signer(credentials: BigQueryCredentials, scopes: tuple[str, ...]) -> Credentials:
    account = credentials.account
    key = {
        "client_email": account.client_email,
        "private_key": account.private_key.get_secret_value(),
        "token_uri": account.token_uri,
    }
    try:
        made: Credentials = cast(Any, Credentials).from_service_account_info(key, scopes=scopes)
    except ValueError:
        pass  # it may quote the key
    else:
        return made
    raise Unauthorized("bad_key", f"{NAME}: the service account's private key cannot be read; connect again")
