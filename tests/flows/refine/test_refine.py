"""From the practice's words to files, over real HTTP, with a recorded model and a stand-in for Healthie."""

import difflib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
import yaml

from agent.golden import Golden
from agent.instructions import Instructions, InstructionsError
from agent.manifest import Manifest
from flows import scaffold
from flows.errors import Spoken
from flows.refine import Asked, RefineInvalid, refine
from flows.settings import Settings
from flows.tenants import load
from tests.agent.openai_server import Reply, in_turn, message, says, submits
from tests.agent.refine.recorded import Recording
from tests.flows.refine.conftest import HERE, LABEL, Practice

TWO = "two-primary-policies"
ANSWERS = """\
# Answers

Q1. a

Q2. Drop that, and
mark nobody.

Q3: emptied

- **Q4.** as the program does it
"""


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
    assert "About S3 (gap).\n\n- a. emptied\n- b. left as it is\n\n1 of all 5 patients" in asked
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
    assert names == [
        "a-patient-with-everything.yaml",
        "an-archived-patient.yaml",
        "two-primary-policies.yaml",
    ]
    golden = Golden.model_validate(yaml.safe_load(practice.text("golden/two-primary-policies.yaml")))
    assert (golden.plan.kind, golden.plan.because, golden.plan.reason) == ("review", ("S4",), "two_primaries")
    assert "## Q4. An example (No last name) and the program differ in" in practice.text("questions.md")
    assert "golden: no example reaches S5" in lines


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


def test_examples_of_sentences_that_are_gone_go(practice: Practice) -> None:
    practice.refined("first.yaml")
    (practice.folder / "answers.md").write_text(ANSWERS)
    kept = practice.folder / "golden" / "a-patient-with-everything.yaml"
    kept.write_text(kept.read_text() + "# a person's remark\n")
    (practice.folder / "golden" / "ours.yaml").write_text("a person's own\n")

    practice.refined("second.yaml")

    names = sorted(path.stem for path in (practice.folder / "golden").iterdir())
    assert names == ["a-patient-with-everything", "an-archived-patient", "ours", TWO]
    assert "kind: write" in practice.text("golden/two-primary-policies.yaml")


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


def test_no_patient_data_leaves_or_is_left(practice: Practice, tmp_path: Path) -> None:
    practice.healthie.reset()
    lines, _ = practice.refined("first.yaml")
    (practice.folder / "answers.md").write_text(ANSWERS)
    more, _ = practice.refined("second.yaml")

    read = str(practice.healthie.requests()["roots"])
    assert "users" in read and "tried on all 5 patients that were looked at" in lines
    ids = [one for one in practice.healthie.ids() if len(one) > 4]
    words = [*practice.canaries, *ids]
    assert len(words) > 100
    places = {"the wire": b"\n".join(practice.endpoint.bodies), "the lines": "\n".join(lines + more).encode()}
    places |= {str(path): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    for place, content in places.items():
        assert [word for word in words if word.encode() in content] == [], place


def test_that_entries_are_read_is_in_the_audit_first(practice: Practice, tmp_path: Path) -> None:
    practice.refined("first.yaml")

    engine = sa.create_engine(f"sqlite:///{tmp_path / 'home' / 'ledger.db'}")
    with engine.connect() as connection:
        rows = connection.execute(sa.text("SELECT act, count FROM audit")).all()
    engine.dispose()
    assert ("entries of warehouse read to refine its instructions", 5) in [tuple(row) for row in rows]


def test_without_a_source_everything_but_the_counts_is_drafted(
    practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TEST_HEALTHIE_KEY")

    lines, _ = practice.refined("first.yaml")

    assert any(line.startswith("tried on no entries: acme: connection healthie needs") for line in lines)
    assert "that were looked at" not in practice.text("questions.md")
    assert (practice.folder / "program.py").exists()


def test_fewer_entries_may_be_asked_for(practice: Practice) -> None:
    lines, _ = practice.refined("first.yaml", entries=2)

    assert "tried on the 2 patients that were looked at" in lines


BROKEN = {
    "silent": (Reply(status=503), "model_unavailable"),
    "without the key": (Reply(status=401), "model_unauthorized"),
    "talking": (says("Here is my draft: S1 …"), "model_output_invalid"),
    "cut off": (message("", [], "length"), "model_truncated"),
    "not as asked": (submits({"sentences": "all of them"}), "model_output_invalid"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_model_that_gives_nothing_usable_writes_nothing(
    name: str, practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    reply, code = BROKEN[name]
    monkeypatch.setattr("agent.models.WAIT", 0.0)
    practice.endpoint.model = in_turn(reply)
    before = sorted(practice.folder.rglob("*"))

    with pytest.raises(RefineInvalid) as told:
        list(refine(Settings(), LABEL, Asked("openai-compatible:drafter", "model")))

    assert f"acme/warehouse: the refining model gave nothing usable ({code})" in str(told.value)
    assert str(told.value).endswith("; nothing was written") and "\n" not in str(told.value)
    assert sorted(practice.folder.rglob("*")) == before


MISTAKES = {
    "an address": (
        ("business-logic.md", "Leave out\njane@clinic.org.\n"),
        ":2: holds an e-mail address",
    ),
    "a telephone": (
        ("business-logic.md", "Call (512) 555-0199.\n"),
        ":1: holds a telephone number",
    ),
    "a record number": (("business-logic.md", "Not 10023344.\n"), ":1: holds a number of a person"),
    "an answer": (("answers.md", "x 123-45-6789\n"), "answers.md:1: holds a social security number"),
    "no words": (("business-logic.md", scaffold.LOGIC), "business-logic.md: holds nothing yet"),
    "no question": (("answers.md", "Q7. yes\n"), "answers.md:1: Q7 is no question"),
    "no sentence": (("instructions.md", "S2. First.\n"), "instructions.md:1: S2 where S1 was expected"),
    "no such column": (
        ("integration.yaml", "targets: {warehouse: {connection: nowhere, categories: []}}"),
        "connection nowhere is not in tenant.yaml",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_in_the_files_is_told_before_anybody_is_asked(name: str, practice: Practice) -> None:
    (file, text), told = MISTAKES[name]
    (practice.folder / file).write_text(text)

    with pytest.raises((InstructionsError, Spoken)) as error:
        list(refine(Settings(), LABEL, Asked("openai-compatible:drafter", "model")))

    assert told in str(error.value)
    assert practice.endpoint.bodies == []


def test_the_model_of_the_last_draft_is_taken_again(practice: Practice) -> None:
    with pytest.raises(RefineInvalid, match="no model is named to draft with; name one with --model"):
        list(refine(Settings(), LABEL, Asked()))
    practice.refined("first.yaml")
    practice.endpoint.bodies.clear()
    practice.endpoint.model = in_turn(says("no"))

    with pytest.raises(RefineInvalid, match="nothing usable"):
        list(refine(Settings(), LABEL, Asked()))

    assert practice.endpoint.requests()[0]["model"] == "drafter"


def test_where_a_model_decides_no_program_is_drafted(practice: Practice) -> None:
    path = practice.folder / "integration.yaml"
    path.write_text("decide: {by: openai-compatible:decider, connection: model}\n" + path.read_text())
    recorded = Recording(HERE / "recorded" / "first.yaml")
    practice.endpoint.model = recorded

    lines = list(refine(Settings(), LABEL, Asked()))

    assert recorded.wrong == [] and set(recorded.asked) == {"sentences", "examples"}
    assert practice.endpoint.requests()[0]["model"] == "decider"
    assert not (practice.folder / "program.py").exists()
    assert "golden: 4 of 4 examples are kept" in lines
    assert "1 of all 5 patients that were looked at" in practice.text("questions.md")


def test_at_the_command_line_it_says_what_was_done_and_what_is_to_be_done(practice: Practice) -> None:
    practice.endpoint.model = Recording(HERE / "recorded" / "first.yaml")
    command = [sys.executable, "-m", "flows", "refine", LABEL]
    asked = ["--model", "openai-compatible:drafter", "--connection", "model"]

    said = subprocess.run([*command, *asked], capture_output=True, text=True, timeout=120, check=False)
    wrong = subprocess.run(
        [*command, "--connection", "warehouse"], capture_output=True, text=True, timeout=120, check=False
    )

    assert said.returncode == 0 and said.stderr == ""
    assert "acme/warehouse/program.py: drafted\n" in said.stdout
    assert "to do: answer Q1, Q2, Q3, Q4" in said.stdout
    assert (wrong.returncode, wrong.stdout) == (1, "")
    assert wrong.stderr == "ferry: acme/warehouse: connection warehouse is sql, not model\n"


def test_ordinary_words_are_no_identifiers(practice: Practice) -> None:
    path = practice.folder / "business-logic.md"
    words = "From 2026-01-01, at most 182 days, 100000 cents, mail@example.com, CPT 99213, invi\u00adsible."
    path.write_text(f"{path.read_text()}\n{words}\n")

    _, recording = practice.refined("first.yaml")

    assert recording.wrong == []
    assert b"\\u00ad" not in practice.endpoint.bodies[0] and b"CPT 99213" in practice.endpoint.bodies[0]
