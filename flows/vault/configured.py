"""The key-encryption key that the settings name."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from flows.settings import Settings
from flows.vault.errors import KeyUnavailable, SealBroken
from flows.vault.keyfile import KeyFile, Passphrase
from flows.vault.seal import KeyEncryptionKey, Wrapped

if TYPE_CHECKING:
    from flows.vault.cloudkms import Client

SCHEME = "gcp-kms:"


@dataclass(frozen=True, slots=True)
class Keychain:
    """The present key, which wraps, and former ones, which open what they wrapped until it is rotated."""

    present: KeyEncryptionKey
    retired: Sequence[KeyEncryptionKey] = ()

    def current(self) -> str:
        return self.present.current()

    def opens(self, kid: str) -> bool:
        return any(key.opens(kid) for key in (self.present, *self.retired))

    def wrap(self, data_key: bytes, associated: bytes) -> Wrapped:
        return self.present.wrap(data_key, associated)

    def unwrap(self, wrapped: Wrapped, associated: bytes) -> bytes:
        for key in (self.present, *self.retired):
            if key.opens(wrapped.kid):
                return key.unwrap(wrapped, associated)
        raise SealBroken(
            "the data key is wrapped by a key that is neither FERRY_KEK (or FERRY_KEY_FILE) nor in "
            "FERRY_KEK_RETIRED; set the one that wrapped it, and see: ferry keys"
        )


def key_encryption_key(settings: Settings) -> Keychain:
    """The keys that the settings name; no stored value has a say in it.

    Raises:
        SealBroken, KeyUnavailable: a key file that is no key or cannot be read, a name that is no key's.
    """
    retired = [_former(settings, name) for name in settings.retired()]
    if not settings.kek:
        return Keychain(KeyFile(settings.key(), Passphrase(settings.key_passphrase_file)), retired)
    if not settings.kek.startswith(SCHEME):
        raise KeyUnavailable(
            f"FERRY_KEK: is empty (a key file: FERRY_KEY_FILE) or {SCHEME}projects/…; correct it"
        )
    return Keychain(_cloud_kms(settings.kek, settings.gcp_credentials), retired)


def _former(settings: Settings, name: str) -> KeyEncryptionKey:
    if name.startswith(SCHEME):
        return _cloud_kms(name, settings.gcp_credentials)
    return KeyFile(Path(name), Passphrase(settings.key_passphrase_file), make=False)


def _cloud_kms(name: str, credentials: str) -> KeyEncryptionKey:
    from flows.vault.cloudkms import CloudKms  # noqa: PLC0415  # 0.3 s, and only where it is configured

    return CloudKms(name.removeprefix(SCHEME), _client(credentials))


@lru_cache(maxsize=2)
def _client(block: str) -> "Client":
    """One client in a process: its channel is kept open."""
    from flows.vault.credentials import kms_client  # noqa: PLC0415  # as above

    return kms_client(block)
