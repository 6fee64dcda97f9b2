"""Sealing: AES-256-GCM under a tenant's data key, which a key-encryption key wraps.

The associated data of both layers binds environment, tenant, system and purpose, and is made from the
request's own context, never read from what was stored. A sealed value that was moved to another
tenant, purpose or environment does not open.
"""

import base64
import contextlib
import hashlib
import hmac
import json
import os
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from flows.errors import Spoken

NONCE = 12  # bytes
WRAPPED = NONCE + 32 + 16  # bytes: a nonce, a key, a tag
VERSION = b"\x01"


class SealBroken(Spoken):
    """A sealed value does not open: another key, another purpose, or it was changed."""


class KeyEncryptionKey(Protocol):
    """Wraps data keys. A key file locally; a Cloud KMS key has the same two methods."""

    kid: str

    def wrap(self, data_key: bytes, associated: bytes) -> bytes: ...

    def unwrap(self, wrapped: bytes, associated: bytes) -> bytes: ...


class KeyFile:
    """A key-encryption key in a file of base64, readable by its owner alone."""

    def __init__(self, path: Path) -> None:
        """Reads the file; makes it, with a new key, where there is none.

        Raises:
            SealBroken: the file is no key, or others may read it.
        """
        if not path.exists():
            _create_private(path, base64.b64encode(AESGCM.generate_key(256)))
        if path.stat().st_mode & 0o077:
            raise SealBroken(f"{path}: others may read the key file; run chmod 600 on it")
        key = base64.b64decode(path.read_bytes())
        if len(key) != 32:
            raise SealBroken(f"{path}: not a key of 32 bytes in base64; restore it from its backup")
        self._cipher = AESGCM(key)
        self.kid = "file:" + hashlib.sha256(b"ferry-kid" + key).hexdigest()[:16]

    def wrap(self, data_key: bytes, associated: bytes) -> bytes:
        nonce = os.urandom(NONCE)
        return nonce + self._cipher.encrypt(nonce, data_key, associated)

    def unwrap(self, wrapped: bytes, associated: bytes) -> bytes:
        return _opened(self._cipher, wrapped, associated)


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
        return _opened(self._cipher, sealed[1:], self._bound(purpose))

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
        own = _opened(self._cipher, sealed[1 : 1 + WRAPPED], bound)
        return _opened(AESGCM(own), sealed[1 + WRAPPED :], bound)

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


def new_data_key(kek: KeyEncryptionKey, environment: str, tenant: str) -> bytes:
    """A new data key, wrapped. Only the wrapped form is ever stored."""
    bound = associated_data(environment, tenant, system="ledger", purpose="data-key")
    return kek.wrap(AESGCM.generate_key(256), bound)


def open_data_key(kek: KeyEncryptionKey, wrapped: bytes, environment: str, tenant: str) -> Seal:
    """Raises SealBroken if the key belongs to another tenant, environment or key-encryption key."""
    bound = associated_data(environment, tenant, system="ledger", purpose="data-key")
    return Seal(kek.unwrap(wrapped, bound), environment=environment, tenant=tenant)


def _opened(cipher: AESGCM, sealed: bytes, associated: bytes) -> bytes:
    try:
        return cipher.decrypt(sealed[:NONCE], sealed[NONCE:], associated)
    except (InvalidTag, ValueError):
        raise SealBroken(
            "a sealed value does not open: wrong key file, tenant or purpose, or it was changed"
        ) from None


def _create_private(path: Path, content: bytes) -> None:
    """Whole or not at all, and never over a key that is there: the first of two processes wins."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_bytes(content)
    with contextlib.suppress(FileExistsError):
        path.hardlink_to(draft)
    draft.unlink()
