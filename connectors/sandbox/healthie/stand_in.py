"""StandIn: start the stand-in as a child process and drive it from tests, demo and benchmarks."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self, cast

import httpx
from pydantic import JsonValue

from connectors.sandbox.healthie.edits import Edit
from connectors.sandbox.healthie.faults import Fault, RandomFaults, Trouble

ROOT = Path(__file__).resolve().parents[3]
Json = dict[str, JsonValue]


class Remote:
    """A running stand-in's control endpoints, by its address."""

    def __init__(self, url: str) -> None:
        self.url = url  # http://127.0.0.1:<port>; GraphQL is at /graphql
        self._client = httpx.Client(base_url=url, timeout=60.0, trust_env=False)

    @property
    def endpoint(self) -> str:
        return f"{self.url}/graphql"

    def close(self) -> None:
        self._client.close()

    def edit(
        self, type_: str, id_: str, at: datetime | None = None, *, touch: bool = True, **values: JsonValue
    ) -> None:
        """Change stored fields as staff would. `at` stamps the change (older than now: a late commit)."""
        self.apply([Edit(act="set", type=type_, id=id_, values=values, at=at, touch=touch)])

    def create(self, type_: str, at: datetime | None = None, **values: JsonValue) -> str:
        """A new row; gives its id."""
        return self.apply([Edit(act="create", type=type_, values=values, at=at)])[0]

    def delete(self, type_: str, id_: str) -> None:
        self.apply([Edit(act="delete", type=type_, id=id_)])

    def archive(self, patient: str) -> None:
        self.apply([Edit(act="archive", id=patient)])

    def restore(self, patient: str) -> None:
        self.apply([Edit(act="restore", id=patient)])

    def tag(self, patient: str, tag: str) -> None:
        self.apply([Edit(act="tag", id=patient, values={"tag_id": tag})])

    def untag(self, patient: str, tag: str) -> None:
        self.apply([Edit(act="untag", id=patient, values={"tag_id": tag})])

    def merge(self, patient: str, into: str) -> None:
        self.apply([Edit(act="merge", id=patient, values={"into": into})])

    def apply(self, edits: Sequence[Edit]) -> list[str]:
        """Apply edits in order; gives the id of each one's row."""
        return cast(list[str], self._post("edit", edits=[_set(edit) for edit in edits])["ids"])

    def apply_after(self, requests: int, edits: Sequence[Edit], *, root: str | None = None) -> None:
        """Apply the edits once so many more requests (with that root field) have been answered."""
        self._post("edit", edits=[_set(edit) for edit in edits], after_requests=requests, root=root)

    def stamp(self, at: datetime, type_: str = "User", ids: Sequence[str] | None = None) -> None:
        """Give rows (all of the type without `ids`) one and the same `updated_at`."""
        self._post("stamp", at=at.isoformat(), type=type_, ids=None if ids is None else list(ids))

    def set_clock(self, now: datetime, *, frozen: bool = True) -> None:
        self._post("clock", now=now.isoformat(), frozen=frozen)

    def advance_clock(self, seconds: float) -> None:
        self._post("clock", advance=seconds)

    def now(self) -> datetime:
        return datetime.fromisoformat(str(self._object("clock")["now"]))

    def fault(
        self, trouble: Trouble, *, root: str | None = None, times: int | None = 1, skip: int = 0
    ) -> None:
        """Replace all faults by this one: it meets requests with that root field, `skip` of them passed."""
        self.faults([Fault(trouble=trouble, root=root, times=times, skip=skip)])

    def faults(self, scripted: Sequence[Fault] = (), random: RandomFaults | None = None) -> None:
        """Replace all faults by these; nothing given clears them."""
        self._post(
            "faults",
            scripted=[_set(fault) for fault in scripted],
            random=None if random is None else _set(random),
        )

    def configure(self, **values: JsonValue) -> None:
        """Change settings (settings.py)."""
        self._post("settings", **values)

    def canary(self, patients: int) -> tuple[list[str], list[str]]:
        """Make canary patients: their ids and all their canary values."""
        made = self._post("canary", patients=patients)
        return cast(list[str], made["ids"]), cast(list[str], made["canaries"])

    def requests(self) -> Json:
        """{"count", "roots": {field: count}, "requests": [...]} since the last reset."""
        return self._object("requests")

    def effects(self, root: str | None = None) -> list[Json]:
        """Every mutation that was carried out, with its input, changes, mails and messages."""
        return cast(list[Json], self._get("effects", **({"root": root} if root else {})))

    def notes(self) -> dict[str, int]:
        """Every note-bearing or secret `Type.field` that was selected or written, and how often."""
        return cast(dict[str, int], self._get("notes"))

    def reset(self) -> None:
        """Empty the journal."""
        self._post("reset")

    def ids(self, type_: str = "User") -> list[str]:
        """Ids of all rows of a type; of User, the patients."""
        return cast(list[str], self._get("rows", type=type_))

    def row(self, type_: str, id_: str) -> Json:
        """One stored row as it is, instants in UTC."""
        return cast(Json, self._get("rows", type=type_, id=id_))

    def rows(self, type_: str = "User") -> list[Json]:
        """All stored rows of a type, deleted ones among them; of User, staff too."""
        return cast(list[Json], self._get("rows", type=type_, whole="yes"))

    def rows_of(self, type_: str, owner: str, column: str = "user_id") -> list[Json]:
        """The stored rows of one owner, deleted ones among them."""
        return cast(list[Json], self._get("rows", type=type_, owner=owner, column=column))

    def unseen(self) -> dict[str, dict[str, int]]:
        """Unseen notifications: user -> patient -> count."""
        return cast(dict[str, dict[str, int]], self._get("unseen"))

    def mails(self) -> list[list[str]]:
        """Mails that went out: [patient, kind]."""
        return cast(list[list[str]], self._get("mails"))

    def _get(self, name: str, **query: str) -> JsonValue:
        return _answer(self._client.get(f"/control/{name}", params=query))

    def _object(self, name: str) -> Json:
        return cast(Json, self._get(name))

    def _post(self, name: str, **content: JsonValue) -> Json:
        return cast(Json, _answer(self._client.post(f"/control/{name}", json=content)))


class StandIn(Remote):
    """The stand-in as a child process. It ends with `stop()`, with the `with` block, or with its parent."""

    def __init__(
        self,
        patients: int = 100,
        seed: int = 1,
        *,
        synthea: Path | None = None,
        now: datetime | None = None,
        one_stamp: bool = False,
        port: int = 0,
    ) -> None:
        command = [sys.executable, "-m", "connectors.sandbox.healthie", "--with-parent"]
        command += ["--patients", str(patients), "--seed", str(seed), "--port", str(port)]
        command += ["--synthea", str(synthea)] if synthea else []
        command += ["--now", now.isoformat()] if now else []
        command += ["--one-stamp"] if one_stamp else []
        self._child = subprocess.Popen(  # noqa: S603 - our own command
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, text=True, env=_environment()
        )
        ready = _ready(self._child)
        keys = cast(list[str], ready["keys"])
        self.api_key, self.narrow_key = keys[0], keys[1]
        super().__init__(str(ready["url"]))

    def stop(self) -> None:
        """End the child and give back its pipes."""
        self.close()
        _end(self._child)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class StandInError(RuntimeError):
    """The stand-in did not start, or refused what it was told."""


def _environment() -> dict[str, str]:
    """Ours, without pydantic's plugins: they import logfire, which takes half of the start-up time."""
    return {**os.environ, "PYDANTIC_DISABLE_PLUGINS": "__all__"}


def _ready(child: "subprocess.Popen[str]") -> Json:
    assert child.stdout is not None
    line = child.stdout.readline()
    if not line:
        _end(child)
        raise StandInError("the stand-in did not start: see its output on stderr")
    return cast(Json, json.loads(line))


def _end(child: "subprocess.Popen[str]") -> None:
    child.kill()  # it holds nothing worth saving, and taking 20,000 patients apart takes a second
    child.wait()
    for pipe in (child.stdin, child.stdout):
        if pipe is not None:
            pipe.close()


def _answer(response: httpx.Response) -> JsonValue:
    if not response.is_success:
        raise StandInError(f"{response.request.url.path}: {response.status_code} {response.text}")
    return cast(JsonValue, response.json())


def _set(model: Edit | Fault | RandomFaults) -> JsonValue:
    return cast(JsonValue, model.model_dump(mode="json", exclude_unset=True))
