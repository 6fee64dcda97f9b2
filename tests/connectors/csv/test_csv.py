"""CSV files: what is written, what is read back, and what is refused."""

import contextlib
import errno
import multiprocessing
import stat
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from pydantic import JsonValue, ValidationError

from connectors.csv import Csv, CsvCredentials, Format
from connectors.csv.file import failure_of
from connectors.errors import Rejected, Transient, Unauthorized
from connectors.operation import Item, Outcome, Write
from connectors.tabular import Column, Drift, Table
from tests.campaign import FULL
from tests.connectors import upserts

PATIENTS = Table(
    name="patients",
    key=("patient_id",),
    patient="patient_id",
    columns={
        "patient_id": Column(type="str"),
        "name": Column(type="str"),
        "phone": Column(type="str"),
        "visits": Column(type="int"),
    },
)
EXAMPLES = 2_000 if FULL else 60
QUIET = settings(
    max_examples=EXAMPLES // 2,
    deadline=None,
    database=None,
    derandomize=not FULL,
    suppress_health_check=list(HealthCheck),
)
FORMATS = [
    Format(),
    Format(delimiter=";", bom=True, escape_formulas=True),
    Format(delimiter="\t", null="\\N"),
    Format(delimiter="|", null="NULL", escape_formulas=True),
]


def write_in(folder: Path, form: Format | None = None, table: Table = PATIENTS) -> Write:
    return Csv(CsvCredentials(folder=folder), [table], form).writes()[table.write]


def upsert(write: Write, *rows: tuple[str, Mapping[str, JsonValue]]) -> list[Outcome]:
    return list(write.send([Item(f"k{at}", patient, values) for at, (patient, values) in enumerate(rows)]))


def text_in(folder: Path) -> str:
    return (folder / "patients.csv").read_bytes().decode()


def put(folder: Path, content: str | bytes) -> None:
    (folder / "patients.csv").write_bytes(content.encode() if isinstance(content, str) else content)


def test_rows_are_inserted_updated_and_kept(tmp_path: Path) -> None:
    write = write_in(tmp_path)
    upsert(
        write,
        ("1", {"name": "Ana", "phone": "+1 415 555 0100", "visits": 3}),
        ("2", {"name": "", "visits": None}),
    )
    outcomes = upsert(write, ("1", {"name": None}), ("3", {"name": 'a "b"\r\nc, d'}))

    assert [outcome.state for outcome in outcomes] == ["done", "done"]
    assert text_in(tmp_path) == (
        "patient_id,name,phone,visits\r\n"
        "1,,+1 415 555 0100,3\r\n"
        '2,"",,\r\n'
        '3,"a ""b""\r\nc, d",,\r\n'
    )  # fmt: skip


def test_a_file_for_people_is_safe_to_open(tmp_path: Path) -> None:
    write = write_in(tmp_path, Format(bom=True, escape_formulas=True))
    hostile = ["=1+1", "+1 415", "-5", "@x", "\tx", "\rx", "＝1", "'=1", "''-1", "plain", "'quoted"]
    rows: list[tuple[str, dict[str, JsonValue]]] = [
        (f"p{at}", {"name": text}) for at, text in enumerate(hostile)
    ]
    upsert(write, *rows, ("negative", {"visits": -5}))
    content = (tmp_path / "patients.csv").read_bytes()

    assert content.startswith(b"\xef\xbb\xbfpatient_id")
    cells = [
        line.split(",")[1].strip('"') for line in content.decode("utf-8-sig").splitlines()[1:] if "," in line
    ]
    assert not any(cell.startswith(tuple("=+-@\t\r＝＋－＠")) for cell in cells)
    assert write.present is not None
    held = write.present([Item(f"k{at}", f"p{at}", {"name": ""}) for at in range(len(hostile))])
    assert [held[f"k{at}"] for at in range(len(hostile))] == [{"name": text} for text in hostile]
    assert content.endswith(b"negative,,,-5\r\n")


@pytest.mark.parametrize("form", FORMATS)
def test_json_that_looks_alike_is_told_apart(tmp_path: Path, form: Format) -> None:
    upserts.check_alike(write_in(tmp_path, form, upserts.TABLE))


@pytest.mark.parametrize("form", FORMATS)
def test_null_is_told_from_every_text(tmp_path: Path, form: Format) -> None:
    write = write_in(tmp_path, form)
    values = [None, "", form.null, f'"{form.null}"', "NULL", "\\N", '""']
    upsert(write, *((f"p{at}", {"name": value}) for at, value in enumerate(values)))
    assert write.present is not None

    held = write.present([Item(f"k{at}", f"p{at}", {"name": ""}) for at in range(len(values))])
    assert [held[f"k{at}"] for at in range(len(values))] == [{"name": value} for value in values]


def test_a_reader_that_has_begun_reads_the_old_file_to_its_end(tmp_path: Path) -> None:
    write = write_in(tmp_path)
    upsert(write, ("1", {"name": "old"}))
    with (tmp_path / "patients.csv").open("rb") as reader:
        upsert(write, ("1", {"name": "new and longer"}), ("2", {}))

        assert reader.read() == b"patient_id,name,phone,visits\r\n1,old,,\r\n"


@pytest.mark.parametrize("form", FORMATS)
def test_the_file_is_what_a_dict_would_be(tmp_path: Path, form: Format) -> None:
    @QUIET
    @given(upserts.BATCHES)
    def holds(batches: Sequence[Sequence[upserts.Upsert]]) -> None:
        (tmp_path / "everything.csv").unlink(missing_ok=True)
        reopen: Callable[[], Write] = lambda: write_in(tmp_path, form, upserts.TABLE)  # noqa: E731
        upserts.check(reopen(), batches, reopen)

    holds()


def test_what_others_put_there_is_carried_over(tmp_path: Path) -> None:
    put(tmp_path, '\ufeffvip,name,patient_id\n"yes, ""very""",Ana,1\n,"Bob",2\n')
    write = write_in(tmp_path)
    connector = Csv(CsvCredentials(folder=tmp_path), [PATIENTS])

    assert {(drift.column, drift.code) for drift in connector.drift()} == {
        ("phone", "missing_column"), ("visits", "missing_column"), ("vip", "extra_column"),
    }  # fmt: skip
    upsert(write, ("1", {"visits": 4}), ("3", {"name": "Cy"}))
    assert text_in(tmp_path) == (
        "vip,name,patient_id,phone,visits\r\n"
        '"yes, ""very""",Ana,1,,4\r\n'
        ',"Bob",2,,\r\n'
        ",Cy,3,,\r\n"
    )  # fmt: skip
    assert connector.drift() == [Drift("patients", "vip", "extra_column")]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("patient_id,name\n1,Ana,3\n", "csv: patients.csv: row 2: 3 cells, expected 2"),
        ("patient_id,name\n1\n", "csv: patients.csv: row 2: 1 cells, expected 2"),
        ('patient_id,name\n1,"Ana\n', "csv: row 2: a quote that is out of place or never closed"),
        ('patient_id,name\n1,An"a\n', "csv: row 2: a quote that is out of place or never closed"),
        ('patient_id,name\n1,"Ana"x\n', "csv: row 2: a quote that is out of place or never closed"),
        ("patient_id,name,name\n", "csv: patients.csv: the header has an empty or a doubled name"),
        ("patient_id,,name\n", "csv: patients.csv: the header has an empty or a doubled name"),
        ("patient_id,name\n1,a\n1,b\n", "csv: patients.csv: row 3: its key was there before"),
        ("patient_id,name\n1,nul\0\n", "csv: a NUL character"),
        (b"patient_id,name\n1,Jos\xe9\n", "csv: patients.csv: not UTF-8"),
        ("name,phone\nAna,1\n", "csv: patients.csv: the header lacks a key column"),
        ("patient_id;name\n1;Ana\n", "csv: patients.csv: the header lacks a key column"),
    ],
)
def test_a_bad_file_is_refused_and_left_alone(tmp_path: Path, content: str | bytes, message: str) -> None:
    put(tmp_path, content)
    write = write_in(tmp_path)
    before = (tmp_path / "patients.csv").read_bytes()
    assert write.present is not None

    with pytest.raises(Rejected, match="^" + message.replace(".", r"\.")) as rejected:
        write.present([Item("k", "1", {})])
    assert "Ana" not in str(rejected.value) and rejected.value.__context__ is None
    assert upsert(write, ("1", {"name": "x"})) == [Outcome("k0", "rejected", rejected.value.code)]
    assert (tmp_path / "patients.csv").read_bytes() == before


def test_a_reader_never_sees_a_part(tmp_path: Path) -> None:
    """A writer is killed again and again; the file is always the old one or the new one, whole."""
    wide = {"name": "x" * 2000}
    upsert(write_in(tmp_path), *((str(at), wide) for at in range(500)))
    spawn = multiprocessing.get_context("spawn")
    seen: set[int] = set()
    for round_ in range(4):
        writer = spawn.Process(target=_write_for_ever, args=(tmp_path, round_))
        writer.start()
        looks = 0
        while looks < 40 or (len(seen) < 2 and looks < 1500):  # until the writer has started, too
            looks += 1
            lines = text_in(tmp_path).split("\r\n")
            assert lines[0] == "patient_id,name,phone,visits" and lines[-1] == ""
            assert len(lines) >= 502 and all(line.count(",") == 3 for line in lines[:-1])
            seen.add(len(lines))
            writer.join(0.02)
        writer.kill()
        writer.join()
        writer.close()

    assert len(seen) > 1, "nothing was written meanwhile"
    assert upsert(write_in(tmp_path), ("after", wide))[0].state == "done"
    assert not list(tmp_path.glob(".*.new"))


def _write_for_ever(folder: Path, round_: int) -> None:
    write = write_in(folder)
    for at in range(100_000):
        upsert(write, (f"r{round_}-{at}", {"name": "y" * 2000}))


def test_two_processes_do_not_write_at_once(tmp_path: Path) -> None:
    write = write_in(tmp_path)
    upsert(write, ("1", {}))
    spawn = multiprocessing.get_context("spawn")
    ready, done = spawn.Event(), spawn.Event()
    other = spawn.Process(target=_hold_the_lock, args=(tmp_path, ready, done))
    other.start()
    assert ready.wait(20)

    with pytest.raises(Transient) as transient:
        upsert(write, ("1", {"name": "x"}))
    assert transient.value.code == "locked"
    done.set()
    other.join(20)
    other.close()
    assert upsert(write, ("1", {"name": "x"}))[0].state == "done"


def _hold_the_lock(folder: Path, ready: object, done: object) -> None:
    import fcntl  # noqa: PLC0415  # in the other process

    with (folder / ".patients.csv.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        ready.set()  # type: ignore[attr-defined]
        done.wait(20)  # type: ignore[attr-defined]


def test_the_file_is_private_and_keeps_the_rights_it_was_given(tmp_path: Path) -> None:
    write = write_in(tmp_path)
    upsert(write, ("1", {}))
    assert stat.S_IMODE((tmp_path / "patients.csv").stat().st_mode) == 0o600

    (tmp_path / "patients.csv").chmod(0o640)
    upsert(write, ("2", {}))
    assert stat.S_IMODE((tmp_path / "patients.csv").stat().st_mode) == 0o640


@pytest.mark.parametrize("name", ["patients.csv", ".patients.csv.new", ".patients.csv.lock"])
def test_a_symbolic_link_is_not_followed(tmp_path: Path, name: str) -> None:
    outside = tmp_path / "outside"
    outside.write_text("patient_id\r\n")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / name).symlink_to(outside)

    with contextlib.suppress(Unauthorized):
        upsert(write_in(folder), ("1", {}))
    assert outside.read_text() == "patient_id\n"


def test_a_folder_that_is_not_there_is_the_tenants_matter(tmp_path: Path) -> None:
    connector = Csv(CsvCredentials(folder=tmp_path / "gone"), [PATIENTS])

    with pytest.raises(Unauthorized):
        connector.check()
    with pytest.raises(Unauthorized):
        upsert(connector.writes()["upsert_patients"], ("1", {}))


def test_the_account_is_the_folder(tmp_path: Path) -> None:
    assert Csv(CsvCredentials(folder=tmp_path), [PATIENTS]).check().identity == str(tmp_path.resolve())


def test_a_full_disk_changes_nothing() -> None:
    assert isinstance(failure_of(OSError(errno.ENOSPC, "full")), Transient)
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("needs /dev/full")
    with pytest.raises(OSError, match="No space left") as error, full.open("wb", buffering=0) as file:
        file.write(b"x")
    assert failure_of(error.value).code == "disk_full"


@pytest.mark.parametrize(
    "wrong", [{"null": "a,b"}, {"null": '"'}, {"delimiter": "x"}, {"delimiter": ""}, {"x": 1}]
)
def test_an_ambiguous_format_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Format.model_validate(wrong)
