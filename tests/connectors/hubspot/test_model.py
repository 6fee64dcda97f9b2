"""Any sequence of upserts leaves in the portal what it leaves in a dict; nasty values exactly, or refused."""

from collections.abc import Mapping, Sequence

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import JsonValue

from connectors.hubspot.cells import EXACT_DIGITS
from connectors.operation import Item
from connectors.sandbox.hubspot import StandIn
from tests.campaign import FULL
from tests.connectors.hubspot.portals import hubspot, told
from tests.connectors.hubspot.test_properties import EVERY
from tests.connectors.nasty import TEXT, UNSTORABLE, VALUES

EXAMPLES = 500 if FULL else 40
QUIET = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize=not FULL,
    suppress_health_check=list(HealthCheck),
)
KEYS = ["1", "01", "a", "a.b", "a-b", "42"]
Sent = Mapping[str, tuple[JsonValue, JsonValue]]  # column -> as given, as it must come back

_NULL = st.just((None, None))
_BAD = st.sampled_from(sorted(UNSTORABLE)).map(lambda text: (text, text))
_SENT = st.fixed_dictionaries(
    {},
    optional={
        **{f"a_{kind}": st.one_of(_NULL, values) for kind, values in VALUES.items()},
        "a_str": st.one_of(_NULL, TEXT.map(lambda text: (text, text)), _BAD),
    },
)
BATCHES = st.lists(
    st.lists(st.tuples(st.sampled_from(KEYS), _SENT), min_size=1, max_size=8), min_size=1, max_size=4
)


def refused(sent: Sent) -> set[str]:
    """The codes with one of which this must be refused; none if it must be kept."""
    texts = [before for before, _ in sent.values() if isinstance(before, str)]
    codes = {UNSTORABLE[text] for text in texts if text in UNSTORABLE}
    if codes:
        return codes
    for name, (_, after) in sent.items():
        if name in ("a_int", "a_decimal") and after is not None:
            whole, _, rest = str(after).lstrip("-").partition(".")
            if len(f"{whole}{rest}".lstrip("0")) > EXACT_DIGITS:
                codes.add("too_precise" if rest else "out_of_range")
        if name == "a_datetime" and isinstance(after, str) and _finer_than_milliseconds(after):
            codes.add("too_precise")
    return codes


def _finer_than_milliseconds(moment: str) -> bool:
    return "." in moment and not moment.rstrip("Z").partition(".")[2].endswith("000")


def kept(after: JsonValue) -> JsonValue:
    """HubSpot has one empty."""
    return None if after == "" else after


def test_the_portal_is_what_a_dict_would_be(portal: StandIn) -> None:
    connector = hubspot(portal, EVERY)
    connector.prepare()
    write = connector.writes()["upsert_contacts"]

    @QUIET
    @given(BATCHES)
    def holds(batches: Sequence[Sequence[tuple[str, Sent]]]) -> None:
        portal.forget_records()
        model: dict[str, dict[str, JsonValue]] = {}
        for batch in batches:
            items = [
                Item(f"k{at}", key, {name: before for name, (before, _) in sent.items()})
                for at, (key, sent) in enumerate(batch)
            ]
            found = told(write.send(items))
            for at, (key, sent) in enumerate(batch):
                codes = refused(sent)
                assert found.pop(f"k{at}") in ({f"rejected {code}" for code in codes} or {"done"})
                if not codes:
                    row = model.setdefault(key, {})
                    row.update({name: kept(after) for name, (_, after) in sent.items()})
            assert found == {}
        every = dict.fromkeys(EVERY.plain)
        assert write.present is not None
        held = write.present([Item(key, key, every) for key in KEYS])
        assert held == {
            key: {name: model[key].get(name) for name in EVERY.plain} if key in model else None
            for key in KEYS
        }

    holds()
    connector.close()


def test_texts_and_json_that_look_alike_are_told_apart(portal: StandIn) -> None:
    connector = hubspot(portal, EVERY)
    write = connector.writes()["upsert_contacts"]
    alike: list[JsonValue] = ["true", True, "1", 1, "null", "[]", [], {}, "-5", -5, "=1", '"', 1.5, "1.5"]
    items = [Item(f"k{at}", str(at), {"a_json": value}) for at, value in enumerate(alike)]

    assert set(told(write.send(items)).values()) == {"done"}
    assert write.present is not None
    found = write.present(items)
    stored = [(found[one.key] or {})["a_json"] for one in items]
    assert [(type(value), value) for value in stored] == [(type(value), value) for value in alike]
    connector.close()
