"""Reaching Prefect's server: the one place where whatever keeps it from answering becomes one line."""

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar

import httpx
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.objects import BlockDocument
from prefect.exceptions import ObjectNotFound, PrefectHTTPStatusError
from prefect.settings import PREFECT_API_URL

from flows.errors import ServerUnavailable
from flows.naming import BLOCK_TYPE

_AT_HAND: ContextVar[SyncPrefectClient | None] = ContextVar("ferry_prefect_client", default=None)
PAGE = 200  # things that the server gives in one answer, at most


def is_named() -> bool:
    """Whether PREFECT_API_URL, or Prefect's profile, names a server."""
    return bool(PREFECT_API_URL.value())


@contextmanager
def one_client() -> Generator[None]:
    """Meanwhile every `server()` is the same client: to make one loads TLS anew, which takes 40 ms."""
    if not is_named():
        yield
        return
    with get_client(sync_client=True) as client:
        before = _AT_HAND.set(client)
        try:
            yield
        finally:
            _AT_HAND.reset(before)


@contextmanager
def server() -> Generator[SyncPrefectClient]:
    """A client of the server that is named; none is started.

    Raises:
        ServerUnavailable: from within the block, too. Only what the server lacks (ObjectNotFound) passes.
    """
    if not is_named():
        raise ServerUnavailable("prefect: no server is named; start one and set PREFECT_API_URL")
    try:
        with _AT_HAND.get() or get_client(sync_client=True) as client:  # it may be entered again
            yield client
    except (httpx.HTTPStatusError, PrefectHTTPStatusError) as error:
        problem = f"answers {error.response.status_code}; see its log, and the key or password it asks for"
    except (httpx.HTTPError, OSError, RuntimeError) as error:
        problem = f"does not answer ({type(error).__name__}); start it, or correct PREFECT_API_URL"
    else:
        return
    raise ServerUnavailable(f"prefect: the server at {PREFECT_API_URL.value()} {problem}")


def sealed_connections(client: SyncPrefectClient) -> list[BlockDocument]:
    """The block documents of all sealed connections, of every tenant."""
    found: list[BlockDocument] = []
    try:
        client.read_block_type_by_slug(BLOCK_TYPE)
    except ObjectNotFound:
        return found  # nobody connected anything yet
    while True:
        page = client.read_block_documents_by_type(BLOCK_TYPE, offset=len(found), limit=PAGE)
        found += page
        if len(page) < PAGE:
            return found
