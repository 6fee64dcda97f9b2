"""What it costs at Google, whose quota is 60 reads and 60 writes a minute for an account."""

from collections.abc import Sequence

from pydantic import JsonValue

from connectors.operation import Item, Write
from connectors.sandbox.sheets import SheetsServer
from tests.campaign import FULL
from tests.connectors.sheets.rows import Row, by_key, items_of, numbered, write_to


def delivered(write: Write, rows: Sequence[Row]) -> None:
    """As the engine does: in the target's batches, each looked at before it is sent."""
    items: list[Item] = items_of(*rows)
    for at in range(0, len(items), write.batch):
        batch = items[at : at + write.batch]
        assert write.present is not None
        write.present(batch)
        assert {outcome.state for outcome in write.send(batch)} == {"done"}


def spent(server: SheetsServer) -> dict[str, int]:
    found: dict[str, int] = {str(kind): count for kind, count in server.counted.items()}
    server.counted.update(dict.fromkeys(server.counted, 0))
    return found


def test_a_thousand_entries_take_four_requests_at_most(server: SheetsServer) -> None:
    write = write_to(server)
    delivered(write, numbered(1))
    spent(server)

    delivered(write, numbered(1001)[1:])  # all new
    assert spent(server) == {"read": 2, "write": 1, "drive": 0}
    delivered(write, numbered(1001, 1)[1:])  # all changed
    assert spent(server) == {"read": 2, "write": 1, "drive": 0}
    delivered(write, numbered(1500, 2)[500:])  # half and half
    assert spent(server) == {"read": 2, "write": 2, "drive": 0}
    delivered(write, numbered(1500, 2)[500:])  # nothing changed
    assert spent(server) == {"read": 2, "write": 0, "drive": 0}


def test_a_thousand_entries_after_people_have_sorted(server: SheetsServer) -> None:
    write = write_to(server)
    delivered(write, numbered(1000))
    server.people.sort("patients", "visits", down=True)
    spent(server)

    delivered(write, numbered(1000, 1))
    assert spent(server) == {"read": 2, "write": 2, "drive": 0}
    delivered(write, numbered(1000, 2))
    assert spent(server) == {"read": 2, "write": 1, "drive": 0}


def test_ten_thousand_rows_take_twenty_write_requests_at_most(server: SheetsServer) -> None:
    write = write_to(server)
    delivered(write, numbered(10_000))
    first = spent(server)

    assert first["write"] <= 20
    assert first["read"] <= 60
    if FULL:
        delivered(write, numbered(10_000, 1))
        assert spent(server)["write"] <= 20
    found = by_key(server.people.records("patients"))
    wanted: dict[JsonValue, JsonValue] = {key: values["name"] for key, values in numbered(10_000, int(FULL))}
    assert {key: row["name"] for key, row in found.items()} == wanted
