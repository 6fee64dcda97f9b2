"""Accounts: who answers is compared with who answered when the connection was made.

A key that was mixed up, a staging database under production's name: a run stops before its first read.
"""

from collections.abc import Mapping

from connectors.base import Account, Connector
from connectors.errors import Unauthorized
from connectors.source import Source
from flows.boundary import CodedFailure
from flows.connections import Connections
from flows.settings import PRODUCTION
from flows.tenants import Deployment


def confirm(
    connections: Connections,
    deployment: Deployment,
    source: Source,
    targets: Mapping[str, Connector],
) -> dict[str, Account]:
    """See that every account of an integration is the pinned one, with all permissions that a run needs.

    Gives the accounts that answered, by target.

    Raises:
        CodedFailure: account_mismatch, account_not_pinned, another_practice.
        Unauthorized: missing_permission.
        ConnectorError: a system does not answer.
    """
    integration = deployment.integration
    ours = source.check(deployment.manifest.paths)
    admit(connections, integration.source, ours)
    reached: dict[str, Account] = {}
    for name, target in targets.items():
        theirs = reached[name] = target.check()
        admit(connections, integration.targets[name].connection, theirs)
        if theirs.system == ours.system and not same(ours, theirs):
            raise CodedFailure(
                "another_practice",
                f"{connections.tenant}: target {name} is {told(theirs)}, but entries are read from "
                f"{told(ours)}: its patients have other ids; nothing was read. Write back to that account",
            )
    return reached


def admit(connections: Connections, name: str, reached: Account) -> None:
    """Compare the account that was reached with the pin: at a run's start, and after a token was renewed.

    Raises as `confirm`.
    """
    pin, tenant = connections.pin(name), connections.tenant
    if pin is None and connections.environment == PRODUCTION:
        raise CodedFailure(
            "account_not_pinned",
            f"{tenant}: connection {name} has no pinned account; run: ferry connect {tenant} {name}",
        )
    if pin is not None and not same(pin, reached):
        raise CodedFailure(
            "account_mismatch",
            f"{tenant}: connection {name} reaches {told(reached)}, but was made for {told(pin)}; nothing was "
            f"read. If the new one is right, run: ferry connect {tenant} {name}",
        )
    if reached.missing:
        lacking = ", ".join(reached.missing)
        raise Unauthorized("missing_permission", f"{reached.system}: the key's account lacks {lacking}")


def same(one: Account, other: Account) -> bool:
    """Whether they are the same account. What it may do, and what it is for, are other questions."""
    return (one.system, one.identity) == (other.system, other.identity)


def told(account: Account) -> str:
    return f"{account.identity} (sandbox)" if account.sandbox else account.identity
