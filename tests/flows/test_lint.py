"""`ferry lint`: each finding with its sentence, its file and its line."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from flows.lint import lint
from flows.tenants import IntegrationInvalid, labels

ROOT = Path(__file__).parents[2]
DEPLOYMENTS = ROOT / "deployments"


@pytest.fixture
def deployments(tmp_path: Path) -> Path:
    """A copy of the example tenant."""
    shutil.copytree(DEPLOYMENTS / "example", tmp_path / "example")
    shutil.copy(DEPLOYMENTS / "models.yaml", tmp_path)
    return tmp_path


def ferry(deployments: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "flows", *arguments],
        env=os.environ | {"FERRY_DEPLOYMENTS": str(deployments), "FERRY_HOME": str(deployments / "home")},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def line_of(path: Path, part: str) -> int:
    return next(at for at, line in enumerate(path.read_text().splitlines(), 1) if part in line)


@pytest.mark.parametrize("label", labels(DEPLOYMENTS))
def test_the_sentences_of_this_house_are_clean(label: str) -> None:
    assert lint(DEPLOYMENTS, label) == []


def test_a_finding_names_the_line_of_its_sentence(deployments: Path) -> None:
    path = deployments / "example" / "warehouse" / "instructions.md"
    change(path, "A patient without a last name", "A patient whom we have not seen recently")

    (found,) = lint(deployments, "example/warehouse")

    assert str(found).startswith(f'{path}:{line_of(path, "S3.")}: S3 is vague: "recently" can be read')


def test_a_field_that_is_not_used_is_told_at_its_line_in_fields_yaml(deployments: Path) -> None:
    path = deployments / "example" / "warehouse" / "fields.yaml"
    change(path, "S5: [next_appt_date]", "S5:\n  - next_appt_date\n  - dob\n")

    (found,) = lint(deployments, "example/warehouse")

    assert str(found).startswith(f"{path}:{line_of(path, '- dob')}: S5 is excessive: dob is read, ")


def test_a_grant_is_told_at_its_line_in_integration_yaml(deployments: Path) -> None:
    path = deployments / "example" / "warehouse" / "integration.yaml"
    change(
        path, "categories: [status, identity, contact, schedule]", "categories: [status, identity, contact]"
    )

    (found,) = lint(deployments, "example/warehouse")

    assert str(found).startswith(f"{path}:{line_of(path, 'next_visit:')}: S5 is forbidden: ")


def test_a_constant_that_is_chosen_by_what_the_target_may_not_hold_is_told(deployments: Path) -> None:
    """The value itself is harmless; that it is there says what the field says."""
    path = deployments / "example" / "triage" / "integration.yaml"
    change(path, "    categories: [status, schedule]", "    categories: [schedule]")

    found = [str(one) for one in lint(deployments, "example/triage")]

    place = (
        f"{path}:{line_of(path, 'priority:')}: S2 is forbidden: warehouse_upsert_triage.priority tells of "
    )
    assert [line for line in found if line.startswith(f"{place}has_completed_intake_forms, which is status")]


def test_a_branch_that_the_program_never_gets_to_is_told_in_the_program(deployments: Path) -> None:
    path = deployments / "example" / "channel" / "program.py"
    change(path, '        return skip("S2"', '        return []\n        return skip("S2"')

    (found,) = lint(deployments, "example/channel")

    assert str(found).startswith(f"{path}:{line_of(path, 'skip(')}: S2 is unreachable: is cited only where")


def test_a_sentence_that_the_program_does_not_follow_is_told(deployments: Path) -> None:
    path = deployments / "example" / "warehouse" / "program.py"
    change(path, '        return review("S3", "no_name")', '        return review("S4", "no_name")')

    (found,) = lint(deployments, "example/warehouse")

    assert re.search(r"instructions.md:\d+: S3 is unreachable: is cited nowhere in the program; ", str(found))


def test_a_value_that_healthie_does_not_have_is_told(deployments: Path) -> None:
    folder = deployments / "example" / "channel"
    change(
        folder / "integration.yaml",
        "      set_metadata:\n        at_most: 1",
        "      update_client:\n        at_most: 1",
    )
    text = (folder / "integration.yaml").read_text()
    start, end = text.index("        arguments:\n"), text.index("limits:")
    arguments = "        arguments:\n          default_billing_type: {because: [S1], constants: [CASH]}\n"
    (folder / "integration.yaml").write_text(text[:start] + arguments + text[end:])
    (folder / "program.py").unlink()

    found = [str(one) for one in lint(deployments, "example/channel")]

    place = f"{folder / 'integration.yaml'}:{line_of(folder / 'integration.yaml', 'default_billing_type')}"
    assert (
        f"{place}: S1 is impossible: healthie_update_client.default_billing_type cannot be 'CASH'"
        in "\n".join(found)
    )


def test_files_that_cannot_be_used_are_one_line(deployments: Path) -> None:
    path = deployments / "example" / "channel" / "integration.yaml"
    change(path, "set_metadata", "set_metdata")

    with pytest.raises(IntegrationInvalid, match=r"^example/channel: no target has healthie_set_metdata; "):
        lint(deployments, "example/channel")


def test_the_command_says_what_it_found_and_fails(deployments: Path) -> None:
    clean = ferry(deployments, "lint", "example/warehouse")
    change(deployments / "example" / "front-desk" / "instructions.md", "each as it is", "etc.")
    bad = ferry(deployments, "lint", "example/front-desk")

    assert (clean.returncode, clean.stderr) == (0, "")
    assert clean.stdout == "example/warehouse: nothing is wrong with its sentences\n"
    assert bad.returncode == 1
    assert ": S1 is vague: " in bad.stdout
    assert bad.stderr == "ferry: 1 finding; correct each and lint again\n"
