"""What leaves, told apart: is it a read? Judged by what was sent, and by nothing of the connectors' own."""

import json
import re
import struct
from collections.abc import Callable, Iterator, Mapping

import bson
from graphql import OperationDefinitionNode, OperationType, parse

Request = tuple[str, str, bytes]
"""Method, path with the query, body."""


def _path(request: Request) -> str:
    return request[1].partition("?")[0]


def _is_get(request: Request) -> bool:
    return request[0] in ("GET", "HEAD")


def _posts_to(*ends: str) -> Callable[[Request], bool]:
    return lambda request: _is_get(request) or (request[0] == "POST" and _path(request).endswith(ends))


def _healthie(request: Request) -> bool:
    text = json.loads(request[2])["query"]
    operations = [one for one in parse(text).definitions if isinstance(one, OperationDefinitionNode)]
    return bool(operations) and all(one.operation is OperationType.QUERY for one in operations)


def _bigquery(request: Request) -> bool:
    if _posts_to("/token")(request):
        return True
    body = json.loads(request[2])
    job = body.get("configuration", {})
    asked = body.get("query") if "query" in body else job.get("query", {}).get("query", "")
    reads = request[0] == "POST" and _path(request).endswith(("/queries", "/jobs"))
    return reads and (bool(job.get("dryRun")) or is_select(str(asked)))


def _probe(request: Request) -> bool:
    return _is_get(request) or _path(request).startswith(("/read/", "/find/"))


SHEETS = ("/token", ":getByDataFilter", "/values:batchGetByDataFilter", "/developerMetadata:search")
HTTP: Mapping[str, Callable[[Request], bool]] = {
    "healthie": _healthie,
    "hubspot": _posts_to("/search", "/batch/read"),
    "airtable": _posts_to("/listRecords"),
    "sheets": _posts_to(*SHEETS),
    "s3": _is_get,
    "redshift": _is_get,  # of its bucket
    "bigquery": _bigquery,
    "probe": _probe,
}
"""Of each system that is spoken to by HTTP: is that request a read?"""

COMMANDS = frozenset((
    "hello", "ismaster", "isMaster", "saslStart", "saslContinue", "ping", "buildInfo", "connectionStatus",
    "find", "getMore", "killCursors", "aggregate", "count", "collStats", "dbStats", "listCollections",
    "listIndexes", "endSessions",
))  # fmt: skip
SESSION = (
    "SET",
    "SHOW",
    "BEGIN",
    "START",
    "SAVEPOINT",
    "RELEASE",
    "COMMIT",
    "ROLLBACK",
    "DISCARD",
    "DEALLOCATE",
    "EXPLAIN",
    "DESCRIBE",
    "DESC",
)
WRITING = re.compile(
    r"\b(INTO|FOR\s+(NO\s+KEY\s+)?UPDATE|NEXTVAL|SETVAL|LO_\w+|PG_ADVISORY\w*|DBLINK\w*)\b", re.IGNORECASE
)


def is_select(text: str) -> bool:
    """Is it a query that changes nothing?"""
    words = re.sub(r"--[^\n]*|/\*.*?\*/", " ", text, flags=re.DOTALL).strip().lstrip("(").lstrip()
    quiet = re.sub(r"'(?:[^']|'')*'|\"[^\"]*\"|`[^`]*`", "''", words)
    begins = quiet[:6].upper() == "SELECT" or (
        quiet[:4].upper() == "WITH"
        and not re.search(r"\b(INSERT|UPDATE|DELETE|MERGE)\b", quiet, re.IGNORECASE)
    )
    return begins and not WRITING.search(quiet) and ";" not in quiet.rstrip(" ;\n")


def is_quiet(statement: str) -> bool:
    """Of SQL: a query, or what concerns the session alone."""
    word = statement.strip().partition(" ")[0].rstrip(";").upper()
    return not word or word in SESSION or is_select(statement)


def statements(sent: bytes) -> Iterator[str]:
    """The SQL in what one client sent to a PostgreSQL, or a Redshift, from the connection's beginning."""
    at = 0
    while at + 8 <= len(sent):  # requests for encryption, and the start itself
        length, code = struct.unpack_from("!ii", sent, at)
        at += length
        if code == 3 << 16:
            break
    while at + 5 <= len(sent):
        kind, (length,) = sent[at : at + 1], struct.unpack_from("!i", sent, at + 1)
        body = sent[at + 5 : at + 1 + length]
        at += 1 + length
        if kind == b"Q":
            yield body.rstrip(b"\0").decode()
        elif kind == b"P":
            yield body.split(b"\0")[1].decode()
        elif kind in b"dF":  # what is copied in, and a function called by number
            yield f"{kind.decode()} of the protocol"


def mysql_statements(sent: bytes) -> Iterator[str]:
    """The same of what one client sent to a MySQL or MariaDB."""
    at = 0
    while at + 5 <= len(sent):
        length = int.from_bytes(sent[at : at + 3], "little")
        number, body = sent[at + 3], sent[at + 4 : at + 4 + length]
        at += 4 + length
        if number:  # the client's part of being let in
            continue
        if body[:1] == b"\x03":
            yield body[1:].decode()
        elif body[:1] not in (b"\x01", b"\x02", b"\x0e"):  # goes, names a database, asks whether it lives
            yield f"command {body[0]} of the protocol"


def commands(sent: bytes) -> Iterator[str]:
    """The commands in what one client sent to a MongoDB; one that writes by a pipeline is named so."""
    at = 0
    while at + 16 <= len(sent):
        length, _, _, code = struct.unpack_from("<iiii", sent, at)
        body = sent[at + 16 : at + length]
        at += length
        if code == 2013:
            document = bson.decode(body[5 : 5 + struct.unpack_from("<i", body, 5)[0]])
        elif code == 2004:
            start = body.index(b"\0", 4) + 9
            document = bson.decode(body[start : start + struct.unpack_from("<i", body, start)[0]])
        else:
            yield f"message {code} of the protocol"
            continue
        name = str(next(iter(document)))
        writes = name == "aggregate" and any({"$out", "$merge"} & set(step) for step in document["pipeline"])
        yield f"{name} to a collection" if writes else name
