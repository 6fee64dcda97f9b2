"""Deploy: a tenant's checked prefect.yaml to the Prefect server, and what is not in it any more is paused.

The deploying is Prefect's own command. Only deployments with the tag of this tenant are looked at.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import DeploymentUpdate
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterName,
    DeploymentFilterTags,
    FlowFilter,
    FlowFilterName,
)
from prefect.client.schemas.responses import DeploymentResponse
from prefect.exceptions import ObjectNotFound
from prefect.settings import get_current_settings

from flows.check import CheckedTenant
from flows.check.prefect_file import ENTRYPOINT, OneDeployment
from flows.errors import Spoken
from flows.flow_runs import FLOW
from flows.reach import PAGE, server

LIMIT = 120.0  # seconds that Prefect's command may take; it takes three to ten
REMOVED = "removed"  # the tag of what was paused here; Prefect's deploy replaces the tags by the file's


class NotDeployed(Spoken):
    """A tenant's deployments could not be brought to the server. One line."""


def deploy(tenant: CheckedTenant) -> Iterator[str]:
    """Bring a tenant's deployments to the server; a line for each, and for each that was paused.

    Raises:
        ServerUnavailable: the server does not answer.
        NotDeployed: no work pool, another tenant's name, or Prefect refused. Deploying again is harmless.
    """
    if not Path(ENTRYPOINT.partition(":")[0]).is_file():
        raise NotDeployed("deploy: no flows/sync.py below this folder; run it from the checkout's root")
    with server() as client:
        _check_names(client, tenant)
        _check_pools(client, tenant)
        before = {one.id: one for one in _of_tenant(client, tenant.name)}
        if tenant.deployments:  # Prefect's command refuses a file without any
            _run_prefect(tenant)
        yield from _settle(client, tenant, before)


def _check_names(client: SyncPrefectClient, tenant: CheckedTenant) -> None:
    """Prefect replaces what has the name: `a-b-c` is a's `b-c`, and a-b's `c` that another checkout holds."""
    lines = {one.name: line for line, one in tenant.deployments.values()}
    named = DeploymentFilter(name=DeploymentFilterName(any_=sorted(lines)))
    for present in _found(client, named):
        owners = {tag for tag in present.tags if tag.startswith("tenant:")}
        for owner in sorted(owners - {f"tenant:{tenant.name}"}):
            raise NotDeployed(
                f"{tenant.file}:{lines[present.name]}: {present.name} is on the server already, of {owner}; "
                "rename the integration, or if that one is gone: "
                f"prefect deployment delete {FLOW}/{present.name}"
            )


def _check_pools(client: SyncPrefectClient, tenant: CheckedTenant) -> None:
    for pool, line in sorted({one.work_pool.name: line for line, one in tenant.deployments.values()}.items()):
        try:
            client.read_work_pool(pool)
        except ObjectNotFound:
            raise NotDeployed(
                f"{tenant.file}:{line}: there is no work pool {pool} on the server; make it with: "
                f"prefect work-pool create {pool} --type process"
            ) from None


def _run_prefect(tenant: CheckedTenant) -> None:
    command = [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all"]
    settings = get_current_settings()
    environment = os.environ | settings.to_environment_variables(exclude_unset=True)
    try:
        done = subprocess.run(  # noqa: S603  # our own interpreter, no shell, a path that was checked
            [*command, "--prefect-file", str(tenant.file)],
            env=environment | {"COLUMNS": "400", "NO_COLOR": "1", "PREFECT_LOGGING_LEVEL": "ERROR"},
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise NotDeployed(
            f"deploy: Prefect took more than {LIMIT:.0f} s; look at the server, then deploy again"
        ) from None
    if done.returncode:
        raise NotDeployed(
            f"{tenant.file}: Prefect refuses it ({_last_words(done.stdout + done.stderr)}); "
            "correct it and deploy again"
        )


def _last_words(output: str) -> str:
    lines = [re.sub(r"[│╭╰─╮╯\s]+", " ", line).strip() for line in output.splitlines()]
    said = [line for line in lines if line]
    return said[-1][:200] if said else "it says nothing"


def _settle(
    client: SyncPrefectClient, tenant: CheckedTenant, before: Mapping[UUID, DeploymentResponse]
) -> Iterator[str]:
    """Pause what is on the server and not in the file, and say how each stands."""
    wanted = {one.name: one for _, one in tenant.deployments.values()}
    for present in _of_tenant(client, tenant.name):
        if present.name not in wanted:
            yield f"{present.name}: {_take_out(client, present, tenant.file)}"
            continue
        crons = [str(schedule.get("cron")) for schedule in wanted[present.name].schedules]
        told = [f"{present.name}: deployed, {'; '.join(crons) or 'no schedule'}"]
        if was := before.get(present.id):
            told += _stop_again(client, was, present, wanted[present.name])
        yield "; ".join(told)


def _stop_again(
    client: SyncPrefectClient, was: DeploymentResponse, present: DeploymentResponse, wanted: OneDeployment
) -> Iterator[str]:
    """Prefect's deploy starts what a person had stopped: stop it again, unless the file says otherwise."""
    if REMOVED in was.tags:
        yield "it is back in the file, so no longer paused"
    elif was.paused and wanted.paused is None:
        client.pause_deployment(present.id)
        yield "somebody paused it, so it stays paused until it is switched on in the dashboard"
    was_off = was.schedules and not any(one.active for one in was.schedules)
    if was_off and wanted.schedules and not any("active" in one for one in wanted.schedules):
        for one in present.schedules:
            client.update_deployment_schedule(present.id, one.id, active=False)
        yield (
            "its schedule was switched off, so it stays off until it is switched on in the dashboard, or the "
            "file says active: true"
        )


def _take_out(client: SyncPrefectClient, present: DeploymentResponse, file: Path) -> str:
    was = "still paused" if present.paused and REMOVED in present.tags else "paused now"
    if was == "paused now":
        client.pause_deployment(present.id)
        client.update_deployment(present.id, DeploymentUpdate(tags=[*present.tags, REMOVED]))
    return f"{was}, since it is not in {file} any more; delete it with: " + (
        f"prefect deployment delete {FLOW}/{present.name}"
    )


def _of_tenant(client: SyncPrefectClient, tenant: str) -> list[DeploymentResponse]:
    return _found(client, DeploymentFilter(tags=DeploymentFilterTags(all_=["ferry", f"tenant:{tenant}"])))


def _found(client: SyncPrefectClient, which: DeploymentFilter) -> list[DeploymentResponse]:
    """Those of our flow, by name."""
    ours, found = FlowFilter(name=FlowFilterName(any_=[FLOW])), list[DeploymentResponse]()
    while True:
        page = client.read_deployments(
            flow_filter=ours, deployment_filter=which, limit=PAGE, offset=len(found)
        )
        found += page
        if len(page) < PAGE:
            return sorted(found, key=lambda one: one.name)
