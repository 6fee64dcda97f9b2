"""A key-encryption key in a file, in clear or under a passphrase."""

import base64
import contextlib
import getpass
import hashlib
import os
import secrets
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from flows.vault.errors import KeyUnavailable, SealBroken
from flows.vault.seal import NONCE, Wrapped, opened

PROTECTED = b"ferry-key/1 scrypt-17-8-1"  # N = 2^17, r, p: 128 MiB and about half a second for each guess
SHORTEST = 12  # characters of a passphrase
SIZE = 32  # bytes


@dataclass(frozen=True, slots=True)
class Passphrase:
    """Where the passphrase of a key file comes from: a private file, else the terminal.

    Never an argument and never a variable's value: other processes can see those.
    """

    file: Path | None = None

    def ask(self, path: Path) -> bytes:
        """The passphrase that is in use.

        Raises:
            KeyUnavailable: there is no file and nobody to ask.
        """
        if self.file is not None:
            return _read_private(self.file).rstrip(b"\r\n")
        if not sys.stdin.isatty():
            raise KeyUnavailable(
                f"{path}: needs its passphrase; set FERRY_KEY_PASSPHRASE_FILE to a file that holds it"
            )
        return getpass.getpass(f"passphrase of {path}: ").encode()

    def choose(self, path: Path) -> bytes:
        """A new passphrase, asked twice at the terminal, or the file's.

        Raises:
            KeyUnavailable: too short, or not the same twice.
        """
        chosen = self.ask(path)
        if len(chosen) < SHORTEST:
            raise KeyUnavailable(f"{path}: a passphrase has at least {SHORTEST} characters; choose a longer")
        if self.file is None and getpass.getpass("the same again: ").encode() != chosen:
            raise KeyUnavailable(f"{path}: that was not the same passphrase twice; nothing was changed")
        return chosen


class KeyFile:
    """A key-encryption key in a file that its owner alone may read."""

    def __init__(self, path: Path, passphrase: Passphrase | None = None, *, make: bool = True) -> None:
        """Reads the file. Makes it, with a new key, where there is none and `make` allows it.

        A new key is protected at once where a passphrase file is configured.

        Raises:
            SealBroken: the file is no key, others may read it, or the passphrase is another.
            KeyUnavailable: it is not there, or its passphrase is not to be had.
        """
        passphrase = passphrase or Passphrase()
        if make:
            _make_where_none_is(path, passphrase)
        key = _key_in(path, _read_private(path), passphrase)
        self._cipher = AESGCM(key)
        self.kid = "file:" + hashlib.sha256(b"ferry-kid" + key).hexdigest()[:16]

    def current(self) -> str:
        return self.kid

    def opens(self, kid: str) -> bool:
        return kid == self.kid

    def wrap(self, data_key: bytes, associated: bytes) -> Wrapped:
        nonce = os.urandom(NONCE)
        return Wrapped(self.kid, nonce + self._cipher.encrypt(nonce, data_key, associated))

    def unwrap(self, wrapped: Wrapped, associated: bytes) -> bytes:
        if not self.opens(wrapped.kid):
            raise SealBroken("a data key is wrapped by another key than this key file; see: ferry keys")
        return opened(self._cipher, wrapped.content, associated)

    def __repr__(self) -> str:
        return f"KeyFile({self.kid})"

    def __reduce__(self) -> str:
        raise TypeError("a key is never pickled: it would leave its process")


def protect(path: Path, old: Passphrase, new: Passphrase) -> None:
    """Put the key under a passphrase, or under another one. The key stays, and so does its kid.

    Raises:
        SealBroken, KeyUnavailable: nothing was changed.
    """
    key = _key_in(path, _read_private(path), old)
    draft = _draft(path, _locked(key, new.choose(path)))
    draft.replace(path)
    _settle(path.parent)


def is_protected(path: Path) -> bool:
    return _read_private(path).startswith(PROTECTED)


def _key_in(path: Path, content: bytes, passphrase: Passphrase) -> bytes:
    try:
        if content.startswith(PROTECTED):
            return _unlocked(path, content, passphrase)
        key = base64.b64decode(content)
    except ValueError:
        key = b""
    if len(key) != SIZE:
        raise SealBroken(f"{path}: not a key of 32 bytes in base64; restore it from its backup")
    return key


def _locked(key: bytes, passphrase: bytes) -> bytes:
    salt, nonce = os.urandom(16), os.urandom(NONCE)
    header = PROTECTED + b" " + base64.b64encode(salt)
    sealed = nonce + AESGCM(_stretched(passphrase, salt)).encrypt(nonce, key, header)
    return header + b" " + base64.b64encode(sealed)


@lru_cache(maxsize=8)  # asked for and stretched once in a process, not once for each integration
def _unlocked(path: Path, content: bytes, passphrase: Passphrase) -> bytes:
    header, _, sealed = content.strip().rpartition(b" ")
    salt = base64.b64decode(header.removeprefix(PROTECTED))
    cipher = AESGCM(_stretched(passphrase.ask(path), salt))
    try:
        return opened(cipher, base64.b64decode(sealed), header)
    except SealBroken:
        raise SealBroken(f"{path}: that is not its passphrase, or the file was changed") from None


def _stretched(passphrase: bytes, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=SIZE, n=2**17, r=8, p=1).derive(passphrase)


def _read_private(path: Path) -> bytes:
    try:
        if path.stat().st_mode & 0o077:
            raise SealBroken(f"{path}: others may read it; run chmod 600 on it")
        return path.read_bytes()
    except OSError as error:
        raise KeyUnavailable(
            f"{path}: cannot be read ({error.strerror}); restore it, or correct its name"
        ) from None


def _make_where_none_is(path: Path, passphrase: Passphrase) -> None:
    try:
        if path.exists():
            return
        new = AESGCM.generate_key(256)
        content = _locked(new, passphrase.choose(path)) if passphrase.file else base64.b64encode(new)
        _create_private(path, content)
    except OSError as error:
        raise KeyUnavailable(f"{path}: cannot be made ({error.strerror}); check FERRY_KEY_FILE") from None


def _create_private(path: Path, content: bytes) -> None:
    """Whole or not at all, and never over a key that is there: the first of two processes wins."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = _draft(path, content)
    with contextlib.suppress(FileExistsError):
        path.hardlink_to(draft)
    draft.unlink()
    _settle(path.parent)


def _draft(path: Path, content: bytes) -> Path:
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    draft.touch(mode=0o600)
    with draft.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())  # a key that wraps something survives a power cut
    return draft


def _settle(folder: Path) -> None:
    """The folder's list of names too survives a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
