"""Versions: an integration's files as they were at a commit, or as they are in a folder.

A version stands in a folder of deployments of its own, with its tenant as it is now: so everything that
reads an integration's files reads a version's, and nothing of the live files is touched.
"""

import io
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from agent import golden
from flows import approval, pins
from flows.errors import Spoken
from flows.parameters import NAME
from flows.pins import PROOF_FILE, SINGLE
from flows.rehearsal import COMMIT, Shadow

GIT_SECONDS = 60.0
LARGEST = 50_000_000  # bytes of a version


class VersionUnknown(Spoken):
    """There is no such version. One line."""


class NotCommitted(Spoken):
    """Files that would be replaced are in no commit: they would be lost. One line."""


@contextmanager
def at(root: Path, label: str, version: str) -> Generator[Path]:
    """A folder of deployments that holds this integration as it was at a version, and its tenant as now.

    version: a folder beside the integration's files, any folder with such files, a commit, a branch or a
    tag; "" is the files as they are now.

    Raises:
        VersionUnknown: it is none of these.
    """
    elsewhere = () if re.fullmatch(COMMIT, version) else (Path(version),)
    with _at(root, label, version, elsewhere) as there:
        yield there


@contextmanager
def beside(root: Path, label: str, shadow: Shadow) -> Generator[Path]:
    """The same of the version that decides beside the live one: only what an approval can pin.

    Raises:
        VersionUnknown: it is neither a folder beside the integration's files nor a whole commit's name.
    """
    if problem := pins.unpinnable(root / label, shadow):
        raise VersionUnknown(f"{label}: shadow.version {problem}; {pins.PINNABLE}")
    with _at(root, label, shadow.version) as there:
        yield there


@contextmanager
def _at(root: Path, label: str, version: str, elsewhere: Sequence[Path] = ()) -> Generator[Path]:
    tenant, _, name = label.partition("/")
    with tempfile.TemporaryDirectory(prefix="ferry-version-") as made:
        there = Path(made) / tenant / name
        there.mkdir(parents=True)
        for shared in [*root.glob("*.yaml"), root / tenant / "tenant.yaml"]:  # as they are now
            shutil.copyfile(shared, Path(made) / shared.relative_to(root))
        folder = _folder(root / label, version, elsewhere)
        if folder is not None:
            _copy(_whole(folder), folder, there)
        else:
            _extract(_archived(root, label, version), Path(made), label)
        if not any(there.iterdir()):
            raise VersionUnknown(f"{label}: has no files at {version}; name another version")
        yield Path(made)


def put(source: Path, target: Path, shadow: Shadow | None = None) -> None:
    """Make a folder's files those of a version, its approval last: until then a run refuses them.

    shadow: the one that the version names; its files come with it, if they are a folder's.

    Raises:
        NotCommitted: what is replaced could not be brought back.
    """
    beside = shadow.version if shadow else ""
    for name in dict.fromkeys(("", beside)):
        if not name or any(True for _ in files(target / name)):
            check_committed(target / name)
    for name in dict.fromkeys(("", beside)):
        for path in list(files(target / name)):
            path.unlink()
        _copy(files(source / name), source, target)
    shutil.copyfile(source / approval.FILE, target / approval.FILE)


def files(folder: Path) -> Iterable[Path]:
    """The files of a version that are in a folder."""
    single = (folder / name for name in (*SINGLE, PROOF_FILE))
    return (path for path in (*single, *(folder / golden.FOLDER).glob("*.yaml")) if path.is_file())


def check_committed(folder: Path) -> None:
    """Raises NotCommitted unless git has every file of a folder's version as it is now."""
    names = [str(path.relative_to(folder)) for path in files(folder)]
    tracked = _git(folder, "ls-files", "--error-unmatch", "--", *names)
    if tracked is None or _git(folder, "status", "--porcelain", "--", *names) != b"":
        raise NotCommitted(
            f"{folder}: has changes that are in no commit, and would be lost; commit them first"
        )


def _folder(own: Path, version: str, elsewhere: Sequence[Path] = ()) -> Path | None:
    for folder in (own / version, *elsewhere) if version else (own,):
        if any(True for _ in files(folder)):
            return folder
    return None


def _whole(folder: Path) -> Iterator[Path]:
    """A version's files, its approval, and the files of the versions in folders beside them."""
    yield from files(folder)
    if (folder / approval.FILE).is_file():
        yield folder / approval.FILE
    for inner in sorted(folder.iterdir()):
        if inner.is_dir() and _is_beside(inner.name):
            yield from files(inner)


def _is_beside(name: str) -> bool:
    return name != golden.FOLDER and re.fullmatch(NAME, name) is not None


def _copy(paths: Iterable[Path], source: Path, target: Path) -> None:
    for path in list(paths):
        copy = target / path.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)


def _archived(root: Path, label: str, version: str) -> bytes:
    commit = _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{version}^{{commit}}")
    if commit is None:
        raise VersionUnknown(
            f"{label}: {version} is no folder with its files and no commit of git; correct it"
        )
    found = _git(root, "archive", "--format=tar", commit.decode().strip(), "--", label)
    if found is None or len(found) > LARGEST:
        raise VersionUnknown(f"{label}: git has no files of it at {version}; name another version")
    return found


def _extract(archive: bytes, root: Path, label: str) -> None:
    """The files of a version out of an archive; others, and what is no plain file, stay in it."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        for member in tar.getmembers():
            name = member.name.removeprefix(f"{label}/")
            content = tar.extractfile(member) if member.isfile() and _is_of_a_version(name) else None
            if content is not None:
                path = root / label / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content.read())


def _is_of_a_version(name: str) -> bool:
    """The same as `_whole` takes, by the path in the integration's folder."""
    first, _, rest = name.partition("/")
    own = rest if rest and _is_beside(first) else name
    example = own.startswith(f"{golden.FOLDER}/") and own.count("/") == 1 and own.endswith(".yaml")
    return example or own in (*SINGLE, PROOF_FILE) or name == approval.FILE


def _git(folder: Path, *arguments: str) -> bytes | None:
    """What git says in a folder; None if it refuses, or is not there."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(  # noqa: S603  # no shell, and our own arguments
            ["git", "--no-replace-objects", "-C", str(folder), *arguments],  # noqa: S607  # whichever git the machine has
            env=own,
            capture_output=True,
            timeout=GIT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
