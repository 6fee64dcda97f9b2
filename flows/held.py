"""What the targets of an integration may hold, by what their connectors say and what is confirmed."""

from collections.abc import Mapping

from agent.policy import Policy
from connectors.base import Connector
from connectors.entry import Category
from flows.tenants import Deployment


def policy(deployment: Deployment, opened: Mapping[str, Connector]) -> Policy:
    """What the gate holds every plan against; what a target's system may not hold now is withheld."""
    withheld = {
        name: tuple(each for each in Category if opened[name].holds.lack(each, target.confirmed))
        for name, target in deployment.integration.targets.items()
    }
    return deployment.policy().model_copy(update={"withheld": withheld})
