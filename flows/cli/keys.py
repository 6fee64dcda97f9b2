"""Keys: which key wraps whose, rotate, protect; forget a tenant."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy.engine import Engine

from flows import acts, anchor
from flows.boundary import CodedFailure
from flows.cli.app import app, say
from flows.forget import Forgotten
from flows.forget import forget as forgotten
from flows.ledger import keys as data_keys
from flows.ledger.database import connect
from flows.ledger.keys import DataKey
from flows.settings import Settings
from flows.vault.configured import Keychain, key_encryption_key
from flows.vault.keyfile import Passphrase, is_protected
from flows.vault.keyfile import protect as put_under_passphrase

group = typer.Typer(no_args_is_help=False)
app.add_typer(group, name="keys")
ROTATE = "run: ferry keys rotate"


@group.callback(invoke_without_command=True)
def keys(context: typer.Context) -> None:
    """Show which key wraps each tenant's data key, and since when."""
    if context.invoked_subcommand is None:
        with _opened() as (engine, keychain):
            for key in data_keys.all_of(engine):
                say(f"{key.tenant}: {_standing(key, keychain)}")


@group.command()
def rotate() -> None:
    """Wrap every tenant's data key again, by the present key. Runs may go on; it may be repeated."""
    counts = {True: 0, False: 0}
    with _opened() as (engine, keychain):
        for key, done in data_keys.rotate(engine, keychain, Settings().env):
            counts[done] += 1
            if done:
                say(f"{key.tenant}: wrapped again, before by {key.kid}")
        say(f"{counts[True]} wrapped again, {counts[False]} as they were")
        if not data_keys.scrub(engine):
            say("the ledger was in use: former forms are still in its write-ahead log; rotate again later")
        for tenant in ("", *(key.tenant for key in data_keys.all_of(engine))):
            anchor.keep_tenant(engine, Settings().env, tenant)
    say(
        "every place that opens this ledger needs the present key from now on; a former key that ferry keys "
        "shows no more is needed only by backups of the ledger"
    )


@group.command()
def protect(
    passphrase_file: Annotated[
        Path | None, typer.Option(help="a private file that holds the new passphrase; else it is asked for")
    ] = None,
) -> None:
    """Put the key file under a passphrase, or under another one."""
    settings = Settings()
    if settings.kek:
        raise CodedFailure(
            "no_key_file", "FERRY_KEK names a key that is no file; there is nothing to protect"
        )
    path, old = settings.key(), Passphrase(settings.key_passphrase_file)
    protected = is_protected(path)
    new = Passphrase(passphrase_file) if passphrase_file or protected else old
    acts.note(settings, "", "key file put under another passphrase" if protected else "key file protected")
    put_under_passphrase(path, old, new)
    say(f"{path}: needs its passphrase now; copies and backups from before do not")


@app.command()
def forget(
    tenant: Annotated[str, typer.Argument(help="the practice")],
    yes: Annotated[bool, typer.Option("--yes", help="do not ask; for scripts")] = False,
) -> None:
    """Destroy a tenant's data key: nothing stored of it can be read ever again. It cannot be undone."""
    if not yes:
        say(
            f"{tenant}: every stored plan, pre-image, patient's id and credential becomes unreadable for good"
        )
        if typer.prompt("type the tenant's name to go on") != tenant:
            raise CodedFailure("not_confirmed", f"{tenant}: that was not its name; nothing was done")
    for line in _told(forgotten(Settings(), tenant)):
        say(line)


def _told(done: Forgotten) -> Generator[str]:
    """What was done and, as plainly, what was not."""
    tenant = done.tenant
    yield f"{tenant}: forgotten on {done.on:%Y-%m-%d %H:%M} UTC: its data key is destroyed. The audit stays."
    if not done.scrubbed:
        yield (
            "  the ledger was in use: the wrapped key is still in its write-ahead log; "
            f"run it again: ferry forget {tenant} --yes"
        )
    if done.blocks is None:
        yield (
            "  Prefect did not answer: sealed blocks of it may still be there, which nothing opens, and no "
            "anchor there says that it was forgotten: a backup from before would bring it back unnoticed. "
            f"Set PREFECT_API_URL and run: ferry forget {tenant} --yes"
        )
    else:
        yield f"  {done.blocks} sealed connections removed from Prefect"
    yield (
        "  backups of the ledger, and PostgreSQL's own log and replicas, hold the wrapped key until they age "
        "out: whoever has one of them and the key-encryption key can read what it holds of this tenant. "
        "Only a key-encryption key of the tenant's own, destroyed, ends that at once"
    )
    yield f"  its schedules are as they were: remove deployments/{tenant} and its deployments in Prefect"


def _standing(key: DataKey, keychain: Keychain) -> str:
    if key.destroyed is not None:
        return f"forgotten on {key.destroyed:%Y-%m-%d}"
    since = f"wrapped by {key.kid} since {key.wrapped_at:%Y-%m-%d %H:%M} UTC"
    if keychain.present.opens(key.kid):
        return since
    return (
        f"{since}: a retired key; {ROTATE}" if keychain.opens(key.kid) else f"{since}: A KEY THAT IS NOT SET"
    )


@contextmanager
def _opened() -> Generator[tuple[Engine, Keychain]]:
    settings = Settings()
    engine = connect(settings.ledger())
    try:
        yield engine, key_encryption_key(settings)
    finally:
        engine.dispose()
