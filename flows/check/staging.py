"""How a target is reached in staging: may it be by that connection?"""

from collections.abc import Iterator, Mapping

from flows.systems import SYSTEMS
from flows.tenants import Integration


def objections(integration: Integration, kinds: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """What is wrong with a target's `staging`: the target, what, and what to do.

    kinds: the connectors by their connection's name.
    """
    paired = integration.pair.target if integration.pair else ""
    for name, target in integration.targets.items():
        staging = target.staging
        if staging is None:
            continue
        kind, other = kinds.get(target.connection), kinds.get(staging.connection)
        if staging.connection == target.connection:
            yield name, "is by the target's own connection", "name another one, or remove it"
        elif kind and other and kind != other:
            yield name, f"is by {staging.connection}, which is {other}", f"name one that is {kind}"
        if staging.sandbox and other and not SYSTEMS[other].trials:
            known = " or ".join(sorted(each for each, one in SYSTEMS.items() if one.trials))
            yield (
                name,
                f"goes to an account for trials, and {other} cannot say that it is one",
                (f"remove sandbox; only {known} can"),
            )
        if staging.sandbox and name == paired:
            yield name, "goes to an account for trials, and a pair's entries are not there", "remove sandbox"
