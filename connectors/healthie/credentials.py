"""Access to one Healthie account."""

from datetime import UTC, tzinfo
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, SecretStr

from connectors.address import Endpoint, host_of, is_local
from connectors.base import Settings
from connectors.http import Patience

PRODUCTION = "api.gethealthie.com"
TRIALS = frozenset({"staging-api.gethealthie.com"})  # all hosts of the vendor's that hold no practice's data
LIVE, SANDBOX = "gh_live_", "gh_sbox_"  # observed prefixes of keys, 2026-05


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as unknown:
        raise ValueError("not the name of a time zone") from unknown
    return name


def _sendable(key: SecretStr) -> SecretStr:
    text = key.get_secret_value()
    if not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("holds characters that no key has")
    return key


class HealthieCredentials(Settings):
    """A key, where it is valid, and how gently it is used.

    api_version: exactly a published date. timezone: the key's account's, for times that Healthie
    writes without an offset. requests_per_second: for the whole process; 5 for real hosts (bursts led to
    lockouts of an hour), no limit on this machine.
    """

    url: Endpoint
    api_key: Annotated[SecretStr, AfterValidator(_sendable)]
    api_version: str = "2026-01-01"
    timezone: Annotated[str, AfterValidator(_zone)] = "UTC"
    requests_per_second: float | None = None
    patience: Patience | None = None

    @property
    def host(self) -> str:
        return host_of(self.url)

    @property
    def local(self) -> bool:
        """A stand-in on this machine."""
        return is_local(self.url)

    @property
    def sandbox(self) -> bool:
        """Is it an account for trials? Healthie's API does not say, but they have a host of their own."""
        return self.host in TRIALS

    @property
    def rate(self) -> float | None:
        """Requests per second, None without a limit."""
        return self.requests_per_second or (None if self.local else 5.0)

    @property
    def pace(self) -> Patience:
        """The patience asked for, or a shorter one for a stand-in on this machine."""
        if self.patience is not None:
            return self.patience
        return Patience(first_wait=0.05, back_off=0.5, answer=20.0) if self.local else Patience()

    @property
    def mixed_up(self) -> bool:
        """A key of the sandbox for production, or the other way round."""
        key = self.api_key.get_secret_value()
        return not self.local and key.startswith(SANDBOX if self.host == PRODUCTION else LIVE)

    @property
    def zone(self) -> tzinfo:
        return UTC if self.timezone == "UTC" else ZoneInfo(self.timezone)
