"""Sealing: AES-256-GCM under a tenant's data key, which a key-encryption key wraps.

A key-encryption key is a key file (flows.vault.keyfile) or a Cloud KMS key (flows.vault.cloudkms); the
settings say which (flows.vault.configured). It wraps each tenant's data key; the data key seals plans
and pre-images and wraps the key of each secret. So a tenant is forgotten by destroying one row, and the
key-encryption key is changed by wrapping one row a tenant again.
"""

from flows.vault.errors import KeyDestroyed, KeyUnavailable, SealBroken
from flows.vault.keyfile import KeyFile, Passphrase
from flows.vault.seal import (
    KeyEncryptionKey,
    Seal,
    Wrapped,
    associated_data,
    data_key_bound,
    new_data_key,
    open_data_key,
    wrap_again,
)

__all__ = [
    "KeyDestroyed",
    "KeyEncryptionKey",
    "KeyFile",
    "KeyUnavailable",
    "Passphrase",
    "Seal",
    "SealBroken",
    "Wrapped",
    "associated_data",
    "data_key_bound",
    "new_data_key",
    "open_data_key",
    "wrap_again",
]
