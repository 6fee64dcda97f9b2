"""The workbook's file: one writer at a time, whole or not at all."""

import contextlib
import errno
import fcntl
import multiprocessing
import os
import stat
import tempfile
import time
from pathlib import Path

import pytest
from openpyxl import load_workbook
from openpyxl.cell.rich_text import CellRichText
from pydantic import ValidationError
from python_calamine import CalamineWorkbook

from connectors.errors import Transient, Unauthorized
from connectors.excel import Excel, ExcelCredentials, ExcelOptions, SheetOptions
from connectors.excel.file import File, failure_of, keeps_its_people
from tests.connectors.excel.excels_own import excels_own
from tests.connectors.excel.sheets import PATIENTS, excel, upsert, write_in


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "practice.xlsx"
    upsert(write_in(made), ("1", {"name": "Ana"}))
    return made


@pytest.mark.parametrize("owner", ["~$practice.xlsx", ".~lock.practice.xlsx#"])
def test_an_open_workbook_is_left_alone(path: Path, owner: str) -> None:
    before = path.read_bytes()
    (path.parent / owner).write_text("somebody")
    with pytest.raises(Transient) as transient:
        upsert(write_in(path), ("1", {"name": "x"}))

    assert transient.value.code == "open_elsewhere"
    assert path.read_bytes() == before
    (path.parent / owner).unlink()
    assert upsert(write_in(path), ("1", {"name": "x"})) == ["done"]


def test_a_workbook_that_is_locked_is_left_alone(path: Path) -> None:
    with path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(Transient) as transient:
            upsert(write_in(path), ("1", {"name": "x"}))

        assert transient.value.code == "open_elsewhere"
    assert upsert(write_in(path), ("1", {"name": "x"})) == ["done"]


def test_two_runs_do_not_write_at_once(path: Path) -> None:
    with (path.parent / ".practice.xlsx.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(Transient) as transient:
            upsert(write_in(path), ("1", {"name": "x"}))

    assert transient.value.code == "locked"


def test_what_somebody_saved_meanwhile_is_not_overwritten(path: Path) -> None:
    file = File(path)
    was, content = file.seen(), file.read()
    upsert(write_in(path), ("1", {"name": "saved meanwhile"}))
    assert content is not None
    with pytest.raises(Transient) as transient:
        file.replace(content, was)

    assert transient.value.code == "changed_meanwhile"
    assert load_workbook(path)["patients"]["B2"].value == "saved meanwhile"
    assert not (path.parent / ".practice.xlsx.new").exists()


def test_a_killed_writer_leaves_the_old_workbook_or_the_new_one(path: Path) -> None:
    upsert(write_in(path), *((f"{at}", {"name": "x" * 500}) for at in range(300)))
    spawn = multiprocessing.get_context("spawn")
    for round_ in range(3):
        writer = spawn.Process(target=_write_for_ever, args=(path, round_))
        was = File(path).seen()
        writer.start()
        until = time.monotonic() + 60
        while File(path).seen() == was and time.monotonic() < until:  # until the writer has begun
            writer.join(0.02)
        writer.join(0.05 * round_)
        writer.kill()
        writer.join()
        writer.close()

        rows = list(load_workbook(path)["patients"].iter_rows(values_only=True))
        assert len(rows) >= 301
        assert File(path).seen() != was, "nothing was written meanwhile"
    assert upsert(write_in(path), ("after", {"name": "y"})) == ["done"]
    assert not list(path.parent.glob(".*.new"))


def _write_for_ever(path: Path, round_: int) -> None:
    write = write_in(path)
    for at in range(100_000):
        upsert(write, (f"r{round_}-{at}", {"name": "y" * 500}))


def test_the_file_is_private_and_keeps_the_rights_it_was_given(path: Path) -> None:
    assert stat.S_IMODE(path.stat().st_mode) == 0o600

    path.chmod(0o640)
    upsert(write_in(path), ("2", {}))
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_the_file_keeps_its_owner_and_its_group(path: Path) -> None:
    root = os.geteuid() == 0
    owner, group = (12_345, 54_321) if root else (os.geteuid(), os.getgroups()[-1])
    os.chown(path, owner, group)
    with contextlib.suppress(OSError):  # not every file system has them
        os.setxattr(path, "user.note", b"theirs")
    before = os.listxattr(path)
    upsert(write_in(path), ("2", {}))

    assert (path.stat().st_uid, path.stat().st_gid) == (owner, group)
    assert os.listxattr(path) == before


@pytest.mark.parametrize(
    ("mode", "uid", "gid", "fine"),
    [
        (0o600, 0, 0, True),
        (0o600, 1, 0, False),  # its owner would not read it any more
        (0o640, 1, 0, False),
        (0o660, 1, 0, True),
        (0o660, 0, 1, False),
        (0o666, 1, 1, True),
    ],
)
def test_a_workbook_that_its_people_could_not_open_any_more_is_left_alone(
    path: Path, monkeypatch: pytest.MonkeyPatch, mode: int, uid: int, gid: int, fine: bool
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 5000)
    monkeypatch.setattr(os, "getegid", lambda: 5000)
    monkeypatch.setattr(os, "getgroups", list[int])
    found = os.stat_result((stat.S_IFREG | mode, 1, 1, 1, 5000 + uid, 5000 + gid, 0, 0, 0, 0))

    with contextlib.nullcontext() if fine else pytest.raises(Unauthorized, match="could not open it"):
        keeps_its_people(found)


def test_a_write_that_fails_leaves_nothing_behind(path: Path) -> None:
    file, content = File(path), path.read_bytes()
    was = file.seen()
    (path.parent / "~$practice.xlsx").write_text("somebody")
    with pytest.raises(Transient):
        file.replace(content, was)

    assert not (path.parent / ".practice.xlsx.new").exists()


def test_nothing_is_written_elsewhere(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A temporary file with patients' rows would outlive a process that is killed."""
    monkeypatch.setattr(tempfile, "tempdir", str(path.parent / "not there"))

    assert upsert(write_in(path), ("2", {"name": "Bo"})) == ["done"]


def test_a_folder_without_locks_is_the_tenants_matter(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(_file: int, _how: int) -> None:
        raise OSError(errno.ENOLCK, "no locks")

    monkeypatch.setattr(fcntl, "flock", none)
    with pytest.raises(Unauthorized, match="another folder") as told:
        upsert(write_in(path), ("1", {"name": "x"}))
    assert told.value.code == "no_locks"


@pytest.mark.parametrize("name", ["a.xlsx", ".a.xlsx.new", ".a.xlsx.lock"])
def test_a_symbolic_link_is_not_followed(tmp_path: Path, name: str) -> None:
    outside = tmp_path / "outside"
    outside.write_text("theirs")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / name).symlink_to(outside)

    with contextlib.suppress(Unauthorized):
        upsert(write_in(folder / "a.xlsx"), ("1", {}))
    assert outside.read_text() == "theirs"


def test_a_folder_that_is_not_there_is_the_tenants_matter(tmp_path: Path) -> None:
    gone = tmp_path / "gone" / "a.xlsx"
    with pytest.raises(Unauthorized):
        excel(gone).check()
    with pytest.raises(Unauthorized):
        upsert(write_in(gone), ("1", {}))


def test_the_account_is_the_workbook(path: Path) -> None:
    account = excel(path).check()

    assert (account.identity, account.missing) == (str(path.resolve()), ())


def test_a_full_disk_changes_nothing() -> None:
    assert failure_of(OSError(errno.ENOSPC, "full")).code == "disk_full"
    assert isinstance(failure_of(OSError(errno.EIO, "io")), Transient)
    assert failure_of(OSError(errno.EBUSY, "a share's file that is open")).code == "open_elsewhere"


@pytest.mark.parametrize("name", ["a.xls", "a.xlsm", "a.csv", "a", ".xlsx", "~$a.xlsx", ".a.xlsx"])
def test_only_workbooks_are_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValidationError):
        ExcelCredentials(file=tmp_path / name)


@pytest.mark.parametrize(
    "options",
    [
        {"sheets": {"patients": {"sheet": "x" * 32}}},
        {"sheets": {"patients": {"sheet": "a/b"}}},
        {"sheets": {"patients": {"headers": {"gone": "x"}}}},
        {"sheets": {"patients": {"headers": {"name": "a\x00"}}}},
        {"sheets": {"patients": {"headers": {"name": "x" * 256}}}},
        {"sheets": {"patients": {"headers": {"name": "visits"}}}},
        {"sheets": {"others": {"headers": {"name": "x"}}}},
        {"timezone": "Mars/Olympus"},
    ],
)
def test_options_that_do_not_fit_are_refused(tmp_path: Path, options: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Excel(ExcelCredentials(file=tmp_path / "a.xlsx"), [PATIENTS], ExcelOptions.model_validate(options))


def test_a_workbook_of_excels_own_is_kept(tmp_path: Path) -> None:
    own = tmp_path / "own.xlsx"
    excels_own(own)
    for at in range(3):
        assert upsert(write_in(own), ("1", {"name": f"Ana {at}"}), ("9", {"name": "=new"})) == [
            "done",
            "done",
        ]
    sheet = load_workbook(own, rich_text=True)["patients"]

    assert [sheet[f"B{row}"].value for row in (2, 3, 4)] == ["Ana 2", None, "=new"]
    kept = sheet["C2"].value
    assert isinstance(kept, CellRichText) and str(kept) == "call today"
    shown = [str(sheet[at].value) for at in ("D2", "D3", "E3", "F2")]
    assert shown == ["=E2*2", "=E3*2", "4", "2026-01-01 12:00:00"]
    assert (sheet["F3"].value.ref, sheet["F3"].value.text) == ("F3", "=SUM(E2:E3*2)")
    assert sheet.column_dimensions["A"].width == 20.5 and sheet.column_dimensions["A"].max == 3
    assert sheet.page_setup.orientation == "landscape"
    read = CalamineWorkbook.from_path(own).get_sheet_by_name("patients").to_python(skip_empty_area=False)
    assert read[2][2] == "a\r\nb_x000D_"


def test_two_tables_may_not_share_a_sheet(tmp_path: Path) -> None:
    second = PATIENTS.model_copy(update={"name": "others"})
    options = ExcelOptions(sheets={"others": SheetOptions(sheet="Patients")})

    with pytest.raises(ValidationError, match="two tables have the same sheet"):
        Excel(ExcelCredentials(file=tmp_path / "a.xlsx"), [PATIENTS, second], options)
