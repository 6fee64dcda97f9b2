"""The seal of one tenant, and the data key below it.

The associated data of both layers binds environment, tenant, system and purpose, and is made from the
request's own context, never read from what was stored. A sealed value that was moved to another
tenant, purpose or environment does not open.
"""

import hmac
import json
import os
from dataclasses import dataclass
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from flows.vault.errors import SealBroken

NONCE = 12  # bytes
WRAPPED = NONCE + 32 + 16  # bytes: a nonce, a key, a tag
VERSION = b"\x01"


@dataclass(frozen=True, slots=True)
class Wrapped:
    """A data key as it is stored: wrapped, and by which key."""

    kid: str
    content: bytes


class KeyEncryptionKey(Protocol):
    """Wraps data keys: a key file, a Cloud KMS key, or those that the settings name.

    `kid` names a key and tells nothing of it. A stored kid never chooses a key: it is compared with
    those of the keys that are configured.
    """

    def current(self) -> str:
        """The kid that a data key would carry if it were wrapped now. May ask Cloud KMS."""
        ...

    def opens(self, kid: str) -> bool:
        """Whether this is the key that `kid` names."""
        ...

    def wrap(self, data_key: bytes, associated: bytes) -> Wrapped:
        """Raises KeyUnavailable, KeyDestroyed."""
        ...

    def unwrap(self, wrapped: Wrapped, associated: bytes) -> bytes:
        """Raises SealBroken, KeyUnavailable, KeyDestroyed."""
        ...


class Seal:
    """One tenant's data key, opened. Seals values and makes keyed hashes that only this key can make."""

    def __init__(self, data_key: bytes, *, environment: str, tenant: str) -> None:
        self._cipher = AESGCM(data_key)
        self._context = (environment, tenant)
        self._hash_key = hmac.digest(data_key, b"ferry/keyed-hash/1", "sha256")
        self._associated: dict[str, bytes] = {}

    def seal(self, plaintext: bytes, purpose: str) -> bytes:
        nonce = os.urandom(NONCE)
        return VERSION + nonce + self._cipher.encrypt(nonce, plaintext, self._bound(purpose))

    def open(self, sealed: bytes, purpose: str) -> bytes:
        """Raises SealBroken if it was not sealed by this key for this tenant and purpose."""
        if sealed[:1] != VERSION:
            raise SealBroken(
                "a sealed value has an unknown version; was the ledger written by a newer Ferry?"
            )
        return opened(self._cipher, sealed[1:], self._bound(purpose))

    def envelope(self, secret: bytes, *, system: str, purpose: str) -> bytes:
        """A secret under a data key of its own, which this tenant's key wraps.

        Both layers are bound to environment, tenant, system and purpose.
        """
        bound = associated_data(*self._context, system=system, purpose=purpose)
        own, inner, outer = AESGCM.generate_key(256), os.urandom(NONCE), os.urandom(NONCE)
        wrapped = outer + self._cipher.encrypt(outer, own, bound)
        return VERSION + wrapped + inner + AESGCM(own).encrypt(inner, secret, bound)

    def open_envelope(self, sealed: bytes, *, system: str, purpose: str) -> bytes:
        """Raises SealBroken if it was sealed for another tenant, system or purpose, or changed."""
        if sealed[:1] != VERSION or len(sealed) < 1 + WRAPPED:
            raise SealBroken("a sealed connection is not one that this Ferry wrote; connect it again")
        bound = associated_data(*self._context, system=system, purpose=purpose)
        own = opened(self._cipher, sealed[1 : 1 + WRAPPED], bound)
        return opened(AESGCM(own), sealed[1 + WRAPPED :], bound)

    def keyed_hash(self, *parts: str | int) -> str:
        """Names a thing without telling it: 32 hex characters, injective over the parts."""
        text = json.dumps(parts, separators=(",", ":"), ensure_ascii=False)
        return self.keyed_hash_of(text.encode())

    def keyed_hash_of(self, content: bytes) -> str:
        return hmac.digest(self._hash_key, content, "sha256")[:16].hex()

    def _bound(self, purpose: str) -> bytes:
        if purpose not in self._associated:
            self._associated[purpose] = associated_data(*self._context, system="ledger", purpose=purpose)
        return self._associated[purpose]

    def __repr__(self) -> str:
        return "Seal(…)"

    def __reduce__(self) -> str:
        raise TypeError("a seal is never pickled: it would leave its process")


def associated_data(environment: str, tenant: str, *, system: str, purpose: str) -> bytes:
    """What a sealed value is bound to, as unambiguous JSON: ("a", "bc") is never ("ab", "c")."""
    return json.dumps(["ferry", 1, environment, tenant, system, purpose], separators=(",", ":")).encode()


def new_data_key(kek: KeyEncryptionKey, environment: str, tenant: str) -> Wrapped:
    """A new data key, wrapped. Only the wrapped form is ever stored."""
    return kek.wrap(AESGCM.generate_key(256), data_key_bound(environment, tenant))


def open_data_key(kek: KeyEncryptionKey, wrapped: Wrapped, environment: str, tenant: str) -> Seal:
    """Raises SealBroken if the key belongs to another tenant, environment or key-encryption key."""
    data_key = kek.unwrap(wrapped, data_key_bound(environment, tenant))
    return Seal(data_key, environment=environment, tenant=tenant)


def wrap_again(kek: KeyEncryptionKey, wrapped: Wrapped, associated: bytes) -> Wrapped:
    """The same key, wrapped by the present key, and seen to open before the old form is given up.

    Raises:
        SealBroken, KeyUnavailable, KeyDestroyed: the old form does not open, or the new one would not.
    """
    key = kek.unwrap(wrapped, associated)
    again = kek.wrap(key, associated)
    if not hmac.compare_digest(kek.unwrap(again, associated), key):
        raise SealBroken("a key did not survive being wrapped again; the old form stays, try it once more")
    return again


def opened(cipher: AESGCM, sealed: bytes, associated: bytes) -> bytes:
    """Raises SealBroken if it was sealed by another key or for another context, or changed."""
    try:
        return cipher.decrypt(sealed[:NONCE], sealed[NONCE:], associated)
    except (InvalidTag, ValueError):
        raise SealBroken(
            "a sealed value does not open: wrong key file, tenant or purpose, or it was changed; "
            "check FERRY_KEY_FILE, FERRY_KEK and FERRY_ENV"
        ) from None


def data_key_bound(environment: str, tenant: str) -> bytes:
    """What a tenant's wrapped data key is bound to."""
    return associated_data(environment, tenant, system="ledger", purpose="data-key")
