"""Notes: what an integration must never ask for. Served as canary texts, and every request for it is recorded."""

from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLField,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    get_named_type,
    is_list_type,
    is_non_null_type,
    visit,
)

from connectors.sandbox.healthie.call import Call, Resolver
from connectors.sandbox.healthie.complexity import is_connection
from connectors.sandbox.healthie.connections import Connection, Listing
from connectors.sandbox.healthie.rows import Args, Row

NOTE_TYPES = frozenset(
    """FormAnswerGroup FormAnswer FormAnswerGroupSigning ChartingNoteAddendumType ChartingItemType
    GeneratedFormAnswerGroupType GeneratedFormAnswerType IndividualClientType GeneratedSummary PatientEncounter
    EpisodeOfCare Transcript ZoomCloudRecordingFile Note NoteScheduler Conversation ConversationMembership Draft
    ReceivedDirectMessage SentDirectMessage ReceivedFax SentFax Comment InternalComment Entry Document
    Folder""".split()
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
    for type_, names in fields.items()
    for name in names.split()
)


def is_note(type_: str, name: str, field: GraphQLField) -> bool:
    """Whether `type_.name` carries a session note, something close to one, or a secret."""
    return type_ in NOTE_TYPES or f"{type_}.{name}" in FORBIDDEN or _node_type(field.type) in NOTE_TYPES


def notes_selected(schema: GraphQLSchema, document: DocumentNode) -> tuple[str, ...]:
    """Every `Type.field` of the document that carries notes or secrets, in the order of the document."""
    types, found = TypeInfo(schema), list[str]()

    class Finder(Visitor):
        def enter_field(self, node: FieldNode, *_: object) -> None:
            parent, field = types.get_parent_type(), types.get_field_def()
            if parent is not None and field is not None and is_note(parent.name, node.name.value, field):
                found.append(f"{parent.name}.{node.name.value}")

    visit(document, TypeInfoVisitor(types, Finder()))
    return tuple(dict.fromkeys(found))


def canary(type_: str, name: str, field: GraphQLField) -> Resolver:
    """A resolver that serves a text nobody may ever see again."""

    def resolve(call: Call, row: Row, _: Args) -> object:
        return _made(field.type, f"CANARY_NOTE_{type_}_{name}_{row.get('id', 0)}", call, row)

    return resolve


def _made(type_: GraphQLOutputType, word: str, call: Call, row: Row) -> object:
    if is_non_null_type(type_):
        made = _made(type_.of_type, word, call, row)
        return made if made is not None else {"id": row.get("id", "0")}
    if is_list_type(type_):
        item = _made(type_.of_type, word, call, row)
        return [] if item is None else [item]
    named = get_named_type(type_)
    if isinstance(named, GraphQLObjectType):
        return _object(named, row)
    return _leaf(named.name, word, call, row)


def _object(type_: GraphQLObjectType, row: Row) -> object:
    note: Row = {"id": row.get("id", "0")}
    if is_connection(type_):
        made = ((0, ""), 1, note)
        return Connection(Listing((made,), lambda _: True, "ID_ASC"), [made])
    return note if type_.name in NOTE_TYPES else None


def _leaf(type_: str, word: str, call: Call, row: Row) -> object:
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
    return known.get(type_)


def _node_type(type_: GraphQLOutputType) -> str:
    named = get_named_type(type_)
    if isinstance(named, GraphQLObjectType) and is_connection(named):
        return get_named_type(named.fields["nodes"].type).name
    return named.name
