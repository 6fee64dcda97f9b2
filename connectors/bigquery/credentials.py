"""Access to one dataset of one Google Cloud project, by a service account's key."""

from collections.abc import Mapping
from typing import Annotated, Final, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    SecretStr,
    ValidationError,
    model_validator,
)

from connectors.address import Endpoint, is_local
from connectors.base import Settings
from connectors.http import Patience

GOOGLE: Final = "https://bigquery.googleapis.com"
NOBODY: Final[Mapping[str, JsonValue]] = {
    "project": "nobody",
    "dataset": "nothing",
    "service_account": (
        '{"type": "service_account", "client_email": "", "private_key": "",'
        ' "token_uri": "https://oauth2.googleapis.com/token"}'
    ),
}
"""Values that reach nothing: for whoever only looks at what is declared."""

TOKENS: Final = ("https://oauth2.googleapis.com/token", "https://accounts.google.com/o/oauth2/token")


class ServiceAccount(BaseModel):
    """A service account's key, as Google's console gives it. Only what is needed of it."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    type: Literal["service_account"]
    client_email: str
    private_key: SecretStr
    token_uri: str
    universe_domain: Literal["googleapis.com"] = "googleapis.com"


def _is_a_key(secret: SecretStr) -> SecretStr:
    try:
        ServiceAccount.model_validate_json(secret.get_secret_value())
    except ValidationError:
        pass  # that error quotes the key
    else:
        return secret
    raise ValueError("is not the JSON of a service account's key")


class BigQueryCredentials(Settings):
    """Where the tables are, and who writes them.

    service_account: the whole JSON of the key, in one line. requests_per_second: for the whole process and
    project; Google takes 100 of each user and method.
    """

    project: Annotated[str, Field(pattern=r"^([a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]$")]
    dataset: Annotated[str, Field(pattern=r"^[A-Za-z0-9_]{1,1024}$")]
    service_account: Annotated[SecretStr, AfterValidator(_is_a_key)]
    url: Endpoint = GOOGLE
    requests_per_second: Annotated[float, Field(gt=0)] | None = None
    patience: Patience | None = None

    @model_validator(mode="after")
    def _shows_the_key_to_google_alone(self) -> "BigQueryCredentials":
        tokens = self.account.token_uri
        if tokens not in TOKENS and not (self.local and is_local(tokens)):
            raise ValueError("the key's token_uri is not Google's")
        return self

    @property
    def account(self) -> ServiceAccount:
        return ServiceAccount.model_validate_json(self.service_account.get_secret_value())

    @property
    def local(self) -> bool:
        """A stand-in on this machine."""
        return is_local(self.url)

    @property
    def rate(self) -> float | None:
        """Requests per second, None without a limit."""
        return self.requests_per_second or (None if self.local else 20.0)

    @property
    def pace(self) -> Patience:
        """The patience asked for, or a shorter one for a stand-in on this machine."""
        if self.patience is not None:
            return self.patience
        return Patience(first_wait=0.02, back_off=0.5, answer=20.0) if self.local else Patience()
