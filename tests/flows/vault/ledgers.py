"""Ledgers of several tenants under chosen keys, and a look at every byte of their files."""

from collections.abc import Sequence
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from flows.ledger import lease
from flows.ledger.database import connect
from flows.ledger.store import Ledger
from flows.ledger.tables import DATA_KEY
from flows.vault import KeyEncryptionKey, Wrapped

ENVIRONMENT = "local"
TENANTS = ("acme", "acme-west", "birch")


def opened(engine: Engine, kek: KeyEncryptionKey, tenant: str, environment: str = ENVIRONMENT) -> Ledger:
    return Ledger(engine, kek, environment=environment, tenant=tenant, name="warehouse")


def tenants(url: str, kek: KeyEncryptionKey, names: Sequence[str] = TENANTS) -> dict[str, bytes]:
    """A ledger with these tenants, and a word of each, sealed by its own key."""
    engine = connect(url)
    sealed = {}
    for name in names:
        ledger = opened(engine, kek, name)
        lease.take(ledger, f"r-{name}")
        lease.give_back(ledger)
        sealed[name] = ledger.seal.seal(f"word of {name}".encode(), "plan")
    engine.dispose()
    return sealed


def words(url: str, kek: KeyEncryptionKey, sealed: dict[str, bytes]) -> dict[str, str]:
    """What every tenant's word says, opened by what the ledger holds now."""
    engine = connect(url)
    said = {name: opened(engine, kek, name).seal.open(one, "plan").decode() for name, one in sealed.items()}
    engine.dispose()
    return said


def expected(names: Sequence[str] = TENANTS) -> dict[str, str]:
    return {name: f"word of {name}" for name in names}


def stored(url: str) -> dict[str, Wrapped]:
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        rows = connection.execute(sa.select(DATA_KEY.c.tenant, DATA_KEY.c.kid, DATA_KEY.c.wrapped))
        return {tenant: Wrapped(kid, wrapped) for tenant, kid, wrapped in rows}


def files_with(folder: Path, content: bytes) -> list[str]:
    """The ledger's files below a folder that hold these bytes, or a good part of them, anywhere."""
    parts = [content[at : at + 16] for at in range(0, len(content) - 15, 4)]
    found = []
    for path in sorted(folder.rglob("ledger.db*")):
        data = path.read_bytes()
        if any(part in data for part in parts):
            found.append(path.name)
    return found
