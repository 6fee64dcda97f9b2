"""One delivery at a time, for the tests of writes."""

from pydantic import JsonValue

from connectors.healthie import Healthie
from connectors.operation import Item, Outcome

KEY = "9f2c4e"


def send(connector: Healthie, write: str, patient: str, key: str = KEY, **arguments: JsonValue) -> Outcome:
    (outcome,) = connector.writes()[write].send([Item(key, patient, arguments)])
    assert outcome.key == key
    return outcome


def look(connector: Healthie, write: str, patient: str, key: str = KEY, **arguments: JsonValue) -> str | None:
    asked = connector.writes()[write].look
    assert asked is not None
    return asked([Item(key, patient, arguments)])[key]


def present(connector: Healthie, write: str, patient: str, **arguments: JsonValue) -> object:
    asked = connector.writes()[write].present
    assert asked is not None
    return asked([Item(KEY, patient, arguments)])[KEY]
