"""Deciders that can send nothing: made of a version's files alone, with no connection to any target."""

from collections.abc import Mapping

from agent.agent import Decider
from connectors.operation import Lookup
from flows import connections
from flows.asking import Asking
from flows.connections import Connections
from flows.declared import declared, fields
from flows.tenants import Deployment, IntegrationInvalid

NO_LOOKUPS: Mapping[str, Lookup] = {}


def decider(deployment: Deployment, opened: Connections, asking: Asking) -> Decider:
    """Who decides by these files, behind their gate. A connection is opened only to reach a model.

    Raises:
        IntegrationInvalid, PolicyError, ValueError: they cannot be used.
    """
    integration = deployment.integration
    if integration.decide.lookups:
        raise IntegrationInvalid(
            f"{deployment.label}: its model looks things up at the targets ({integration.decide.lookups[0]}) "
            "and cannot decide without them; try it with: ferry run --dry-run"
        )
    policy, there = deployment.policy(), fields(deployment)
    for path in deployment.manifest.paths:
        if path not in there:
            raise IntegrationInvalid(f"{deployment.label}: fields.yaml: the source has no {path}; correct it")
    (granted, _), by = declared(deployment), integration.decide.by
    return connections.deciding(by, deployment, policy, granted, NO_LOOKUPS, there, opened, asking)
