"""Forgetting a tenant: one row is destroyed, and nothing of that tenant opens ever again."""

import multiprocessing
import os
import shutil
import signal
from pathlib import Path

import pytest
import sqlalchemy as sa

from flows.forget import forget
from flows.ledger import keys, lease
from flows.ledger.database import connect
from flows.ledger.store import LeaseLost, TenantForgotten
from flows.settings import Settings
from flows.vault import KeyFile, SealBroken, Wrapped, data_key_bound, open_data_key
from tests.flows.vault.ledgers import (
    ENVIRONMENT,
    TENANTS,
    expected,
    files_with,
    opened,
    stored,
    tenants,
    words,
)

SPAWN = multiprocessing.get_context("spawn")


def settings(url: str, folder: Path) -> Settings:
    return Settings(home=folder, env=ENVIRONMENT, ledger_url=url)


def key(folder: Path) -> KeyFile:
    return KeyFile(folder / "keys" / "ferry.key")


def forget_until_killed(url: str, folder: Path, at: int) -> None:
    os.environ["FERRY_CRASH_AT"] = str(at)
    forget(settings(url, folder), "acme")


def test_the_forgotten_tenant_opens_never_again_and_the_others_do(ledger_url: str, tmp_path: Path) -> None:
    sealed = tenants(ledger_url, key(tmp_path))

    done = forget(settings(ledger_url, tmp_path), "acme")

    assert done.scrubbed
    for _ in range(2):  # no new key is made in between
        engine = connect(ledger_url)
        with pytest.raises(TenantForgotten, match=rf"acme: forgotten on {done.on:%Y-%m-%d}"):
            opened(engine, key(tmp_path), "acme")
    left = {name: one for name, one in sealed.items() if name != "acme"}
    assert words(ledger_url, key(tmp_path), left) == expected(("acme-west", "birch"))


def test_nothing_that_is_left_opens_what_it_sealed(ledger_url: str, tmp_path: Path) -> None:
    sealed = tenants(ledger_url, key(tmp_path))
    ledger = opened(connect(ledger_url), key(tmp_path), "acme")
    credential = ledger.seal.envelope(b"hk_live", system="hubspot", purpose="connection")
    ledger.close()
    forget(settings(ledger_url, tmp_path), "acme")

    for tenant, wrapped in stored(ledger_url).items():
        for name in TENANTS:
            try:
                seal = open_data_key(key(tmp_path), wrapped, ENVIRONMENT, name)
            except SealBroken:
                continue
            assert tenant == name != "acme"
            with pytest.raises(SealBroken):
                seal.open(sealed["acme"], "plan")
            with pytest.raises(SealBroken):
                seal.open_envelope(credential, system="hubspot", purpose="connection")


def test_the_wrapped_key_is_in_no_byte_of_sqlites_files(tmp_path: Path) -> None:
    """Also while others have the ledger open: then its write-ahead log stays, and is emptied."""
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    other = connect(url)
    with other.connect():
        tenants(url, key(tmp_path))
        old = stored(url)
        assert files_with(tmp_path, old["acme"].content) != []  # positive control

        assert forget(settings(url, tmp_path), "acme").scrubbed

        assert files_with(tmp_path, old["acme"].content) == []
        assert files_with(tmp_path, old["birch"].content) == ["ledger.db"]
    other.dispose()


def test_on_postgresql_the_table_is_written_anew(postgres: str, tmp_path: Path) -> None:
    admin = sa.create_engine(postgres, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(sa.text("DROP DATABASE IF EXISTS shred"))
        connection.execute(sa.text("CREATE DATABASE shred"))
        folder = Path(connection.execute(sa.text("SHOW data_directory")).scalar_one())
    admin.dispose()
    url = sa.make_url(postgres).set(database="shred").render_as_string(hide_password=False)
    tenants(url, key(tmp_path))
    old = stored(url)["acme"].content
    engine = connect(url)

    def holding() -> list[str]:
        with engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT").execute(sa.text("CHECKPOINT"))
        return [
            path.name for path in (folder / "base").rglob("*") if path.is_file() and old in path.read_bytes()
        ]

    assert holding() != []  # positive control

    forget(settings(url, tmp_path), "acme")

    assert holding() == []
    engine.dispose()


def test_a_run_that_goes_on_is_fenced_out_at_once(ledger_url: str, tmp_path: Path) -> None:
    tenants(ledger_url, key(tmp_path))
    mine, other = (opened(connect(ledger_url), key(tmp_path), name) for name in ("acme", "birch"))
    for ledger in (mine, other):
        lease.take(ledger, f"r-{ledger.tenant}")

    forget(settings(ledger_url, tmp_path), "acme")

    with pytest.raises(LeaseLost), mine.writing("test"):
        pass
    with other.writing("test"):
        pass
    for ledger in (mine, other):
        ledger.close()


def test_the_audit_stays_and_says_that_it_was_forgotten(ledger_url: str, tmp_path: Path) -> None:
    tenants(ledger_url, key(tmp_path))
    forget(settings(ledger_url, tmp_path), "acme")
    forget(settings(ledger_url, tmp_path), "acme")

    engine = connect(ledger_url)
    with engine.connect() as connection:
        acts = (
            connection.execute(sa.text("SELECT act FROM audit WHERE tenant = 'acme' ORDER BY seq"))
            .scalars()
            .all()
        )
    engine.dispose()
    assert acts == ["data key made", "data key destroyed"]


def test_a_name_that_nobody_has_destroys_nothing(ledger_url: str, tmp_path: Path) -> None:
    sealed = tenants(ledger_url, key(tmp_path))

    with pytest.raises(keys.TenantUnknown, match="acm: the ledger knows no such tenant; there are: acme, "):
        forget(settings(ledger_url, tmp_path), "acm")

    assert words(ledger_url, key(tmp_path), sealed) == expected()


def test_killed_anywhere_it_has_happened_or_not_and_is_finished_by_the_next(tmp_path: Path) -> None:
    before = []
    for at in range(1, 9):
        folder = tmp_path / str(at)
        url = f"sqlite:///{folder / 'ledger.db'}"
        sealed = tenants(url, key(folder))
        old = stored(url)["acme"].content
        child = SPAWN.Process(target=forget_until_killed, args=(url, folder, at))
        child.start()
        child.join(120)
        code = child.exitcode
        child.close()
        if code == 0:
            break
        assert code == -signal.SIGKILL
        before.append(stored(url)["acme"].content == old)
        if before[-1]:
            assert words(url, key(folder), sealed) == expected()

        assert forget(settings(url, folder), "acme").scrubbed
        assert files_with(folder, old) == []
        assert stored(url)["acme"].content == b""

    assert before == [True, True, False, False]  # before, inside; after, and before the files are scrubbed


def test_a_copy_of_the_ledger_without_the_key_opens_nothing(tmp_path: Path) -> None:
    """Whoever has the ledger, and even writes into it what suits them, has no word of anybody."""
    url = f"sqlite:///{tmp_path / 'here' / 'ledger.db'}"
    sealed = tenants(url, key(tmp_path / "here"))
    there = tmp_path / "there"
    there.mkdir()
    for path in (tmp_path / "here").glob("ledger.db*"):
        shutil.copy(path, there)
    copied, thiefs = f"sqlite:///{there / 'ledger.db'}", key(there)
    engine = connect(copied)

    for name in TENANTS:
        with pytest.raises(SealBroken):
            opened(engine, thiefs, name)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE data_key SET kid = :kid"), {"kid": thiefs.kid})
    for name in TENANTS:
        with pytest.raises(SealBroken):
            opened(engine, thiefs, name)
    with engine.begin() as connection:  # a key of their own put in its place opens nothing that was sealed
        for name in TENANTS:
            own = thiefs.wrap(b"k" * 32, data_key_bound(ENVIRONMENT, name))
            change = sa.text("UPDATE data_key SET wrapped = :wrapped WHERE tenant = :tenant")
            connection.execute(change, {"wrapped": own.content, "tenant": name})
    for name, one in sealed.items():
        with pytest.raises(SealBroken):
            opened(engine, thiefs, name).seal.open(one, "plan")
    engine.dispose()
    for wrapped in stored(url).values():
        for kid in (wrapped.kid, thiefs.kid):
            with pytest.raises(SealBroken):
                open_data_key(thiefs, Wrapped(kid, wrapped.content), ENVIRONMENT, "acme")
    assert words(url, key(tmp_path / "here"), sealed) == expected()  # and whoever has the key, all of them
