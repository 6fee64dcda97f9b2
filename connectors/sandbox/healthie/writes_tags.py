"""The mutations of tags and tasks."""

from connectors.sandbox.healthie.call import Call
from connectors.sandbox.healthie.rows import Args, Row, input_of, text, texts
from connectors.sandbox.healthie.writes_client import message


def bulk_apply(call: Call, args: Args) -> Row:
    """Put tags on one user. A tag that is on already stays as it was."""
    asked = input_of(args)
    person, ids = text(asked, "taggable_user_id"), texts(asked, "ids")
    user = call.patient(person) or call.state.staff(person or "")
    found = [tag for id_ in ids if (tag := call.state.find("Tag", id_)) is not None]
    if user is None or len(found) != len(ids):
        return {"tags": None, "messages": [message("base", "Tag or user not found")]}
    on = {one.get("tag_id") for one in call.of_patient("AppliedTag", "user_id", user)}
    for tag in found:
        if tag["id"] not in on:
            call.state.insert("AppliedTag", {"tag_id": tag["id"], "user_id": user["id"]})
    return {"tags": found, "messages": None}


def remove_applied_tag(call: Call, args: Args) -> Row:
    """Take a tag off a user. `id` is the tag's, not the assignment's."""
    asked = input_of(args)
    user = call.patient(text(asked, "taggable_user_id"))
    applied = call.of_patient("AppliedTag", "user_id", user) if user else []
    on = [one for one in applied if one.get("tag_id") == text(asked, "id")]
    if not on:
        return {"tag": None, "messages": [message("id", "Tag is not applied to this user")]}
    for one in on:
        call.state.delete("AppliedTag", one, soft=True)
    return {"tag": call.state.find("Tag", text(asked, "id")), "messages": None}


def create_tag(call: Call, args: Args) -> Row:
    asked = input_of(args)
    name = text(asked, "name")
    if name is None:
        return {"tag": None, "messages": [message("name", "Name can't be blank")]}
    if any(tag.get("name") == name for tag in call.state.table("Tag").rows.values()):
        return {"tag": None, "messages": [message("name", "Name has already been taken")]}
    tag = call.state.insert("Tag", {"name": name, "user_id": call.viewer.user_id})
    person = text(asked, "taggable_user_id")
    if person is not None and call.patient(person) is not None:
        call.state.insert("AppliedTag", {"tag_id": tag["id"], "user_id": person})
    return {"tag": tag, "messages": None}


def create_task(call: Call, args: Args) -> Row:
    asked = input_of(args)
    if text(asked, "content") is None:
        return _task(None, [message("content", "Content can't be blank")])
    client = text(asked, "client_id")
    if client is not None and call.patient(client) is None:
        return _task(None, [message("client_id", "Client not found")])
    values: Row = {
        "priority": 0,
        "hidden": False,
        "seen": False,
        "smart": False,
        "complete": False,
        **_kept(asked),
    }
    values["assignee_ids"] = texts(asked, "assignee_ids") or [text(asked, "user_id") or call.viewer.user_id]
    values["created_by_id"] = text(asked, "created_by_id") or call.viewer.user_id
    return _task(call.state.insert("Task", {**values, **_completed(call, asked, {})}), [])


def update_task(call: Call, args: Args) -> Row:
    asked = input_of(args)
    task = _found(call, asked)
    if task is None:
        return _task(None, [message("id", "Task not found")])
    if "content" in asked and text(asked, "content") is None:
        return _task(task, [message("content", "Content can't be blank")])
    values = _kept(asked)
    if "assignee_ids" in asked:
        values["assignee_ids"] = texts(asked, "assignee_ids")
    call.state.update("Task", task, {**values, **_completed(call, asked, task)})
    return _task(task, [])


def delete_task(call: Call, args: Args) -> Row:
    task = _found(call, input_of(args))
    if task is None:
        return _task(None, [message("id", "Task not found")])
    call.state.delete("Task", task, soft=False)
    return _task(task, [])


def _found(call: Call, asked: Row) -> Row | None:
    task = call.state.find("Task", text(asked, "id"))
    mine = task is not None and call.viewer.user_id in (
        task.get("created_by_id"),
        *texts(task, "assignee_ids"),
    )
    return task if call.viewer.sees_all or mine else None


def _kept(asked: Row) -> Row:
    return {
        name: value
        for name, value in asked.items()
        if name not in ("id", "assignee_ids", "reminder", "note_id")
    }


def _completed(call: Call, asked: Row, task: Row) -> Row:
    if asked.get("complete") is None or bool(asked["complete"]) == bool(task.get("complete")):
        return {}
    done = bool(asked["complete"])
    return {
        "completed_at": call.state.clock.now() if done else None,
        "completed_by_id": (text(asked, "completed_by_id") or call.viewer.user_id) if done else None,
    }


def _task(task: Row | None, failures: list[Row]) -> Row:
    return {"task": task, "messages": failures or None}
