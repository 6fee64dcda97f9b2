"""Shadow: a version that decides beside the live one. It has no target, so it can write nothing.

What keeps it from deciding is counted and told, and never in the way of the live version.
"""

from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass

from agent.agent import Decider
from connectors.errors import ConnectorError
from connectors.source import Source
from flows import approval, pins, unsent, versions
from flows.asking import Asking
from flows.connections import Connections
from flows.errors import Spoken
from flows.ledger import shadows
from flows.ledger.store import Ledger
from flows.settings import Settings
from flows.tenants import Deployment, load

UNUSABLE = "shadow_unusable"
ENDED = "shadow_ended"


@dataclass(frozen=True, slots=True)
class Beside:
    """A version at work beside the live one."""

    version: str  # a hash over its files
    decider: Decider
    fields: tuple[str, ...]


def opened(
    stack: ExitStack,
    settings: Settings,
    deployment: Deployment,
    ledger: Ledger,
    source: Source,
    own: Connections,
    asking: Asking,
    codes: Counter[str],
) -> Beside | None:
    """The version that integration.yaml names, until it has seen the runs that it is to see.

    codes: gets why it cannot decide, if that is so.
    """
    asked = deployment.integration.shadow
    if asked is None:
        return None
    try:
        with versions.beside(settings.deployments, deployment.label, asked) as there:
            folder = there / deployment.label
            version, other = pins.version(folder), load(there, deployment.label)
            live = settings.deployments / deployment.label
            approval.require_beside(live, asked.version, pins.tested(folder))
        if shadows.runs_of(ledger, version)[0] >= asked.runs:
            codes[f"{ENDED} look at: ferry promote {deployment.label}"] += 1
            return None
        lacking = source.check(other.manifest.paths).missing
        decider = unsent.decider(other, own, asking)
    except (Spoken, ValueError, ConnectorError, OSError) as error:  # OSError: no room for its files, …
        codes[f"{UNUSABLE} {type(error).__name__}"] += 1
        return None
    stack.callback(decider.close)
    if lacking:
        codes[f"{UNUSABLE} missing_permission"] += 1
        return None
    return Beside(version, decider, other.manifest.paths)
