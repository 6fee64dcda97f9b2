"""The service account's access token: asked for with a signed assertion, and anew before it ends."""

import threading
import time
from typing import Any, Final

import requests
from google.auth import crypt, jwt
from pydantic import ValidationError

from connectors.errors import Transient, Unauthorized, Unknown
from connectors.http import Answer
from connectors.sheets.answers import TOKEN
from connectors.sheets.credentials import SheetsCredentials
from connectors.sheets.wire import answer_to

ALL: Final = "https://www.googleapis.com/auth/spreadsheets"
READS: Final = "https://www.googleapis.com/auth/spreadsheets.readonly"
SHARING: Final = "https://www.googleapis.com/auth/drive.metadata.readonly"  # with whom the file is shared
GRANT: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
HOUR: Final = 3600
EARLY: Final = 120.0  # seconds before its end that a token is not used any more


class Tokens:
    """Safe to use from several threads. What the key file says of places to speak to is not believed."""

    def __init__(
        self, credentials: SheetsCredentials, session: requests.Session, *, read_only: bool = False
    ) -> None:
        self._scopes = f"{READS if read_only else ALL} {SHARING}"
        self._key = credentials.key
        self._url = f"{credentials.tokens}/token"
        self._patience = credentials.pace
        self._session = session
        self._token, self._until = "", 0.0
        self._lock = threading.Lock()

    def token(self) -> str:
        """Raises Unauthorized if the account is refused, Transient if Google does not answer."""
        with self._lock:
            if time.monotonic() >= self._until:
                began = time.monotonic()
                self._token, seconds = self._given(self._asked(self._assertion()))
                self._until = began + seconds - EARLY
            return self._token

    def _assertion(self) -> str:
        now = int(time.time())
        claims = {
            "iss": self._key.get("client_email"),
            "scope": self._scopes,
            "aud": self._url,
            "iat": now,
            "exp": now + HOUR,
        }
        untyped: Any = jwt
        signer: Any = crypt.RSASigner
        try:
            return str(untyped.encode(signer.from_service_account_info(self._key), claims).decode())
        except ValueError:
            pass
        todo = "connect again with the JSON key file"
        raise Unauthorized("bad_key", f"sheets: the service account's key cannot be read; {todo}")

    def _asked(self, assertion: str) -> Answer:
        times = (self._patience.connect, self._patience.answer)
        form = {"grant_type": GRANT, "assertion": assertion}
        try:
            return answer_to(
                lambda: self._session.post(self._url, data=form, timeout=times, allow_redirects=False)
            )
        except Unknown as trouble:  # what the token was for has not left
            raise Transient(trouble.code, str(trouble)) from None

    def _given(self, answer: Answer) -> tuple[str, float]:
        message = f"sheets: no access token: {answer.phrase}"
        if answer.status == 429 or answer.status >= 500:
            raise Transient("unreachable", f"{message}; try again", wait=answer.retry_after)
        if answer.status != 200:
            raise Unauthorized("unauthorized", f"{message}; make a new key and connect again")
        try:
            given = TOKEN.validate_json(answer.content)
            return given["access_token"], given["expires_in"]
        except ValidationError:
            pass
        raise Transient("garbled", "sheets: no access token: the answer is not what was agreed")
