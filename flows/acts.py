"""Acts of people on a tenant that belong to no integration: noted in the tenant's own chain of the audit."""

from flows import anchor
from flows.ledger import audit
from flows.ledger.database import connect
from flows.ledger.store import Ledger, audit_key
from flows.settings import Settings
from flows.vault.configured import key_encryption_key


def note(settings: Settings, tenant: str, act: str, *subjects: object) -> None:
    """Note an act, before it is done: if this raises, it does not happen.

    Raises:
        LedgerUnavailable, SealBroken, KeyUnavailable, AnchorUnavailable.
    """
    engine = connect(settings.ledger())
    try:
        key = audit_key(engine, key_encryption_key(settings), settings.env)
        audit.note(engine, key, tenant, act, 1, *subjects)
        anchor.keep_tenant(engine, settings.env, tenant)
    finally:
        engine.dispose()


def ahead(ledger: Ledger, act: str, *subjects: object, dry: bool) -> None:
    """First the audit, then the read: a run's under its lease, a dry run's, which has none, beside it.

    Raises:
        LedgerUnavailable, LeaseLost, AnchorUnavailable.
    """
    if dry:
        note_beside(ledger, f"{ledger.name}, dry run: {act}", *subjects)
    else:
        audit.ahead(ledger, act, *subjects)


def note_beside(ledger: Ledger, act: str, *subjects: object) -> None:
    """The same of who has an integration's ledger open, without its lease: what is read or shown of it.

    Raises:
        AnchorUnavailable.
    """
    actor = ledger.person  # "": who gave the command
    audit.note(ledger.engine, ledger.audit_key, ledger.tenant, act, len(subjects), *subjects, actor=actor)
    anchor.keep_tenant(ledger.engine, ledger.environment, ledger.tenant)
