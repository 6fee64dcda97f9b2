"""The practice: answers GraphQL requests, with its limits, versions, faults and journal."""

import json
from collections.abc import Mapping
from datetime import date
from http import HTTPStatus
from time import monotonic, perf_counter
from typing import cast

from graphql import FieldNode, OperationDefinitionNode, execute_sync  # pyright: ignore[reportUnknownVariableType] - graphql-core's own annotation

from connectors.sandbox.healthie.call import Call
from connectors.sandbox.healthie.complexity import Measure, with_defaults
from connectors.sandbox.healthie.edits import Later
from connectors.sandbox.healthie.faults import Fault, FaultBook
from connectors.sandbox.healthie.journal import Arrival, Journal
from connectors.sandbox.healthie.language import Language, Prepared
from connectors.sandbox.healthie.notes import FORBIDDEN
from connectors.sandbox.healthie.reply import Reply, as_json, failure, instead, spoiled, too_many
from connectors.sandbox.healthie.rows import Row, text
from connectors.sandbox.healthie.state import State
from connectors.sandbox.healthie.viewers import Viewer

SUNSET = date(2026, 7, 1)  # versions before this one are warned about from this day on ...
REJECTED = date(2027, 1, 31)  # ... and refused from this day on


class Practice:
    """State, language, faults and journal together. One request at a time, under the state's lock."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.language = Language()
        self.faults = FaultBook()
        self.journal = Journal()
        self.later = Later(state)
        self._spent: dict[str, list[float]] = {}

    def refill(self) -> None:
        """Every key has its whole rate limit again."""
        self._spent.clear()

    def answer(self, headers: Mapping[str, str], body: bytes) -> Reply:
        """Answer one POST /graphql; the headers' names come in lower case."""
        started = perf_counter()
        with self.state.lock:
            request = _read(body)
            if request is None:
                return failure(HTTPStatus.BAD_REQUEST, "No query string was present")
            prepared = self.language.prepare(str(request["query"]))
            operation = prepared.operation(text(request, "operationName"))
            roots = _roots(operation)
            self.state.touched.clear()
            arrival = self.journal.arrived(self.state.clock.now(), text(request, "operationName"), roots)
            self.later.due(roots)
            fault = self.faults.meet(arrival.number, roots)
            arrival.trouble = fault.trouble if fault else None
            reply = instead(fault) if fault else None
            if reply is None:
                reply = self._admitted(headers, request, prepared, arrival, fault)
            if fault is not None:
                reply = spoiled(fault, reply)
            arrival.status = reply.status
            arrival.milliseconds = (perf_counter() - started) * 1000
            return reply

    def _admitted(
        self,
        headers: Mapping[str, str],
        request: Row,
        prepared: Prepared,
        arrival: Arrival,
        fault: Fault | None,
    ) -> Reply:
        key = (headers.get("authorization") or "").removeprefix("Basic ")
        viewer = None if key in self.state.settings.refused_keys else self.state.viewers.get(key)
        if viewer is None or headers.get("authorizationsource") != "API":
            return failure(HTTPStatus.UNAUTHORIZED, "API Key is Invalid", "UNAUTHENTICATED")
        arrival.user_id = viewer.user_id
        version = headers.get("healthie-graphql-api-version")
        refusal = self._refused_version(version) or self._over_limit(key)
        if refusal is not None:
            return refusal
        operation = prepared.operation(text(request, "operationName"))
        if prepared.errors or operation is None:
            errors = [error.formatted for error in prepared.errors] or [{"message": "No operation to run"}]
            return as_json(HTTPStatus.OK, {"errors": errors})
        variables = cast(Row, request.get("variables") or {})
        too_much = self._too_much(prepared, operation, variables, arrival)
        self.journal.notes.update([*prepared.notes, *_notes_written(operation, variables)])
        if too_much is not None:
            return too_much
        return self._executed(request, prepared, viewer, (arrival, fault), self._warnings(version))

    def _executed(
        self,
        request: Row,
        prepared: Prepared,
        viewer: Viewer,
        met: tuple[Arrival, Fault | None],
        warnings: list[Row],
    ) -> Reply:
        arrival, fault = met
        hit = frozenset(
            arrival.roots if fault and fault.root is None else [fault.root] if fault and fault.root else ()
        )
        call = Call(
            self.state,
            viewer,
            emptied=hit if fault and fault.trouble == "empty" else frozenset(),
            failing=hit if fault and fault.trouble == "partial" else frozenset(),
        )
        assert prepared.document is not None
        result = execute_sync(
            self.language.schema,
            prepared.document,
            context_value=call,
            variable_values=cast(Row, request.get("variables") or {}),
            operation_name=text(request, "operationName"),
        )
        self.journal.effects.extend((arrival.number, effect) for effect in call.effects)
        content: Row = {"data": result.data}
        if result.errors:
            content["errors"] = [error.formatted for error in result.errors]
        if warnings:
            content["extensions"] = {"warnings": warnings}
        return as_json(HTTPStatus.OK, content)

    def _refused_version(self, version: str | None) -> Reply | None:
        settings, today = self.state.settings, self.state.clock.now().date()
        if version is None:
            needed = settings.version_required or today >= REJECTED
            words = "The Healthie-GraphQL-API-Version header is required."
            return failure(HTTPStatus.BAD_REQUEST, words, "MISSING_API_VERSION_HEADER") if needed else None
        if version in settings.published_versions and (today < REJECTED or version >= SUNSET.isoformat()):
            return None
        return failure(
            HTTPStatus.BAD_REQUEST, f"Unsupported API version: {version}", "UNSUPPORTED_API_VERSION"
        )

    def _warnings(self, version: str | None) -> list[Row]:
        if self.state.clock.now().date() < SUNSET:
            return []
        if version is None:
            return [
                {
                    "code": "MISSING_API_VERSION_HEADER",
                    "message": "Send the Healthie-GraphQL-API-Version header.",
                }
            ]
        if version < SUNSET.isoformat():
            words = f"API version {version} will be rejected from {REJECTED} on."
            return [{"code": "API_VERSION_SUNSET_WARNING", "message": words}]
        return []

    def _over_limit(self, key: str) -> Reply | None:
        limit = self.state.settings.rate_limit
        if limit is None:
            return None
        now = monotonic()
        spent = [at for at in self._spent.get(key, []) if now - at < limit.seconds]
        if len(spent) >= limit.requests:
            return too_many(limit.style, limit.retry_after)
        self._spent[key] = [*spent, now]
        return None

    def _too_much(
        self, prepared: Prepared, operation: OperationDefinitionNode, variables: Row, arrival: Arrival
    ) -> Reply | None:
        measure = Measure(self.language.schema, prepared.fragments, with_defaults(operation, variables))
        settings = self.state.settings
        arrival.complexity, depth = measure.operation(operation)
        if arrival.complexity > settings.complexity_max:
            words = f"Query has complexity of {arrival.complexity}, which exceeds max complexity of"
            return failure(HTTPStatus.OK, f"{words} {settings.complexity_max}")
        if depth > settings.depth_max:
            words = f"Query has depth of {depth}, which exceeds max depth of {settings.depth_max}"
            return failure(HTTPStatus.OK, words)
        return None


def _read(body: bytes) -> Row | None:
    try:
        content = json.loads(body)
    except ValueError:
        return None
    request = cast(Row, content) if isinstance(content, dict) else {}
    return request if isinstance(request.get("query"), str) else None


def _roots(operation: OperationDefinitionNode | None) -> tuple[str, ...]:
    selections = operation.selection_set.selections if operation else ()
    return tuple(node.name.value for node in selections if isinstance(node, FieldNode))


def _notes_written(operation: OperationDefinitionNode, variables: Row) -> list[str]:
    """The inputs of this operation that would write a note or a secret, as `inputType.field`."""
    types = [definition.type for definition in operation.variable_definitions or ()]
    named = [getattr(getattr(type_, "type", type_), "name", None) for type_ in types]
    found = list[str]()
    for definition, name in zip(operation.variable_definitions or (), named, strict=True):
        given = variables.get(definition.variable.name.value)
        if name is not None and isinstance(given, dict):
            written = (f"{name.value}.{field}" for field in cast(Row, given))
            found += [field for field in written if field in FORBIDDEN]
    return found
