"""BigQuery's REST interface, on loopback: as much of it as a connector uses, with Google's rules."""

import gzip
import json
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, Self, cast
from urllib.parse import parse_qsl, urlsplit

from connectors.sandbox.bigquery.jobs import Jobs
from connectors.sandbox.bigquery.refusal import Refusal, invalid, not_found
from connectors.sandbox.bigquery.state import State
from connectors.sandbox.bigquery.tokens import Tokens, service_account

LARGEST: Final = 10 * 1024 * 1024  # bytes of a query's request
API: Final = "/bigquery/v2"


@dataclass(frozen=True)
class Recorded:
    """One request as it came: a contract test reads it."""

    method: str
    path: str
    query: dict[str, str]
    body: dict[str, Any] | None


class BigQueryServer:
    """A running stand-in of one project with one dataset. Use it as a context manager."""

    def __init__(self, project: str = "practice-1", dataset: str = "clinic", port: int = 0) -> None:
        self.state = State(project, dataset)
        self.jobs = Jobs(self.state)
        self.tokens = Tokens()
        self.recorded: list[Recorded] = []
        self._server = _Listener(("127.0.0.1", port), _Conversation)
        self._server.stand_in = self
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def service_account(self, url: str = "") -> str:
        """A key of the account; `url` is the proxy's that is before the stand-in."""
        return service_account(f"{url or self.url}/token")

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    stand_in: BigQueryServer

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is no error of ours."""


class _Conversation(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the standard library's name
        """Nothing: a request may name a patient."""

    def do_GET(self) -> None:
        self._converse()

    def do_POST(self) -> None:
        self._converse()

    def do_PATCH(self) -> None:
        self._converse()

    def do_DELETE(self) -> None:
        self._converse()

    def _converse(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        if self.headers.get("Content-Encoding") == "gzip":
            content = gzip.decompress(content)
        stand_in = cast(_Listener, self.server).stand_in
        if urlsplit(self.path).path == "/token":
            self._give(*stand_in.tokens.grant(content))
        elif not stand_in.tokens.knows(self.headers.get("Authorization", "")):
            refused = Refusal(401, "authError", "Request had invalid authentication credentials.")
            self._give(401, refused.body())
        elif stand_in.tokens.only_reads(self.headers.get("Authorization", "")) and not self._reads():
            self._give(403, Refusal(403, "accessDenied", "insufficient authentication scopes").body())
        else:
            self._give(*_answered(stand_in, self, content))

    def _reads(self) -> bool:
        """Does Google take this with a scope that only reads? jobs.query is the one POST among these."""
        return self.command == "GET" or urlsplit(self.path).path.endswith("/queries")

    def _give(self, status: int, answer: object) -> None:
        content = b"" if answer is None else json.dumps(answer).encode()
        self.send_response(status)
        if answer is not None:
            self.send_header("Content-Type", "application/json; charset=UTF-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@dataclass(frozen=True)
class _Asked:
    """A request, with the parts of its path by name."""

    stand_in: BigQueryServer
    parts: dict[str, str]
    query: dict[str, str]
    body: dict[str, Any]
    rows: bytes | None
    match: str | None

    @property
    def state(self) -> State:
        return self.stand_in.state

    def in_dataset(self) -> None:
        if self.parts["dataset"] != self.state.dataset:
            raise not_found(f"Dataset {self.state.project}:{self.parts['dataset']}")


def _answered(stand_in: BigQueryServer, asked: _Conversation, content: bytes) -> tuple[int, object]:
    parts = urlsplit(asked.path)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    try:
        body, rows = _body(asked, content)
        stand_in.recorded.append(Recorded(asked.command, parts.path, query, body))
        for method, pattern, answer in _ROUTES:
            found = pattern.fullmatch(parts.path)
            if found and method == asked.command:
                if found["project"] != stand_in.state.project:
                    raise not_found(f"Project {found['project']}")
                match = asked.headers.get("If-Match")
                made = answer(_Asked(stand_in, found.groupdict(), query, body or {}, rows, match))
                return (204 if made is None else 200), made
        raise not_found("no such page")
    except Refusal as refusal:
        return refusal.status, refusal.body()
    except (KeyError, TypeError, ValueError):
        return 400, invalid("Invalid JSON payload received").body()


def _body(asked: _Conversation, content: bytes) -> tuple[dict[str, Any] | None, bytes | None]:
    kind = asked.headers.get("Content-Type", "")
    if not content:
        return None, None
    if not kind.startswith("multipart/related"):
        if len(content) > LARGEST:
            raise Refusal(413, "uploadTooLarge", "Request entity is too large")
        return cast(dict[str, Any], json.loads(content)), None
    described, rows = _parts(content, kind)
    return cast(dict[str, Any], json.loads(described)), rows


def _parts(content: bytes, kind: str) -> tuple[bytes, bytes]:
    """The two parts of an upload. Raises ValueError."""
    boundary = b"--" + kind.partition("boundary=")[2].strip('"').encode()
    first, second = content.split(boundary)[1:-1]
    return first.partition(b"\r\n\r\n")[2].removesuffix(b"\r\n"), second.partition(b"\r\n\r\n")[
        2
    ].removesuffix(b"\r\n")


def _get_dataset(asked: _Asked) -> dict[str, Any]:
    asked.in_dataset()
    state = asked.state
    with state.needing("bigquery.datasets.get"):
        reference = {"projectId": state.project, "datasetId": state.dataset}
        return {"kind": "bigquery#dataset", "datasetReference": reference, "location": state.location}


def _get_table(asked: _Asked) -> dict[str, Any]:
    asked.in_dataset()
    with asked.state.needing("bigquery.tables.get"):
        return asked.state.shown(asked.state.table(asked.parts["table"]))


def _insert_table(asked: _Asked) -> dict[str, Any]:
    asked.in_dataset()
    with asked.state.needing("bigquery.tables.create"):
        return asked.state.make(asked.body)


def _patch_table(asked: _Asked) -> dict[str, Any]:
    asked.in_dataset()
    with asked.state.needing("bigquery.tables.update"):
        return asked.state.alter(asked.parts["table"], asked.body, asked.match)


def _delete_table(asked: _Asked) -> None:
    asked.in_dataset()
    with asked.state.needing("bigquery.tables.delete"):
        asked.state.drop(asked.parts["table"])


def _test_permissions(asked: _Asked) -> dict[str, Any]:
    asked.in_dataset()
    asked.state.table(asked.parts["table"])
    return {"permissions": [one for one in asked.body["permissions"] if one not in asked.state.denied]}


def _insert_job(asked: _Asked) -> dict[str, Any]:
    return asked.stand_in.jobs.insert(asked.body, asked.rows)


def _get_job(asked: _Asked) -> dict[str, Any]:
    return asked.stand_in.jobs.get(asked.parts["job"], asked.query.get("location", "US"))


def _query(asked: _Asked) -> dict[str, Any]:
    return asked.stand_in.jobs.query(asked.body)


def _results(asked: _Asked) -> dict[str, Any]:
    most, start = asked.query.get("maxResults"), asked.query.get("pageToken") or "0"
    whole = asked.query.get("formatOptions.useInt64Timestamp", "").lower() == "true"
    return asked.stand_in.jobs.results(
        asked.parts["job"], int(start), None if most is None else int(most), whole=whole
    )


def _route(method: str, path: str, answer: Callable[[_Asked], object]) -> tuple[Any, ...]:
    named = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/:]+)", path)
    return method, re.compile(named), answer


_TABLES: Final = API + "/projects/{project}/datasets/{dataset}/tables"
_ROUTES: Final = (
    _route("GET", API + "/projects/{project}/datasets/{dataset}", _get_dataset),
    _route("POST", _TABLES, _insert_table),
    _route("GET", _TABLES + "/{table}", _get_table),
    _route("PATCH", _TABLES + "/{table}", _patch_table),
    _route("DELETE", _TABLES + "/{table}", _delete_table),
    _route("POST", _TABLES + "/{table}:testIamPermissions", _test_permissions),
    _route("POST", API + "/projects/{project}/jobs", _insert_job),
    _route("POST", "/upload" + API + "/projects/{project}/jobs", _insert_job),
    _route("GET", API + "/projects/{project}/jobs/{job}", _get_job),
    _route("POST", API + "/projects/{project}/queries", _query),
    _route("GET", API + "/projects/{project}/queries/{job}", _results),
)
