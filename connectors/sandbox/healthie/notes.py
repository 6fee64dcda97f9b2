"""Notes: what an integration must never ask for. Served as canary texts; every request is recorded."""

from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLField,
    GraphQLSchema,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    visit,
)

from connectors.sandbox.healthie.call import Call, Resolver
from connectors.sandbox.healthie.connections import Connection, Listing
from connectors.sandbox.healthie.rows import Args, Row, names
from connectors.sandbox.healthie.shapes import Shape, object_type, shape_of

NOTE_TYPES = frozenset(
    names("""FormAnswerGroup FormAnswer FormAnswerGroupSigning ChartingNoteAddendumType ChartingItemType
    GeneratedFormAnswerGroupType GeneratedFormAnswerType IndividualClientType GeneratedSummary
    PatientEncounter EpisodeOfCare Transcript ZoomCloudRecordingFile Note NoteScheduler Conversation
    ConversationMembership Draft ReceivedDirectMessage SentDirectMessage ReceivedFax SentFax Comment
    InternalComment Entry Document Folder""")
)
NOTE_FIELDS = {
    "User": "quick_notes current_summary cda_xml cda_validation_errors_json last_conversation_id",
    "Appointment": """notes reason zoom_cloud_recording_urls zoom_start_url session_id generated_token
        conversation_id last_client_conversation_id""",
    "Cms1500": "form_answer_group_id additional_text nineteen_reserved",
    "Task": "note_path",
    "Policy": "notes",
    "ReferringPhysician": "notes",
    "updateClientInput": "quick_notes",
    "updateAppointmentInput": "notes",
    "createAppointmentInput": "notes",
    "updatePolicyMutationInput": "notes",
}
SECRET_FIELDS = {
    "User": """ssn access_token token set_password_link zus_proxy_token kustomer_api_key intercom_hash
        helpscout_hash chameleon_hash living_plate_magic_link heads_up_health_sso_link ui""",
    "updateClientInput": "ssn token password",
    "createClientInput": "ssn",
}
FORBIDDEN = frozenset(
    f"{type_}.{name}"
    for fields in (NOTE_FIELDS, SECRET_FIELDS)
    for type_, line in fields.items()
    for name in names(line)
)


def is_note(schema: GraphQLSchema, type_: str, name: str, field: GraphQLField) -> bool:
    """Whether `type_.name` carries a session note, something close to one, or a secret."""
    shape = shape_of(field)
    given = object_type(schema.type_map[shape.named])
    if given is not None and shape.is_connection:
        shape = shape_of(given.fields["nodes"])
    return type_ in NOTE_TYPES or f"{type_}.{name}" in FORBIDDEN or shape.named in NOTE_TYPES


def notes_selected(schema: GraphQLSchema, document: DocumentNode) -> tuple[str, ...]:
    """Every `Type.field` of the document that carries notes or secrets, in the order of the document."""
    types, found = TypeInfo(schema), list[str]()

    class Finder(Visitor):
        def enter_field(self, node: FieldNode, *_: object) -> None:
            parent, field = object_type(types.get_parent_type()), types.get_field_def()
            name = node.name.value
            if parent is None or field is None or name.startswith("__"):
                return
            if is_note(schema, parent.name, name, field):
                found.append(f"{parent.name}.{name}")

    visit(document, TypeInfoVisitor(types, Finder()))
    return tuple(dict.fromkeys(found))


def canary(type_: str, name: str, field: GraphQLField) -> Resolver:
    """A resolver that serves a text nobody may ever see again."""
    shape = shape_of(field)

    def resolve(call: Call, row: Row, _: Args) -> object:
        word = f"CANARY_NOTE_{type_}_{name}_{row.get('id', 0)}"
        item = _leaf(shape.named, word, call, row) if shape.named in LEAVES else _object(shape, row)
        if shape.is_list:
            return [] if item is None else [item]
        return {"id": row.get("id", "0")} if item is None and shape.required else item

    return resolve


LEAVES = frozenset({"ID", "Int", "Float", "Boolean", "String", "JSON", "ISO8601DateTime", "ISO8601Date"})


def _object(shape: Shape, row: Row) -> object:
    note: Row = {"id": row.get("id", "0")}
    if shape.is_connection:
        made = ((0, ""), 1, note)
        return Connection(Listing((made,), lambda _: True, "ID_ASC"), [made])
    return note if shape.named in NOTE_TYPES else None


def _leaf(named: str, word: str, call: Call, row: Row) -> object:
    now = call.state.clock.now()
    known: dict[str, object] = {
        "ID": row.get("id", "0") if word.endswith("_id") else word,
        "Int": 424_242,
        "Float": 424_242.0,
        "Boolean": True,
        "ISO8601DateTime": call.served(now),
        "ISO8601Date": call.served(now.date()),
        "JSON": {"canary": word},
        "String": word,
    }
    return known[named]
