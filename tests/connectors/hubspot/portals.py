"""What the tests of HubSpot share: tables, connectors, and short waits."""

from collections.abc import Mapping, Sequence

from pydantic import JsonValue, SecretStr

from connectors.http import Patience
from connectors.hubspot import HubSpot, HubSpotCredentials, HubSpotOptions
from connectors.operation import Item, Outcome, Write
from connectors.sandbox.hubspot import Remote
from connectors.tabular import Column, Table
from connectors.values import ColumnType

PATIENCE = Patience(first_wait=0.01, back_off=0.05, longest_wait=1.5, answer=5.0, connect=1.0)
CONTACTS = Table(
    name="contacts",
    key=("healthie_id",),
    patient="healthie_id",
    columns={
        name: Column(type="str")
        for name in ("healthie_id", "email", "firstname", "lastname", "phone", "lifecyclestage", "plan")
    }
    | {"visits": Column(type="int")},
)
COMPANIES = Table(
    name="companies",
    key=("patient_id", "payer_id"),
    patient="patient_id",
    columns={name: Column(type="str") for name in ("patient_id", "payer_id", "name", "phone")},
)


def hubspot(
    portal: Remote,
    *tables: Table,
    options: HubSpotOptions | None = None,
    url: str = "",
    token: str = "",
    patience: Patience = PATIENCE,
    read_only: bool = False,
) -> HubSpot:
    known = HubSpotCredentials(
        url=url or portal.url, access_token=SecretStr(token or portal.token), patience=patience
    )
    return HubSpot(known, tables, options, read_only=read_only)


def item(patient: str, key: str = "", **arguments: JsonValue) -> Item:
    return Item(key or f"k{patient}", patient, arguments)


def told(outcomes: Sequence[Outcome]) -> dict[str, str]:
    """{item: "done adopted"}, each item once."""
    assert len({outcome.key for outcome in outcomes}) == len(outcomes)
    return {outcome.key: f"{outcome.state} {outcome.code}".strip() for outcome in outcomes}


def send(write: Write, *items: Item) -> dict[str, str]:
    return told(write.send(items))


def settle(write: Write, *items: Item) -> dict[str, str]:
    """As the engine does: what is unknown after everything was sent once is sent once more."""
    found = send(write, *items)
    again = [one for one in items if found[one.key].startswith("unknown")]
    return found | (send(write, *again) if again else {})


def value_of(text: JsonValue, kind: ColumnType) -> JsonValue:
    """The text that the stand-in keeps, as the argument's JSON value: read by nothing of the connector's."""
    if text is None:
        return None
    assert isinstance(text, str)
    if kind == "int":
        return int(text)
    return text == "true" if kind == "bool" else text


def contacts(portal: Remote) -> dict[str, Mapping[str, JsonValue]]:
    """{healthie_id, or "" and HubSpot's id: properties} of all that are not archived."""
    found: dict[str, Mapping[str, JsonValue]] = {}
    for record in portal.records():
        properties = record["properties"]
        assert isinstance(properties, dict)
        if not record["archived"]:
            found[str(properties.get("healthie_id") or f"~{record['id']}")] = properties
    return found
