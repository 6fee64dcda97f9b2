"""The models that may decide, as data: where each runs, under which agreement, which version, at what price.

What is not on the list is not asked; nor is what is on it without an agreement or a price.
"""

from collections.abc import Iterator
from decimal import ROUND_CEILING, Decimal
from ipaddress import ip_address
from urllib.parse import urlsplit

from pydantic import Field

from agent.access import Access
from connectors.base import Settings

CLOUD = "google-cloud"
UNPINNED = "latest"


class Price(Settings):
    """US dollars for a million tokens; a machine of one's own costs 0."""

    input: Decimal = Field(ge=0, description="what is sent and was not cached")
    output: Decimal = Field(ge=0, description="what is answered")
    cached: Decimal | None = Field(default=None, ge=0, description="read from the cache; unset: as input")
    written: Decimal | None = Field(default=None, ge=0, description="put into it; unset: twice the input")
    batch: Decimal | None = Field(
        default=None, gt=0, le=1, description="the part of it that batches cost: 0.5; unset: no batches"
    )

    def micro(self, *, input_: int, cached: int, written: int, output: int, batched: bool = False) -> int:
        """What these tokens cost in millionths of a dollar, rounded up. `input_` contains the cached ones."""
        reading = self.input if self.cached is None else self.cached
        writing = 2 * self.input if self.written is None else self.written
        plain = max(0, input_ - cached - written)
        whole = self.input * plain + reading * cached + writing * written + self.output * output
        share = self.batch if batched and self.batch is not None else Decimal(1)
        return int((whole * share).to_integral_value(ROUND_CEILING))

    def at_most(self, *, input_: int, output: int, batched: bool = False) -> int:
        """The most that these tokens can cost: what is read from a cache, or put there, is not known yet."""
        caching = ((0, 0), (input_, 0), (0, input_))
        return max(
            self.micro(input_=input_, cached=cached, written=written, output=output, batched=batched)
            for cached, written in caching
        )


class Allowed(Settings):
    """One model that may be asked. Its key in the list is its id, as `decide.by` names it."""

    version: str = Field(min_length=1, description="the id that its answers report; another one ends a run")
    regions: tuple[str, ...] = Field(default=(), description="locations of Google Cloud where it may run")
    hosts: tuple[str, ...] = Field(default=(), description="host names of endpoints where it may run")
    baa: str = Field(default="", description="the business associate agreement: with whom, since when")
    local: bool = Field(default=False, description="on this machine, for trials: no agreement needed")
    price: Price | None = Field(default=None, description="without one it is not asked")


def objections(id_: str, model: Allowed, access: Access | None, *, production: bool) -> Iterator[str]:
    """Why a model may not be asked so. `access` is None where it is not known yet how it is reached."""
    if UNPINNED in model.version or UNPINNED in id_:
        yield "its version is not pinned; name the one that its answers report"
    if model.price is None:
        yield "it has no price; write it (0 for a machine of your own)"
    if model.local and production:
        yield "it is local, which production refuses; name its hosts and the agreement"
    if not model.local and not model.baa.strip():
        yield "no business associate agreement is named; nothing may be sent there without one"
    if access is not None:
        yield from _elsewhere(id_, model, access)


def _elsewhere(id_: str, model: Allowed, access: Access) -> Iterator[str]:
    if id_.startswith(f"{CLOUD}:") and access.location not in model.regions:
        yield f"its connection's location is not one of: {', '.join(model.regions) or 'none'}"
    if access.base_url or not id_.startswith(f"{CLOUD}:"):
        host = urlsplit(access.base_url).hostname or ""
        if not (host in model.hosts or (model.local and is_loopback(host))):
            there = "this machine" if model.local else ", ".join(model.hosts) or "none"
            yield f"its connection's base_url is not at one of: {there}"


def is_loopback(host: str) -> bool:
    """Whether a host is this machine."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
