"""Reaching the Prefect server: whatever keeps it from answering is one line."""

from collections.abc import Generator
from contextlib import contextmanager

import httpx
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.settings import get_current_settings

from flows.errors import Spoken


class NotReached(Spoken):
    """The Prefect server does not answer, or does not let us in. One line."""


@contextmanager
def server() -> Generator[SyncPrefectClient]:
    """A client of the server that PREFECT_API_URL, or Prefect's profile, names; none is started.

    Raises:
        NotReached: from within the block, too.
    """
    url = get_current_settings().api.url
    if not url:
        raise NotReached("no Prefect server is named; start one and set PREFECT_API_URL")
    try:
        with get_client(sync_client=True) as client:
            yield client
    except httpx.HTTPStatusError as error:
        raise NotReached(
            f"the Prefect server answers {error.response.status_code}; look at PREFECT_API_URL, and at "
            "PREFECT_API_AUTH_STRING or PREFECT_API_KEY if it asks for one"
        ) from None
    except (httpx.HTTPError, OSError, RuntimeError):
        raise NotReached(
            "the Prefect server of PREFECT_API_URL does not answer; start it, or correct the address"
        ) from None
