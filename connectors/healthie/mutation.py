"""One mutation: sent once, and believed only if the returned object shows it.

A business failure of Healthie's is HTTP 200 with `messages`. Their words may quote values, so only the
field's name is asked for. No document here holds a value; everything goes as `$input`.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from pydantic import JsonValue, ValidationError

from connectors.errors import Denied, Rejected, Unknown
from connectors.healthie.arguments import CreateClient, CreateLocation, CreateTask, UpdateClient
from connectors.healthie.client import Client
from connectors.healthie.guard import READ_ONLY
from connectors.healthie.normal import MalformedError, metadata
from connectors.healthie.reply import UNNAMED, Json
from connectors.operation import ArgumentModel, Arguments, Item, Outcome

A = TypeVar("A", bound=ArgumentModel)


@dataclass(frozen=True, slots=True)
class Mutation:
    """A mutation of Healthie's: its input's type, and the payload's field that holds the object."""

    name: str
    input: str
    payload: str

    def document(self, fields: str) -> str:
        title = self.name[0].upper() + self.name[1:]
        return (
            f"mutation {title}($input: {self.input}!) {{\n"
            f"  {self.name}(input: $input) {{ {self.payload} {{ {fields} }} messages {{ field }} }}\n"
            "}"
        )


UPDATE_CLIENT: Final = Mutation("updateClient", "updateClientInput", "user")
CREATE_CLIENT: Final = Mutation("createClient", "createClientInput", "user")
APPLY_TAGS: Final = Mutation("bulkApply", "bulkApplyInput", "tags")
REMOVE_TAG: Final = Mutation("removeAppliedTag", "removeAppliedTagInput", "tag")
CREATE_LOCATION: Final = Mutation("createLocation", "createLocationInput", "location")
UPDATE_LOCATION: Final = Mutation("updateLocation", "updateLocationInput", "location")
CREATE_TASK: Final = Mutation("createTask", "createTaskInput", "task")
UPDATE_TASK: Final = Mutation("updateTask", "updateTaskInput", "task")

# names of fields that a refusal may show; what else Healthie writes there is dropped
_NAMED: Final = frozenset(
    name for model in (CreateClient, UpdateClient, CreateLocation, CreateTask) for name in model.model_fields
)


def run(client: Client, mutation: Mutation, sent: Json, fields: Collection[str]) -> JsonValue:
    """Send a mutation and return the object as it is now. Raises Rejected if Healthie refused it."""
    text = mutation.document(" ".join(sorted({"id", *fields})))
    reply = client.run(text, {"input": sent})
    fault = reply.fault_of(mutation.name)
    payload = reply.data.get(mutation.name)
    if isinstance(payload, dict) and payload.get("messages"):
        raise refused(payload["messages"])
    if fault is not None:
        raise Rejected(fault.code.lower(), f"healthie: {mutation.name}: {fault.code}")
    if not isinstance(payload, dict) or payload.get(mutation.payload) is None:
        raise not_applied(mutation.name)
    return payload[mutation.payload]


@dataclass(frozen=True, slots=True)
class Created:
    """A record that is there: its id, and a code naming what it holds differently, "" if nothing."""

    id: str
    code: str = ""


def create(client: Client, mutation: Mutation, sent: Json, shown: Json) -> Created:
    """Send a mutation that makes a record. Once its id came back it is there, whatever else the answer says.

    Args:
        shown: what the returned object should hold.

    Raises Rejected only for a refusal that shows no record. Anything else is Unknown and for a look to
    settle: sent again it could make a second one.
    """
    reply = client.run(mutation.document(" ".join(sorted({"id", *shown}))), {"input": sent})
    payload, fault = reply.data.get(mutation.name), reply.fault_of(mutation.name)
    messages = payload.get("messages") if isinstance(payload, dict) else None
    found = payload.get(mutation.payload) if isinstance(payload, dict) else None
    if not isinstance(found, dict) or found.get("id") is None:
        if messages:
            raise refused(messages)
        if (
            fault is not None and len(fault.path) == 1 and fault.code != UNNAMED
        ):  # the act itself, not its answer
            raise Rejected(fault.code.lower(), f"healthie: {mutation.name}: {fault.code}")
    elif not messages:
        return Created(str(found["id"]), _difference(shown, found))
    raise Unknown("not_shown", f"healthie: {mutation.name}: the answer does not tell whether it was made")


def _difference(shown: Json, found: Json) -> str:
    names = [name for name, value in shown.items() if name not in found or not same(name, value, found[name])]
    return f"differs.{min(names)}" if names else ""


def applied(mutation: Mutation, sent: Json, found: JsonValue) -> Json:
    """The returned object, if it holds what was sent. Raises Rejected: a 200 may change nothing."""
    if not isinstance(found, dict) or not all(
        name in found and same(name, value, found[name]) for name, value in sent.items()
    ):
        raise not_applied(mutation.name)
    return found


def same(name: str, sent: JsonValue, found: JsonValue) -> bool:
    """Is it the same value, as Healthie may have written it? An empty text is its null."""
    if sent in (None, "") or found in (None, ""):
        return sent in (None, "") and found in (None, "")
    if isinstance(sent, bool) or isinstance(found, bool):
        return sent is found
    if isinstance(sent, dict):
        return sent == _object(found)
    ours, theirs = str(sent).strip(), str(found).strip()
    if "phone" in name:  # formatted anew
        return _digits(ours) == _digits(theirs)
    return ours.casefold() == theirs.casefold() if name == "email" else ours == theirs


def _digits(phone: str) -> str:
    """A phone number's digits; of a North American one without the country's."""
    digits = "".join(c for c in phone if c.isdecimal())
    return digits[1:] if len(digits) == 11 and digits[0] == "1" else digits


def _object(value: JsonValue) -> Json | None:
    try:
        return metadata(value)
    except MalformedError:
        return None


def as_written(asked: Arguments, found: Json, names: Iterable[str]) -> Json:
    """What is there, in our own spelling where it is the same value."""
    return {
        name: asked[name] if same(name, asked[name], found.get(name)) else found.get(name) for name in names
    }


def refused(messages: JsonValue) -> Rejected:
    """Healthie's own refusal: the code, and the field's name where it is one of those we send."""
    rows = messages if isinstance(messages, list) else []
    names = {str(row.get("field")) for row in rows if isinstance(row, dict)} & _NAMED
    at = f".{min(names)}" if names else ""
    return Rejected(f"refused_by_healthie{at}", f"healthie: refused{': ' + min(names) if names else ''}")


def not_applied(name: str) -> Rejected:
    return Rejected("not_applied", f"healthie: {name} answered, but changed nothing")


Act = Callable[[Item], str | Created]
"""Does one item: gives the record or its id, or raises Rejected."""


def each(act: Act) -> Callable[[Sequence[Item]], Sequence[Outcome]]:
    """A `send` out of an act."""

    def send(items: Sequence[Item]) -> Sequence[Outcome]:
        return [_outcome(item, act) for item in items]

    return send


def _outcome(item: Item, act: Act) -> Outcome:
    try:
        done = act(item)
    except Rejected as refusal:
        return Outcome(item.key, "rejected", refusal.code)
    record = Created(done) if isinstance(done, str) else done
    return Outcome(item.key, "done", record.code, record.id)


def refuses(client: Client, act: Act) -> Callable[[Sequence[Item]], Sequence[Outcome]] | None:
    """What an act would refuse before its mutation leaves. None if it would leave: the client may write."""
    if not client.read_only:
        return None
    return lambda items: [one for item in items if (one := _refusal(item, act))]


def _refusal(item: Item, act: Act) -> Outcome | None:
    try:
        act(item)
    except Denied as denied:  # as far as that nothing speaks against it
        return None if denied.code == READ_ONLY else Outcome(item.key, "rejected", denied.code)
    except Rejected as refusal:
        return Outcome(item.key, "rejected", refusal.code)
    return None


def parsed(model: type[A], arguments: Mapping[str, JsonValue]) -> A:
    """The arguments, checked again where they leave."""
    try:
        return model.model_validate(dict(arguments))
    except ValidationError:
        raise Rejected("bad_arguments", f"healthie: not the arguments of {model.__name__}") from None
