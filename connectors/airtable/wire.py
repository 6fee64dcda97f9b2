"""Airtable's web API for one base: pyairtable writes the requests, our one HTTP client carries them.

No address holds patient data: records are asked for in a request's body.
"""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from io import BytesIO
from typing import Final, TypeVar, cast
from urllib.parse import urlsplit

import requests
from pyairtable import Api
from pyairtable.formulas import AND, EQ, OR, Field, Formula
from pyairtable.models.schema import (
    CurrencyFieldSchema,
    FieldSchema,
    FieldType,
    NumberFieldSchema,
    SingleSelectFieldSchema,
)
from pydantic import JsonValue, TypeAdapter, ValidationError
from requests.adapters import BaseAdapter

from connectors.airtable.credentials import AirtableCredentials
from connectors.airtable.fields import PLACES
from connectors.airtable.fields import Field as Found
from connectors.airtable.shape import Found as FoundTable
from connectors.errors import Denied, Rejected, Transient, Unauthorized, Unknown
from connectors.http import Answer, Http, Limiter, Patience, by_status, limiter_for

T = TypeVar("T")

NAME: Final = "airtable"
LONGEST_SILENCE: Final = timedelta(hours=1)  # whatever Airtable asks for
MONTHLY: Final = "PUBLIC_API_BILLING_LIMIT_EXCEEDED"
EXPIRED: Final = "LIST_RECORDS_ITERATOR_NOT_AVAILABLE"
_REFUSED: Final[Mapping[str, str]] = {
    "INVALID_VALUE_FOR_COLUMN": "invalid_value",
    "INVALID_MULTIPLE_CHOICE_OPTIONS": "unknown_choice",
    "UNKNOWN_FIELD_NAME": "schema_drift",
    "TABLE_NOT_FOUND": "schema_drift",
    "NOT_FOUND": "schema_drift",
}
_REPLY = TypeAdapter(dict[str, JsonValue])


@dataclass(frozen=True, slots=True)
class Row:
    """A record as Airtable answers with it: its cells by field id, without the empty ones."""

    id: str
    cells: Mapping[str, JsonValue]


class Wire:
    """The base's tables, fields and records. Safe to use from several threads."""

    def __init__(self, credentials: AirtableCredentials, *, read_only: bool = False) -> None:
        pace = credentials.pace
        place = f"{NAME} {credentials.url} {credentials.base}"
        self._http = Http(NAME, limiter=limiter_for(place, credentials.rate), patience=pace)
        own = limiter_for(f"{place}, fewer", credentials.requests_per_second)
        self._api = _Api(
            credentials.token.get_secret_value(),
            endpoint_url=credentials.url,
            retry_strategy=None,
            use_field_ids=True,
        )
        self._api.session.trust_env = False  # else a .netrc would replace the token
        self._api.session.adapters.clear()  # nothing leaves but by our own way
        self._api.session.mount("", _Way(self._http, pace, own, read_only=read_only))
        self._base = self._api.base(credentials.base)

    @property
    def requests(self) -> int:
        """How many requests have left, retries included."""
        return self._http.requests

    def scopes(self) -> Sequence[str] | None:
        """The token's scopes; None if Airtable does not say, as for personal access tokens."""
        return _spoken(lambda: self._api.whoami().get("scopes"))

    def permission(self) -> str | None:
        """The token's permission level in the base; None if it is not among the token's bases."""
        bases = _spoken(lambda: self._api.bases(force=True))
        return next((one.permission_level for one in bases if one.id == self._base.id), None)

    def tables(self) -> list[FoundTable]:
        """The base's tables as they are now."""
        schema = _spoken(lambda: self._base.schema(force=True))
        return [
            FoundTable(
                table.id, table.name, tuple(_field(each) for each in table.fields), table.description or ""
            )
            for table in schema.tables
        ]

    def make_table(self, name: str, description: str, fields: Sequence[dict[str, JsonValue]]) -> None:
        made = {"name": name, "description": description, "fields": list(fields)}
        _spoken(lambda: self._api.post(self._base.urls.tables, json=made))

    def make_field(self, table: str, field: Mapping[str, JsonValue]) -> None:
        _spoken(lambda: self._api.post(self._base.table(table).urls.fields, json=dict(field)))

    def upsert(
        self, table: str, key: Sequence[str], rows: Sequence[Mapping[str, JsonValue]], *, typecast: bool
    ) -> list[Row]:
        """Write at most ten records at once: all of them or none. Returns those that the answer names."""
        records = [{"fields": dict(cells)} for cells in rows]
        upsert = self._base.table(table).batch_upsert
        answer = _spoken(lambda: upsert(records, list(key), typecast=typecast))
        return [Row(record["id"], record["fields"]) for record in answer["records"]]

    def find(self, table: str, keys: Sequence[Mapping[str, str | int]], fields: Sequence[str]) -> list[Row]:
        """The records whose fields, by id, hold one of these keys, with these fields only."""
        formula = OR(*(_matches(key) for key in keys)) if len(keys) > 1 else _matches(keys[0])
        found = _spoken(lambda: self._base.table(table).all(formula=formula, fields=list(fields)))
        return [Row(record["id"], record["fields"]) for record in found]

    def close(self) -> None:
        self._http.close()


class _Api(Api):
    MAX_URL_LENGTH = 0  # every listing is asked for by POST: a formula in the address would hold patient ids


class _Way(BaseAdapter):
    """How a request of pyairtable's leaves. `own`: keeps these credentials slower than the base's limit."""

    def __init__(self, http: Http, patience: Patience, own: Limiter, *, read_only: bool) -> None:
        super().__init__()
        self._read_only = read_only
        self._own = own
        self._http = http
        self._patience = patience

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: object = None,
        verify: object = True,
        cert: object = None,
        proxies: object = None,
    ) -> requests.Response:
        """The answer, if it is one. Raises ConnectorError."""
        if self._read_only and not _is_read(request):
            raise Denied("read_only", f"{NAME}: this connection only reads; nothing was sent")
        answer = self._exchange(request)
        made = requests.Response()
        made.status_code = answer.status
        made.raw = BytesIO(answer.content)
        made.encoding = "utf-8"
        return made

    def close(self) -> None:
        """Nothing: the connector closes its client."""

    def _exchange(self, request: requests.PreparedRequest) -> Answer:
        """The client repeats reads. A write is repeated if it was refused for its rate: nothing happened."""
        for _ in range(self._patience.attempts - 1):
            try:
                return self._once(request)
            except Transient as refused:
                wait = refused.wait.total_seconds() if refused.wait else 0.0
                if refused.code != "rate_limited" or _is_read(request) or wait > self._patience.longest_wait:
                    raise
        return self._once(request)

    def _once(self, request: requests.PreparedRequest) -> Answer:
        time.sleep(self._own.turn(math.inf))
        body = request.body
        return self._http.send(
            request.method or "",
            request.url or "",
            content=body.encode() if isinstance(body, str) else cast(bytes | None, body),
            headers=cast(Mapping[str, str], request.headers),
            repeatable=_is_read(request),
            accept=self._accept,
        )

    def _accept(self, answer: Answer) -> Answer:
        """The answer, if it is a JSON object that says nothing went wrong. One table for what did."""
        word = _word(answer)
        message = f"{NAME}: {answer.phrase}"
        if answer.status == 429:
            raise self._refusal(answer, word)
        if answer.status == 403:
            raise Unauthorized(
                "no_permission", f"{message}: the token lacks a scope or the base, or the table is gone"
            )
        if word == EXPIRED:
            raise Transient("listing_expired", f"{message}: the listing took too long")
        if answer.status in (404, 413, 422):
            raise Rejected(_REFUSED.get(word, "refused"), f"{message}: not taken; compare the base's fields")
        by_status(NAME, answer, self._patience)
        if not _is_object(answer):
            raise Unknown("garbled", f"{NAME}: the answer is no JSON object")
        return answer

    def _refusal(self, answer: Answer, word: str) -> Transient:
        message = f"{NAME}: {answer.phrase}"
        if word == MONTHLY:
            message = f"{message}: the month's calls are used up; wait for the next month or raise the plan"
            return Transient("monthly_limit", message, wait=LONGEST_SILENCE)
        asked = answer.retry_after or timedelta()
        wait = max(asked, timedelta(seconds=self._patience.back_off))
        return Transient("rate_limited", message, wait=min(wait, LONGEST_SILENCE))


def _is_read(request: requests.PreparedRequest) -> bool:
    return request.method == "GET" or urlsplit(request.url or "").path.endswith("/listRecords")


def _is_object(answer: Answer) -> bool:
    try:
        _REPLY.validate_json(answer.content)
    except ValidationError:
        return False
    return True


def _word(answer: Answer) -> str:
    """Airtable's word for an error. It comes in three shapes, beside texts that quote what was sent."""
    try:
        reply = _REPLY.validate_json(answer.content)
    except ValidationError:
        return ""
    error, errors = reply.get("error"), reply.get("errors")
    if isinstance(errors, list) and errors and isinstance(errors[0], dict):
        error = errors[0].get("error")
    if isinstance(error, dict):
        error = error.get("type")
    return error if isinstance(error, str) else ""


def _spoken(call: Callable[[], T]) -> T:
    """What pyairtable makes of an answer; Unknown if that is not what Airtable describes."""
    try:
        return call()
    except (ValueError, KeyError, TypeError, AttributeError):
        pass  # outside of the `except`: that error quotes the answer
    raise Unknown("bad_answer", f"{NAME}: the answer is not what its API describes")


def _matches(key: Mapping[str, str | int]) -> Formula:
    parts = [EQ(Field(field), value) for field, value in key.items()]
    return parts[0] if len(parts) == 1 else AND(*parts)


def _field(schema: FieldSchema) -> Found:
    precision, choices = PLACES, frozenset[str]()
    if isinstance(schema, NumberFieldSchema | CurrencyFieldSchema):
        precision = schema.options.precision
    elif isinstance(schema, SingleSelectFieldSchema):
        choices = frozenset(choice.name for choice in schema.options.choices)
    kind = schema.type.value if isinstance(schema.type, FieldType) else schema.type
    return Found(schema.id, schema.name, kind, schema.description or "", precision, choices)
