"""The audit's key: one for the environment, so that chains can be verified when a tenant's key is gone.

It is wrapped by the key-encryption key like a tenant's data key, and bound to the environment and to the
system "audit": a wrapped data key put in its place does not open, nor the other way round.
"""

import hmac
import json

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from flows.vault import KeyEncryptionKey, Wrapped, associated_data


class AuditKey:
    """Makes the keyed hashes of the audit: links of chains, and subjects. Only this key can make them."""

    def __init__(self, key: bytes) -> None:
        self._hash_key = hmac.digest(key, b"ferry/audit/1", "sha256")

    def hash(self, *parts: str | int) -> str:
        """32 hex characters, injective over the parts."""
        text = json.dumps(parts, separators=(",", ":"), ensure_ascii=False)
        return hmac.digest(self._hash_key, text.encode(errors="surrogatepass"), "sha256")[:16].hex()

    def __repr__(self) -> str:
        return "AuditKey(…)"

    def __reduce__(self) -> str:
        raise TypeError("an audit key is never pickled: it would leave its process")


def bound(environment: str) -> bytes:
    """What the wrapped audit key is bound to: needed by whoever wraps it anew."""
    return associated_data(environment, "", system="audit", purpose="audit-key")


def new_audit_key(kek: KeyEncryptionKey, environment: str) -> Wrapped:
    """A new audit key, wrapped. Only the wrapped form is ever stored."""
    return kek.wrap(AESGCM.generate_key(256), bound(environment))


def open_audit_key(kek: KeyEncryptionKey, wrapped: Wrapped, environment: str) -> AuditKey:
    """Raises SealBroken if it was wrapped for another environment or by another key."""
    return AuditKey(kek.unwrap(wrapped, bound(environment)))
