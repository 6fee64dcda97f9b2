"""What goes wrong with keys, in one line each. No text of a library is in them."""

from flows.errors import Spoken


class SealBroken(Spoken):
    """A sealed value does not open: another key, another purpose, or it was changed."""


class KeyUnavailable(Spoken):
    """A key-encryption key cannot be used now: not there, disabled, denied, or no answer."""


class KeyDestroyed(Spoken):
    """A key-encryption key is destroyed: what only it wraps opens never again."""
