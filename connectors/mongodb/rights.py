"""Which of the rights that are needed a user lacks, by what the server says of the user."""

from collections.abc import Iterable, Mapping
from typing import Any

NEEDED = ("find", "insert", "update", "listCollections")


def missing(status: Mapping[str, Any], database: str, collections: Iterable[str]) -> tuple[str, ...]:
    """`find on practice.patients`, of each that lacks. `status`: the answer to connectionStatus."""
    known = status["authInfo"]
    if not known["authenticatedUsers"]:
        return ()  # a server that asks nobody who it is
    privileges: list[Mapping[str, Any]] = known.get("authenticatedUserPrivileges", [])
    return tuple(
        f"{action} on {database}.{name}" if name else f"{action} on {database}"
        for action, name in _wanted(collections)
        if not any(_grants(each, action, database, name) for each in privileges)
    )


def _wanted(collections: Iterable[str]) -> list[tuple[str, str]]:
    named = [(action, name) for name in collections for action in NEEDED if action != "listCollections"]
    return [("listCollections", ""), *named]


def _grants(privilege: Mapping[str, Any], action: str, database: str, collection: str) -> bool:
    resource: Mapping[str, Any] = privilege.get("resource", {})
    if action not in privilege.get("actions", ()):
        return False
    if resource.get("anyResource"):
        return True
    return resource.get("db") in ("", database) and resource.get("collection") in ("", collection)
