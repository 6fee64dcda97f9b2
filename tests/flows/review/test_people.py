"""Who may review, and as what: tenant.yaml says so, and nobody is more than that."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from flows.review.door import NotAdmitted, Role, role_of
from flows.tenants import Tenant
from tests.flows.review.filled import stage

PEOPLE = {"Ana Reyes": "approver", "Ben": "reviewer", "Cleo": "viewer"}

NAMED = "north: tenant.yaml lets no Dan review or see values; it names"
ASK = "; ask who may, or change people in tenant.yaml"


def role(person: str, asked: str = "") -> Role:
    return role_of("north", PEOPLE, person, asked, production=True)


def test_a_person_is_what_the_tenant_says_or_less_if_they_ask_for_less() -> None:
    assert [role(person) for person in PEOPLE] == [Role.APPROVER, Role.REVIEWER, Role.VIEWER]
    assert role("Ana Reyes", "viewer") is Role.VIEWER
    assert role("Ben", "reviewer") is Role.REVIEWER


@pytest.mark.parametrize(
    ("person", "asked", "said"),
    [
        ("Cleo", "reviewer", f"north: Cleo may act as viewer, and not as reviewer{ASK}"),
        ("Ben", "approver", f"north: Ben may act as viewer or reviewer, and not as approver{ASK}"),
        ("Ben", "owner", f"north: Ben may act as viewer or reviewer, and not as owner{ASK}"),
        ("Dan", "", f"{NAMED} Ana Reyes, Ben, Cleo; name one of these, or add them to people there"),
    ],
)
def test_nobody_is_more(person: str, asked: str, said: str) -> None:
    with pytest.raises(NotAdmitted) as caught:
        role(person, asked)

    assert str(caught.value) == said


def test_where_nobody_is_named_everybody_reviews_and_in_production_nobody() -> None:
    assert role_of("north", {}, "Ana", "", production=False) is Role.APPROVER
    with pytest.raises(NotAdmitted, match="it names nobody"):
        role_of("north", {}, "Ana", "", production=True)


def test_the_command_reads_who_they_are_from_the_tenants_file(tmp_path: Path) -> None:
    with stage(tmp_path, 1):
        pass
    shutil.copytree("deployments", tmp_path / "deployments")
    with (tmp_path / "deployments" / "demo" / "tenant.yaml").open("a") as file:
        file.write("people: {Ana: viewer}\n")

    command = [
        sys.executable,
        "-m",
        "flows",
        "review",
        "demo/warehouse",
        "--person",
        "Ana",
        "--as",
        "reviewer",
    ]
    environment = {**os.environ, "FERRY_HOME": str(tmp_path), "FERRY_ENV": "local"}
    environment["FERRY_DEPLOYMENTS"] = str(tmp_path / "deployments")
    said = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    assert (said.returncode, said.stdout) == (1, "")
    assert "demo: Ana may act as viewer, and not as reviewer" in said.stderr


def test_the_page_of_the_documentation_says_it_as_the_file_takes_it() -> None:
    (block,) = re.findall(r"```yaml\n(people:.*?)```", Path("docs/staging.md").read_text(), re.DOTALL)

    people = Tenant.model_validate(yaml.safe_load(block) | {"connections": {}}).people
    assert set(people.values()) == {role.word for role in Role}
