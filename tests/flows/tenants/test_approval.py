"""A run does what a person approved, and refuses everything else in one line."""

import datetime
import shutil
from pathlib import Path

import pytest
import yaml

from flows import approval, pins, run
from flows.approval import NotApproved, Signed
from flows.boundary import CodedFailure
from flows.check import check
from flows.parameters import Parameters
from flows.run import opened
from flows.settings import Settings
from flows.tenants import Deployment, load
from tests.flows.tenants.proofs import ROOT, TODAY, ferry, proved

LABEL = "example/warehouse"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of one integration with its tenant: proved, and not approved yet."""
    shutil.copytree(ROOT / "deployments" / "example", tmp_path / "example")
    shutil.copy(ROOT / "deployments" / "models.yaml", tmp_path)
    for approved in (tmp_path / "example").glob("*/approval.yaml"):
        approved.unlink()
    proved(tmp_path / "example" / "warehouse")
    return tmp_path / "example" / "warehouse"


def approve(
    folder: Path,
    approver: str = "Ben Reader",
    *,
    production: bool = True,
    expires: datetime.date | None = None,
) -> None:
    of = load(folder.parents[1], LABEL)
    by = Signed("Ana Author", approver, TODAY, expires)
    approval.approve(folder, of.integration, of.connections, by, production=production)


def require(folder: Path, *, production: bool = True, today: datetime.date = TODAY) -> None:
    of = load(folder.parents[1], LABEL)
    approval.require(folder, of.integration, of.connections, production=production, today=today)


def test_what_was_approved_may_run(folder: Path) -> None:
    approve(folder)

    require(folder)


@pytest.mark.parametrize("name", [*pins.SINGLE, "golden/archived.yaml"])
@pytest.mark.parametrize("production", [True, False])
def test_a_changed_file_may_not_run(folder: Path, name: str, production: bool) -> None:
    approve(folder)
    (folder / name).write_text((folder / name).read_text() + "\n# one line more\n")

    with pytest.raises(
        NotApproved, match=f"^{LABEL}: {name} differs from what was approved; have it read again"
    ):
        require(folder, production=production)


def test_a_file_that_is_gone_or_new_may_not_run(folder: Path) -> None:
    approve(folder)
    source = (folder / "program.py").read_text()
    (folder / "program.py").unlink()
    with pytest.raises(NotApproved, match=r"program\.py was approved and is not there; "):
        require(folder)
    proved(folder)
    approve(folder)
    (folder / "program.py").write_text(source)

    with pytest.raises(NotApproved, match=r"program\.py was not approved; "):
        require(folder)


def test_an_approval_ends_after_its_last_day(folder: Path) -> None:
    last = TODAY + datetime.timedelta(days=30)
    approve(folder, expires=last)

    require(folder, today=last)
    with pytest.raises(NotApproved, match=f"the approval expired on {last}; "):
        require(folder, today=last + datetime.timedelta(days=1))


def test_production_needs_an_approval_by_two_people(folder: Path) -> None:
    with pytest.raises(NotApproved, match=f"^{LABEL}: was not approved; run: ferry approve {LABEL} "):
        require(folder)
    require(folder, production=False)
    with pytest.raises(NotApproved, match="in production they must be two"):
        approve(folder, " ana AUTHOR ")
    approve(folder, " ana AUTHOR ", production=False)

    require(folder, production=False)
    with pytest.raises(
        NotApproved, match="author and approver are one person; have another person approve it"
    ):
        require(folder)


def test_an_approval_that_is_not_one_may_not_run(folder: Path) -> None:
    approve(folder)
    (folder / "approval.yaml").write_text("files: {instructions.md: yes}\n")

    with pytest.raises(NotApproved, match=r"approval\.yaml: is not readable as an approval; "):
        require(folder, production=False)


def test_check_tells_each_objection_at_its_line(folder: Path) -> None:
    approve(folder)
    (folder / "program.py").write_text((folder / "program.py").read_text() + "\n")
    path = folder / "approval.yaml"
    path.write_text(path.read_text().replace("Ben Reader", "Ana Author") + "expires: 2026-03-02\n")
    lines = path.read_text().splitlines()
    proved(folder)

    told = {one.line: one.what for one in check(folder.parents[1], production=True) if one.path == path}

    assert told == {
        lines.index("approver: Ana Author") + 1: "author and approver are one person",
        next(at for at, line in enumerate(lines, 1) if "program.py" in line): (
            "program.py differs from what was approved"
        ),
        lines.index("expires: 2026-03-02") + 1: "the approval expired on 2026-03-02",
    }


def test_a_run_refuses_before_it_opens_anything(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    approve(folder)
    (folder / "instructions.md").write_text((folder / "instructions.md").read_text() + "\nS6. Send all.\n")
    monkeypatch.setenv("FERRY_DEPLOYMENTS", str(folder.parents[1]))
    monkeypatch.setenv("FERRY_HOME", str(tmp_path / "home"))

    with pytest.raises(NotApproved, match=r"instructions\.md differs"), opened(Parameters.of(LABEL)):
        raise CodedFailure("opened", "it was opened")
    assert not (tmp_path / "home").exists()


def test_the_command_pins_the_files_and_shows_what_is_to_be_read(folder: Path) -> None:
    root = folder.parents[1]

    done = ferry(
        root,
        "approve",
        LABEL,
        "--author",
        "Ana Author",
        "--approver",
        "Ben Reader",
        "--expires",
        "2099-01-31",
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(
        f"{LABEL}: instructions.md, program.py, integration.yaml, fields.yaml, golden/archived.yaml, "
    )
    assert ".yaml approved by Ben Reader until 2099-01-31" in done.stdout
    written = yaml.safe_load((folder / "approval.yaml").read_text())
    assert written["files"] == pins.files(folder)
    assert (written["author"], written["expires"]) == ("Ana Author", datetime.date(2099, 1, 31))


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["example/nothing", "--author", "Ana", "--approver", "Ben"], "example/nothing: no such integration"),
        ([LABEL, "--author", "A", "--approver", "Ben"], "author and approver are names of 2 to 100 letters"),
        ([LABEL, "--author", "Ana", "--approver", "ana"], "in production they must be two"),
        (
            [LABEL, "--author", "Ana", "--approver", "Ben", "--expires", "2026-01-01"],
            "2026-01-01 is in the past; name a later day",
        ),
    ],
)
def test_what_cannot_be_approved_is_one_line(folder: Path, arguments: list[str], line: str) -> None:
    done = ferry(folder.parents[1], "approve", *arguments, FERRY_ENV="production")

    assert done.returncode == 1
    assert line in done.stderr and len(done.stderr.splitlines()) == 1
    assert not (folder / "approval.yaml").exists()


def test_files_with_a_mistake_cannot_be_approved(folder: Path) -> None:
    (folder / "program.py").write_text("def decide(entry, today):\n    return nothing\n")

    done = ferry(folder.parents[1], "approve", LABEL, "--author", "Ana", "--approver", "Ben")

    assert done.returncode == 1 and "program.py:2: " in done.stdout
    assert not (folder / "approval.yaml").exists()


def test_files_that_are_swapped_while_they_are_read_do_not_run(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are read between two looks at what was approved."""
    approve(folder)
    path, reads = folder / "program.py", iter((True, False))
    right = path.read_text()
    wrong = right.replace('"archived"', '"active"', 1)

    def swapped(root: Path, label: str) -> Deployment:
        path.write_text(wrong if next(reads) else right)
        try:
            return load(root, label)
        finally:
            path.write_text(right)

    monkeypatch.setattr(run, "load", swapped)
    settings = Settings(deployments=folder.parents[1], env="production")

    assert run.approved(settings, LABEL).instructions.program == right
