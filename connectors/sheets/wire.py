"""Requests as they leave: a session without the environment's say, and what it means if no answer comes.

The library's errors quote what was sent, so ours are raised outside of the `except` and carry no context.
"""

from collections.abc import Callable
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from urllib3.exceptions import MaxRetryError, NewConnectionError

from connectors.errors import ConnectorError, Rejected, Transient, Unknown
from connectors.http import LARGEST_BODY, Answer
from connectors.sent import Sent


class _Session(requests.Session):
    """Counts what leaves, a token's requests among it."""

    def __init__(self, sent: Sent) -> None:
        super().__init__()
        self._sent = sent

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        self._sent.one()
        return super().send(request, **options)


def new_session(sent: Sent) -> requests.Session:
    """Nothing of the environment is used, and no cookie kept."""
    session = _Session(sent)
    session.trust_env = False
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    return session


def answer_to(ask: Callable[[], requests.Response]) -> Answer:
    """What came back, whatever its status. Raises Transient, Unknown or Rejected."""
    try:
        response = ask()
    except requests.RequestException as error:
        failure = failure_of(error)
    else:
        if len(response.content) > LARGEST_BODY:
            raise Rejected("too_large", "sheets: the sheet is too large to be read; begin another one")
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status_code, headers, response.content)
    raise failure


def failure_of(error: requests.RequestException) -> ConnectorError:
    """What a request that got no answer means. The one place that reads the library's exceptions."""
    if isinstance(error, requests.ConnectTimeout | requests.exceptions.SSLError) or _never_left(error):
        return Transient("unreachable", "sheets: no connection")
    if isinstance(error, requests.Timeout):
        return Unknown("timeout", "sheets: no answer in time")
    if isinstance(error, requests.exceptions.ContentDecodingError):
        return Unknown("garbled", "sheets: the answer could not be decoded")
    return Unknown("cut_off", "sheets: the connection broke before the answer")


def _never_left(error: requests.RequestException) -> bool:
    cause = error.args[0] if error.args else None
    return isinstance(cause, MaxRetryError) and isinstance(cause.reason, NewConnectionError)
