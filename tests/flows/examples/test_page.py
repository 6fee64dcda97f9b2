"""docs/instructions.md: its examples are true, its commands are there, and it explains every code."""

import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import yaml

from agent import failures, refusals
from agent.check import check_program
from agent.golden import ExpectedPlan, Golden
from agent.instructions import Instructions
from agent.plan import Plan
from agent.program import ProgramCode
from connectors.sandbox.healthie import StandIn
from connectors.sandbox.probe import ProbeServer
from flows.cli import application
from flows.tenants import ColumnGrant
from tests.faults.terminal import ferry
from tests.faults.world import Practice
from tests.flows.examples.integrations import DEPLOYMENTS, LABELS, ROOT, files, on_this_machine

PAGE = (ROOT / "docs" / "instructions.md").read_text()
STOPS = {"refine", "promote"}  # here no model is named, and nothing was decided in the shadow


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def commands() -> Iterator[list[str]]:
    """What the page says to type, without its remarks."""
    for line in "".join(blocks("bash")).splitlines():
        if words := shlex.split(line, comments=True):
            yield words


def sample() -> tuple[str, Instructions]:
    """The page's program, with the sentences of the integration that it is taken from."""
    (program,) = blocks("python")
    return program, Instructions.parse(
        (DEPLOYMENTS / "harbor" / "recall" / "instructions.md").read_text(), program
    )


def test_the_program_on_the_page_is_right_by_the_grants_it_is_written_for() -> None:
    program, instructions = sample()
    given = files("harbor/recall")
    policy = given.deployment.integration.policy(instructions)

    assert check_program(program, policy, given.writes, given.fields) == []


def test_the_example_on_the_page_is_what_that_program_decides() -> None:
    _, instructions = sample()
    (text,) = blocks("yaml")
    golden = Golden.model_validate(yaml.safe_load(text))

    (decided,) = files("harbor/recall").decide(instructions, [golden])

    assert isinstance(decided, Plan), decided
    assert ExpectedPlan.of(decided) == golden.plan


def test_the_sentence_on_the_page_is_the_integrations_own() -> None:
    (quoted,) = blocks("markdown")

    assert quoted in (DEPLOYMENTS / "harbor" / "recall" / "instructions.md").read_text()


def test_every_code_is_explained() -> None:
    codes = {code.value for kind in (refusals.Code, failures.Code, ProgramCode) for code in kind}
    explained = set(re.findall(r"`([a-z_]+)`", PAGE.partition("## What each code means")[2]))

    assert codes - explained == set()


def test_every_key_of_a_grant_is_explained() -> None:
    grants = PAGE.partition("## Grants")[2].partition("\n## ")[0]
    keys = {field.alias or name for name, field in ColumnGrant.model_fields.items()}

    assert {key for key in keys - {"key"} if f"`{key}`" not in grants} == set()


def test_the_folders_on_the_page_are_there() -> None:
    named = set(re.findall(r"`deployments/([a-z]+/[a-z]+)`", PAGE))

    assert named == set(LABELS)
    for label in LABELS:
        there = {path.name for path in (DEPLOYMENTS / label).iterdir()}
        listed = set(re.findall(r"^\| `([a-z-]+(?:\.[a-z]+|/))` \|", PAGE, re.MULTILINE))
        assert there - {"__pycache__"} <= {name.rstrip("/") for name in listed}, label


def known() -> set[str]:
    """The commands that there are."""
    found = application().registered_commands
    return {str(one.name or one.callback.__name__) for one in found if one.callback}


def test_the_commands_on_the_page_are_there() -> None:
    asked = {words[1] for words in commands() if words[0] == "ferry"}

    assert asked and asked <= known()


@pytest.fixture
def practice(probe: ProbeServer, prefect: Mapping[str, str], tmp_path: Path) -> Iterator[Practice]:
    """A practice that has the integration of the page, with its connections on this machine."""
    with StandIn(30, seed=5) as healthie:
        url = f"sqlite:///{tmp_path / 'ledger.db'}"
        made = Practice(healthie, probe, prefect, tmp_path, url, label="harbor/recall")
        made.extra = {
            "FERRY_DEPLOYMENTS": str(on_this_machine("harbor", tmp_path)),
            "TEST_TARGET_FOLDER": str(tmp_path),
            "PREFECT_LOGGING_LEVEL": "WARNING",
        }
        yield made


def test_the_commands_on_the_page_do_what_they_say(practice: Practice) -> None:
    version = f"{practice.extra['FERRY_DEPLOYMENTS']}/harbor/recall"
    meant = {"PATIENT": practice.healthie.ids()[0], "VERSION": version}

    for _, *words in commands():
        if words[0] not in known():
            continue
        if "RUN" in words:
            complete = "SELECT id FROM run WHERE state = 'complete' ORDER BY started LIMIT 1"
            meant["RUN"] = str(practice.ledger(complete)[0][0])
        said = ferry(practice, *(meant.get(word, word) for word in words))

        if words[0] in STOPS:
            assert said.code == 1 and said.err.startswith("ferry: ") and said.err.count("\n") == 1, said
        else:
            assert said.code == 0 and "ferry: " not in said.err, (words, said)
