"""Who asks Cloud KMS: the Prefect block GcpCredentials that is configured, or the machine's own account."""

from typing import cast

import google.auth
import httpx
from google.auth.credentials import Credentials
from google.auth.exceptions import GoogleAuthError
from google.cloud.kms_v1 import KeyManagementServiceClient
from prefect.exceptions import PrefectException
from prefect.settings import PREFECT_API_URL
from prefect_gcp import GcpCredentials  # type: ignore[import-untyped]  # pyright: ignore[reportMissingTypeStubs]

from flows.vault.errors import KeyUnavailable

SCOPE = "https://www.googleapis.com/auth/cloudkms"


def kms_client(block: str) -> KeyManagementServiceClient:
    """A client that acts for the block of this name, or, without a name, for the application default.

    Raises:
        KeyUnavailable: no such block, no Prefect to ask for it, no credentials.
    """
    return KeyManagementServiceClient(credentials=_of_block(block) if block else _default())


def _of_block(block: str) -> Credentials:
    if not PREFECT_API_URL.value():
        raise KeyUnavailable(
            f"FERRY_GCP_CREDENTIALS: {block} is a Prefect block, and PREFECT_API_URL names no server; set it"
        )
    try:
        loaded = cast(GcpCredentials, GcpCredentials.load(block))
        found = cast(Credentials, loaded.get_credentials_from_service_account())
    except (ValueError, GoogleAuthError, PrefectException, httpx.HTTPError):
        failure = f"FERRY_GCP_CREDENTIALS: no GcpCredentials block {block} that works; look at it in Prefect"
    else:
        return found
    raise KeyUnavailable(failure)


def _default() -> Credentials:
    try:
        found, _ = cast(tuple[Credentials, object], google.auth.default(scopes=[SCOPE]))  # pyright: ignore[reportUnknownMemberType]  # untyped
    except GoogleAuthError:
        failure = "no Google credentials on this machine; set FERRY_GCP_CREDENTIALS to a GcpCredentials block"
    else:
        return found
    raise KeyUnavailable(failure)
