"""An integration that is tried beside what is live: its files are checked, and brought to the server."""

import shutil
from pathlib import Path

from tests.flows.tenants.test_check import deployments, told
from tests.flows.tenants.test_deploy import House, house

__all__ = ["deployments", "house"]

STAGED = """
  - name: example-channel-staging
    entrypoint: flows/sync.py:sync
    parameters:
      integration: {tenant: example, integration: channel, mode: staging}
    schedules: [{cron: "0 * * * *", timezone: America/Chicago}]
    tags: [ferry, "tenant:example"]
    work_pool: *pool
    concurrency_limit: *one_at_a_time
"""


def test_an_integration_may_be_tried_beside_what_is_live_once(deployments: Path) -> None:
    path = deployments / "example" / "prefect.yaml"
    path.write_text(path.read_text() + STAGED)
    assert told(deployments) == []

    path.write_text(path.read_text() + STAGED)

    [line] = told(deployments)
    assert " is of channel, staging, as line " in line


def test_what_is_tried_in_staging_alone_needs_no_approval(deployments: Path) -> None:
    path, lacks = deployments / "example" / "prefect.yaml", "channel/approval.yaml:1: is not there"
    text = path.read_text()
    live = next(part for part in text.split("\n\n") if part.lstrip().startswith("- name: example-channel"))
    path.write_text(text + STAGED)
    assert lacks in "\n".join(told(deployments, production=True))

    path.write_text(text.replace(live, "") + STAGED)

    lines = "\n".join(told(deployments, production=True))
    assert lacks not in lines and "triage/approval.yaml:1: is not there" in lines


def test_a_name_that_another_ones_stage_has_on_the_server_is_told(deployments: Path) -> None:
    example = deployments / "example"
    shutil.copytree(example / "channel", example / "channel-staging")

    lines = "\n".join(told(deployments))

    said = "in staging its deployment and variable would have the names of example/channel-staging's"
    assert f"channel/integration.yaml:1: {said}" in lines


def test_what_is_tried_is_deployed_beside_what_is_live_each_on_its_schedule(house: House) -> None:
    file = house.tenant("mu", ["first"]) / "prefect.yaml"
    live = file.read_text().partition("\n")[2]
    staged = live.replace("mu-first", "mu-first-staging").replace("first}", "first, mode: staging}")
    file.write_text(file.read_text() + staged.replace("0 6 * * *", "30 * * * *"))
    done = house.ferry("deploy", "mu")
    there = house.deployed("mu")
    file.write_text(f"deployments:\n{live}")

    ended = house.ferry("deploy", "mu")

    assert done.stdout.splitlines() == [
        "mu-first: deployed, 0 6 * * *",
        "mu-first-staging: deployed, 30 * * * *",
    ]
    modes = {name: one["parameters"]["integration"].get("mode", "live") for name, one in there.items()}
    assert modes == {"mu-first": "live", "mu-first-staging": "staging"}
    assert [one["active"] for each in there.values() for one in each["schedules"]] == [True, True]
    assert "mu-first-staging: paused now, since it is not in" in ended.stdout
    assert house.deployed("mu")["mu-first"]["paused"] is False
