"""Control: the endpoints under /control/ that set the stage and read the journal. JSON in, JSON out."""

from collections.abc import Callable, Mapping
from datetime import UTC
from http import HTTPStatus
from typing import cast

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError
from pydantic_core import from_json

from connectors.sandbox.healthie.canary import make_canaries
from connectors.sandbox.healthie.edits import Edit, EditError, Editor
from connectors.sandbox.healthie.faults import Fault, RandomFaults
from connectors.sandbox.healthie.practice import Practice
from connectors.sandbox.healthie.reply import Reply, as_json
from connectors.sandbox.healthie.rows import Row


class Ask(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Edits(Ask):
    edits: list[Edit]
    after_requests: int | None = None
    root: str | None = None


class Stamp(Ask):
    type: str = "User"
    ids: list[str] | None = None
    at: AwareDatetime


class Time(Ask):
    now: AwareDatetime | None = None
    frozen: bool = False
    advance: float | None = None  # seconds


class Faults(Ask):
    scripted: list[Fault] = []
    random: RandomFaults | None = None


class Canaries(Ask):
    patients: int = 1


class Control:
    """One method for each endpoint; `answer` picks it."""

    def __init__(self, practice: Practice) -> None:
        self._practice = practice
        self._state = practice.state
        self._editor = Editor(practice.state, practice.language.stored_types())
        self._canaries: list[str] = []
        self._posts: dict[str, Callable[[bytes], object]] = {
            "edit": self._edit,
            "stamp": self._stamp,
            "clock": self._clock,
            "faults": self._faults,
            "settings": self._settings,
            "canary": self._canary,
            "reset": self._reset,
        }
        self._gets: dict[str, Callable[[Mapping[str, str]], object]] = {
            "requests": lambda _: practice.journal.requests(),
            "effects": lambda asked: practice.journal.effects_since(asked.get("root")),
            "notes": lambda _: dict(practice.journal.notes),
            "rows": self._rows,
            "canary": lambda _: self._canaries,
            "unseen": lambda _: practice.state.unseen,
            "settings": lambda _: practice.state.settings.model_dump(),
            "clock": lambda _: {"now": practice.state.clock.now().isoformat()},
            "mails": lambda _: practice.state.mails,
        }

    def answer(self, method: str, name: str, query: Mapping[str, str], body: bytes) -> Reply:
        with self._state.lock:
            try:
                if method == "GET" and name in self._gets:
                    return as_json(HTTPStatus.OK, self._gets[name](query))
                if method == "POST" and name in self._posts:
                    return as_json(HTTPStatus.OK, self._posts[name](body or b"{}"))
            except (ValidationError, EditError, KeyError) as error:
                return as_json(HTTPStatus.BAD_REQUEST, {"error": str(error)})
        return as_json(HTTPStatus.NOT_FOUND, {"error": f"no {method} /control/{name}"})

    def _edit(self, body: bytes) -> Row:
        asked = Edits.model_validate_json(body)
        if asked.after_requests is None:
            return {"ids": self._editor.apply(asked.edits)}
        self._practice.later.after(asked.after_requests, asked.root, lambda: self._editor.apply(asked.edits))
        return {"ids": []}

    def _stamp(self, body: bytes) -> Row:
        asked = Stamp.model_validate_json(body)
        return {"stamped": self._editor.stamp(asked.type, asked.ids, asked.at.astimezone(UTC))}

    def _clock(self, body: bytes) -> Row:
        asked = Time.model_validate_json(body)
        clock = self._state.clock
        if asked.now is not None:
            clock.set(asked.now.astimezone(UTC), frozen=asked.frozen)
        if asked.advance is not None:
            clock.advance(asked.advance)
        return {"now": clock.now().isoformat()}

    def _faults(self, body: bytes) -> Row:
        """Replaces all faults by these."""
        asked = Faults.model_validate_json(body)
        self._practice.faults.clear()
        for fault in asked.scripted:
            self._practice.faults.add(fault)
        self._practice.faults.set_random(asked.random)
        return {"scripted": len(asked.scripted)}

    def _settings(self, body: bytes) -> Row:
        self._state.configure(cast(Row, from_json(body)))
        self._practice.refill()
        return self._state.settings.model_dump()

    def _canary(self, body: bytes) -> Row:
        asked = Canaries.model_validate_json(body)
        ids, words = make_canaries(self._state, self._practice.language.stored_types(), asked.patients)
        self._canaries += words
        return {"ids": ids, "canaries": words}

    def _reset(self, _: bytes) -> Row:
        self._practice.journal.reset()
        self._state.mails.clear()
        return {}

    def _rows(self, query: Mapping[str, str]) -> object:
        """The stored rows of a type, all or one or one owner's, or only their ids."""
        table = self._state.table(query.get("type", "User"))
        if "id" in query:
            return table.rows[query["id"]]
        if "owner" in query:
            return table.owned(query.get("column", "user_id"), query["owner"])
        if "whole" in query:
            return list(table.rows.values())
        patients = table.name != "User" or query.get("staff") is not None
        return [id_ for id_, row in table.rows.items() if patients or row.get("is_patient")]
