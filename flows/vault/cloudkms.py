"""A key-encryption key that never leaves Google Cloud KMS.

Request and answer carry checksums both ways, as Google asks of its callers: a data key that was damaged
on its way would be wrapped as it is, and never open again.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeVar, cast

import google_crc32c
from google.api_core import exceptions, retry
from google.auth.exceptions import GoogleAuthError
from google.cloud.kms_v1.types import DecryptRequest, DecryptResponse, EncryptRequest, EncryptResponse

from flows.vault.errors import KeyDestroyed, KeyUnavailable, SealBroken
from flows.vault.seal import Wrapped

SCHEME = "gcp-kms:"
NAME = re.compile(r"projects/[\w.:-]+/locations/[\w-]+/keyRings/[\w-]+/cryptoKeys/[\w-]+")
VERSIONS = "/cryptoKeyVersions/"

Answer = TypeVar("Answer")
checksum = cast(Callable[[bytes], int], google_crc32c.value)  # pyright: ignore[reportUnknownMemberType]  # untyped


class Client(Protocol):
    """What of Google's KeyManagementServiceClient is used."""

    def encrypt(self, request: EncryptRequest, *, retry: None, timeout: float) -> EncryptResponse: ...

    def decrypt(self, request: DecryptRequest, *, retry: None, timeout: float) -> DecryptResponse: ...


class Damaged(Exception):
    """A checksum does not fit, on one side or the other; asked again."""


PASSING = (
    exceptions.ServiceUnavailable,
    exceptions.DeadlineExceeded,
    exceptions.InternalServerError,
    exceptions.TooManyRequests,
    Damaged,
)
STATES: Mapping[str, tuple[type[KeyDestroyed | KeyUnavailable], str]] = {
    # https://cloud.google.com/kms/docs/key-states, 2026-11: the state is told in the refusal's words only
    "DESTROY_SCHEDULED": (
        KeyUnavailable,
        "a version of the key is to be destroyed; restore it in Cloud KMS before its date",
    ),
    "DESTROYED": (
        KeyDestroyed,
        "a version of the key is destroyed; what only it wrapped opens never again: connect the tenants anew",
    ),
    "DISABLED": (KeyUnavailable, "a version of the key is disabled; enable it in Cloud KMS"),
}


@dataclass(frozen=True, slots=True)
class Patience:
    """How long one wrapping or unwrapping may take, in seconds: each try, and all of them."""

    one: float = 5.0
    all: float = 20.0
    pause: float = 0.2  # before the second try; twice as long before each further one


class CloudKms:
    """One Cloud KMS key, by its name. Its kid also names the version that wrapped."""

    def __init__(self, name: str, client: Client, patience: Patience = Patience()) -> None:
        """Asks nothing yet.

        Raises:
            KeyUnavailable: the name is not a key's.
        """
        if not NAME.fullmatch(name):
            raise KeyUnavailable(
                f"FERRY_KEK: {SCHEME}… needs projects/P/locations/L/keyRings/R/cryptoKeys/K and no version; "
                "correct it"
            )
        self.name = name
        self._client = client
        self._patience = patience

    def current(self) -> str:
        """The kid of the version that wraps now. Wrapping needs the least permission there is to know it."""
        return self.wrap(b"\0" * 32, b"ferry: which version is the primary?").kid

    def opens(self, kid: str) -> bool:
        version = kid.removeprefix(f"{SCHEME}{self.name}{VERSIONS}")
        return version != kid and version.isdecimal()

    def wrap(self, data_key: bytes, associated: bytes) -> Wrapped:
        request = EncryptRequest(
            name=self.name,
            plaintext=data_key,
            plaintext_crc32c=checksum(data_key),
            additional_authenticated_data=associated,
            additional_authenticated_data_crc32c=checksum(associated),
        )

        def ask() -> Wrapped:
            answer = self._client.encrypt(request, retry=None, timeout=self._patience.one)
            return self._checked(answer)

        return self._asked("encrypt", ask)

    def unwrap(self, wrapped: Wrapped, associated: bytes) -> bytes:
        if not self.opens(wrapped.kid):
            raise SealBroken("a data key is wrapped by another key than FERRY_KEK; see: ferry keys")
        request = DecryptRequest(
            name=self.name,  # the configured one; what is stored only has to agree with it
            ciphertext=wrapped.content,
            ciphertext_crc32c=checksum(wrapped.content),
            additional_authenticated_data=associated,
            additional_authenticated_data_crc32c=checksum(associated),
        )

        def ask() -> bytes:
            answer = self._client.decrypt(request, retry=None, timeout=self._patience.one)
            if answer.plaintext_crc32c != checksum(answer.plaintext):
                raise Damaged
            return answer.plaintext

        return self._asked("decrypt", ask)

    def _checked(self, answer: EncryptResponse) -> Wrapped:
        wrapped = Wrapped(f"{SCHEME}{answer.name}", answer.ciphertext)
        whole = (
            answer.verified_plaintext_crc32c
            and answer.verified_additional_authenticated_data_crc32c
            and answer.ciphertext_crc32c == checksum(answer.ciphertext)
        )
        if not whole or not self.opens(wrapped.kid):
            raise Damaged
        return wrapped

    def _asked(self, act: str, ask: Callable[[], Answer]) -> Answer:
        """The one place where Cloud KMS is asked again, and where its refusals become ours."""
        patiently = retry.Retry(
            predicate=retry.if_exception_type(*PASSING),
            initial=self._patience.pause,
            multiplier=2.0,
            maximum=self._patience.one,
            timeout=self._patience.all,
        )
        try:
            return patiently(_told)(ask)
        except (exceptions.RetryError, *PASSING):
            failure: Exception = KeyUnavailable(
                f"{self.name}: Cloud KMS does not answer, or not whole; nothing was done. Try again, and see "
                "https://status.cloud.google.com"
            )
        except exceptions.GoogleAPICallError as error:
            failure = self._refusal(act, error)
        except GoogleAuthError:
            failure = KeyUnavailable(
                f"{self.name}: no Google credentials that work; check FERRY_GCP_CREDENTIALS, or the service "
                "account that this runs as"
            )
        raise failure  # out here no context is kept: the library's words stay behind

    def _refusal(self, act: str, error: exceptions.GoogleAPICallError) -> Exception:
        if isinstance(error, exceptions.FailedPrecondition):
            for state, (kind, words) in STATES.items():
                if state in error.message:
                    return kind(f"{self.name}: {words}")
        if isinstance(error, exceptions.InvalidArgument) and act == "decrypt":
            return SealBroken(
                f"{self.name}: a data key does not open: it is another tenant's or environment's, or was "
                "changed; check FERRY_ENV and FERRY_KEK"
            )
        role = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
        advice: Mapping[type[exceptions.GoogleAPICallError], str] = {
            exceptions.PermissionDenied: f"may not {act} with it; grant {role} to the service account",
            exceptions.Unauthenticated: "the credentials are not accepted; check FERRY_GCP_CREDENTIALS",
            exceptions.NotFound: "there is no such key; check FERRY_KEK",
        }
        told = advice.get(type(error), "Cloud KMS refuses; look at the key's state and purpose there")
        return KeyUnavailable(f"{self.name}: {told}")


def _told(ask: Callable[[], Answer]) -> Answer:
    """What Cloud KMS answers. That a request arrived damaged it says as an invalid argument."""
    try:
        return ask()
    except exceptions.InvalidArgument as error:
        if "crc32c" not in error.message:
            raise
    raise Damaged
