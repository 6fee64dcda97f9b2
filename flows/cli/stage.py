"""Staging: how long an integration is still tried, agreeing on more, and ending it."""

from datetime import UTC, date, datetime, time
from typing import Annotated

import typer

from flows import anchor
from flows.cli.app import Label, app, say
from flows.errors import Spoken
from flows.ledger import audit, stages
from flows.ledger.database import connect
from flows.ledger.stages import Extension, Stage
from flows.ledger.store import now
from flows.quote import driving, lines, staged_drivers
from flows.quote import quote as quoted
from flows.settings import Settings
from flows.tenants import load
from flows.vault.configured import key_encryption_key
from flows.worker import ended


class NotExtended(Spoken):
    """What an extension needs is not all there. One line."""


@app.command()
def quote(
    label: Label,
    live: Annotated[bool, typer.Option("--live", help="from what is live; else from its stage")] = False,
) -> None:
    """Say what an integration would cost on each schedule, from what its runs measured."""
    for line in lines(quoted(Settings(), label, "live" if live else "staging")):
        say(line)


@app.command()
def stage(
    label: Label,
    until: Annotated[str, typer.Option(metavar="DATE", help="its last day, such as 2026-12-20")] = "",
    by: Annotated[str, typer.Option(help="who agreed to that")] = "",
    reason: Annotated[str, typer.Option(help="why; no patient data")] = "",
    end: Annotated[bool, typer.Option("--end", help="end it now: its data is destroyed")] = False,
) -> None:
    """Say how long an integration's stage lasts; agree on more; or end it and destroy its data."""
    settings = Settings()
    deployment = load(settings.deployments, label)
    engine = connect(settings.ledger())
    try:
        found = stages.known(engine, deployment.tenant, deployment.name)
        kek = key_encryption_key(settings)
        if end:
            stages.destroy(engine, kek, settings.env, found)
        elif until:
            stages.extend(engine, kek, settings.env, found, _extension(label, until, by, reason))
        if end or until:
            anchor.keep_tenant(engine, settings.env, deployment.tenant)
        _say(stages.known(engine, deployment.tenant, deployment.name))
        drivers = staged_drivers(engine, deployment, found) if until else None
        for line in driving(drivers) if drivers else ():
            say(line)
    finally:
        engine.dispose()


def _extension(label: str, until: str, by: str, reason: str) -> Extension:
    """Raises NotExtended."""
    try:
        day = datetime.combine(date.fromisoformat(until), time.max, UTC)
    except ValueError:
        day = now()
    if day <= now() or not by or not reason:
        raise NotExtended(
            f"{label}: name a day to come, who agreed and why: --until DATE --by NAME --reason WHY"
        )
    extension = Extension(day, by, reason)
    room = audit.LONGEST - len(Extension(day).act(label.partition("/")[2]))
    if len(reason) > room:
        raise NotExtended(f"{label}: --reason: say it in {room} characters, as many as the audit keeps")
    if audit.person(by) != f"person {by}":
        raise NotExtended(f"{label}: --by: a name of {len(by)} characters is longer than the audit keeps")
    return extension


def _say(one: Stage) -> None:
    if one.over:
        say(ended(one) if one.destroyed else f"{one.label}: staging is over; ferry sweep destroys its data")
        return
    left = one.ends - now()
    say(f"{one.label}: staging since {one.began:%Y-%m-%d %H:%M} UTC, until {one.ends:%Y-%m-%d %H:%M} UTC")
    say(f"  {left.days} days and {left.seconds // 3600} hours are left; then its data is destroyed")
