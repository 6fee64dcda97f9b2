"""What Healthie holds of one patient right now: read before a write, for pre-images and for looks."""

from collections.abc import Iterable, Iterator
from typing import Final

from pydantic import JsonValue

from connectors.errors import Rejected, Transient
from connectors.healthie.changes import page_of
from connectors.healthie.client import Client
from connectors.healthie.reply import Json

PAGES: Final = 200  # of one listing of a patient: it must end

ADDRESS: Final = ("name", "line1", "line2", "city", "state", "zip", "country")
LOCATIONS: Final = "locations { id " + " ".join(ADDRESS) + " }"
TAGS: Final = "active_tags { id }"

TASKS: Final = """query Tasks($patient: ID!, $first: Int!, $after: String) {
  tasks(client_id: $patient, show_hidden: true, order_by: CREATED_DESC, first: $first, after: $after) {
    nodes { id metadata }
    page_info { has_next_page end_cursor }
    total_count
  }
}"""
TAG: Final = """query Tag($ids: [ID]) {
  tagsPaginated(ids: $ids) { nodes { id } }
}"""
TASK: Final = """query Task($id: ID!) {
  task(id: $id) { id client_id complete due_date priority }
}"""
FIND: Final = """query FindClients($keywords: String!, $first: Int!, $after: String) {
  users(keywords: $keywords, show_all_by_default: true, include_suborg_patients: true,
        order_by: CREATED_AT_ASC, first: $first, after: $after) {
    nodes { id active first_name legal_name last_name dob email record_identifier }
    page_info { has_next_page end_cursor }
    total_count
  }
}"""


def patient_document(fields: str) -> str:
    return (
        "query Present($ids: [ID]!) {\n"
        "  users(ids: $ids, first: 1, include_suborg_patients: true, order_by: CREATED_AT_ASC) {\n"
        f"    nodes {{ id restricted {fields} }}\n"
        "  }\n"
        "}"
    )


def patient(client: Client, id_: str, fields: str) -> Json | None:
    """The patient with these fields, None if the key does not see one (restricted ones included)."""
    reply = client.run(patient_document(fields), {"ids": [id_]})
    users = reply.data.get("users")
    nodes = users.get("nodes") if isinstance(users, dict) else None
    if reply.faults or not isinstance(nodes, list):
        raise Transient("incomplete_listing", "healthie: the patient could not be read")
    found = [node for node in nodes if isinstance(node, dict) and str(node.get("id")) == id_]
    return found[0] if found and found[0].get("restricted") is not True else None


def known_patient(client: Client, id_: str, fields: str) -> Json:
    """As `patient`. Raises Rejected if there is none."""
    found = patient(client, id_, fields)
    if found is None:
        raise Rejected("unknown_patient", "healthie: no such patient, or a restricted one")
    return found


def rows(listed: JsonValue) -> list[Json]:
    """The objects of a plain list; null is none. Raises Transient for anything else."""
    if listed is None:
        return []
    if not isinstance(listed, list):
        raise Transient("incomplete_listing", "healthie: a list that is none")
    return [row for row in listed if isinstance(row, dict)]


def has_tag(client: Client, tag_id: str) -> bool:
    """Whether the practice has that tag. Raises Transient if it could not be read."""
    reply = client.run(TAG, {"ids": [tag_id]})
    listed = reply.data.get("tagsPaginated")
    if reply.faults or not isinstance(listed, dict):
        raise Transient("incomplete_listing", "healthie: the tag could not be read")
    return any(str(row.get("id")) == tag_id for row in rows(listed.get("nodes")))


def task_of(client: Client, id_: str, task_id: str) -> Json | None:
    """The patient's task, None if there is none or it is another patient's."""
    reply = client.run(TASK, {"id": task_id})
    task = reply.data.get("task")
    if reply.faults and any(fault.code != "NOT_FOUND" for fault in reply.faults):
        raise Transient("incomplete_listing", "healthie: the task could not be read")
    return task if isinstance(task, dict) and str(task.get("client_id")) == id_ else None


def tasks(client: Client, id_: str) -> Iterator[Json]:
    """All tasks of the patient, newest first."""
    return _listing(client, TASKS, "tasks", {"patient": id_})


def clients_matching(client: Client, words: Iterable[str]) -> Iterator[Json]:
    """Patients that Healthie finds by all of these words: fuzzy, to be confirmed exactly."""
    return _listing(client, FIND, "users", {"keywords": " ".join(words)})


def _listing(client: Client, text: str, root: str, variables: Json) -> Iterator[Json]:
    after: str | None = None
    seen: set[str] = set()
    for _ in range(PAGES):
        reply = client.run(text, {**variables, "first": 50, "after": after})
        if reply.faults:
            raise Transient("incomplete_listing", f"healthie: {root}: errors beside a page")
        nodes, after, total = page_of(reply.data.get(root), root)
        yield from nodes
        seen.update(str(node["id"]) for node in nodes)
        if after is None and len(seen) < total:
            raise Transient("incomplete_listing", f"healthie: {root}: fewer rows than Healthie counts")
        if after is None:
            return
    raise Transient("incomplete_listing", f"healthie: {root}: the listing does not end")
