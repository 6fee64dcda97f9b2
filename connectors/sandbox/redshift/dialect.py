"""What Redshift would not take although PostgreSQL does, and what is spelled otherwise there."""

import re
from collections.abc import Callable
from typing import NamedTuple

REFUSED = tuple(
    re.compile(pattern, re.IGNORECASE | re.DOTALL)
    for pattern in (
        r"^\s*MERGE\s+INTO\s+\S+\s+(?!USING\b)",  # no alias of the target
        r"^\s*MERGE\s.*\bUSING\s*\(",  # a table, no query
        r"^\s*MERGE\s.*\bMATCHED\s+AND\b",
        r"^\s*MERGE\s(?!.*WHEN\s+MATCHED\s+THEN.*WHEN\s+NOT\s+MATCHED\s+THEN\s+INSERT)",  # both clauses
        r"\bON\s+CONFLICT\b",
        r"\bRETURNING\b",
        r"\bIS\s+(NOT\s+)?DISTINCT\s+FROM\b",
        r"\bCREATE\s+(UNIQUE\s+)?INDEX\b",
        r"\bADD\s+COLUMN\s+IF\b",
        r"\bADD\s+COLUMN\b.*\bADD\s+COLUMN\b",
        r"\bFOR\s+(UPDATE|SHARE)\b",
        r"\bFILTER\s*\(",
        r"\bLATERAL\b|\bARRAY\s*\[|\bSERIAL\b|\bJSONB?\b|\bBYTEA\b|\bUUID\b",
        r"\bVARCHAR\s*\(\s*(6553[6-9]|655[4-9]\d|65[6-9]\d\d|6[6-9]\d{3}|[7-9]\d{4}|\d{6,})",
        r"\bTEXT\b",  # is a VARCHAR(256) there
        r"\bTRUNCATE\b",  # commits
        r"^\s*SAVEPOINT\b",
    )
)
COPY = re.compile(
    r"""^COPY\ (?P<table>"[a-z0-9_]+")\ \((?P<columns>[a-z0-9_",\ ]+)\)\ FROM\ 's3://(?P<bucket>[a-z0-9.-]+)/(?P<key>[^']+)'
    \ IAM_ROLE\ '(?P<role>[^']+)'\ REGION\ '[a-z0-9-]+'\ FORMAT\ AS\ CSV\ GZIP\ NULL\ AS\ '(?P<null>[^']+)'
    \ IGNOREHEADER\ 1\ DATEFORMAT\ 'YYYY-MM-DD'\ TIMEFORMAT\ 'auto'\ COMPUPDATE\ OFF\ STATUPDATE\ OFF$""",
    re.VERBOSE,
)
CATALOGUE = (  # what Redshift has, in PostgreSQL's words; run once in a new database
    "CREATE DOMAIN super AS jsonb",
    "CREATE FUNCTION json_parse(text) RETURNS super LANGUAGE sql IMMUTABLE AS 'SELECT $1::jsonb::super'",
    "CREATE FUNCTION super_text(super) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT $1::text'",
    "CREATE VIEW svv_columns AS SELECT table_schema::varchar, table_name::varchar, column_name::varchar, "
    "COALESCE(domain_name, data_type)::varchar AS data_type, "
    "character_maximum_length::int, numeric_scale::int, is_nullable::varchar, column_default::varchar "
    "FROM information_schema.columns",
)

Fetch = Callable[[str, str], bytes | None]
"""The content of an object, by bucket and key; None if there is none."""


class Copied(NamedTuple):
    """A COPY in PostgreSQL's words, and what it reads."""

    statement: str  # with {path} for the file
    bucket: str
    key: str


def refused(statement: str) -> bool:
    """Would Redshift refuse it?"""
    return any(pattern.search(statement) for pattern in REFUSED)


def spelled(statement: str) -> str:
    """The same in PostgreSQL's words: JSON_SERIALIZE is one of its own, for another type."""
    return statement.replace("JSON_SERIALIZE(", "super_text(")


def copied(statement: str, role: str) -> Copied | None:
    """A COPY as PostgreSQL takes it; None if it is not one that Redshift would carry out for this role."""
    found = COPY.match(statement)
    if found is None or found["role"] != role:
        return None
    return Copied(
        f"COPY {found['table']} ({found['columns']}) FROM '{{path}}' "
        f"WITH (FORMAT csv, HEADER true, NULL '{found['null']}')",
        found["bucket"],
        found["key"],
    )
