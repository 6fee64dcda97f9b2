"""A version is the files as they were: to look at without touching the live ones, or to roll back to."""

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from flows import pins, versions
from flows.tenants import load
from flows.versions import NotCommitted, VersionUnknown
from tests.flows.tenants.proofs import proved
from tests.flows.tenants.test_approval import LABEL, ROOT
from tests.flows.tenants.test_check import ferry

NAMES = ("--author", "Ana Author", "--approver", "Ben Reader")


def git(root: Path, *arguments: str) -> str:
    who = ("-c", "user.name=Ana", "-c", "user.email=ana@example.com", "-c", "commit.gpgsign=false")
    done = subprocess.run(["git", *who, *arguments], cwd=root, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def commit(root: Path, said: str) -> str:
    git(root, "add", "-A")
    git(root, "commit", "-qm", said)
    return git(root, "rev-parse", "HEAD")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One integration in a real repository, proved, approved and committed."""
    root = tmp_path / "practice" / "deployments"
    shutil.copytree(ROOT / "deployments" / "example", root / "example")
    shutil.rmtree(root / "example" / "warehouse" / "golden", ignore_errors=True)
    for approved in (root / "example").glob("*/approval.yaml"):
        approved.unlink()
    git(root.parent, "init", "-q")
    made = root / "example" / "warehouse"
    proved(made)
    assert ferry(root, "approve", LABEL, *NAMES, FERRY_ENV="production").returncode == 0
    return made


def changed(folder: Path) -> None:
    """Another program, another example, another proof: approved, too."""
    path = folder / "program.py"
    path.write_text(path.read_text().replace('status="active"', 'status="archived"'))
    (folder / "golden" / "second.yaml").write_text((folder / "golden" / "archived.yaml").read_text())
    proved(folder)
    assert ferry(folder.parents[1], "approve", LABEL, *NAMES, FERRY_ENV="production").returncode == 0


def test_rolling_back_approves_an_earlier_commit_and_the_run_takes_it(folder: Path) -> None:
    root = folder.parents[1]
    first = commit(root, "first")
    before = {path.relative_to(folder): path.read_bytes() for path in versions.files(folder)}
    changed(folder)
    second = commit(root, "second")

    back = ferry(root, "approve", LABEL, *NAMES, "--version", first[:10], FERRY_ENV="production")

    assert back.returncode == 0, back.stderr
    assert {path.relative_to(folder): path.read_bytes() for path in versions.files(folder)} == before
    approved = yaml.safe_load((folder / "approval.yaml").read_text())
    assert approved["files"] == pins.files(folder)
    assert (
        ferry(root, "check", "example", FERRY_ENV="production").stdout.count("warehouse/approval.yaml") == 0
    )
    third = commit(root, "rolled back")
    assert ferry(root, "approve", LABEL, *NAMES, "--version", second, FERRY_ENV="production").returncode == 0
    assert third != second and (folder / "golden" / "second.yaml").exists()


def test_what_is_in_no_commit_is_not_overwritten(folder: Path) -> None:
    root = folder.parents[1]
    first = commit(root, "first")
    (folder / "instructions.md").write_text("S1. Something new.\n")

    refused = ferry(root, "approve", LABEL, *NAMES, "--version", first)

    assert refused.returncode == 1
    assert "has changes that are in no commit, and would be lost; commit them first" in refused.stderr
    assert (folder / "instructions.md").read_text() == "S1. Something new.\n"


def test_a_version_that_is_not_right_changes_nothing(folder: Path) -> None:
    root = folder.parents[1]
    right = (folder / "program.py").read_text()
    (folder / "program.py").write_text("def decide(entry, today):\n    return nothing\n")
    wrong = commit(root, "wrong")
    (folder / "program.py").write_text(right)
    commit(root, "right again")

    refused = ferry(root, "approve", LABEL, *NAMES, "--version", wrong)

    assert refused.returncode == 1 and "program.py:2: " in refused.stdout
    assert git(root, "status", "--porcelain") == ""


def test_a_version_without_a_proof_is_not_rolled_back_to_in_production(folder: Path) -> None:
    root = folder.parents[1]
    (folder / "proof.yaml").unlink()
    unproved = commit(root, "without a proof")
    proved(folder)
    commit(root, "with one")

    refused = ferry(root, "approve", LABEL, *NAMES, "--version", unproved, FERRY_ENV="production")

    assert "was not tested on the golden examples" in refused.stderr
    assert git(root, "status", "--porcelain") == ""


def test_a_version_is_looked_at_without_touching_the_files(folder: Path) -> None:
    root = folder.parents[1]
    first = commit(root, "first")
    old = load(root, LABEL).instructions
    changed(folder)
    commit(root, "second")
    shutil.copytree(folder, folder / "next")
    (folder / "next" / "instructions.md").write_text("S1. Each patient is one row.\n")
    (folder / "next" / "program.py").write_text("def decide(entry, today):\n    return skip('S1', 'no')\n")
    (folder / "next" / "fields.yaml").write_text("S1: [active]\n")

    with versions.at(root, LABEL, first) as there:
        assert load(there, LABEL).instructions == old
        assert not (there / LABEL / "golden" / "second.yaml").exists()
    with versions.at(root, LABEL, "next") as there:
        assert load(there, LABEL).instructions.numbers == ("S1",)
    with versions.at(root, LABEL, str(folder / "next")) as there:
        assert load(there, LABEL).instructions.numbers == ("S1",)
    with versions.at(root, LABEL, "") as there:
        assert load(there, LABEL).instructions != old
    assert git(root, "status", "--porcelain").splitlines() == ["?? deployments/example/warehouse/next/"]


@pytest.mark.parametrize("version", ["nothing", "--help", "HEAD:deployments", "0" * 40])
def test_what_is_no_version_is_told(folder: Path, version: str) -> None:
    commit(folder.parents[1], "first")

    told = "is no folder with its files and no commit"
    with pytest.raises(VersionUnknown, match=told), versions.at(folder.parents[1], LABEL, version):
        pass


def test_a_commit_without_the_integration_is_told(folder: Path) -> None:
    root = folder.parents[1]
    git(root, "commit", "-q", "--allow-empty", "-m", "empty")
    empty = git(root, "rev-parse", "HEAD")

    with pytest.raises(VersionUnknown, match="git has no files of it"), versions.at(root, LABEL, empty):
        pass


def test_without_git_nothing_is_replaced(folder: Path) -> None:
    shutil.rmtree(folder.parents[2] / ".git")

    with pytest.raises(NotCommitted):
        versions.put(folder, folder)
