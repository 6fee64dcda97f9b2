"""Compiling: what does not fit together is told with its file and line, from sentences to examples."""

# ruff: noqa: E501  # a table reads better in long lines

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from flows.compiling import compiled
from flows.tenants import labels
from tests.flows.tenants.mistake import FIELDS, INSTRUCTIONS, PROGRAM, WAREHOUSE, Mistake

ROOT = Path(__file__).parents[3]
LABEL = "example/warehouse"
WHOLE, LITTLE = "warehouse/golden/whole-row.yaml", "warehouse/golden/little-known.yaml"
NEVER = "def decide(entry, today):"

UNFIT = [
    Mistake("no sentence for a column", WAREHOUSE, "because: [S4], from: [email]", "from: [email]", "email:", "warehouse_upsert_patients.email names no sentence that speaks of it"),
    Mistake("a sentence that nobody follows", INSTRUCTIONS, "S5. The next", "S5. Each has a row.\n\nS6. The next", "S6. ", "S6 is cited nowhere in program.py"),
    Mistake("a sentence that nothing shows", INSTRUCTIONS, "S5. The next", "S5. Each has a row.\n\nS6. The next", "S6. ", "S6 is shown by no golden example"),
    Mistake("a field that nobody needs", FIELDS, "S3: [last_name]", "S3: [last_name, dob]", "S3:", "S3 names dob, which program.py does not use"),
    Mistake("a field at the wrong sentence", FIELDS, "S4: [first_name, last_name, email, phone_number]\nS5: [", "S4: [first_name, last_name, email, phone_number, ", "S4:", "S4 names next_appt_date, which program.py uses for S5 only"),
    Mistake("a call that cites too little", PROGRAM, '["S1", "S4", "S5"]', '["S1", "S5"]', "full_name=", "warehouse_upsert_patients sets full_name and cites none of S4; add the sentence"),
    Mistake("a type", PROGRAM, 'status="active"', "status=5", "status=5", "Expected"),
    Mistake("a new branch", PROGRAM, NEVER, f"{NEVER}\n    if entry['email'] == 'x':\n        return skip('S3', 'no_name')", "== 'x'", "the condition never holds (S3); add a golden example"),
    Mistake("no end", PROGRAM, NEVER, f"{NEVER}\n    while entry['last_name'] == 'Novak':\n        pass", "== 'Novak'", "the condition of `while` never holds"),
    Mistake("a field that is not read", LITTLE, "email: null", "email: null, dob: null", "dob: null", "entry: dob is not read"),
    Mistake("a value of another type", WHOLE, "first_name: Cleo", "first_name: 7", "first_name: 7", "entry: first_name is no str"),
    Mistake("yes for a number", WHOLE, "active: true", "active: 1", "active: 1", "entry: active is no bool"),
    Mistake("a day as Americans write it", WHOLE, "next_appt_date: 2026-03-09T20:30:00Z", "next_appt_date: 3/9/2026", "next_appt_date", "is no datetime as an entry holds it: 2026-"),
    Mistake("nothing to judge", WHOLE, "plan:", "judgements: {S4: urgent}\nplan:", "judgements:", "S4 is no sentence that asks for judgement"),
    Mistake("no such sentence", WHOLE, "[S1, S4, S5]", "[S1, S4, S9]", "plan:", "plan: cites S9, which is none"),
    Mistake("no such write", WHOLE, "op: warehouse_upsert_patients", "op: warehouse_upsert_visits", "calls:", "plan: warehouse_upsert_visits is not granted"),
    Mistake("no such column", WHOLE, "status: active", "state: active", "calls:", "plan: warehouse_upsert_patients.state is not granted"),
    Mistake("unclear", WHOLE, '"+13125550103"', "+13125550103", "+1312", "holds what may be a text or something else"),
    Mistake("a value without a source", WAREHOUSE, "full_name: {type: str, because: [S4], from: [first_name, last_name], computed: true}", "full_name: {type: str, because: [S4], from: [first_name, last_name]}", "full_name:", ""),
]  # fmt: skip


@pytest.fixture
def deployments(tmp_path: Path) -> Path:
    """A copy of the example tenant."""
    shutil.copytree(ROOT / "deployments" / "example", tmp_path / "example")
    return tmp_path


def told(root: Path, label: str = LABEL) -> list[str]:
    return [str(one) for one in compiled(root, label).findings]


@pytest.mark.parametrize("label", labels(ROOT / "deployments"))
def test_every_integration_of_this_house_compiles_and_its_examples_take_every_branch(label: str) -> None:
    made = compiled(ROOT / "deployments", label)

    assert [str(one) for one in made.findings] == []
    assert made.examples
    assert made.coverage is None or made.coverage.branches


@pytest.mark.parametrize("mistake", UNFIT[:-1], ids=lambda one: one.name)
def test_what_does_not_fit_is_told_at_its_line(mistake: Mistake, deployments: Path) -> None:
    where = mistake.make(deployments / "example")

    lines = told(deployments)

    assert any(line.startswith(where) and mistake.told in line for line in lines), (where, lines)
    assert all(re.fullmatch(r"\S+?:\d+: .+; .+", line) for line in lines), lines


def test_an_example_that_the_gate_refuses_is_told_with_the_code(deployments: Path) -> None:
    UNFIT[-1].make(deployments / "example")

    refused = [line for line in told(deployments) if "is refused: value_without_source" in line]

    assert [line.split("/golden/")[1].split(":")[0] for line in refused] == [
        "short-phone.yaml",
        "whole-row.yaml",
    ]


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (NEVER, f"{NEVER}\n    while entry['last_name'] == 'Novak':\n        pass", "program_timeout"),
        (
            NEVER,
            f"{NEVER}\n    x = 'x' * 10**9 if entry['last_name'] == 'Novak' else ''",
            "program_memory line 5",
        ),
        ("    return [\n", "    return 2 * [\n", "too_many_calls warehouse_upsert_patients"),
    ],
)
def test_an_example_that_runs_into_a_limit_is_told(deployments: Path, old: str, new: str, code: str) -> None:
    program = deployments / "example" / PROGRAM
    program.write_text(program.read_text().replace(old, new))

    assert any(f"is refused: {code}" in line for line in told(deployments)), told(deployments)


@pytest.mark.parametrize("gone", ["archived", "no-last-name", "whole-row", "little-known"])
def test_no_example_is_there_for_nothing(deployments: Path, gone: str) -> None:
    (deployments / "example" / "warehouse" / "golden" / f"{gone}.yaml").unlink()

    lines = told(deployments)

    assert lines and all("program.py:" in line or "shown by no golden example" in line for line in lines)


def test_an_integration_without_examples_is_told_so(deployments: Path) -> None:
    shutil.rmtree(deployments / "example" / "warehouse" / "golden")

    (line,) = told(deployments)

    assert "golden:1: holds no golden example" in line


@pytest.mark.parametrize(("terms", "wrong"), [(190, 0), (900, 1)])
def test_a_program_nests_no_deeper_than_it_can_be_followed(deployments: Path, terms: int, wrong: int) -> None:
    """The sandbox refuses what nests deeper; all that it lets pass is looked at."""
    program = deployments / "example" / PROGRAM
    program.write_text(program.read_text() + f"\n\ndef long():\n    return {' + '.join(['1'] * terms)}\n")

    lines = told(deployments)

    assert len(lines) == wrong and all("too deeply nested" in line for line in lines), lines


def test_what_only_the_approval_says_is_not_told(deployments: Path) -> None:
    program = deployments / "example" / PROGRAM
    program.write_text(program.read_text() + "\n\nNOTHING = None\n")

    assert told(deployments) == []


def ferry(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"FERRY_DEPLOYMENTS": str(root), "FERRY_HOME": str(root / "home")}
    return subprocess.run(
        [sys.executable, "-m", "flows", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_commands_say_what_is_right_and_end_with_zero(deployments: Path) -> None:
    made, tested = ferry(deployments, "compile", LABEL), ferry(deployments, "test", LABEL)

    assert (made.returncode, tested.returncode) == (0, 0), made.stderr + tested.stderr
    assert "5 sentences, 5 golden examples, 18 branches; nothing is wrong" in made.stdout
    assert tested.stdout == "5 of 5 examples are right, decided by program\n"


def test_the_commands_name_what_is_wrong_end_with_one_and_show_no_value(deployments: Path) -> None:
    replace_in = deployments / "example" / WHOLE
    replace_in.write_text(replace_in.read_text().replace("full_name: Cleo Hart", "full_name: Canary-7781"))
    (deployments / "example" / LITTLE).unlink()

    made, tested = ferry(deployments, "compile", LABEL), ferry(deployments, "test", LABEL)

    assert (made.returncode, tested.returncode) == (1, 1)
    assert "program.py:" in made.stdout and "compile again" in made.stderr
    assert tested.stdout.splitlines() == [
        "whole-row: warehouse_upsert_patients.full_name",
        "3 of 4 examples are right, decided by program",
    ]
    assert tested.stderr == f"ferry: {LABEL}: 3 of 4 examples are right; correct what is wrong\n"
    for word in ("Canary", "Cleo", "Hart", "555"):
        assert word not in made.stdout + made.stderr + tested.stdout + tested.stderr


def test_there_is_no_such_integration(deployments: Path) -> None:
    for command in ("compile", "test"):
        said = ferry(deployments, command, "example/nothing")

        assert said.returncode == 1
        assert said.stderr.startswith("ferry: example/nothing: no such integration below")
