"""A database is the one that the URL names, whatever the machine's environment says of others."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from pydantic import SecretStr

from connectors.errors import Denied, Rejected
from connectors.sandbox.wire import Wire
from connectors.sql import Sql, SqlCredentials
from tests.connectors.every import TABLE
from tests.connectors.sql.servers import Place, free_port

SERVICE = "[away]\nhost=127.0.0.2\nhostaddr=127.0.0.2\nport=9\noptions=-c search_path=elsewhere\n"
ASTRAY: Mapping[str, str] = {
    "PGHOSTADDR": "127.0.0.2",
    "PGHOST": "127.0.0.2",
    "PGPORT": "9",
    "PGOPTIONS": "-c search_path=elsewhere",
    "PGSERVICE": "away",
}


@pytest.mark.parametrize("name", ASTRAY)
def test_nothing_of_the_environment_leads_elsewhere(
    postgresql: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (tmp_path / "services").write_text(SERVICE)
    monkeypatch.setenv("PGSERVICEFILE", str(tmp_path / "services"))
    monkeypatch.setenv(name, ASTRAY[name])
    with Wire(postgresql.behind) as wire:
        sql = Sql(SqlCredentials(url=SecretStr(postgresql.through(wire).url)), [TABLE])
        sql.prepare()
        sql.close()

    monkeypatch.undo()
    assert postgresql.rows("SELECT schemaname FROM pg_tables WHERE tablename = 'people'") == [("public",)]


def test_the_port_is_the_engines_own_where_none_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not said is not asked for elsewhere."""
    monkeypatch.setenv("PGPORT", str(free_port()))
    sql = Sql(SqlCredentials(url=SecretStr("postgresql://ferry@127.0.0.1/practice")), [])

    assert sql._database._engine.url.port == 5432


@pytest.mark.parametrize("url", ["postgresql:///practice", "mysql:///practice", "mssql:///practice"])
def test_a_url_names_its_host(url: str) -> None:
    with pytest.raises(Rejected, match="must name the host"):
        Sql(SqlCredentials(url=SecretStr(url)), [])


def test_a_sql_server_is_never_reached_to_read_only() -> None:
    """It knows no session that only reads, so nothing could keep a stage from writing. One line says so."""
    url = SecretStr("mssql://ferry:hush@db.example/practice")

    with pytest.raises(Denied, match=r"^sql: db.example/practice .* --dry-run$") as denied:
        Sql(SqlCredentials(url=url), [], read_only=True)

    assert denied.value.code == "read_only" and "hush" not in str(denied.value)
