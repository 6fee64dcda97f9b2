"""Writes around the patient: tags, addresses, tasks. Each is checked to be this patient's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo

from pydantic import JsonValue

from connectors.errors import Rejected
from connectors.healthie.arguments import (
    CompleteTask,
    CreateLocation,
    CreateTask,
    TagArguments,
    UpdateLocation,
    UpdateTask,
)
from connectors.healthie.client import Client
from connectors.healthie.client_writes import NAMESPACE
from connectors.healthie.mutation import (
    APPLY_TAGS,
    CREATE_LOCATION,
    CREATE_TASK,
    REMOVE_TAG,
    UPDATE_LOCATION,
    UPDATE_TASK,
    Created,
    applied,
    as_written,
    create,
    each,
    not_applied,
    parsed,
    refused,
    refuses,
    run,
)
from connectors.healthie.normal import MalformedError, as_utc, metadata
from connectors.healthie.present import (
    ADDRESS,
    LOCATIONS,
    TAGS,
    has_tag,
    known_patient,
    patient,
    rows,
    task_of,
    tasks,
)
from connectors.healthie.reply import Json
from connectors.operation import Arguments, Delivery, Item, Write, arguments_of


@dataclass(frozen=True, slots=True)
class TagWrites:
    """apply_tag, remove_tag."""

    client: Client

    def all(self) -> list[Write]:
        def record(id_: str, arguments: Arguments) -> str:
            return f"client/{id_}/tag/{arguments.get('tag_id')}"

        return [
            Write(
                name="apply_tag",
                summary="Put a tag of the practice's on the patient, by the tag's id.",
                arguments=TagArguments,
                delivery=Delivery.UPSERT,
                send=each(self._apply),
                refuses=refuses(self.client, self._apply_known),
                record=record,
                present=self._present,
            ),
            Write(
                name="remove_tag",
                summary="Take a tag off the patient, by the tag's id. The tag itself stays.",
                arguments=TagArguments,
                delivery=Delivery.UPSERT,
                send=each(self._remove),
                refuses=refuses(self.client, self._remove),
                record=record,
                opposite="apply_tag",
            ),
        ]

    def _apply(self, item: Item) -> str:
        tag = parsed(TagArguments, item.arguments).tag_id
        if not self._is_on(item.patient, tag):  # whether applying twice is harmless is not documented
            sent: Json = {"taggable_user_id": item.patient, "ids": [tag]}
            found = run(self.client, APPLY_TAGS, sent, [])
            if tag not in {str(row.get("id")) for row in rows(found)}:
                raise not_applied("bulkApply")
        return tag

    def _apply_known(self, item: Item) -> str:
        """The same; a tag that Healthie does not show it does not apply either."""
        if not has_tag(self.client, parsed(TagArguments, item.arguments).tag_id):
            known_patient(self.client, item.patient, TAGS)
            raise refused([])
        return self._apply(item)

    def _remove(self, item: Item) -> str:
        tag = parsed(TagArguments, item.arguments).tag_id
        if self._is_on(item.patient, tag):
            # `id` is the tag's, not the assignment's
            run(self.client, REMOVE_TAG, {"taggable_user_id": item.patient, "id": tag}, [])
        return tag

    def _is_on(self, id_: str, tag: str) -> bool:
        listed = rows(known_patient(self.client, id_, TAGS).get("active_tags"))
        return tag in {str(row.get("id")) for row in listed}

    def _present(self, items: Sequence[Item]) -> Mapping[str, Arguments | None]:
        held: dict[str, Arguments | None] = {}
        for item in items:
            found = patient(self.client, item.patient, TAGS)
            on = {str(row.get("id")) for row in rows(found.get("active_tags") if found else None)}
            tag = str(item.arguments.get("tag_id"))
            held[item.key] = {"tag_id": tag} if tag in on else None
        return held


@dataclass(frozen=True, slots=True)
class LocationWrites:
    """create_location, update_location."""

    client: Client

    def all(self) -> list[Write]:
        return [
            Write(
                name="create_location",
                summary="Add an address to the patient. An address with the same lines is not added again.",
                arguments=CreateLocation,
                delivery=Delivery.SEARCHABLE,
                send=each(self._create),
                refuses=refuses(self.client, self._create),
                record=lambda id_, arguments: f"client/{id_}/new_location/{_lines(arguments)}",
                look=self._look,
            ),
            Write(
                name="update_location",
                summary="Change an address of the patient's, by its id. Only the given parts change.",
                arguments=UpdateLocation,
                delivery=Delivery.UPSERT,
                send=each(self._update),
                refuses=refuses(self.client, self._update),
                record=lambda id_, arguments: f"client/{id_}/location/{arguments.get('location_id')}",
                present=self._present,
            ),
        ]

    def _create(self, item: Item) -> Created:
        sent: Json = arguments_of(parsed(CreateLocation, item.arguments))
        there = known_patient(self.client, item.patient, LOCATIONS)
        alike = self._alike(item, there)  # Healthie keeps no two apart, and duplicates pile up
        if alike is not None:
            return Created(alike)
        return create(self.client, CREATE_LOCATION, {**sent, "user_id": item.patient}, sent)

    def _look(self, items: Sequence[Item]) -> Mapping[str, str | None]:
        """By its lines: an address has no reference of ours."""
        found = ((item, patient(self.client, item.patient, LOCATIONS)) for item in items)
        return {item.key: self._alike(item, there) for item, there in found if there is not None}

    def _alike(self, item: Item, there: Json) -> str | None:
        listed = rows(there.get("locations"))
        wanted = _lines(item.arguments)
        return next((str(row.get("id")) for row in listed if _lines(row) == wanted), None)

    def _update(self, item: Item) -> str:
        asked: Json = arguments_of(parsed(UpdateLocation, item.arguments))
        id_ = str(asked.pop("location_id"))
        if self._held(item.patient, id_) is None:
            raise Rejected("not_this_patient", "healthie: the address is not this patient's")
        sent: Json = {**asked, "id": id_}
        return str(applied(UPDATE_LOCATION, sent, run(self.client, UPDATE_LOCATION, sent, asked))["id"])

    def _held(self, patient_id: str, id_: str) -> Json | None:
        found = patient(self.client, patient_id, LOCATIONS)
        listed = rows(found.get("locations") if found else None)
        return next((row for row in listed if str(row.get("id")) == id_), None)

    def _present(self, items: Sequence[Item]) -> Mapping[str, Arguments | None]:
        held: dict[str, Arguments | None] = {}
        for item in items:
            id_ = str(item.arguments.get("location_id"))
            row = self._held(item.patient, id_)
            names = [name for name in ADDRESS if name in item.arguments]
            held[item.key] = (
                None if row is None else {"location_id": id_, **as_written(item.arguments, row, names)}
            )
        return held


@dataclass(frozen=True, slots=True)
class TaskWrites:
    """create_task, update_task, complete_task."""

    client: Client
    zone: tzinfo

    def all(self) -> list[Write]:
        def record(id_: str, arguments: Arguments) -> str:
            return f"client/{id_}/task/{arguments.get('task_id')}"

        return [
            Write(
                name="create_task",
                summary="Create a task about the patient for a member of the staff.",
                arguments=CreateTask,
                delivery=Delivery.SEARCHABLE,
                send=each(self._create),
                refuses=refuses(self.client, self._create),
                record=lambda id_, arguments: f"client/{id_}/new_task/{arguments.get('content')}",
                look=self._look,
                free_text=frozenset({"content"}),
            ),
            Write(
                name="update_task",
                summary="Change due date, priority or assignee of a task of the patient's, by its id.",
                arguments=UpdateTask,
                delivery=Delivery.UPSERT,
                send=each(self._update),
                refuses=refuses(self.client, self._update),
                record=record,
            ),
            Write(
                name="complete_task",
                summary="Mark a task of the patient's as done, by its id.",
                arguments=CompleteTask,
                delivery=Delivery.UPSERT,
                send=each(self._complete),
                refuses=refuses(self.client, self._complete),
                record=lambda id_, arguments: f"{record(id_, arguments)}/complete",
            ),
        ]

    def _create(self, item: Item) -> Created:
        asked: Json = arguments_of(parsed(CreateTask, item.arguments))
        sent = self._input(asked)
        ours: Json = {"client_id": item.patient, "metadata": {NAMESPACE: item.key}}
        shown: Json = {**ours, "content": asked["content"]}
        return create(self.client, CREATE_TASK, {**sent, **ours}, shown)

    def _look(self, items: Sequence[Item]) -> Mapping[str, str | None]:
        """By our key in the task's metadata."""
        references: dict[str, str | None] = {}
        for item in items:
            own = (str(task["id"]) for task in tasks(self.client, item.patient) if _key_of(task) == item.key)
            references[item.key] = next(own, None)
        return references

    def _update(self, item: Item) -> str:
        asked: Json = arguments_of(parsed(UpdateTask, item.arguments))
        return self._change(item, str(asked.pop("task_id")), self._input(asked))

    def _complete(self, item: Item) -> str:
        return self._change(item, parsed(CompleteTask, item.arguments).task_id, {"complete": True})

    def _change(self, item: Item, id_: str, asked: Json) -> str:
        if task_of(self.client, item.patient, id_) is None:
            raise Rejected("not_this_patient", "healthie: the task is not this patient's")
        found = run(self.client, UPDATE_TASK, {**asked, "id": id_}, ["complete", "due_date", "priority"])
        if not isinstance(found, dict):
            raise not_applied("updateTask")
        shown = {name: value for name, value in asked.items() if name in found and name != "due_date"}
        if "due_date" in asked and not self._same_time(asked["due_date"], found.get("due_date")):
            raise not_applied("updateTask")
        return str(applied(UPDATE_TASK, {**shown, "id": id_}, found)["id"])

    def _same_time(self, sent: JsonValue, found: JsonValue) -> bool:
        if not isinstance(sent, str) or not isinstance(found, str):
            return sent is found
        try:
            return as_utc(sent, UTC) == as_utc(found, self.zone)
        except MalformedError:
            return False

    def _input(self, asked: Json) -> Json:
        """`assignee_id` as Healthie takes it: a list, in place of the deprecated `user_id`."""
        sent = {name: value for name, value in asked.items() if name != "assignee_id"}
        if asked.get("assignee_id"):
            sent["assignee_ids"] = [asked["assignee_id"]]
        return sent


def _lines(address: Mapping[str, JsonValue]) -> str:
    """An address as it is compared: its lines, without case and spacing."""
    parts = (" ".join(str(address.get(name) or "").split()).casefold() for name in ADDRESS if name != "name")
    return "|".join(parts)


def _key_of(task: Json) -> JsonValue:
    try:
        return (metadata(task.get("metadata")) or {}).get(NAMESPACE)
    except MalformedError:
        return None  # somebody else's metadata
