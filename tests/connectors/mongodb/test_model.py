"""Any sequence of upserts leaves in a collection what it leaves in a dict, or is refused with a code."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import JsonValue

from connectors.operation import Item
from connectors.sandbox.mongodb import DATABASE, StandIn
from connectors.tabular import Column, Table
from tests.campaign import FULL
from tests.connectors import upserts
from tests.connectors.mongodb.reaching import mongo
from tests.connectors.upserts import Upsert

EXAMPLES = 2_000 if FULL else 60
QUIET = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize=not FULL,
    suppress_health_check=list(HealthCheck),
)
STAMPED = Table(
    name="stamped",
    key=("patient_id",),
    patient="patient_id",
    columns={
        "patient_id": Column(type="str"),
        "at": Column(type="int"),
        "a": Column(type="str"),
        "b": Column(type="str"),
    },
)
SETS = st.fixed_dictionaries(
    {},
    optional={"at": st.integers(0, 4) | st.none(), "a": st.sampled_from("xyz"), "b": st.sampled_from("xyz")},
)
STAMPS = st.lists(
    st.lists(st.tuples(st.sampled_from("pq"), SETS), min_size=1, max_size=6), min_size=1, max_size=5
)


def _code(given: JsonValue) -> str:
    if isinstance(given, dict):
        plain = not any(name.startswith("$") or "." in name for name in given)
        return ("" if plain else "unstorable_name") or next(filter(None, map(_code, given.values())), "")
    if isinstance(given, list):
        return next(filter(None, map(_code, given)), "")
    return ""


def fitting(batches: Sequence[Sequence[Upsert]]) -> list[list[Upsert]]:
    return [[_fitting(upsert) for upsert in batch] for batch in batches]


def _fitting(upsert: Upsert) -> Upsert:
    patient, part, sent = upsert
    able = {
        name: pair
        for name, pair in sent.items()
        if not (name == "a_decimal" and pair[0] is not None and _digits(str(pair[1])) > 34)
        and not (name == "a_datetime" and isinstance(pair[1], str) and _finer(pair[1]))
        and not (name == "a_json" and _code(pair[0]))
    }
    return patient, part, able


def _digits(number: str) -> int:
    return len(Decimal(number).as_tuple().digits)


def _finer(moment: str) -> bool:
    seconds = moment.rstrip("Z").partition(".")[2]
    return len(seconds.rstrip("0")) > 3


def test_the_collection_is_what_a_dict_would_be(server: StandIn) -> None:
    connector = mongo(server, upserts.TABLE)
    write = connector.writes()["upsert_everything"]

    @QUIET
    @given(upserts.BATCHES)
    def holds(batches: Sequence[Sequence[Upsert]]) -> None:
        server.server.state.collection(DATABASE, "everything").documents.clear()
        upserts.check(write, fitting(batches))

    holds()
    connector.close()


def test_what_bson_cannot_keep_is_refused(server: StandIn) -> None:
    connector = mongo(server, upserts.TABLE)
    write = connector.writes()["upsert_everything"]
    refused: Mapping[str, Sequence[tuple[str, JsonValue]]] = {
        "too_precise": [
            ("a_decimal", "12345678901234567890123456789.123456"),
            ("a_datetime", "2026-03-01T12:00:00.123456Z"),
        ],
        "unstorable_name": [
            ("a_json", {"a.b": 1}),
            ("a_json", [{"$set": 1}]),
            ("a_json", {"x": [{"y": {"$": None}}]}),
        ],
    }
    for code, pairs in refused.items():
        for column, value in pairs:
            outcome = write.send([Item("k", "p", {"part": 0, column: value})])[0]

            assert (outcome.state, outcome.code) == ("rejected", code)
    assert server.documents("everything") == []
    connector.close()


def test_json_that_looks_alike_is_told_apart(server: StandIn) -> None:
    connector = mongo(server, upserts.TABLE)

    upserts.check_alike(connector.writes()["upsert_everything"])
    connector.close()


def test_the_newest_version_wins_in_any_order(server: StandIn) -> None:
    """Whatever is sent in whichever batches: it is as if each item came alone, and older ones did nothing."""
    connector = mongo(server, STAMPED, newest={"stamped": "at"})
    write = connector.writes()["upsert_stamped"]
    assert write.present is not None
    everything = [Item(patient, patient, dict.fromkeys(STAMPED.plain)) for patient in "pq"]

    @QUIET
    @given(STAMPS)
    def holds(batches: Sequence[Sequence[tuple[str, dict[str, JsonValue]]]]) -> None:
        server.server.state.collection(DATABASE, "stamped").documents.clear()
        rows: dict[str, dict[str, JsonValue]] = {}
        for batch in batches:
            expected = [_newest(rows, patient, sent) for patient, sent in batch]
            outcomes = write.send([Item(f"k{at}", patient, sent) for at, (patient, sent) in enumerate(batch)])

            told = {outcome.key: f"{outcome.state} {outcome.code}".strip() for outcome in outcomes}
            assert told == {f"k{at}": state for at, state in enumerate(expected)}
        found = write.present(everything)
        assert found == {
            patient: {name: rows[patient].get(name) for name in STAMPED.plain} if patient in rows else None
            for patient in "pq"
        }

    holds()
    connector.close()


def _newest(rows: dict[str, dict[str, JsonValue]], patient: str, sent: dict[str, JsonValue]) -> str:
    there, given = rows.get(patient, {}).get("at"), sent.get("at")
    if isinstance(there, int) and isinstance(given, int) and given < there:
        return "superseded stale"
    rows.setdefault(patient, {}).update(sent)
    return "done"
