"""What the targets of an integration may hold, by what their connectors say and what is confirmed."""

from agent.policy import Policy
from connectors.entry import Category
from flows.check import offers
from flows.tenants import Deployment, Target


def policy(deployment: Deployment) -> Policy:
    """What the gate holds every plan against; what a target's system may not hold now is withheld."""
    withheld = {
        name: _withheld(deployment, target) for name, target in deployment.integration.targets.items()
    }
    return deployment.policy().model_copy(update={"withheld": withheld})


def _withheld(deployment: Deployment, target: Target) -> tuple[Category, ...]:
    holds = offers.offered(deployment.connections[target.connection].connector, target).holds
    return tuple(each for each in Category if holds.lack(each, target.confirmed))
