"""Access to one base."""

from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr

from connectors.address import Endpoint, is_local
from connectors.base import Settings
from connectors.http import Patience

BLOCKED = 30.0  # seconds that Airtable refuses everything after too many requests
RATE = 4.5  # requests a second and base: 5 on every plan, and on the way they come closer to each other


def _sendable(token: SecretStr) -> SecretStr:
    text = token.get_secret_value()
    if not text or not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("holds characters that no token has")
    return token


class AirtableCredentials(Settings):
    """A personal access token or a service account's, the base that it opens, and how gently it is used.

    requests_per_second: less than all that the base takes, to leave some to other integrations.
    """

    token: Annotated[SecretStr, AfterValidator(_sendable)]
    base: Annotated[str, Field(pattern=r"^app[A-Za-z0-9]{14}$")]
    url: Endpoint = "https://api.airtable.com"
    requests_per_second: Annotated[float, Field(gt=0, le=RATE)] | None = None
    patience: Patience | None = None

    @property
    def local(self) -> bool:
        """A stand-in on this machine."""
        return is_local(self.url)

    @property
    def rate(self) -> float | None:
        """Requests per second of all connectors to this base, None without a limit."""
        return None if self.local else RATE

    @property
    def pace(self) -> Patience:
        """The patience asked for, or a shorter one for a stand-in on this machine."""
        if self.patience is not None:
            return self.patience
        short = Patience(first_wait=0.05, back_off=0.5, answer=20.0)
        return short if self.local else Patience(back_off=BLOCKED)
