"""From the practice's words to files, over real HTTP, with a recorded model and a stand-in for Healthie."""

import difflib
import shutil

import pytest
import yaml

from agent.golden import Golden
from agent.instructions import Instructions
from agent.manifest import Manifest
from flows import scaffold
from flows.tenants import load
from tests.agent.refine.recorded import Recording
from tests.flows.refine.conftest import ANSWERS, HERE, LABEL, Practice

FIRST = [
    "a-patient-with-everything",
    "a-primary-policy-without-a-plan-and-a-secondary-one",
    "almost-nothing",
    "an-archived-patient",
    "two-primary-policies",
]


def changed(before: str, after: str) -> list[str]:
    """The lines that a diff shows."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=0)
    return [line for line in lines if not line.startswith(("---", "+++", "@@"))]


def test_the_first_draft_asks_what_the_words_leave_open(practice: Practice) -> None:
    lines, recording = practice.refined("first.yaml")

    assert recording.wrong == [] and recording.used_up()
    instructions = Instructions.load(practice.folder)
    assert instructions.numbers == ("S1", "S2", "S3", "S4", "S5")
    assert "S3. The e-mail is written in small letters.\n> the e-mail in small letters\n" in instructions.text
    assert Manifest(yaml.safe_load(practice.text("fields.yaml"))).sentences("email") == ("S3",)
    questions = practice.text("questions.md")
    assert "## Q1. Which policy counts if two of them are primary?\n\nAbout S4 (gap)." in questions
    assert "- b. a person looks at them\n\n1 of all 5 patients that were looked at." in questions
    assert "## Q2. What is recently?\n\nAbout S5 (vague)." in questions
    assert "to do: answer Q1, Q2, Q3, Q4 in acme/warehouse/answers.md, then refine again" in lines
    assert "to do: integration.yaml: warehouse_upsert_patients.email: because: [S3]" in lines


def test_candidates_that_disagree_become_a_question_without_a_value(practice: Practice) -> None:
    lines, _ = practice.refined("first.yaml")

    questions = practice.text("questions.md")
    differ = "## Q3. Programs that follow the sentences differ in `warehouse_upsert_patients.email`"
    assert differ in questions
    asked = questions.partition(differ)[2].partition("## Q4")[0]
    assert "About S3 (difference).\n\n- a. emptied\n- b. left as it is\n\n1 of all 5 patients" in asked
    assert "program: candidate 1 of 2 that hold is kept" in lines
    assert any(line.startswith("candidate 3: ") and "cites S9" in line for line in lines)


def test_no_program_is_seen_that_does_not_hold(practice: Practice) -> None:
    _, recording = practice.refined("first.yaml")

    corrected = [body for body in practice.endpoint.requests() if len(body["messages"]) > 2]
    told = [str(body["messages"][-1]["content"]) for body in corrected]
    assert recording.asked["program 2"] == 2
    assert any("full_nam" in text for text in told)
    refused = "on the example 'A patient with everything' it is refused: value_without_source"
    assert any(refused in text for text in told)
    assert "full_nam=" not in practice.text("program.py")
    assert load(practice.folder.parents[1], LABEL).instructions.program == practice.text("program.py")


def test_examples_agree_with_the_program_or_become_a_question(practice: Practice) -> None:
    lines, _ = practice.refined("first.yaml")

    names = sorted(path.name for path in (practice.folder / "golden").iterdir())
    assert names == [f"{one}.yaml" for one in FIRST]
    golden = Golden.model_validate(yaml.safe_load(practice.text("golden/two-primary-policies.yaml")))
    assert (golden.plan.kind, golden.plan.because, golden.plan.reason) == ("review", ("S4",), "two_primaries")
    assert "## Q4. An example (No last name) and the program differ in" in practice.text("questions.md")
    assert "golden: no example reaches S5" in lines
    assert not any("no example takes a branch" in line for line in lines)


def test_a_branch_that_no_example_takes_is_told(practice: Practice) -> None:
    recorded = Recording(HERE / "recorded" / "first.yaml")
    del recorded.recorded["branches"]

    lines, _ = practice.refined(recorded)

    assert (
        'golden: no example takes a branch: the condition before `else` always holds: email=entry["email"]'
        '.lower() if entry["email"] else None,' in lines
    )


def test_answers_change_what_they_are_about_and_numbers_stay(practice: Practice) -> None:
    practice.refined("first.yaml")
    before = practice.text("instructions.md")
    (practice.folder / "answers.md").write_text(ANSWERS)

    lines, recording = practice.refined("second.yaml")

    assert recording.wrong == [] and recording.used_up()
    assert "5 sentences: 2 as they were, 2 reworded, 1 new, 1 retired" in lines
    shown = changed(before, practice.text("instructions.md"))
    assert [line[:4] for line in shown if line[1:2] == "S"] == [
        "-S3.", "+S3.", "-S4.", "+S4.", "-S5.", "+S5.", "+S6.",
    ]  # fmt: skip
    assert "+S5. Retired." in shown and '+S6. The status of everybody else is "active".' in shown
    assert "S5" not in practice.text("fields.yaml") and "appointments" not in practice.text("fields.yaml")
    assert practice.text("answers.md") == ANSWERS
    questions = practice.text("questions.md")
    assert questions.count("## Q") == questions.count("Answered in answers.md.") == 4
    assert not any(line.startswith("to do: answer") for line in lines)
    assert "Q1 was answered and is open all the same; look whether the draft follows" in lines


def test_examples_of_sentences_that_are_gone_go(practice: Practice) -> None:
    practice.refined("first.yaml")
    (practice.folder / "answers.md").write_text(ANSWERS)
    kept = practice.folder / "golden" / "a-patient-with-everything.yaml"
    kept.write_text(kept.read_text() + "# a person's remark\n")
    (practice.folder / "golden" / "ours.yaml").write_text("a person's own\n")

    practice.refined("second.yaml")

    names = sorted(path.stem for path in (practice.folder / "golden").iterdir())
    assert names == sorted([*FIRST, "ours"])
    assert "payer: Blue Example" in practice.text("golden/two-primary-policies.yaml")


def test_the_same_draft_changes_nothing(practice: Practice) -> None:
    practice.refined("first.yaml")
    (practice.folder / "answers.md").write_text(ANSWERS)
    practice.refined("second.yaml")
    names = [path for path in practice.folder.rglob("*") if path.is_file()]
    before = {path: path.read_bytes() for path in names}

    practice.refined("second.yaml")

    assert {path: path.read_bytes() for path in practice.folder.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("name", ["instructions.md", "program.py", "fields.yaml", "questions.md"])
def test_what_a_person_changed_is_not_overwritten(name: str, practice: Practice) -> None:
    practice.refined("first.yaml")
    (practice.folder / "answers.md").write_text(ANSWERS)
    path = practice.folder / name
    path.write_text(path.read_text() + "\n")
    before = {path: path.read_bytes() for path in practice.folder.rglob("*") if path.is_file()}

    lines, _ = practice.refined("second.yaml")

    assert any(f"{name} changed since the last draft, so nothing is overwritten" in line for line in lines)
    assert {path: path.read_bytes() for path in before} == before
    assert "S6." in practice.text("draft/instructions.md")
    shutil.copytree(practice.folder / "draft", practice.folder, dirs_exist_ok=True)
    shutil.rmtree(practice.folder / "draft")
    again, _ = practice.refined("second.yaml")
    assert not any("changed since" in line for line in again)


def test_what_ferry_new_made_is_drafted_over(practice: Practice) -> None:
    names = {"tenant": "acme", "integration": "warehouse"}
    (practice.folder / "instructions.md").write_text(scaffold.INSTRUCTIONS.format(**names))
    (practice.folder / "program.py").write_text(scaffold.PROGRAM)
    (practice.folder / "fields.yaml").write_text(scaffold.FIELDS)

    practice.refined("first.yaml")

    assert not (practice.folder / "draft").exists()
    assert "S5." in practice.text("instructions.md") and "not_written" not in practice.text("program.py")


def test_what_was_drafted_stands_every_check(practice: Practice) -> None:
    practice.refined("first.yaml")
    (practice.folder / "answers.md").write_text(ANSWERS)
    path = practice.folder / "integration.yaml"
    grants = path.read_text()
    for column, sentence in {"full_name": "S2", "email": "S3", "payer": "S4", "status": "S1, S6"}.items():
        grants = grants.replace(f"{column}: {{type: str,", f"{column}: {{type: str, because: [{sentence}],")
    path.write_text(grants)

    lines, recording = practice.refined("second.yaml")

    assert recording.wrong == [] and not any(line.startswith("to do") for line in lines), lines
    assert path.read_text() == grants


def test_of_a_difference_the_model_hears_only_what_was_answered(practice: Practice) -> None:
    practice.refined("first.yaml")
    answers = practice.folder / "answers.md"
    answers.write_text(ANSWERS.replace("Q3: emptied", "Q3."))
    practice.endpoint.bodies.clear()

    _, recording = practice.refined("second.yaml")

    [lacking] = recording.wrong
    assert lacking.startswith("sentences: lacks 'Programs that follow the sentences differ")
    assert "as the program does it" in str(practice.endpoint.requests()[0]["messages"])
