"""Opening ledgers: an integration's, its stage's, and a tenant's seal."""

from collections.abc import Generator
from contextlib import contextmanager

from flows.ledger import kept, stages
from flows.ledger.database import connect
from flows.ledger.store import Ledger, seal_of
from flows.parameters import Mode
from flows.settings import Settings
from flows.tenants import Deployment
from flows.vault import Seal
from flows.vault.configured import key_encryption_key


def open_ledger(settings: Settings, deployment: Deployment, mode: Mode = "live") -> Ledger:
    """What an integration remembers; of its stage, that is apart from it and under a key of its own.

    Raises:
        LedgerUnavailable, TenantForgotten. StageOver: the time of staging is over.
    """
    engine, kek = connect(settings.ledger()), key_encryption_key(settings)
    name, key = deployment.name, ""
    if mode == "staging":
        key = stages.current(engine, kek, settings.env, deployment.tenant, name)
        name = stages.named(name)
    ledger = Ledger(engine, kek, environment=settings.env, tenant=deployment.tenant, name=name, key=key)
    ledger.lease_seconds = settings.lease_seconds
    return ledger


def open_known(settings: Settings, deployment: Deployment, mode: Mode) -> Ledger:
    """The same for who only looks: no stage begins by that.

    Raises:
        NoSuchStage: it was never staged. StageOver, LedgerUnavailable, TenantForgotten.
    """
    if mode == "staging":
        engine = connect(settings.ledger())
        try:
            stages.known(engine, deployment.tenant, deployment.name)
        finally:
            engine.dispose()
    return open_ledger(settings, deployment, mode)


@contextmanager
def tenant_seal(settings: Settings, tenant: str) -> Generator[Seal]:
    """The tenant's seal for what belongs to no integration: its connections."""
    engine = connect(settings.ledger())
    try:
        yield seal_of(engine, key_encryption_key(settings), settings.env, tenant)
    finally:
        engine.dispose()


def labelled(settings: Settings, run: str) -> tuple[str, Mode]:
    """Which integration a run was of, and in which mode. Raises RunUnknown."""
    engine = connect(settings.ledger())
    try:
        past = kept.find(engine, run)
        return past.label, past.mode
    finally:
        engine.dispose()
