"""Access to one HubSpot portal."""

import hashlib
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, field_validator

from connectors.address import Endpoint, host_of, is_local
from connectors.base import Settings
from connectors.http import Patience

HOST: Final = "https://api.hubapi.com"
RATE: Final = 9.0  # requests a second: a Free or Starter portal takes 100 in 10 seconds of one app
SEARCH_RATE: Final = 4.0  # searches a second: a portal takes 5, of all its apps together


def _sendable(key: SecretStr) -> SecretStr:
    text = key.get_secret_value()
    if not text or not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("holds characters that no token has")
    return key


class HubSpotCredentials(Settings):
    """A token of a service key or a private app, and how gently it is used.

    requests_per_second: for the whole process; 9 for HubSpot itself, no limit on this machine.
    """

    access_token: Annotated[SecretStr, AfterValidator(_sendable)]
    url: Endpoint = HOST
    requests_per_second: Annotated[float | None, Field(gt=0, le=100)] = None
    patience: Patience | None = None

    @field_validator("url")
    @classmethod
    def _is_a_host(cls, url: str) -> str:
        if urlsplit(url).path not in ("", "/"):
            raise ValueError("the url must name a host alone")
        return url.rstrip("/")

    @property
    def host(self) -> str:
        return host_of(self.url)

    @property
    def local(self) -> bool:
        """A stand-in on this machine."""
        return is_local(self.url)

    @property
    def app(self) -> str:
        """Names the token's app at this address without the token: what HubSpot counts requests by."""
        token = self.access_token.get_secret_value()
        return f"{self.url} {hashlib.sha256(token.encode()).hexdigest()}"

    @property
    def rate(self) -> float | None:
        """Requests per second, None without a limit."""
        return self.requests_per_second or (None if self.local else RATE)

    @property
    def search_rate(self) -> float | None:
        return None if self.local else SEARCH_RATE

    @property
    def pace(self) -> Patience:
        """The patience asked for, or a shorter one for a stand-in on this machine."""
        if self.patience is not None:
            return self.patience
        return Patience(first_wait=0.05, back_off=0.5, answer=20.0) if self.local else Patience(back_off=10.0)
