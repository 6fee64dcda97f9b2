"""What the connectors declare that an integration's source shows and its targets can do.

Known without reaching any of them.
"""

from collections.abc import Mapping

from agent.synthetic import Approved
from connectors.entry import EntryField
from connectors.operation import Lookup, Write
from flows.check import offers
from flows.tenants import Deployment, IntegrationInvalid


def declared(deployment: Deployment) -> tuple[dict[str, Write], dict[str, Lookup]]:
    """The granted writes, each of which would go nowhere, and all lookups, by full name.

    Raises:
        IntegrationInvalid: a granted write is none of a target's.
    """
    writes: dict[str, Write] = {}
    lookups: dict[str, Lookup] = {}
    for name, target in deployment.integration.targets.items():
        there = offers.offered(deployment.connections[target.connection].connector, target)
        writes |= {f"{name}_{short}": write for short, write in there.writes.items()}
        lookups |= {f"{name}_{short}": lookup for short, lookup in there.lookups.items()}
    granted = deployment.integration.grants()
    for name in granted:
        if name not in writes:
            raise IntegrationInvalid(f"{deployment.label}: grants {name}, which no target has; correct it")
    return {name: writes[name] for name in granted}, lookups


def fields(deployment: Deployment) -> Mapping[str, EntryField]:
    """The fields that an entry of the source may have.

    Raises:
        IntegrationInvalid: nothing can be read through that connection.
    """
    try:
        return offers.fields(deployment.integration, deployment.connections)
    except ValueError as error:
        first = str(error).splitlines()[0]
    raise IntegrationInvalid(f"{deployment.label}: integration.yaml: {first}; see: ferry check")


def names(deployment: Deployment) -> frozenset[str]:
    """Names that an entry may have of its source, and not of itself: those may be a patient's.

    Raises:
        IntegrationInvalid: see `fields`.
    """
    return Approved(fields(deployment), deployment.manifest.paths, frozenset()).names
