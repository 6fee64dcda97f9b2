"""The commands that a driver and the connector send. An unknown one is refused with 59, as it is there."""

import copy
from collections.abc import Callable, Mapping
from typing import Any

from connectors.sandbox.mongodb.collection import LARGEST, Collection
from connectors.sandbox.mongodb.failing import FailPoint
from connectors.sandbox.mongodb.login import Login
from connectors.sandbox.mongodb.refusals import Refusal
from connectors.sandbox.mongodb.rules import breaks
from connectors.sandbox.mongodb.state import State
from connectors.sandbox.mongodb.wire import Document, Request, is_document

FIRST_BATCH = 101  # documents, of a find that asks for no number
MOST = 100_000  # statements of one command
FREE = ("hello", "ismaster", "isMaster", "ping", "buildInfo", "saslStart", "saslContinue", "connectionStatus",
        "endSessions", "killCursors", "getMore", "configureFailPoint", "aggregate")  # fmt: skip
NEEDED = {"create": "createCollection", "createIndexes": "createIndex", "drop": "dropCollection",
          "delete": "remove"}  # fmt: skip
OK: Document = {"ok": 1.0}


class Commands:
    """The commands of one connection."""

    def __init__(self, state: State, login: Login, fail_point: FailPoint) -> None:
        self._state, self._login, self._fail_point = state, login, fail_point
        self._known: Mapping[str, Callable[[Document], Document]] = {
            **dict.fromkeys(("hello", "ismaster", "isMaster"), self._hello),
            "ping": lambda _: dict(OK),
            "buildInfo": lambda _: {"version": "7.0.0", "versionArray": [7, 0, 0, 0], **OK},
            "saslStart": lambda body: login.start(body["payload"], body["$db"]),
            "saslContinue": lambda body: login.proceed(body["payload"]),
            "connectionStatus": self._status,
            **dict.fromkeys(("endSessions", "killCursors"), lambda _: dict(OK)),
            "configureFailPoint": self._fail,
            "listCollections": self._list,
            "listIndexes": self._list_indexes,
            "aggregate": self._aggregate,
            "create": self._create,
            "createIndexes": self._create_indexes,
            "collMod": self._modify,
            "drop": self._drop,
            "insert": self._insert,
            "update": self._update,
            "delete": self._delete,
            "find": self._find,
            "getMore": self._more,
        }

    def run(self, request: Request) -> Document:
        """Raises Refusal."""
        name = request.command
        if name not in self._known:
            raise Refusal(59, f"no such command: '{name}'")
        with self._state.lock:
            self._admit(name)
            return self._known[name](request.body)

    def _admit(self, name: str) -> None:
        if name in FREE or not self._state.users:
            return
        if self._login.user is None:
            raise Refusal(13, f"Command {name} requires authentication")
        if NEEDED.get(name, name) not in self._state.allowed:
            raise Refusal(13, f"not authorized on practice to execute command {{ {name}: … }}")

    def _hello(self, body: Document) -> Document:
        address = self._state.address
        asked = "saslSupportedMechs" in body
        return {
            "helloOk": True, "isWritablePrimary": True, "ismaster": True, "secondary": False,
            "setName": "rs0", "setVersion": 1, "hosts": [address], "me": address, "primary": address,
            "maxBsonObjectSize": LARGEST, "maxMessageSizeBytes": 48_000_000, "maxWriteBatchSize": MOST,
            "logicalSessionTimeoutMinutes": 30, "minWireVersion": 0, "maxWireVersion": 21, "readOnly": False,
            **({"saslSupportedMechs": ["SCRAM-SHA-256"]} if asked else {}), **OK,
        }  # fmt: skip

    def _status(self, _: Document) -> Document:
        user = self._login.user
        rights = [{"resource": {"db": "practice", "collection": ""}, "actions": list(self._state.allowed)}]
        return {
            "authInfo": {
                "authenticatedUsers": [] if user is None else [{"user": user, "db": "admin"}],
                "authenticatedUserRoles": [],
                "authenticatedUserPrivileges": [] if user is None else rights,
            },
            **OK,
        }

    def _fail(self, body: Document) -> Document:
        self._fail_point.configure(body)
        return dict(OK)

    def _list(self, body: Document) -> Document:
        named: Any = body.get("filter", {}).get("name", {})
        wanted = named.get("$in") if is_document(named) else [named]
        prefix = f"{body['$db']}."
        found = [
            {"name": name, "type": one.kind, "options": one.options, "info": {"readOnly": one.kind == "view"}}
            for namespace, one in self._state.collections.items()
            if namespace.startswith(prefix)
            and ((name := namespace.removeprefix(prefix)) in (wanted or [name]))
        ]
        return {"cursor": {"id": 0, "ns": f"{prefix}$cmd.listCollections", "firstBatch": found}, **OK}

    def _list_indexes(self, body: Document) -> Document:
        collection = self._of(body)
        found: list[Document] = [{"v": 2, "key": {"_id": 1}, "name": "_id_"}]
        for name, fields in collection.unique.items():
            found.append({"v": 2, "key": dict.fromkeys(fields, 1), "name": name, "unique": True})
        return {"cursor": {"id": 0, "ns": collection.namespace, "firstBatch": found}, **OK}

    def _aggregate(self, body: Document) -> Document:
        """Of documents that are given, those that break a validator: no other pipeline is known here."""
        given, wrong, shown = body["pipeline"]
        if body["aggregate"] != 1 or shown != {"$project": {"_id": 1}}:
            raise Refusal(40324, "Unrecognized pipeline stage name")
        (validator,) = wrong["$match"]["$nor"]
        found = [{"_id": one["_id"]} for one in given["$documents"]["$literal"] if breaks(one, validator)]
        return {"cursor": {"id": 0, "ns": f"{body['$db']}.$cmd.aggregate", "firstBatch": found}, **OK}

    def _create(self, body: Document) -> Document:
        namespace = f"{body['$db']}.{body['create']}"
        if namespace in self._state.collections:
            raise Refusal(48, f"Collection {namespace} already exists.")
        kind = "view" if "viewOn" in body else "timeseries" if "timeseries" in body else "collection"
        known = ("validator", "validationAction", "validationLevel", "collation", "viewOn")
        options = {name: body[name] for name in known if name in body}
        self._state.collections[namespace] = Collection(namespace, kind, options)
        return dict(OK)

    def _modify(self, body: Document) -> Document:
        options = self._of(body).options
        options.update({name: body[name] for name in ("validator", "validationAction") if name in body})
        return dict(OK)

    def _create_indexes(self, body: Document) -> Document:
        for index in body["indexes"]:
            if index.get("unique"):
                self._of(body).make_unique(index["name"], tuple(index["key"]))
        return dict(OK)

    def _drop(self, body: Document) -> Document:
        self._state.collections.pop(f"{body['$db']}.{body['drop']}", None)
        return dict(OK)

    def _insert(self, body: Document) -> Document:
        collection = self._of(body)
        return _bulk(body["documents"], lambda document, _: collection.insert(document), body)

    def _delete(self, body: Document) -> Document:
        return {"n": sum(self._of(body).delete(each["q"]) for each in body["deletes"]), **OK}

    def _update(self, body: Document) -> Document:
        collection, upserted, counts = self._of(body), list[Document](), {"matched": 0, "modified": 0}

        def one(statement: Document, index: int) -> None:
            done = collection.update(statement["q"], statement["u"], upsert=bool(statement.get("upsert")))
            counts["matched"] += done.matched
            counts["modified"] += done.modified
            if done.upserted is not None:
                upserted.append({"index": index, "_id": done.upserted})

        answer = _bulk(body["updates"], one, body)
        answer |= {"n": counts["matched"] + len(upserted), "nModified": counts["modified"]}
        return answer | ({"upserted": upserted} if upserted else {})

    def _find(self, body: Document) -> Document:
        collection = self._of(body)
        found = [
            _projected(each, body.get("projection", {})) for each in collection.find(body.get("filter", {}))
        ]
        limit = body.get("limit", 0)
        found = found[:limit] if limit else found
        most = body.get("batchSize", FIRST_BATCH)
        left = [] if body.get("singleBatch") else found[most:]
        number = self._state.cursor(collection.namespace, left)
        return {"cursor": {"id": number, "ns": collection.namespace, "firstBatch": found[:most]}, **OK}

    def _more(self, body: Document) -> Document:
        held = self._state.cursors.pop(body["getMore"], None)
        if held is None:
            raise Refusal(43, f"cursor id {body['getMore']} not found")
        namespace, documents = held
        most = body.get("batchSize", len(documents))
        number = self._state.cursor(namespace, documents[most:])
        return {"cursor": {"id": number, "ns": namespace, "nextBatch": documents[:most]}, **OK}

    def _of(self, body: Document) -> Collection:
        name = next(iter(body.values()))
        return self._state.collection(body["$db"], name)


def _bulk(statements: list[Document], act: Callable[[Document, int], None], body: Document) -> Document:
    if not 0 < len(statements) <= MOST:
        raise Refusal(9, f"Write batch sizes must be between 1 and {MOST}.")
    wrong: list[Document] = []
    for index, statement in enumerate(statements):
        try:
            act(statement, index)
        except Refusal as refusal:
            wrong.append(refusal.of_statement(index))
            if body.get("ordered", True):
                break
    return {"n": len(statements) - len(wrong), **OK} | ({"writeErrors": wrong} if wrong else {})


def _projected(document: Document, projection: Document) -> Document:
    wanted = {name for name, shown in projection.items() if shown}
    return copy.deepcopy(
        {name: value for name, value in document.items() if not wanted or name == "_id" or name in wanted}
    )
