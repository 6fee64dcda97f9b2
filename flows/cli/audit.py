"""The audit: verify, show. Both are free of patients: an event holds counts and keyed hashes."""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated

import typer

from flows import anchor, server
from flows.cli.app import Staged, app, say
from flows.errors import Spoken
from flows.ledger import audit as events
from flows.ledger import stages, store
from flows.ledger.database import connect
from flows.ledger.verify import Finding, verify
from flows.settings import Settings
from flows.vault.configured import key_encryption_key

audit = typer.Typer(help="What was done, by whom: every read, decision, delivery and key action, chained.")
app.add_typer(audit, name="audit")


class NotADate(Spoken):
    """A date was written otherwise. One line."""


@audit.command("verify")
def verify_command(
    tenant: Annotated[str, typer.Argument(metavar="[TENANT]", help="one tenant; otherwise everybody")] = "",
) -> None:
    """Find every event that was changed, removed, moved or copied. Exit code 1 if there is one."""
    settings = Settings()
    with server.at_hand(settings.home / "prefect"):
        anchors = anchor.everywhere(settings.env)
    engine = connect(settings.ledger())
    try:
        key = store.audit_key(engine, key_encryption_key(settings), settings.env)
        found = list(verify(engine, key, tenant, anchors=anchors))
        number = sum(1 for one in anchors if tenant in ("", one[0]) and anchors[one][0].seq)
    finally:
        engine.dispose()
    for line in _verdict(found, number):
        say(line)
    if found:
        sys.exit(1)


def _verdict(found: list[Finding], anchors: int) -> Iterator[str]:
    if not found:
        yield f"audit: whole; {anchors} chains held against their anchors outside of the ledger"
        return
    for finding in found:
        yield f"AUDIT BROKEN: {finding}"
    yield "Somebody changed the ledger. Keep a copy of it as it is, and compare with your backups."


@audit.command("show")
def show(
    label: Annotated[str, typer.Argument(metavar="TENANT[/INTEGRATION]")],
    since: Annotated[str, typer.Option(metavar="DATE", help="from this day on: 2026-11-28, UTC")] = "",
    staging: Staged = False,
) -> None:
    """List what was done, in words."""
    tenant, _, integration = label.partition("/")
    if staging and integration:
        integration = stages.named(integration)
    engine = connect(Settings().ledger())
    try:
        for row in events.events(engine, tenant, integration or None, _day(since)):
            say(_words(row.at, row.integration, row.seq, f"{row.actor}: {row.act} ({row.count})"))
    finally:
        engine.dispose()


def _words(at: datetime, integration: str, seq: int, what: str) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC  {integration or 'tenant'} #{seq}  {what}"


def _day(written: str) -> datetime | None:
    if not written:
        return None
    try:
        return datetime.strptime(written, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise NotADate(f"{written}: is not a date such as 2026-11-28") from None
