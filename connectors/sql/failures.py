"""What a database's error means. One table per engine; a driver's text is never shown: it quotes values."""

import re
import sqlite3
from dataclasses import dataclass
from typing import Literal, cast

from sqlalchemy import exc
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

Kind = Literal["row", "table", "transient", "lost", "unauthorized"]


@dataclass(frozen=True, slots=True)
class Failure:
    """row: one row is refused. table: every row will be. transient: rolled back, time may help.
    lost: the connection is gone. unauthorized: the tenant must act."""

    kind: Kind
    code: str
    column: str = ""  # which one may not be null, on MySQL


# SQLSTATE, or its first two characters: https://www.postgresql.org/docs/current/errcodes-appendix.html
POSTGRESQL: dict[str, Failure] = {
    "08": Failure("lost", "connection_lost"),
    "22": Failure("row", "invalid_value"),
    "22001": Failure("row", "too_long"),
    "22003": Failure("row", "out_of_range"),
    "23": Failure("row", "constraint"),
    "23502": Failure("row", "not_null"),
    "23503": Failure("row", "foreign_key"),
    "23505": Failure("row", "duplicate"),
    "23514": Failure("row", "check"),
    "25006": Failure("transient", "read_only"),
    "28": Failure("unauthorized", "unauthorized"),
    "3D": Failure("unauthorized", "no_database"),
    "40": Failure("transient", "contention"),
    "42": Failure("table", "schema_drift"),
    "42501": Failure("unauthorized", "forbidden"),
    "44": Failure("row", "check"),
    "53": Failure("transient", "overloaded"),
    "53100": Failure("transient", "disk_full"),
    "54": Failure("row", "too_long"),
    "55": Failure("transient", "locked"),
    "55000": Failure("table", "schema_drift"),  # a deferrable key
    "57": Failure("lost", "connection_lost"),
    "57014": Failure("transient", "timed_out"),
    "58": Failure("lost", "server_failed"),
    "P0": Failure("row", "refused"),  # raised by a trigger of the customer's
    "XX": Failure("lost", "server_failed"),
}
NOT_NULL = 1048
_MYSQL: dict[Failure, tuple[int, ...]] = {
    Failure("row", "not_null"): (NOT_NULL, 1364),
    Failure("row", "duplicate"): (1062, 1586),
    Failure("row", "foreign_key"): (1216, 1217, 1451, 1452),
    Failure("row", "check"): (3819, 4025),
    Failure("row", "too_long"): (1406, 1118, 1153),
    Failure("row", "out_of_range"): (1264, 1690),
    Failure("row", "invalid_value"): (1265, 1292, 1366, 1367, 3140),
    Failure("row", "refused"): (1644,),  # raised by a trigger of the customer's
    Failure("table", "schema_drift"): (1054, 1060, 1064, 1072, 1146, 1347),
    Failure("unauthorized", "unauthorized"): (1045, 1698, 1130, 1820, 1862),
    Failure("unauthorized", "forbidden"): (1044, 1142, 1143, 1227, 1370),
    Failure("unauthorized", "no_database"): (1046, 1049),
    Failure("transient", "contention"): (1213,),
    Failure("transient", "locked"): (1205, 1099, 1100),
    Failure("transient", "overloaded"): (1040, 1203, 1226, 1041, 1037),
    Failure("transient", "disk_full"): (1021, 1114),
    Failure("transient", "read_only"): (1290, 1792, 1836),
    Failure("transient", "timed_out"): (1317, 1969, 3024),
}
MYSQL: dict[int, Failure] = {number: failure for failure, numbers in _MYSQL.items() for number in numbers}
_MSSQL: dict[Failure, tuple[int, ...]] = {
    Failure("row", "not_null"): (515,),
    Failure("row", "duplicate"): (2601, 2627),
    Failure("row", "constraint"): (547,),
    Failure("row", "too_long"): (2628, 8152, 1946),
    Failure("row", "out_of_range"): (220, 8115, 517),
    Failure("row", "invalid_value"): (241, 242, 245, 8114),
    Failure("table", "schema_drift"): (102, 207, 208, 213),
    Failure("unauthorized", "unauthorized"): (18452, 18456),
    Failure("unauthorized", "forbidden"): (229, 230, 262, 300),
    Failure("unauthorized", "no_database"): (4060,),
    Failure("transient", "contention"): (1205, 3960),
    Failure("transient", "locked"): (1222,),
    Failure("transient", "overloaded"): (701, 10928, 10929, 40197, 40501, 40613, 49918, 49919, 49920),
    Failure("transient", "disk_full"): (1105, 9002),
}
MSSQL: dict[int, Failure] = {number: failure for failure, numbers in _MSSQL.items() for number in numbers}
SQLITE: dict[int, Failure] = {  # primary codes, or extended ones where they say more
    sqlite3.SQLITE_BUSY: Failure("transient", "locked"),
    sqlite3.SQLITE_LOCKED: Failure("transient", "locked"),
    sqlite3.SQLITE_NOMEM: Failure("transient", "overloaded"),
    sqlite3.SQLITE_FULL: Failure("transient", "disk_full"),
    sqlite3.SQLITE_IOERR: Failure("lost", "server_failed"),
    sqlite3.SQLITE_READONLY: Failure("unauthorized", "read_only"),
    sqlite3.SQLITE_PERM: Failure("unauthorized", "forbidden"),
    sqlite3.SQLITE_AUTH: Failure("unauthorized", "forbidden"),
    sqlite3.SQLITE_CANTOPEN: Failure("unauthorized", "no_database"),
    sqlite3.SQLITE_NOTADB: Failure("unauthorized", "no_database"),
    sqlite3.SQLITE_CORRUPT: Failure("unauthorized", "corrupt"),
    sqlite3.SQLITE_ERROR: Failure("table", "schema_drift"),
    sqlite3.SQLITE_SCHEMA: Failure("table", "schema_drift"),
    sqlite3.SQLITE_TOOBIG: Failure("row", "too_long"),
    sqlite3.SQLITE_MISMATCH: Failure("row", "invalid_value"),
    sqlite3.SQLITE_CONSTRAINT: Failure("row", "constraint"),
    sqlite3.SQLITE_CONSTRAINT_NOTNULL: Failure("row", "not_null"),
    sqlite3.SQLITE_CONSTRAINT_UNIQUE: Failure("row", "duplicate"),
    sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY: Failure("row", "duplicate"),
    sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY: Failure("row", "foreign_key"),
    sqlite3.SQLITE_CONSTRAINT_CHECK: Failure("row", "check"),
    sqlite3.SQLITE_CONSTRAINT_TRIGGER: Failure("row", "refused"),
}
LOST = Failure("lost", "connection_lost")
NOT_LET_IN = (  # PostgreSQL's refusals while connecting: libpq gives no SQLSTATE for them
    "password authentication failed",
    "no password supplied",
    "authentication failed",
    "no pg_hba.conf entry",
    "does not exist",
    "permission denied for database",
    "is not permitted to log in",
)


def failure_of(error: SQLAlchemyError, engine: str) -> Failure:
    """What the error means on that engine, by its SQLSTATE or number alone."""
    if isinstance(error, exc.TimeoutError):
        return Failure("transient", "overloaded")
    if isinstance(error, DBAPIError):
        if error.connection_invalidated:
            return LOST
        return _known(error.orig, engine) or _unknown(error)
    if isinstance(error, exc.StatementError):
        return Failure("row", "invalid_value")
    return Failure("table", "schema_drift")


def failure_to_connect(error: SQLAlchemyError, engine: str) -> Failure:
    """What it means that no connection came about: surely nothing was sent."""
    failure = failure_of(error, engine)
    text = str(error.orig) if isinstance(error, DBAPIError) else ""
    if engine == "postgresql" and "FATAL" in text and any(words in text for words in NOT_LET_IN):
        return Failure("unauthorized", "unauthorized")
    if failure.kind == "lost":
        return Failure("transient", "unreachable")
    return failure


def _known(original: BaseException | None, engine: str) -> Failure | None:
    if engine == "sqlite":
        number = getattr(original, "sqlite_errorcode", None)  # absent on errors of the Python module itself
        return None if number is None else SQLITE.get(number, SQLITE.get(number & 0xFF))
    if engine == "postgresql":
        state = getattr(original, "sqlstate", None)  # None if the server never answered
        if state == "42501" and _by_policy(original):
            return Failure("row", "refused")
        return None if state is None else POSTGRESQL.get(state, POSTGRESQL.get(state[:2]))
    numbers = MYSQL if engine == "mysql" else MSSQL
    arguments: tuple[object, ...] = original.args if original is not None else ()
    while arguments and isinstance(arguments[0], tuple):  # pymssql nests (number, text)
        arguments = cast(tuple[object, ...], arguments[0])
    if engine == "mysql" and arguments[:1] == (NOT_NULL,):
        named = re.match(r"Column '(\w+)' cannot be null", "".join(map(str, arguments[1:2])))
        return Failure("row", "not_null", named[1] if named else "")
    return numbers.get(arguments[0]) if arguments and isinstance(arguments[0], int) else None


def _by_policy(original: BaseException | None) -> bool:
    """Is it one row that a policy of PostgreSQL's row security refuses? No right lacks then."""
    said = getattr(original, "diag", None)  # psycopg's, which is imported with the first connection
    return getattr(said, "source_function", None) == "ExecWithCheckOptions"


def _unknown(error: DBAPIError) -> Failure:
    if isinstance(error, (exc.IntegrityError, exc.DataError)):
        return Failure("row", "refused")
    if isinstance(error, exc.ProgrammingError):
        return Failure("table", "schema_drift")
    return LOST
