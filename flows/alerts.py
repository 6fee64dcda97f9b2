"""Alerts: Prefect automations that tell a person, kept in code. Names, codes and counts only.

They work as long as Prefect's server does. What tells when that is down is `ferry status --check`.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import cast
from uuid import UUID

from prefect.automations import AutomationCore, EventTrigger, Posture
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterTags
from prefect.client.schemas.responses import DeploymentResponse
from prefect.client.schemas.schedules import CronSchedule
from prefect.client.schemas.sorting import AutomationSort, DeploymentSort
from prefect.events.actions import SendNotification
from pydantic import JsonValue

from flows.deploy import REMOVED
from flows.errors import Spoken
from flows.schedules import Schedule, ScheduleUnsupported, parse

PERIODS = 2  # in which nothing ends well; then a person is told
PAGE = 200
RUN = "{{ flow_run.name }}: {{ flow_run.state.name }}. {{ flow_run.state.message }}"
REACTIVE = (
    ("failed", ("Failed", "Crashed", "TimedOut"), "A run failed, or its process ended."),
    ("red", ("Red",), "A run's numbers do not add up, or the target does not hold what was delivered."),
    ("refusals", ("Refusals",), "The targets refused an unusual share of a run's deliveries."),
    ("held", ("Suspended", "Held"), "Deliveries wait for a person: release or discard them."),
)
WORKED = ("Complete", "Incomplete", "Held", "Refusals", "Suspended")
"""States of runs that worked. Not of one that found nothing to do (CaughtUp), and not of dry runs."""


class AlertsUnavailable(Spoken):
    """The alerts cannot be made. One line: what is missing and what to do."""


def put(client: SyncPrefectClient, tenant: str, to: str) -> list[str]:
    """Make the tenant's alerts as they are to be, by name, each once. What was done: one line each.

    Raises:
        AlertsUnavailable: the tenant is not deployed, or there is no such notification block.
    """
    mine = DeploymentFilter(tags=DeploymentFilterTags(all_=[f"tenant:{tenant}"]))
    deployments = client.read_deployments(deployment_filter=mine, limit=PAGE, sort=DeploymentSort.NAME_ASC)
    if not deployments:
        raise AlertsUnavailable(
            f"{tenant}: is not deployed on this server; do that first: ferry deploy {tenant}"
        )
    wanted = list(_wanted(tenant, deployments, _block(client, to)))
    present = _present(client, tenant)
    done: list[str] = []
    for automation in wanted:
        if known := present.pop(automation.name, None):
            client.update_automation(known, automation)
        else:
            client.create_automation(automation)
        done.append(f"{automation.name}: {'renewed' if known else 'made'}")
    for name, known in present.items():
        client.delete_automation(known)
        done.append(f"{name}: removed, its deployment is not there any more")
    return done


def _present(client: SyncPrefectClient, tenant: str) -> dict[str, UUID]:
    """The tenant's alerts that are there, by name."""
    found: dict[str, UUID] = {}
    offset = 0
    while page := client.read_automations(sort=AutomationSort.NAME_ASC, limit=PAGE, offset=offset):
        found |= {one.name: one.id for one in page if one.name.startswith(_name(tenant, ""))}
        offset += PAGE
    return found


def _wanted(tenant: str, deployments: Sequence[DeploymentResponse], block: UUID) -> Iterator[AutomationCore]:
    tag: dict[str, str | list[str]] = {
        "prefect.resource.id": f"prefect.tag.tenant:{tenant}",
        "prefect.resource.role": "tag",
    }
    for name, states, meaning in REACTIVE:
        trigger = EventTrigger(
            posture=Posture.Reactive,
            expect={f"prefect.flow-run.{state}" for state in states},
            match={"prefect.resource.id": "prefect.flow-run.*"},
            match_related=tag,
        )
        yield _automation(_name(tenant, name), meaning, trigger, f"{RUN}\n{meaning}", block)
    for deployment in deployments:
        if REMOVED not in deployment.tags and (period := _period(deployment)):
            yield _silence(tenant, deployment, PERIODS * period, block)


def _silence(tenant: str, deployment: DeploymentResponse, within: timedelta, block: UUID) -> AutomationCore:
    meaning = (
        f"No run of {deployment.name} ended well for {within}. Is the schedule paused, the worker stopped, "
        f"a key revoked? See: ferry status --check {tenant}"
    )
    trigger = EventTrigger(
        posture=Posture.Proactive,
        expect={f"prefect.flow-run.{state}" for state in WORKED},
        match={"prefect.resource.id": "prefect.flow-run.*"},
        match_related={
            "prefect.resource.id": f"prefect.deployment.{deployment.id}",
            "prefect.resource.role": "deployment",
        },
        within=within,
    )
    return _automation(_name(tenant, f"silent {deployment.name}"), meaning, trigger, meaning, block)


def _automation(name: str, description: str, trigger: EventTrigger, body: str, block: UUID) -> AutomationCore:
    send = SendNotification(block_document_id=block, subject=name, body=body)
    return AutomationCore(name=name, description=description, trigger=trigger, actions=[send])


def _name(tenant: str, what: str) -> str:
    return f"ferry {tenant}: {what}"


def _period(deployment: DeploymentResponse) -> timedelta | None:
    """The time between two runs; None without an active schedule that Ferry supports."""
    found: list[Schedule] = []
    for one in deployment.schedules:
        if one.active and isinstance(one.schedule, CronSchedule):
            try:
                found.append(parse({"cron": one.schedule.cron, "timezone": one.schedule.timezone or "UTC"}))
            except ScheduleUnsupported:
                continue  # the next run refuses, and that fails: another alert tells
    return min((one.period for one in found), default=None)


def _block(client: SyncPrefectClient, to: str) -> UUID:
    """The notification block's id, by NAME or TYPE/NAME."""
    kind, _, name = to.rpartition("/")
    asked = {
        "block_documents": {"name": {"any_": [name]}},
        "block_schemas": {"block_capabilities": {"all_": ["notify"]}},
    }
    answer = client.request("POST", "/block_documents/filter", json=asked)
    rows = cast(list[dict[str, JsonValue]], answer.json())
    found = [row for row in rows if not kind or cast(dict[str, JsonValue], row["block_type"])["slug"] == kind]
    if len(found) == 1:
        return UUID(str(found[0]["id"]))
    if found:
        kinds = ", ".join(str(cast(dict[str, JsonValue], row["block_type"])["slug"]) for row in found)
        raise AlertsUnavailable(f"--to {to}: several blocks bear this name ({kinds}); say which: TYPE/{name}")
    raise AlertsUnavailable(
        f"--to {to}: no notification block of this name; make it in the dashboard under Blocks (Slack, "
        "e-mail, webhook, …)"
    )
