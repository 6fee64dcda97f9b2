"""A version is the files as they were: to look at without touching the live ones, or to roll back to."""

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from flows import approval, pins, versions
from flows.approval import NotApproved, Signed
from flows.rehearsal import Shadow
from flows.tenants import load
from flows.versions import NotCommitted, VersionUnknown
from tests.flows.tenants.proofs import ROOT, TODAY, ferry, proved
from tests.flows.tenants.test_approval import LABEL

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


def beside(folder: Path, version: str) -> None:
    """Name a version that decides beside the live one."""
    path = folder / "integration.yaml"
    path.write_text(f"{path.read_text()}\nshadow: {{version: {version}, runs: 2}}\n")


def copied(folder: Path, there: Path) -> None:
    there.mkdir(parents=True)
    for path in list(versions.files(folder)):
        (there / path.relative_to(folder)).parent.mkdir(exist_ok=True)
        shutil.copyfile(path, there / path.relative_to(folder))


def required(folder: Path) -> None:
    of = load(folder.parents[1], LABEL)
    approval.require(folder, of.integration, of.connections, production=True, today=TODAY)


def approved(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return ferry(folder.parents[1], "approve", LABEL, *NAMES, *arguments, FERRY_ENV="production")


def test_a_version_beside_is_only_what_an_approval_can_pin(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, elsewhere = folder.parents[1], folder.parents[2] / "elsewhere"
    whole = commit(root, "first")
    git(root, "branch", "trial")
    copied(folder, elsewhere / "trial")
    copied(folder, elsewhere / whole)
    (elsewhere / whole / "program.py").write_text("def decide(entry, today):\n    return []\n")
    monkeypatch.chdir(elsewhere)

    for version in ("trial", "elsewhere", f"a{whole[:6]}"):
        told, shadow = rf"shadow\.version is {version}, and no folder with a ver", Shadow(version=version)
        with pytest.raises(VersionUnknown, match=told), versions.beside(root, LABEL, shadow):
            pass
    for at in (versions.beside(root, LABEL, Shadow(version=whole)), versions.at(root, LABEL, whole)):
        with at as there:
            assert pins.tested(there / LABEL) == pins.tested(folder)
    with versions.at(root, LABEL, "trial") as there:  # to look at, any of these is a version
        assert pins.tested(there / LABEL) == pins.tested(folder)


def test_a_shadow_that_cannot_be_pinned_is_neither_approved_nor_run(folder: Path) -> None:
    root, told = (
        folder.parents[1],
        "shadow.version is trial, and no folder with a version's files stands there",
    )
    before = (folder / "integration.yaml").read_text()
    commit(root, "first")
    git(root, "branch", "trial")
    beside(folder, "trial")
    proved(folder)

    refused = approved(folder)
    assert (
        refused.returncode == 1
        and f"integration.yaml:{before.count(chr(10)) + 2}: {told}; " in refused.stdout
    )
    of = load(root, LABEL)
    with pytest.raises(NotApproved, match=told):
        approval.approve(folder, of.integration, of.connections, Signed("Ana", "Ben", TODAY), production=True)
    copied(folder, folder / "trial")
    of = load(root, LABEL)
    approval.approve(folder, of.integration, of.connections, Signed("Ana", "Ben", TODAY), production=True)
    required(folder)
    shutil.rmtree(folder / "trial")
    path = folder / "approval.yaml"
    kept = yaml.safe_load(path.read_text())
    kept["files"] = {name: one for name, one in kept["files"].items() if not name.startswith("trial/")}
    path.write_text(yaml.safe_dump(kept))

    with pytest.raises(NotApproved, match=told):
        required(folder)


@pytest.mark.parametrize("left", ["nothing", "another next"])
def test_rolling_back_brings_the_files_of_the_shadow_too(folder: Path, left: str) -> None:
    root, live = folder.parents[1], (folder / "integration.yaml").read_text()
    copied(folder, folder / "next")
    beside(folder, "next")
    proved(folder)
    assert approved(folder).returncode == 0
    shadowed = {path: path.read_bytes() for path in versions.files(folder / "next")}
    first = commit(root, "with a version beside")
    shutil.rmtree(folder / "next")
    if left == "another next":
        copied(folder, folder / "next")
        (folder / "next" / "golden" / "more.yaml").write_text("shows: more\n")
    (folder / "integration.yaml").write_text(live)
    proved(folder)
    assert approved(folder).returncode == 0
    commit(root, "promoted")

    back = approved(folder, "--version", first)

    assert back.returncode == 0, back.stdout + back.stderr
    assert {path: path.read_bytes() for path in versions.files(folder / "next")} == shadowed
    required(folder)


def test_a_shadow_in_no_commit_is_not_overwritten_by_rolling_back(folder: Path) -> None:
    root = folder.parents[1]
    copied(folder, folder / "next")
    beside(folder, "next")
    proved(folder)
    assert approved(folder).returncode == 0
    first = commit(root, "with a version beside")
    (folder / "next" / "program.py").write_text("# being written\n")

    back = approved(folder, "--version", first)

    assert back.returncode == 1 and "next: has changes that are in no commit" in back.stderr
    assert (folder / "next" / "program.py").read_text() == "# being written\n"


def test_a_shadow_whose_files_were_swapped_after_they_were_approved_is_refused(folder: Path) -> None:
    copied(folder, folder / "next")
    beside(folder, "next")
    proved(folder)
    assert approved(folder).returncode == 0
    read = pins.tested(folder / "next")

    approval.require_beside(folder, "next", read)
    with pytest.raises(NotApproved, match=f"^{LABEL}: next differs from what was approved; "):
        approval.require_beside(folder, "next", read | {"program.py": "0" * 64})
