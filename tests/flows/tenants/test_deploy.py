"""Deploying a tenant to a real Prefect server, and what that leaves as it was."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.faults.conftest import FULL
from tests.prefect_api import asking

ROOT = Path(__file__).parents[3]
POOL = "tenants-test"
MANY = 50 if FULL else 10
SECONDS = 10.0 if FULL else 60.0  # in CI two processors do other work meanwhile


class House:
    """A folder of tenants, and the server they are deployed to."""

    def __init__(self, root: Path, prefect: Mapping[str, str]) -> None:
        self.root, self.prefect = root, prefect
        self.api = asking(prefect["PREFECT_API_URL"])

    def tenant(self, name: str, integrations: Sequence[str], pool: str = POOL) -> Path:
        """Write a tenant's files. All its secrets are in the environment, so it needs no block."""
        folder, source = self.root / name, ROOT / "deployments" / "example" / "front-desk"
        folder.mkdir(exist_ok=True)
        (folder / "tenant.yaml").write_text(
            "timezone: America/Chicago\nconnections:\n"
            "  healthie: {connector: healthie, settings: {url: $URL, api_key: $KEY}}\n"
            "  desk: {connector: csv, settings: {folder: /tmp}}\n"
        )
        text = "deployments:\n" if integrations else "deployments: []\n"
        for one in integrations:
            shutil.copytree(
                source, folder / one, dirs_exist_ok=True, ignore=shutil.ignore_patterns("approval.yaml")
            )
            text += (
                f"  - name: {name}-{one}\n    entrypoint: flows/sync.py:sync\n"
                f"    parameters: {{integration: {{tenant: {name}, integration: {one}}}}}\n"
                '    schedules: [{cron: "0 6 * * *", timezone: America/Chicago}]\n'
                f'    tags: [ferry, "tenant:{name}"]\n    work_pool: {{name: {pool}}}\n'
                "    concurrency_limit: {limit: 1, collision_strategy: CANCEL_NEW}\n"
            )
        (folder / "prefect.yaml").write_text(text)
        return folder

    def ferry(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "flows", *arguments],
            env=os.environ
            | self.prefect
            | {"FERRY_DEPLOYMENTS": str(self.root), "FERRY_HOME": str(self.root)},
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )

    def deployed(self, tenant: str) -> dict[str, dict[str, Any]]:
        """What the server has of a tenant, by name."""
        body = {"deployments": {"tags": {"all_": [f"tenant:{tenant}"]}}}
        return {one["name"]: one for one in self.api.post("/deployments/filter", json=body).json()}


@pytest.fixture
def house(tmp_path: Path, prefect: Mapping[str, str]) -> Iterator[House]:
    made = House(tmp_path, prefect)
    answer = made.api.post("/work_pools/", json={"name": POOL, "type": "process"})
    assert answer.status_code in (201, 409), answer.text
    yield made
    made.api.close()


def test_two_tenants_are_deployed_and_one_is_deployed_again(house: House) -> None:
    house.tenant("acme", ["first", "second", "third"])
    house.tenant("beta", ["first"])
    first, other = house.ferry("deploy", "acme"), house.ferry("deploy", "beta")
    before = house.deployed("beta")
    folder = house.tenant("acme", ["first", "third"])
    shutil.rmtree(folder / "second")

    again = house.ferry("deploy", "acme")

    assert (first.returncode, other.returncode, again.returncode) == (0, 0, 0), first.stderr + again.stderr
    assert first.stdout.splitlines()[0] == "acme-first: deployed, 0 6 * * *"
    assert house.deployed("beta") == before  # ids, times of update and all else
    there = house.deployed("acme")
    assert {name: one["paused"] for name, one in there.items()} == {
        "acme-first": False, "acme-second": True, "acme-third": False,
    }  # fmt: skip
    assert f"acme-second: paused now, since it is not in {folder / 'prefect.yaml'} any more" in again.stdout
    assert there["acme-first"]["concurrency_options"]["collision_strategy"] == "CANCEL_NEW"
    assert there["acme-first"]["schedules"][0]["schedule"]["timezone"] == "America/Chicago"


def test_what_comes_back_into_the_file_runs_again_and_what_a_person_paused_does_not(house: House) -> None:
    folder = house.tenant("gamma", ["first", "second"])
    house.ferry("deploy", "gamma")
    ids = {name: one["id"] for name, one in house.deployed("gamma").items()}
    house.api.post(f"/deployments/{ids['gamma-first']}/pause_deployment")
    house.tenant("gamma", ["first"])
    shutil.rmtree(folder / "second")
    house.ferry("deploy", "gamma")
    still = house.ferry("deploy", "gamma")
    house.tenant("gamma", ["first", "second"])

    back = house.ferry("deploy", "gamma")

    assert "gamma-second: still paused, since" in still.stdout
    assert "gamma-second: deployed, 0 6 * * *; it is back in the file" in back.stdout
    assert "gamma-first: deployed, 0 6 * * *; somebody paused it, so it stays paused" in back.stdout
    there = house.deployed("gamma")
    assert {name: (one["id"], one["paused"]) for name, one in there.items()} == {
        "gamma-first": (ids["gamma-first"], True),
        "gamma-second": (ids["gamma-second"], False),
    }
    assert there["gamma-second"]["tags"] == ["ferry", "tenant:gamma"]


def test_the_last_integration_that_is_removed_is_paused_too(house: House) -> None:
    folder = house.tenant("iota", ["first"])
    assert house.ferry("deploy", "iota").returncode == 0
    shutil.rmtree(folder / "first")
    house.tenant("iota", [])

    done = house.ferry("deploy", "iota")

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(
        f"iota-first: paused now, since it is not in {folder / 'prefect.yaml'} any more"
    )
    assert house.deployed("iota")["iota-first"]["paused"]


def test_a_schedule_that_a_person_switched_off_stays_off_until_the_file_says_otherwise(house: House) -> None:
    folder = house.tenant("kappa", ["first", "second"])
    house.ferry("deploy", "kappa")
    there = house.deployed("kappa")["kappa-first"]
    switch = f"/deployments/{there['id']}/schedules/{there['schedules'][0]['id']}"
    assert house.api.patch(switch, json={"active": False}).status_code == 204

    again, still = house.ferry("deploy", "kappa"), house.ferry("deploy", "kappa")
    off = house.deployed("kappa")
    file = folder / "prefect.yaml"
    file.write_text(file.read_text().replace("cron:", "active: true, cron:"))
    on = house.ferry("deploy", "kappa")

    for one in (again, still):
        first, second = one.stdout.splitlines()
        assert first.startswith(
            "kappa-first: deployed, 0 6 * * *; its schedule was switched off, so it stays"
        )
        assert second == "kappa-second: deployed, 0 6 * * *"
    assert [one["active"] for name in sorted(off) for one in off[name]["schedules"]] == [False, True]
    assert off["kappa-first"]["schedules"][0]["schedule"]["cron"] == "0 6 * * *"
    assert on.stdout.splitlines()[0] == "kappa-first: deployed, 0 6 * * *"
    assert [one["active"] for one in house.deployed("kappa")["kappa-first"]["schedules"]] == [True]


def test_another_tenants_deployment_of_the_same_name_is_not_replaced(house: House) -> None:
    house.tenant("lambda-one", ["first"])
    assert house.ferry("deploy", "lambda-one").returncode == 0
    before = house.deployed("lambda-one")
    shutil.rmtree(house.root / "lambda-one")  # it is in another checkout
    folder = house.tenant("lambda", ["first", "one-first"])

    done = house.ferry("deploy", "lambda")

    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr == (
        f"ferry: {folder / 'prefect.yaml'}:9: lambda-one-first is on the server already, "
        "of tenant:lambda-one; rename the integration, or if that one is gone: "
        "prefect deployment delete sync/lambda-one-first\n"
    )
    assert house.deployed("lambda-one") == before
    assert house.deployed("lambda") == {}


def test_prefects_own_command_deploys_the_file_and_the_api_refuses_wrong_parameters(house: House) -> None:
    folder = house.tenant("delta", ["first"])
    done = subprocess.run(
        [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all",
         "--prefect-file", str(folder / "prefect.yaml")],
        env=os.environ | house.prefect, cwd=ROOT, capture_output=True, text=True, timeout=180, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    id_ = house.deployed("delta")["delta-first"]["id"]

    def start(**changed: object) -> httpx.Response:
        asked = {"tenant": "delta", "integration": "first"} | changed
        return house.api.post(
            f"/deployments/{id_}/create_flow_run", json={"parameters": {"integration": asked}}
        )

    for wrong in ({"tenant": "BAD X"}, {"kind": "everything"}, {"dry_run": "perhaps"}, {"invented": 1}):
        answer = start(**wrong)
        assert answer.status_code == 409, (wrong, answer.text)
        assert "Validation failed" in answer.text
    assert start().status_code == 201


def test_nothing_is_deployed_if_there_is_a_mistake(house: House) -> None:
    folder = house.tenant("epsilon", ["first"])
    path = folder / "prefect.yaml"
    path.write_text(path.read_text().replace("0 6 * * *", "* * * * *"))

    done = house.ferry("deploy", "epsilon")

    assert done.returncode == 1
    assert done.stdout.startswith(f"{path}:5: deployments[0].schedules[0].cron ")
    assert house.deployed("epsilon") == {}


def test_a_work_pool_that_is_not_there_is_one_line_with_the_command_that_makes_it(house: House) -> None:
    folder = house.tenant("zeta", ["first"], pool="nowhere")

    done = house.ferry("deploy", "zeta")

    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr == (
        f"ferry: {folder / 'prefect.yaml'}:2: there is no work pool nowhere on the server; make it with: "
        "prefect work-pool create nowhere --type process\n"
    )
    assert house.deployed("zeta") == {}


def test_a_server_that_is_not_there_is_one_line(house: House) -> None:
    house.tenant("eta", ["first"])
    house.prefect = {**house.prefect, "PREFECT_API_URL": ""}

    done = house.ferry("deploy", "eta")

    assert done.returncode == 1
    assert done.stderr == "ferry: prefect: no server is named; start one and set PREFECT_API_URL\n"


def test_a_connection_without_its_block_is_told_until_it_is_there(house: House) -> None:
    folder = house.tenant("theta", ["first"])
    path = folder / "tenant.yaml"
    path.write_text(path.read_text().replace(", api_key: $KEY", ""))
    before = house.ferry("check", "theta")

    type_ = house.api.post("/block_types/", json={"name": "Sealed Connection", "slug": "sealed-connection"})
    if type_.status_code == 409:
        type_ = house.api.get("/block_types/slug/sealed-connection")
    schema = house.api.post(
        "/block_schemas/",
        json={"block_type_id": type_.json()["id"], "fields": {"type": "object", "properties": {}}},
    )
    document = {
        "name": "ferry-theta-healthie",
        "block_type_id": type_.json()["id"],
        "block_schema_id": schema.json()["id"],
        "data": {},
    }
    made = house.api.post("/block_documents/", json=document)
    assert made.status_code == 201
    after = house.ferry("check", "theta")
    house.api.delete(f"/block_documents/{made.json()['id']}")

    assert before.stdout == (
        f"{path}:3: connections.healthie has no credential on the server yet; "
        "run: ferry connect theta healthie\n"
    )
    assert (after.returncode, after.stdout) == (0, "theta: 1 integration, nothing is wrong\n")


def test_one_of_many_tenants_is_deployed_again_in_little_time(house: House) -> None:
    house.tenant("many00", ["first", "second"])
    assert house.ferry("deploy", "many00").returncode == 0
    flow = house.api.post("/flows/", json={"name": "sync"}).json()["id"]
    for at in range(1, MANY):
        name = f"many{at:02d}"
        described = {"name": f"{name}-first", "flow_id": flow, "tags": ["ferry", f"tenant:{name}"]}
        assert house.api.post("/deployments/", json=described).status_code == 201
    before = {f"many{at:02d}": house.deployed(f"many{at:02d}") for at in range(1, MANY)}
    begun = time.monotonic()

    again = house.ferry("deploy", "many00")

    assert again.returncode == 0 and time.monotonic() - begun < SECONDS
    assert {name: house.deployed(name) for name in before} == before
