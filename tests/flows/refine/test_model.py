"""Which model is asked, what is refused before it is, and what becomes of one that gives nothing usable."""

import subprocess
import sys

import pytest

from agent.instructions import InstructionsError
from flows import scaffold
from flows.errors import Spoken
from flows.refine import Asked, RefineInvalid, refine
from flows.settings import Settings
from tests.agent.openai_server import Reply, in_turn, message, says, submits
from tests.agent.refine.recorded import Recording
from tests.flows.refine.conftest import HERE, LABEL, Practice

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
    monkeypatch.setattr("agent.metered.WAIT", 0.0)
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
    assert "golden: 4 examples are kept" in lines
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


def test_what_it_cost_is_told(practice: Practice) -> None:
    lines, recording = practice.refined("first.yaml")

    asked = sum(recording.asked.values())
    assert f"the model was asked {asked} times: {900 * asked} tokens in, {60 * asked} out" in lines


def test_a_model_that_is_not_allowed_is_not_asked(practice: Practice) -> None:
    path = practice.folder.parents[1] / "models.yaml"
    path.write_text(path.read_text().replace("local: true", "hosts: [models.example.com]"))

    for model in ("openai-compatible:other", "openai-compatible:drafter"):
        with pytest.raises(Spoken, match=r"have it allowed there|no business associate agreement"):
            list(refine(Settings(), LABEL, Asked(model, "model")))

    assert practice.endpoint.bodies == []


def test_a_server_is_there_where_the_models_key_may_be_sealed(practice: Practice) -> None:
    tenant, home = practice.folder.parent / "tenant.yaml", Settings().home
    tenant.write_text(tenant.read_text().replace(", api_key: $TEST_MODEL_KEY", ""))
    home.mkdir(exist_ok=True)
    (home / "prefect").write_text("a server of this machine cannot be started")

    with pytest.raises(FileExistsError):
        list(refine(Settings(), LABEL, Asked("openai-compatible:drafter", "model")))
    assert practice.endpoint.bodies == []


def test_what_drafting_costs_is_within_the_integrations_budget(practice: Practice) -> None:
    path = practice.folder / "integration.yaml"
    path.write_text("decide: {budget: {run: {requests: 3}}}\n" + path.read_text())
    practice.endpoint.model = recorded = Recording(HERE / "recorded" / "first.yaml")

    lines = list(refine(Settings(), LABEL, Asked("openai-compatible:drafter", "model")))

    assert sum(recorded.asked.values()) == 3
    assert sum(line.startswith("candidate ") and "(budget_reached run)" in line for line in lines) == 3
    assert not (practice.folder / "program.py").exists()
