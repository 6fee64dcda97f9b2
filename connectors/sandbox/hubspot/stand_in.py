"""StandIn: start the stand-in as a child process and drive it from tests, demo and benchmarks."""

import json
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import IO, Self, cast

import httpx
from pydantic import JsonValue

from connectors.errors import Transient
from connectors.sandbox.hubspot.portal import TOKEN
from connectors.sandbox.hubspot.reply import Json

GRACE = 5.0  # seconds to end by itself


class StandInError(Exception):
    """The stand-in refused an act of its control."""


class Remote:
    """A running stand-in's control, by its address."""

    token = TOKEN

    def __init__(self, url: str) -> None:
        self.url = url
        self._client = httpx.Client(base_url=url, timeout=120.0, trust_env=False)

    def configure(self, **values: JsonValue) -> None:
        """Change settings (portal.py)."""
        self._post("settings", values)

    def edit(
        self, id_: str, at: datetime | None = None, *, kind: str = "contacts", **properties: str
    ) -> None:
        """Change properties of a record as the portal's staff would; `at` stamps the change."""
        stamp = None if at is None else int(at.timestamp() * 1000)
        self._post("edit", {"type": kind, "id": id_, "properties": dict(properties), "at": stamp})

    def create(self, *, kind: str = "contacts", **properties: str) -> str:
        """A record that the portal's staff make; gives its id."""
        return cast(str, self._post("edit", {"type": kind, "properties": dict(properties)}))

    def double(self, email: str) -> str:
        """A contact with an e-mail that another one has, as old imports left them; gives its id."""
        return cast(str, self._post("double", {"email": email}))

    def archive(self, id_: str) -> None:
        self._post("archive", {"id": id_})

    def merge(self, id_: str, into: str) -> None:
        self._post("merge", {"id": id_, "into": into})

    def record(self, id_: str, *, kind: str = "contacts") -> Json | None:
        """{"id", "properties", "modified", "archived"}, None if there is none."""
        return cast(Json | None, self._post("record", {"type": kind, "id": id_}))

    def records(self, *, kind: str = "contacts") -> list[Json]:
        return cast(list[Json], self._post("records", {"type": kind}))

    def property(self, name: str, *, kind: str = "contacts", **definition: JsonValue) -> None:
        """Make or replace a property as the portal's staff would."""
        defaults: Json = {"label": name, "type": "string", "fieldType": "text", "groupName": "own"}
        self._post("property", {"object_type": kind, **defaults, "name": name, **definition})

    def take_away(self, name: str, *, kind: str = "contacts") -> None:
        """Remove a property."""
        self._post("property", {"object_type": kind, "name": name, "gone": True})

    def make_list(self, id_: str, name: str, *, processing_type: str = "MANUAL") -> None:
        self._post("list", {"id": id_, "name": name, "processing_type": processing_type})

    def members(self, list_id: str) -> list[str]:
        return cast(list[str], self._post("members", {"id": list_id}))

    def links(self) -> list[list[str]]:
        """[contact id, company id] of each association."""
        return cast(list[list[str]], self._post("links", {}))

    def seed(self, contacts: int, *, one_stamp: int = 0) -> None:
        self._post("seed", {"contacts": contacts, "one_stamp": one_stamp})

    def advance_clock(self, seconds: float) -> None:
        self._post("clock", {"advance": seconds})

    def set_clock(self, now: datetime) -> None:
        """Its clock stands still at this moment from now on."""
        self._post("clock", {"now": now.timestamp()})

    def now(self) -> datetime:
        """Its clock."""
        return datetime.fromtimestamp(cast(int, self._post("clock", {})) / 1000, UTC)

    def counts(self) -> dict[str, int]:
        """How many requests arrived since the last reset, by kind (portal.py)."""
        return cast(dict[str, int], cast(Json, self._post("requests", {}))["counts"])

    def requests(self) -> list[Json]:
        """[{"method", "path", "status", "kind", "body"}] since the last reset."""
        return cast(list[Json], cast(Json, self._post("requests", {}))["requests"])

    def reset(self) -> None:
        """Empty the journal."""
        self._post("reset", {})

    def forget_records(self) -> None:
        """No records any more; properties and settings stay."""
        self._post("forget", {})

    def clear(self) -> None:
        """Everything as when it was new."""
        self._post("clear", {})

    def close(self) -> None:
        self._client.close()

    def _post(self, name: str, given: Json) -> JsonValue:
        answer = self._client.post(f"/control/{name}", json=given)
        if answer.is_error:
            raise StandInError(f"{name}: {answer.status_code}")
        return cast(JsonValue, answer.json())


class StandIn(Remote):
    """A running stand-in of our own. Use it as a context manager."""

    def __init__(self, *options: str) -> None:
        self._process = subprocess.Popen(  # noqa: S603  # our own module, no words of others
            [sys.executable, "-m", "connectors.sandbox.hubspot", *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._pipes: Sequence[IO[str]] = (
            cast(IO[str], self._process.stdin),
            cast(IO[str], self._process.stdout),
        )
        line = self._pipes[1].readline()
        if not line.startswith("{"):
            self._end()
            raise Transient("not_started", "hubspot: the stand-in did not start")
        super().__init__(str(json.loads(line)["url"]))

    def close(self) -> None:
        """End the process that this object started."""
        super().close()
        self._end()

    def _end(self) -> None:
        self._pipes[0].close()
        try:
            self._process.wait(GRACE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._pipes[1].close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
