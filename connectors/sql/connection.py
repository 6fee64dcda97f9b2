"""How a database is reached: which URLs are accepted, TLS beyond this machine, and short time-outs."""

import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from pydantic import SecretStr
from sqlalchemy import event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from connectors.errors import Denied, Rejected

CONNECT = 10  # seconds
STATEMENT = 60  # seconds a statement may take, and the network may stay silent

DRIVERS = {
    "sqlite": "sqlite+pysqlite",
    "postgresql": "postgresql+psycopg",
    "postgres": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mysql+pymysql",
    "mssql": "mssql+pymssql",
}
QUERY = {  # what a URL may ask for; a driver's other options can read local files or weaken TLS
    "sqlite": frozenset[str](),
    "postgresql": frozenset({"host", "sslmode", "sslrootcert"}),
    "mysql": frozenset({"unix_socket", "ssl_ca"}),
    "mssql": frozenset[str](),
}
LOOPBACK = ("localhost", "127.0.0.1", "::1")


def read_url(secret: SecretStr) -> URL:
    """The URL with the driver we use. Raises Rejected, without a word of the URL."""
    try:
        url = make_url(secret.get_secret_value())
        engine = url.get_backend_name()
        url = url.set(drivername=DRIVERS[engine])
    except (ArgumentError, KeyError, ValueError):
        url, engine = None, ""
    if url is None:
        raise Rejected("bad_url", f"sql: the URL must begin with one of {', '.join(DRIVERS)}")
    engine = url.get_backend_name()
    if set(url.query) - QUERY[engine]:
        raise Rejected(
            "bad_url", f"sql: the URL may only set {', '.join(sorted(QUERY[engine])) or 'no options'}"
        )
    if not (url.host or local(url)):
        raise Rejected("bad_url", "sql: the URL must name the host")  # else a driver takes it from elsewhere
    if engine == "sqlite" and url.database in (None, "", ":memory:"):
        raise Rejected("bad_url", "sql: SQLite needs a file: sqlite:////folder/name.db")
    return _with_tls(url) if engine == "postgresql" else url


def local(url: URL) -> bool:
    """Does the connection stay on this machine: a file, a socket or loopback?"""
    socket = any(str(url.query.get(name, "")).startswith("/") for name in ("host", "unix_socket"))
    return url.get_backend_name() == "sqlite" or (socket and not url.host) or url.host in LOOPBACK


def _with_tls(url: URL) -> URL:
    if local(url):
        return url
    if "host" in url.query:
        raise Rejected("bad_url", "sql: name the host before the slash, not as an option")
    mode = url.query.get("sslmode", "verify-full")
    if mode not in ("require", "verify-ca", "verify-full"):
        raise Rejected("bad_url", "sql: sslmode must be require, verify-ca or verify-full")
    roots = {} if mode == "require" or "sslrootcert" in url.query else {"sslrootcert": "system"}
    return url.update_query_dict({"sslmode": mode, **roots})


def engine_for(url: URL, lock: int, *, read_only: bool = False) -> sa.Engine:
    """An engine that shows no values, checks a connection before use, and connects on first use.

    Args:
        lock: seconds to wait for a lock that another one holds.
        read_only: the database itself refuses whatever would change it.
    """
    name = url.get_backend_name()
    if read_only:
        url = _to_read(url, name)
    bare, arguments = _arguments(url, name, lock)
    engine = sa.create_engine(
        bare,
        connect_args=arguments,
        hide_parameters=True,
        poolclass=sa.QueuePool,
        pool_pre_ping=name != "sqlite",
        pool_timeout=STATEMENT,
        pool_recycle=1800,
    )
    if name != "sqlite":
        statements = (*SESSION[name], *(READ_ONLY[name] if read_only else ()))
        event.listen(engine, "connect", _session(*(each.format(lock=lock) for each in statements)))
    return engine


def _to_read(url: URL, name: str) -> URL:
    """A SQLite file is opened to read; one that is not there is as good as an empty one, and is not made."""
    if name == "mssql":
        raise Denied(
            "read_only",
            f"sql: {url.host}/{url.database} is a SQL Server, which knows no session that only reads, so it "
            "cannot be staged; approve the integration and look with: ferry run TENANT/INTEGRATION --dry-run",
        )
    if name != "sqlite":
        return url
    there = Path(url.database or "")
    if not there.exists():
        return url.set(database=":memory:")
    return url.set(database=f"file:{quote(str(there.resolve()))}", query={"mode": "ro", "uri": "true"})


READ_ONLY: Mapping[str, tuple[str, ...]] = {
    "postgresql": ("SET default_transaction_read_only = on",),
    "mysql": ("SET SESSION TRANSACTION READ ONLY",),
}


NOT_FROM_HERE: Mapping[str, str] = {"hostaddr": "", "options": ""}
"""What libpq would take from PGHOSTADDR, PGOPTIONS or PGSERVICE: another server, other settings."""

SESSION: Mapping[str, tuple[str, ...]] = {
    "postgresql": (
        "SET TIME ZONE 'UTC'",
        f"SET statement_timeout = '{STATEMENT}s'",
        "SET lock_timeout = '{lock}s'",
    ),
    "mysql": (  # strict: a value that does not fit is an error, never cut or replaced
        "SET SESSION sql_mode = 'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'",
        "SET SESSION time_zone = '+00:00'",
        "SET SESSION innodb_lock_wait_timeout = {lock}",
    ),
    "mssql": ("SET LOCK_TIMEOUT {lock}000", "SET XACT_ABORT ON"),
}


def _session(*statements: str) -> Any:  # SQLAlchemy looks at the function's signature
    def prepare(connection: sa.PoolProxiedConnection, _record: object) -> None:
        cursor = connection.cursor()
        for statement in statements:
            cursor.execute(statement)
        cursor.close()
        connection.commit()

    return prepare


def _arguments(url: URL, name: str, lock: int) -> tuple[URL, dict[str, Any]]:  # a driver's own keywords
    if name == "sqlite":
        return url, {"timeout": lock}
    if name == "postgresql":
        alive = {"keepalives_idle": 30, "tcp_user_timeout": STATEMENT * 1000}
        return url.set(port=url.port or 5432), {"connect_timeout": CONNECT, **alive, **NOT_FROM_HERE}
    if name == "mysql":
        times = {"connect_timeout": CONNECT, "read_timeout": STATEMENT, "write_timeout": STATEMENT}
        bare = url.difference_update_query(["ssl_ca"])
        if local(url):
            return bare, {"charset": "utf8mb4", **times}
        roots = url.query.get("ssl_ca")
        context = ssl.create_default_context(cafile=roots if isinstance(roots, str) else None)
        return bare, {"charset": "utf8mb4", "ssl": context, **times}
    encryption = {} if local(url) else {"encryption": "require"}
    return url, {"login_timeout": CONNECT, "timeout": STATEMENT, "charset": "UTF-8", **encryption}
