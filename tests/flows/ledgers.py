"""Ledgers for tests, and processes that hold a lease."""

from pathlib import Path

from flows.ledger import lease
from flows.ledger.database import connect
from flows.ledger.store import Ledger
from flows.vault import KeyFile


def open_at(
    url: str,
    folder: Path,
    name: str = "warehouse",
    tenant: str = "acme",
    environment: str = "test",
    key: str = "",
) -> Ledger:
    kek = KeyFile(folder / "ferry.key")
    return Ledger(connect(url), kek, environment=environment, tenant=tenant, name=name, key=key)


def held(url: str, folder: Path, run: str = "r1", name: str = "warehouse", tenant: str = "acme") -> Ledger:
    ledger = open_at(url, folder, name, tenant)
    lease.take(ledger, run)
    return ledger
