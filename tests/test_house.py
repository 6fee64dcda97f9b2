"""What is true of the whole house."""

import ast
import importlib
import pkgutil
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from pydantic import BaseModel

import agent
import connectors
import flows
from flows.parameters import Parameters
from flows.tenants import labels, load

ROOT = Path(__file__).parent.parent
SOURCES = sorted(
    path for folder in ("flows", "agent", "connectors") for path in (ROOT / folder).rglob("*.py")
)
OTHERS = sorted(path for folder in ("tests", "benchmarks") for path in (ROOT / folder).rglob("*.py"))
MIGRATIONS = ROOT / "flows" / "ledger" / "migrations"
TOP = {
    "flows", "connectors", "agent", "deployments", "tests", "benchmarks", "prefect.yaml", "pyproject.toml",
    "README.md", "CONTRIBUTING.md", "DECISIONS.md", "CHANGELOG.md", "LICENSE", "Makefile",
    "requirements.lock", ".ci", ".gitignore", "docs", "Dockerfile", ".dockerignore",
}  # fmt: skip


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


@pytest.mark.parametrize("path", SOURCES + OTHERS, ids=name)
def test_files_are_under_300_lines(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 300


@pytest.mark.parametrize("path", [path for path in SOURCES if MIGRATIONS not in path.parents], ids=name)
def test_functions_are_under_40_lines(path: Path) -> None:
    long = [one.name for one in functions(path) if (one.end_lineno or 0) - one.lineno >= 40]

    assert long == []


def test_only_the_boundary_catches_everything() -> None:
    broad = re.compile(r"except (Base)?Exception\b|except:")
    found = [name(path) for path in SOURCES if broad.search(path.read_text())]

    assert found == ["agent/loop.py", "flows/boundary.py"]  # the loop's thread hands everything to its caller


def test_nobody_prints() -> None:
    found = []
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
                found.append(f"{name(path)}:{node.lineno}")

    assert found == []


def test_the_top_level_is_what_the_design_says() -> None:
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.splitlines()
    if not tracked:
        pytest.skip("needs a git checkout")

    assert {path.split("/")[0] for path in tracked} <= TOP


def test_no_model_shows_its_input_in_errors() -> None:
    """Walks every module; sandbox models and pydantic-settings' own are ours to check, too."""
    for package in (flows, agent, connectors):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if "migrations" not in module.name and not module.name.endswith("__main__"):
                importlib.import_module(module.name)
    ours = [
        kind
        for kind in subclasses(BaseModel)
        if kind.__module__.split(".")[0] in ("flows", "agent", "connectors")
        and "[" not in kind.__qualname__  # a generic's made-up name
        and "sandbox" not in kind.__module__
    ]

    assert len(ours) > 30
    assert [kind.__qualname__ for kind in ours if not kind.model_config.get("hide_input_in_errors")] == []


def subclasses(kind: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for below in kind.__subclasses__():
        yield below
        yield from subclasses(below)


@pytest.mark.parametrize("root", ["deployments", "tests/faults/deployments"])
def test_every_deployment_loads(root: str) -> None:
    found = labels(ROOT / root)

    assert found
    for label in found:
        assert load(ROOT / root, label).instructions.sentences


@pytest.mark.parametrize("path", sorted((ROOT / "deployments").glob("*/prefect.yaml")), ids=name)
def test_a_tenants_prefect_yaml_names_a_flow_that_is_there(path: Path) -> None:
    described = yaml.safe_load(path.read_text())

    assert described["deployments"]
    for deployment in described["deployments"]:
        source, _, flow = deployment["entrypoint"].partition(":")
        assert flow in [one.name for one in functions(ROOT / source)]
        asked = Parameters.model_validate(deployment["parameters"]["integration"])
        assert asked.label in labels(ROOT / "deployments")
        assert asked.tenant == path.parent.name


def test_the_readme_names_commands_that_are_there() -> None:
    readme = (ROOT / "README.md").read_text()
    makefile = (ROOT / "Makefile").read_text()
    cli = "".join(path.read_text() for path in (ROOT / "flows" / "cli").glob("*.py"))

    for target in set(re.findall(r"\bmake ([a-z]+)", readme)):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
    for command in set(re.findall(r"\bferry ([a-z]+)\b", readme)):
        assert f"def {command}(" in cli or f'name="{command}"' in cli, command
