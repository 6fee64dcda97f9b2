"""Settings: where Healthie's behaviour is unpublished, or where a test wants it otherwise."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

PUBLISHED = (
    "2024-06-01",
    "2024-07-01",
    "2024-10-01",
    "2024-10-20",
    "2024-11-01",
    "2025-01-01",
    "2025-04-01",
    "2025-05-15",
    "2025-07-31",
    "2025-10-15",
    "2025-11-30",
    "2026-01-01",
)


class RateLimit(BaseModel):
    """A bucket per key: `requests` at once, refilled within `seconds`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    requests: int
    seconds: float
    style: Literal["http_429", "errors_200"] = "http_429"
    retry_after: int | None = None


class Settings(BaseModel):
    """Changed through /control/settings. A default is what is documented, else the harsher reading."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    published_versions: tuple[str, ...] = PUBLISHED
    refused_keys: tuple[str, ...] = ()  # keys of another practice's, to tell two stand-ins apart
    version_required: bool = True  # the stand-in does not speak the old shape of a missing header
    page_cap: int = 100
    complexity_max: int = 2000
    depth_max: int = 25
    rate_limit: RateLimit | None = None
    child_writes_touch_user: bool = False  # UNVERIFIED at Healthie: does an address or policy bump User?
    location_input_ignored: bool = True  # observed: updateClient.location does nothing
    other_provider_ids_replace: bool = True  # UNVERIFIED at Healthie: replaced, or added to?
    omitted_policies_survive: bool = True  # UNVERIFIED at Healthie; Rails' nested attributes do
    restricted_shown: bool = False  # UNVERIFIED at Healthie: restricted patients outside the care team
    archived_in_ids: bool = True  # UNVERIFIED at Healthie: does users(ids:) give archived patients?
