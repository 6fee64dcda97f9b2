"""What a person meets at the command line: one line that says what, where and what to do next."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from connectors.sandbox.healthie.edits import Edit
from tests.faults.world import Practice

Make = Callable[[str], Practice]
LABEL = "acme/simple"


def ferry(practice: Practice, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "flows", *arguments],
        env=os.environ | practice.environment() | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def here(practice: Make) -> Practice:
    made = practice("cli")
    made.label = LABEL
    for at, one in enumerate(made.healthie.ids()):
        values = {"first_name": "Ana", "last_name": f"Start{at}", "email": "ana@example.com"}
        made.healthie.apply([Edit(act="restore", id=one), Edit(id=one, values=values)])
    return made


def test_a_run_prints_its_report_and_the_next_one_that_nothing_changed(here: Practice) -> None:
    first, second = ferry(here, "run", LABEL), ferry(here, "run", LABEL)

    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    assert "6  planned" in first.stdout and "6  done" in first.stdout
    assert "0  planned" in second.stdout and "0  model requests" in second.stdout


def test_a_dry_run_shows_every_field_and_sends_nothing(here: Practice) -> None:
    assert ferry(here, "run", LABEL).returncode == 0
    patient = here.healthie.ids()[0]
    here.healthie.edit("User", patient, last_name="\x1b[31mRed")
    plans = "SELECT count(*) FROM plan"
    before, kept, acts = here.rows(), here.ledger(plans), here.ledger("SELECT count(*) FROM audit")

    shown = ferry(here, "run", LABEL, "--dry-run")

    assert f"patient {patient}: warehouse_upsert_patients by S1" in shown.stdout
    assert (
        'full_name: "Ana Start0" → "Ana \\u001b[31mRed" ← computed from first_name, last_name' in shown.stdout
    )
    assert 'email: "ana@example.com" (as it is) ← @email' in shown.stdout
    assert "\x1b[31mRed" not in shown.stdout
    assert (here.rows(), here.ledger(plans)) == (before, kept)
    read = here.ledger("SELECT integration, act FROM audit WHERE actor LIKE 'person %'")
    assert read == [
        ("", "entries of simple read for a dry run"),
        ("", "records of simple read for a dry run: warehouse_upsert_patients"),
    ]
    assert here.ledger("SELECT count(*) FROM audit") == [(int(str(acts[0][0])) + 2,)]


def test_explain_tells_an_entrys_story_and_values_only_if_asked(here: Practice) -> None:
    ferry(here, "run", LABEL)
    patient = here.healthie.ids()[3]

    told, with_values = (
        ferry(here, "explain", LABEL, patient),
        ferry(here, "explain", LABEL, patient, "--values"),
    )

    assert "version 1, decided" in told.stdout and "delivered" in told.stdout
    assert "full_name ← computed from first_name, last_name" in told.stdout
    assert "Start3" not in told.stdout and "Start3" in with_values.stdout


def test_explain_of_one_never_seen_says_so(here: Practice) -> None:
    told = ferry(here, "explain", LABEL, "42")

    assert told.stdout.startswith("patient 42: never seen by acme/simple.")


@pytest.mark.parametrize(
    ("arguments", "environment", "line"),
    [
        (["run", "acme/nothing"], {}, "ferry: acme/nothing: no such integration below"),
        (["run", LABEL], {"TEST_HEALTHIE_KEY": ""}, "needs TEST_HEALTHIE_KEY in the environment; set it"),
        (["run", LABEL], {"TEST_HEALTHIE_KEY": "wrong"}, "ferry: healthie: the API key is not accepted; "),
        (
            ["run", LABEL],
            {"TEST_HEALTHIE_URL": "http://127.0.0.1:9/graphql"},
            "ferry: healthie: no connection; ",
        ),
        (
            ["run", LABEL],
            {"TEST_WAREHOUSE_URL": "postgresql://ferry:secret-word@127.0.0.1:9/x"},
            "ferry: sql: unreachable",
        ),
        (
            ["status"],
            {"FERRY_LEDGER_URL": "mysql://127.0.0.1/x"},
            "mysql is not supported; use sqlite or postgresql",
        ),
        (["retry", LABEL, "--resend", "nothing"], {}, "no doubtful delivery nothing; see: ferry status"),
    ],
)
def test_an_error_is_one_line(
    here: Practice, arguments: list[str], environment: dict[str, str], line: str
) -> None:
    failed = ferry(here, *arguments, **environment)

    assert failed.returncode == 1
    assert line in failed.stderr
    assert len(failed.stderr.strip().splitlines()) == 1
    assert "secret-word" not in failed.stderr + failed.stdout


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (
            lambda text: text + "\nfrobnicate: 1\n",
            "integration.yaml: frobnicate: Extra inputs are not permitted",
        ),
        (lambda text: text + "\n  - [", "integration.yaml:"),
        (lambda text: text.replace("from: [email]", "from: [emial]"), "emial"),
        (
            lambda text: text.replace("connection: warehouse", "connection: elsewhere"),
            "elsewhere is not in tenant.yaml",
        ),
    ],
)
def test_a_mistake_in_the_files_is_one_line(
    here: Practice, tmp_path: Path, change: Callable[[str], str], line: str
) -> None:
    folder = tmp_path / "deployments" / "acme"
    source = Path(here.environment()["FERRY_DEPLOYMENTS"]) / "acme"
    (folder / "simple").mkdir(parents=True)
    (folder / "tenant.yaml").write_text((source / "tenant.yaml").read_text())
    for file in (source / "simple").iterdir():
        (folder / "simple" / file.name).write_text(file.read_text())
    described = folder / "simple" / "integration.yaml"
    described.write_text(change(described.read_text()))

    failed = ferry(here, "run", LABEL, FERRY_DEPLOYMENTS=str(folder.parent))

    assert failed.returncode == 1
    assert line in failed.stderr
    assert len(failed.stderr.strip().splitlines()) == 1


def test_help_reads_well(here: Practice) -> None:
    shown = ferry(here, "--help")

    for command in ("demo", "run", "explain", "status", "retry", "release", "resync"):
        assert command in shown.stdout
