"""Instead: by which other connection a target is reached in staging, where integration.yaml names one.

Either one that reads the same account, with credentials that allow no more; or an account of the vendor's for
trials, which is written to. Whether it is one is taken from no file: the vendor says so of the account that
answers, which is the one that was pinned when the connection was made.
"""

from collections.abc import Callable, Mapping

from connectors.base import Account, Connector
from flows.accounts import told
from flows.boundary import CodedFailure
from flows.check.staging import objections
from flows.tenants import Deployment, IntegrationInvalid, Target

Pin = Callable[[str], Account | None]


def writes(deployment: Deployment) -> bool:
    """Whether anything is written in staging: to an account for trials."""
    return any(one.staging and one.staging.sandbox for one in deployment.integration.targets.values())


def staged(deployment: Deployment) -> Deployment:
    """The deployment as it is in staging.

    Raises:
        IntegrationInvalid: a target is not to be reached so.
    """
    kinds = {name: one.connector for name, one in deployment.connections.items()}
    for name, what, todo in objections(deployment.integration, kinds):
        raise IntegrationInvalid(f"{deployment.label}: targets.{name}.staging {what}; {todo}")
    targets = {name: _instead(target) for name, target in deployment.integration.targets.items()}
    integration = deployment.integration.model_copy(update={"targets": targets})
    return deployment.model_copy(update={"integration": integration})


def _instead(target: Target) -> Target:
    if target.staging is None:
        return target
    confirmed = target.staging.confirmed if target.staging.sandbox else target.confirmed
    return target.model_copy(update={"connection": target.staging.connection, "confirmed": confirmed})


def confirm(
    pin: Pin, written: Deployment, targets: Mapping[str, Connector], reached: Mapping[str, Account]
) -> None:
    """See that what is written to is an account for trials, not the live one, and what is read the live one.

    pin: see Connections. written: the deployment as its files say. reached: the accounts that answer now, by
    target: a pin says who it was, not what it is today.

    Raises:
        CodedFailure: not_a_sandbox, account_mismatch.
    """
    for name, target in written.integration.targets.items():
        if target.staging is None or name not in reached:  # a stage without an image reaches nobody
            continue
        there, live = reached[name], pin(target.connection)
        is_live = live is not None and live.system == there.system and targets[name].is_same(there, live)
        where = f"{written.label}: target {name}"
        if target.staging.sandbox and (is_live or not there.sandbox):
            raise CodedFailure(
                "not_a_sandbox",
                f"{where} reaches {told(there)} in staging, which is no account for trials; nothing was "
                "written. Name one of the vendor's own, or remove sandbox",
            )
        if not target.staging.sandbox and live and not is_live:
            raise CodedFailure(
                "account_mismatch",
                f"{where} reads {told(there)} in staging, and is {told(live)}; nothing was read. "
                f"Name a connection to the same account",
            )
