"""Statements that run side by side: Google lets two that only insert the same row both insert it."""

from datetime import UTC, datetime

import pytest

from connectors.bigquery.statements import merge
from connectors.errors import Unknown
from connectors.sandbox.bigquery.refusal import Refusal
from connectors.sandbox.bigquery.statements import parse
from connectors.sandbox.faults import Fault
from connectors.sandbox.proxy import Proxy
from connectors.tabular import Column
from tests.connectors.bigquery.place import Place, send, spoken, table

EMAIL = Column(type="str")
STATEMENTS = "/jobs?prettyPrint"


def test_the_stand_in_inserts_twice_what_two_insert_side_by_side(place: Place) -> None:
    connector = place.connect(table(email=EMAIL))
    connector.prepare()
    given = {"name": "_ferry_given", "type": "STRING", "mode": "REPEATED"}
    fields = [{"name": name, "type": "STRING"} for name in ("patient_id", "email")]
    place.state.by_hand("staged", [*fields, given])
    place.state.load(place.state.tables["staged"], [("1", "a", '["email"]')], keep=False)
    at = f"{place.state.project}.{place.state.dataset}"
    text = merge(f"{at}.patients", f"{at}.staged", table(email=EMAIL), ["email"], [], datetime.now(UTC)).text
    begin = place.state.rows.begin

    def begun() -> list[tuple[int, int] | str]:
        ends = [begin(parse(text), place.state.known, {"at": "TIMESTAMP"}, {"at": 1}) for _ in range(2)]
        found: list[tuple[int, int] | str] = []
        for end in ends:
            try:
                found.append(end())
            except Refusal as refusal:
                found.append(refusal.reason)
        return found

    assert begun() == [(1, 0), (1, 0)]
    assert len(place.rows("patients")) == 2
    assert begun() == [(0, 2), "invalidQuery"]  # those that change a row are told apart
    connector.close()


@pytest.mark.parametrize("before", [[], [("1", {"email": "before"})]])
def test_a_statement_that_was_left_behind_is_waited_for(
    proxied: tuple[Place, Proxy], before: list[tuple[str, dict[str, str]]]
) -> None:
    """Its sender is gone, and it still runs: the next sender neither inserts beside it nor is overtaken."""
    place, proxy = proxied
    first, second = (place.connect(table(email=EMAIL)) for _ in range(2))
    first.prepare()
    send(first, *before)
    place.state.lasting = 1.0  # seconds: longer than the next sender needs to be there
    proxy.faults(Fault(trouble="reset_applied", path=STATEMENTS, times=None))
    with pytest.raises(Unknown):
        send(first, ("1", {"email": "left behind"}), ("2", {"email": "left behind"}))
    proxy.faults()

    assert place.state.running  # it is not at its end
    assert spoken(send(second, ("1", {"email": "new"}))) == ["done"]
    assert sorted((row["patient_id"], row["email"]) for row in place.rows("patients")) == [
        ("1", "new"),
        ("2", "left behind"),
    ]
    first.close()
    second.close()
