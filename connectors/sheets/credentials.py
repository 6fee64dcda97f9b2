"""Access to one Google spreadsheet: a service account that the spreadsheet is shared with."""

import base64
import json
from typing import Annotated, Final

from pydantic import JsonValue, SecretStr, StringConstraints

from connectors.address import Endpoint, is_local
from connectors.base import Settings
from connectors.http import Patience

GOOGLE: Final = "https://sheets.googleapis.com"
DRIVE: Final = "https://www.googleapis.com"
TOKENS: Final = "https://oauth2.googleapis.com"
PER_SECOND: Final = 0.95  # reads, and as many writes: Google counts 60 of each in a minute for an account


class SheetsCredentials(Settings):
    """A spreadsheet, the service account's key file, and where Google is.

    spreadsheet: the long id in the spreadsheet's address. service_account: the key file's content, as it is
    or in base64, which is one line to type. url: of Sheets; another one than Google's own is asked for
    tokens, and by what is asked of Drive, too.
    """

    spreadsheet: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{10,200}$")]
    service_account: SecretStr
    url: Endpoint = GOOGLE
    patience: Patience | None = None

    @property
    def key(self) -> dict[str, JsonValue]:
        """The key file; empty if it is none."""
        text = self.service_account.get_secret_value().strip()
        try:
            content = text if text.startswith("{") else base64.b64decode(text, validate=True)
            found: JsonValue = json.loads(content)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def local(self) -> bool:
        """A stand-in on this machine."""
        return is_local(self.url)

    @property
    def drive(self) -> str:
        return DRIVE if self.url == GOOGLE else self.url

    @property
    def tokens(self) -> str:
        return TOKENS if self.url == GOOGLE else self.url

    @property
    def rate(self) -> float | None:
        """Reads, and writes, per second; None without a limit."""
        return None if self.local else PER_SECOND

    @property
    def pace(self) -> Patience:
        """The patience asked for, or a shorter one for a stand-in on this machine."""
        if self.patience is not None:
            return self.patience
        return Patience(first_wait=0.05, back_off=0.5, answer=20.0) if self.local else Patience()
