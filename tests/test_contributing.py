"""The chapter on adding a connector, followed word for word in a copy of the house: the suite takes it."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
CHAPTER = (ROOT / "CONTRIBUTING.md").read_text().split("## Adding a connector\n")[1].split("\n## ")[0]
BLOCK = re.compile(r"```python\n(.*?)```\n", re.DOTALL)
NEW = re.compile(r"`((?:connectors|tests)/\S*shelf\S*\.py)`")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what is needed, and in it what the chapter adds."""
    folder = tmp_path_factory.mktemp("house")
    for name in ("connectors", "flows", "agent", "tests"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    for path, text in files().items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(text)
    _make_known(folder)
    return folder


def files() -> dict[str, str]:
    """The chapter's whole files: each stands after the paragraph that names it."""
    found: dict[str, str] = {}
    for before, text in zip(BLOCK.split(CHAPTER)[::2], BLOCK.findall(CHAPTER), strict=False):
        if named := NEW.findall(before.strip().split("\n\n")[-1]):
            found[named[0]] = text
    return found


def _make_known(folder: Path) -> None:
    """The row with its import, the name in `Connectors`, the module in the contract."""
    known = [text for text in BLOCK.findall(CHAPTER) if text not in files().values()]
    _insert(folder / "flows" / "systems.py", "from connectors.source import", known[0])
    _insert(folder / "flows" / "systems.py", '    "healthie": System(', known[1])
    _insert(folder / "flows" / "tenants.py", '"probe",', '"shelf", ')
    _insert(folder / "pyproject.toml", '"connectors.healthie",', '"connectors.shelf", ')


def _insert(path: Path, before: str, text: str) -> None:
    whole = path.read_text()
    assert whole.count(before) == 1, f"{path.name}: {before}"
    path.write_text(whole.replace(before, text + before))


def run(house: Path, *command: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=house, capture_output=True, text=True, check=False, timeout=500
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
    return done.stdout


def test_the_chapter_gives_a_connector_a_stand_in_and_a_case() -> None:
    assert list(files()) == [
        "connectors/shelf.py",
        "connectors/sandbox/shelf.py",
        "tests/connectors/shelf/case.py",
    ]


def test_what_the_chapter_says_passes_the_suite(house: Path) -> None:
    suite = ("tests/test_every_connector.py", "tests/test_every_connector_under_faults.py")
    assert f"pytest {' '.join(suite)} -k shelf" in CHAPTER

    said = run(
        house, "pytest", "-q", "-p", "no:cacheprovider", *suite, "-k", "shelf or exemption or system_that"
    )
    passed = int(re.findall(r"(\d+) passed", said)[0])
    assert passed >= 30
    assert "skipped" not in said and "failed" not in said


def test_what_the_chapter_says_is_clean(house: Path) -> None:
    run(house, "ruff", "check", *files(), "flows/systems.py")
    run(house, "ruff", "format", "--check", *files())
    run(house, "importlinter.cli", "lint")


def test_ferry_check_knows_it(house: Path) -> None:
    code = (
        "from flows.check import offers; from flows.tenants import Target; "
        "there = offers.offered('shelf', Target(connection='x', categories=())); print(*there.holds.names)"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=house, capture_output=True, text=True, check=False, timeout=60)

    assert done.stdout == "baa\n", done.stderr
