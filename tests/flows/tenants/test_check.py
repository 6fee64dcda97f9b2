"""Every mistake in a tenant's files is told, at its line, before anything is deployed."""

import re
import resource
import shutil
from pathlib import Path

import pytest

from flows.check import UnknownTenant, check
from tests.flows.tenants.integration_mistakes import OF_AN_INTEGRATION
from tests.flows.tenants.mistake import Mistake
from tests.flows.tenants.proofs import ROOT, ferry
from tests.flows.tenants.tenant_mistakes import OF_A_TENANT

MISTAKES = OF_A_TENANT + OF_AN_INTEGRATION


@pytest.fixture
def deployments(tmp_path: Path) -> Path:
    """A copy of the example tenant, and of the models that it may ask."""
    shutil.copytree(ROOT / "deployments" / "example", tmp_path / "example")
    shutil.copy(ROOT / "deployments" / "models.yaml", tmp_path)
    for approved in (tmp_path / "example").glob("*/approval.yaml"):
        approved.unlink()
    return tmp_path


def told(root: Path, *tenants: str, production: bool = False) -> list[str]:
    return [str(one) for one in check(root, tenants, production=production)]


def test_the_deployments_of_this_house_have_no_mistake() -> None:
    assert told(ROOT / "deployments") == []


def test_a_model_is_asked_where_it_is_allowed_and_nowhere_else(deployments: Path) -> None:
    tenant = deployments / "example" / "tenant.yaml"
    tenant.write_text(tenant.read_text().replace("https://models.example.com/v1", "https://example.org/v1"))

    [line] = told(deployments, "example")
    assert "triage/integration.yaml:4: decide.by is openai-compatible:clinic-small: its connection's" in line
    assert line.partition("base_url ")[2].startswith("is not at one of: models.example.com;")


def test_an_integration_that_waits_for_batches_runs_once_a_day_at_most(deployments: Path) -> None:
    listed, folder = deployments / "models.yaml", deployments / "example"
    listed.write_text(listed.read_text().replace("cached: 0.10", "batch: 0.5"))
    triage, schedules = folder / "triage" / "integration.yaml", folder / "prefect.yaml"
    triage.write_text(triage.read_text().replace("  # batch: {}", "  batch: {}  #"))
    [line] = told(deployments, "example")
    assert "example/triage waits for batches, and its schedule is not daily or weekly" in line

    schedules.write_text(schedules.read_text().replace('"30 */6 * * *"', '"30 6 * * *"'))
    assert told(deployments, "example") == []


def test_no_model_is_asked_that_the_list_does_not_allow_as_it_is(deployments: Path) -> None:
    listed = deployments / "models.yaml"
    text = listed.read_text()
    listed.write_text(re.sub("  (baa|price):.*\n", "", text))

    lines = told(deployments, "example")
    assert any("it has no price; write it" in line for line in lines)
    assert any("no business associate agreement is named" in line for line in lines)
    listed.write_text("openai-compatible:clinic-small: {versoin: x}\n")
    [line] = told(deployments, "example")
    assert "decide.by cannot be looked up" in line and "models.yaml" in line


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda one: one.name)
def test_a_mistake_is_told_at_its_line(mistake: Mistake, deployments: Path) -> None:
    where = mistake.make(deployments / "example")

    lines = told(deployments, "example")

    assert any(line.startswith(where) and mistake.told in line for line in lines), (where, lines)
    assert all(re.fullmatch(r"\S+?:\d+: .+; .+", line) for line in lines), lines


def test_there_are_enough_kinds_of_mistake() -> None:
    assert len({one.name for one in MISTAKES}) == len(MISTAKES) >= 25


def test_all_mistakes_are_told_at_once(deployments: Path) -> None:
    chosen = [
        one
        for one in MISTAKES
        if one.name
        in (
            "unknown key", "no such time zone", "secret in clear", "misspelled key", "monthly",
            "tag of another tenant", "misspelled grant", "no such field", "no such write", "no such option",
            "gap in the sentences", "no such model",
        )
    ]  # fmt: skip
    for one in chosen:
        one.make(deployments / "example")

    lines = told(deployments, "example")

    assert len(chosen) == 12
    for one in chosen:
        assert any(one.at_line(deployments / "example") in line and one.told in line for line in lines), one


def test_a_secret_is_never_shown(deployments: Path) -> None:
    path = deployments / "example" / "tenant.yaml"
    path.write_text(
        path.read_text().replace("request_timeout:", "api_key: sk-very-secret\n      request_timeout:")
    )

    lines = told(deployments)

    assert any("connections.model.settings.api_key is a secret written in clear" in line for line in lines)
    assert "sk-very-secret" not in "".join(lines)


def test_what_a_job_needs_that_is_no_secret_may_be_said(deployments: Path) -> None:
    path, pool = deployments / "example" / "prefect.yaml", "    name: local"
    path.write_text(path.read_text().replace(pool, f"    job_variables: {{cpu: '2'}}\n{pool}"))

    assert told(deployments) == []


def test_an_environment_variable_is_for_one_machine_and_not_for_production(deployments: Path) -> None:
    path = deployments / "example" / "tenant.yaml"
    path.write_text(path.read_text().replace('"secret-manager:example-warehouse"', "$WAREHOUSE"))

    assert told(deployments) == []
    line = next(at for at, text in enumerate(path.read_text().splitlines(), 1) if "$WAREHOUSE" in text)
    assert f"{path}:{line}: connections.warehouse.settings.url comes from the environment; " in "\n".join(
        told(deployments, production=True)
    )


def test_a_stand_in_is_for_tests_and_not_for_production(deployments: Path) -> None:
    path = deployments / "example" / "tenant.yaml"
    real = next(line for line in path.read_text().splitlines() if "gethealthie.com" in line).split("url:")[1]
    path.write_text(path.read_text().replace(real.strip(" }"), "http://127.0.0.1:8000/graphql"))

    assert told(deployments) == []
    line = next(at for at, text in enumerate(path.read_text().splitlines(), 1) if "127.0.0.1" in text)
    assert (
        f"{path}:{line}: connections.healthie.settings.url is on this machine, where stand-ins are; "
        "name the system's own address"
    ) in told(deployments, production=True)


def test_a_folder_without_a_deployment_is_told(deployments: Path) -> None:
    shutil.copytree(deployments / "example" / "channel", deployments / "example" / "spare")

    (line,) = told(deployments)

    assert "the folder spare has no deployment here; add one, or move the folder away" in line


def test_an_integration_without_its_file_is_told(deployments: Path) -> None:
    (deployments / "example" / "channel" / "integration.yaml").unlink()

    assert any("channel/integration.yaml:1: is not there; " in line for line in told(deployments))


def test_names_that_would_meet_on_the_server_are_told(deployments: Path) -> None:
    folder = deployments / "example"
    (folder / "prefect.yaml").write_text(
        (folder / "prefect.yaml").read_text().replace("front-desk", "front_desk")
    )
    (folder / "front-desk").rename(folder / "front_desk")
    shutil.copytree(folder, deployments / "example-front")
    (deployments / "example-front" / "front_desk").rename(deployments / "example-front" / "desk")
    (folder / "tenant.yaml").write_text(
        (folder / "tenant.yaml").read_text()
        + "  front-healthie: {connector: csv, settings: {folder: /tmp}}\n"
    )

    lines = told(deployments, "example")

    assert any(
        "example/front_desk/integration.yaml:1: its deployment" in line and "example-front/desk's" in line
        for line in lines
    )
    assert any(
        "connections.front-healthie: its block would have the name of example-front/healthie's" in line
        for line in lines
    )


def test_the_same_name_is_of_one_connection_only(deployments: Path) -> None:
    path = deployments / "example" / "tenant.yaml"
    path.write_text(path.read_text() + "  de_sk: {connector: csv, settings: {folder: /tmp}}\n")
    path.write_text(path.read_text() + "  de-sk: {connector: csv, settings: {folder: /tmp}}\n")

    (line,) = told(deployments)

    assert line.startswith(f"{path}:{len(path.read_text().splitlines())}: connections.de-sk: its block")


def test_a_folder_that_cannot_be_a_name_is_told(deployments: Path) -> None:
    shutil.copytree(deployments / "example" / "channel", deployments / "example" / "Channel")

    assert any("Channel:1: Channel cannot be a name; use small letters" in line for line in told(deployments))


def test_aliases_of_aliases_end(deployments: Path) -> None:
    bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"{chr(at)}: &{chr(at)} [{', '.join(9 * [f'*{chr(at - 1)}'])}]\n" for at in range(ord("b"), ord("j"))
    )
    (deployments / "example" / "tenant.yaml").write_text(bomb)

    assert any("tenant.yaml:1: is too large" in line for line in told(deployments))


def test_an_unknown_tenant_is_one_line(deployments: Path) -> None:
    with pytest.raises(UnknownTenant, match=r"acme: no such tenant below .*; there are: example"):
        told(deployments, "acme")


def test_the_command_tells_every_mistake_and_exits_with_one(deployments: Path) -> None:
    right = ferry(deployments, "check", "example")
    for one in MISTAKES[:1] + MISTAKES[4:6]:
        one.make(deployments / "example")

    wrong = ferry(deployments, "check")

    assert (right.returncode, right.stdout) == (0, "example: 4 integrations, nothing is wrong\n"), (
        right.stderr
    )
    assert wrong.returncode == 1
    assert len(wrong.stdout.splitlines()) == 3
    assert wrong.stderr == "ferry: 3 mistakes; correct each and check again\n"


def test_an_unreachable_server_is_one_line(deployments: Path) -> None:
    told = ferry(deployments, "check", "example", PREFECT_API_URL="http://127.0.0.1:9/api")

    assert told.returncode == 1
    assert [
        line for line in told.stdout.splitlines() if "does not answer" in line
    ] == told.stdout.splitlines()
    assert len(told.stdout.splitlines()) == 1


def hundred(root: Path) -> None:
    """A tenant of 100 integrations, each with a program of its own."""
    folder, source = root / "large", ROOT / "deployments" / "example"
    folder.mkdir()
    shutil.copy(source / "tenant.yaml", folder / "tenant.yaml")
    text = "deployments:\n"
    for at in range(100):
        inner = folder / f"warehouse{at}"
        shutil.copytree(source / "warehouse", inner, ignore=shutil.ignore_patterns("approval.yaml"))
        program = inner / "program.py"
        program.write_text(program.read_text().replace('"no_name"', f'"no_name_{at}"'))
        text += (
            f"  - name: large-{inner.name}\n    entrypoint: flows/sync.py:sync\n"
            f"    parameters: {{integration: {{tenant: large, integration: {inner.name}}}}}\n"
            f'    schedules: [{{cron: "{at % 60} 5 * * *", timezone: America/Chicago}}]\n'
            '    tags: [ferry, "tenant:large"]\n    work_pool: {name: local}\n'
            "    concurrency_limit: {limit: 1, collision_strategy: CANCEL_NEW}\n"
        )
    (folder / "prefect.yaml").write_text(text)


def test_a_hundred_integrations_are_checked_in_two_seconds_of_work(tmp_path: Path) -> None:
    hundred(tmp_path)
    memory = str(tmp_path / "home")

    first = ferry(tmp_path, "check", FERRY_HOME=memory)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    again = ferry(tmp_path, "check", FERRY_HOME=memory)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)

    assert first.stdout == again.stdout == "large: 100 integrations, nothing is wrong\n", first.stderr
    used = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    assert used < 3.0  # seconds of processor; 1.8 by itself, and the processors are shared with other tests


def test_what_was_remembered_as_right_is_looked_at_again_when_it_changed(deployments: Path) -> None:
    program, memory = deployments / "example" / "warehouse" / "program.py", deployments / "checked"
    assert list(check(deployments, production=False, memory=memory)) == []
    remembered = memory.read_text()
    program.write_text(program.read_text().replace('status="active"', "status=1.5"))

    (wrong,) = check(deployments, production=False, memory=memory)
    (again,) = check(deployments, production=False, memory=memory)

    assert wrong == again and "Expected `str | None`" in wrong.what
    assert len(remembered.split()) == 3  # of the programs of warehouse, front-desk and channel


def test_the_grants_are_part_of_what_is_remembered(deployments: Path) -> None:
    described, memory = deployments / "example" / "warehouse" / "integration.yaml", deployments / "checked"
    assert list(check(deployments, production=False, memory=memory)) == []
    lines = [line for line in described.read_text().splitlines() if "phone: {" not in line]
    described.write_text("\n".join(lines))

    wrong = check(deployments, production=False, memory=memory)

    assert any("phone" in one.what and one.path.name == "program.py" for one in wrong)
