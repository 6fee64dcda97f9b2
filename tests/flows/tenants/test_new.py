"""New files pass the check but for what a person must write; schemas are those of the models."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from flows import schema
from flows.check import check
from flows.scaffold import NotMade, new
from flows.tenants import Integration, Tenant
from tests.flows.tenants.proofs import ferry

ROOT = Path(__file__).parents[3]
FILES = ("business-logic.md", "instructions.md", "integration.yaml", "fields.yaml", "program.py")


def told(root: Path) -> list[tuple[str, str]]:
    return [(str(one.path.relative_to(root)), one.what) for one in check(root, production=False)]


def finish(root: Path, tenant: str, integration: str) -> None:
    """What a person writes: the time zone and the rules."""
    path = root / tenant / "tenant.yaml"
    path.write_text(path.read_text().replace("timezone:  #", "timezone: America/Chicago  #"))
    (root / tenant / integration / "instructions.md").write_text("S1. Each patient is one row.\n")


def test_a_new_integration_lacks_only_what_a_person_must_write(tmp_path: Path) -> None:
    done = ferry(tmp_path, "new", "acme", "warehouse")

    assert done.returncode == 0, done.stderr
    assert [line for line in done.stdout.splitlines() if line.startswith("to do: ")] == [
        f"to do: {tmp_path}/acme/tenant.yaml:5: timezone is missing; "
        "write the practice's: timezone: America/New_York",
        f"to do: {tmp_path}/acme/warehouse/instructions.md:1: has no sentence; write each rule as `S1. …`",
    ]
    assert all((tmp_path / "acme" / "warehouse" / name).is_file() for name in FILES)
    finish(tmp_path, "acme", "warehouse")
    assert told(tmp_path) == []


def test_a_second_integration_is_added_to_the_tenants_files(tmp_path: Path) -> None:
    list(new(tmp_path, "acme", "warehouse"))
    finish(tmp_path, "acme", "warehouse")
    before = (tmp_path / "acme" / "prefect.yaml").read_text()
    tenant = (tmp_path / "acme" / "tenant.yaml").read_text()

    list(new(tmp_path, "acme", "front-desk"))

    after = (tmp_path / "acme" / "prefect.yaml").read_text()
    assert after.startswith(before) and (tmp_path / "acme" / "tenant.yaml").read_text() == tenant
    names = [one["name"] for one in yaml.safe_load(after)["deployments"]]
    assert names == ["acme-warehouse", "acme-front-desk"]
    assert told(tmp_path) == [("acme/front-desk/instructions.md", "has no sentence")]


@pytest.mark.parametrize("indent", ["", "    "])
def test_a_deployment_is_added_in_the_files_own_indentation(tmp_path: Path, indent: str) -> None:
    list(new(tmp_path, "acme", "warehouse"))
    finish(tmp_path, "acme", "warehouse")
    path = tmp_path / "acme" / "prefect.yaml"
    path.write_text(path.read_text().replace("\n  ", f"\n{indent}").rstrip("\n"))

    list(new(tmp_path, "acme", "other"))

    assert told(tmp_path) == [("acme/other/instructions.md", "has no sentence")]


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    list(new(tmp_path, "acme", "warehouse"))
    everything = sorted(path for path in (tmp_path / "acme").rglob("*") if path.is_file())
    for path in everything:
        path.write_text(path.read_text() + "# mine\n")
    before = [path.read_text() for path in everything]

    lines = list(new(tmp_path, "acme", "warehouse"))

    assert [path.read_text() for path in everything] == before
    assert sum("left as it is" in line for line in lines) == len(everything) == 7


def test_a_file_that_cannot_be_added_to_is_left_and_the_block_is_shown(tmp_path: Path) -> None:
    (tmp_path / "acme").mkdir()
    path = tmp_path / "acme" / "prefect.yaml"
    path.write_text("deployments: []\n")

    lines = list(new(tmp_path, "acme", "warehouse"))

    assert path.read_text() == "deployments: []\n"
    assert any(
        "could not be added to; add there" in line and "- name: acme-warehouse" in line for line in lines
    )


@pytest.mark.parametrize("name", ["Acme", "a b", "../up", "schema", "a" * 64, "-x"])
def test_a_name_that_cannot_be_one_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(NotMade, match="cannot be a name; use small letters"):
        list(new(tmp_path, name, "warehouse"))
    assert list(tmp_path.iterdir()) == []


def test_the_schemas_are_up_to_date() -> None:
    folder = ROOT / "deployments" / schema.FOLDER

    assert {path.name: path.read_text() for path in folder.iterdir()} == schema.texts(), "run: ferry schema"


def test_every_file_names_a_schema_that_is_there() -> None:
    for path in (ROOT / "deployments").rglob("*.yaml"):
        if (
            path.name in ("tenant.yaml", "integration.yaml", "fields.yaml", "prefect.yaml")
            and "demo" not in path.parts
        ):
            first = path.read_text().splitlines()[0]
            assert first.startswith("# yaml-language-server: $schema="), path
            named = path.parent / first.partition("$schema=")[2]
            assert named.resolve().name == f"{path.stem}.json" and named.is_file(), path


def test_every_key_has_words_in_the_example() -> None:
    """Each key of the models stands in the example tenant's files, so that its comments explain it."""
    written = "".join(path.read_text() for path in (ROOT / "deployments" / "example").rglob("*.yaml"))

    for kind in (Tenant, Integration):
        described = kind.model_json_schema()
        for one in (described, *described["$defs"].values()):
            for key in one.get("properties", {}):
                assert f"{key}:" in written, key


def test_the_schema_of_a_tenants_file_refuses_what_the_check_refuses() -> None:
    written = json.loads(schema.texts()["prefect.json"])

    open_ = [
        name
        for name, one in objects(written)
        if "properties" in one and one.get("additionalProperties", True)
    ]
    assert open_ == []
    assert written["$defs"]["Parameters"]["properties"]["kind"]["enum"] == [
        "changes",
        "sweep",
        "resync",
        "retry",
        "undo",
    ]


def objects(written: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    yield "file", written
    yield from written["$defs"].items()
