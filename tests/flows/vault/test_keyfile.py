import base64
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from flows.vault import KeyFile, KeyUnavailable, Passphrase, SealBroken, new_data_key, open_data_key
from flows.vault.keyfile import is_protected, protect

WORDS = b"correct horse battery staple"


def private(path: Path, content: bytes = WORDS + b"\n") -> Path:
    path.touch(mode=0o600)
    path.write_bytes(content)
    return path


@pytest.fixture
def passphrase(tmp_path: Path) -> Iterator[Passphrase]:
    yield Passphrase(private(tmp_path / "words"))


def test_a_new_key_is_protected_where_a_passphrase_file_is_configured(
    tmp_path: Path, passphrase: Passphrase
) -> None:
    path = tmp_path / "keys" / "ferry.key"
    kek = KeyFile(path, passphrase)
    wrapped = new_data_key(kek, "test", "acme")

    assert is_protected(path) and path.stat().st_mode & 0o777 == 0o600
    assert open_data_key(KeyFile(path, passphrase), wrapped, "test", "acme")
    assert list(path.parent.iterdir()) == [path]


def test_protecting_a_key_keeps_it_and_hides_it(tmp_path: Path, passphrase: Passphrase) -> None:
    path = tmp_path / "ferry.key"
    before = KeyFile(path)
    key = base64.b64decode(path.read_bytes())

    protect(path, Passphrase(), passphrase)

    assert KeyFile(path, passphrase).kid == before.kid
    content = path.read_bytes()
    assert key not in base64.b64decode(content.rpartition(b" ")[2]) and base64.b64encode(key) not in content


def test_the_passphrase_is_changed_and_the_old_one_opens_no_more(
    tmp_path: Path, passphrase: Passphrase
) -> None:
    path, new = tmp_path / "ferry.key", Passphrase(private(tmp_path / "new", b"another twelve letters"))
    kid = KeyFile(path, passphrase).kid

    protect(path, passphrase, new)

    assert KeyFile(path, new).kid == kid
    with pytest.raises(SealBroken, match="not its passphrase"):
        KeyFile(path, passphrase)


def test_a_protected_file_that_was_changed_does_not_open(tmp_path: Path, passphrase: Passphrase) -> None:
    path = tmp_path / "ferry.key"
    KeyFile(path, passphrase)
    parts = path.read_bytes().split(b" ")

    for at in (1, 2, 3):
        changed = list(parts)
        changed[at] = changed[at].swapcase() if at > 1 else b"scrypt-1-8-1"
        path.write_bytes(b" ".join(changed))
        with pytest.raises(SealBroken):
            KeyFile(path, passphrase)


def test_without_a_passphrase_file_and_a_terminal_it_says_what_to_set(
    tmp_path: Path, passphrase: Passphrase
) -> None:
    path = tmp_path / "ferry.key"
    KeyFile(path, passphrase)

    with pytest.raises(KeyUnavailable, match="set FERRY_KEY_PASSPHRASE_FILE"):
        KeyFile(path)


@pytest.mark.parametrize(
    ("mode", "content", "words"), [(0o644, WORDS, "chmod 600"), (0o600, b"short", "at least 12")]
)
def test_a_passphrase_that_protects_nothing_is_refused(
    tmp_path: Path, mode: int, content: bytes, words: str
) -> None:
    file = private(tmp_path / "words", content)
    file.chmod(mode)

    with pytest.raises((SealBroken, KeyUnavailable), match=words):
        KeyFile(tmp_path / "ferry.key", Passphrase(file))
    assert not (tmp_path / "ferry.key").exists()


def test_a_passphrase_is_asked_for_at_the_terminal_and_never_shown(tmp_path: Path) -> None:
    """A real terminal: a pseudo-terminal is the child's, and what it shows is read here."""
    path = tmp_path / "ferry.key"
    kid = KeyFile(path, Passphrase(private(tmp_path / "words"))).kid
    child, terminal = os.forkpty()
    if child == 0:  # pragma: no cover
        os.execvp(
            os.fspath(Path(".venv/bin/python").absolute()),
            [
                "python",
                "-c",
                f"from flows.vault import KeyFile; from pathlib import Path;"
                f"import sys; sys.stdout.write(KeyFile(Path({str(path)!r})).kid)",
            ],
        )
    shown = b""
    while b"passphrase" not in shown:
        shown += os.read(terminal, 1000)
    os.write(terminal, WORDS + b"\n")
    try:
        while more := os.read(terminal, 1000):
            shown += more
    except OSError:  # the child has ended
        pass
    os.waitpid(child, 0)
    os.close(terminal)

    assert kid.encode() in shown and WORDS not in shown


def test_a_former_key_file_is_never_made(tmp_path: Path) -> None:
    with pytest.raises(KeyUnavailable, match="cannot be read"):
        KeyFile(tmp_path / "former.key", make=False)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"short", b"\xff\xfe", b"ferry-key/1 scrypt-17-8-1", b"A" * 43])
def test_a_file_that_is_no_key_is_one_line(tmp_path: Path, content: bytes) -> None:
    path = private(tmp_path / "ferry.key", content)

    with pytest.raises((SealBroken, KeyUnavailable)):
        KeyFile(path)


def test_threads_and_processes_that_make_it_together_have_one_key(tmp_path: Path) -> None:
    path, start = tmp_path / "keys" / "ferry.key", threading.Barrier(8)

    def make(_: int) -> str:
        start.wait(10)
        return KeyFile(path).kid

    with ThreadPoolExecutor(8) as pool:
        kids = set(pool.map(make, range(8)))

    assert len(kids) == 1
    assert list(path.parent.iterdir()) == [path]
