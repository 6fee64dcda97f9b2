"""Any batches of upserts, and the table that must come of them: a dict."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from hypothesis import strategies as st
from pydantic import JsonValue

from connectors.operation import Arguments, Item, Outcome, Write
from connectors.tabular import Column, Table
from tests.connectors.nasty import KEYS, TEXT, UNSTORABLE, VALUES

TABLE = Table(
    name="everything",
    key=("patient_id", "part"),
    patient="patient_id",
    columns={
        "patient_id": Column(type="str"),
        "part": Column(type="int"),
        "other": Column(type="str"),
        "a_str": Column(type="str"),
        "a_int": Column(type="int"),
        "a_decimal": Column(type="decimal"),
        "a_bool": Column(type="bool"),
        "a_date": Column(type="date"),
        "a_datetime": Column(type="datetime"),
        "a_json": Column(type="json"),
    },
)
Sent = dict[str, tuple[JsonValue, JsonValue]]  # column -> as given, as it must come back
Upsert = tuple[str, int, Sent]

_BAD = st.sampled_from(sorted(UNSTORABLE)).map(lambda text: (text, text))
_NULL = st.just((None, None))
_SENT = st.fixed_dictionaries(
    {},
    optional={
        **{f"a_{kind}": st.one_of(_NULL, values) for kind, values in VALUES.items()},
        "other": st.one_of(_NULL, TEXT.map(lambda text: (text, text)), _BAD),
    },
)
BATCHES = st.lists(
    st.lists(st.tuples(st.sampled_from(KEYS), st.integers(0, 1), _SENT), min_size=1, max_size=8),
    min_size=1,
    max_size=4,
)


@dataclass
class Model:
    """What the table must hold."""

    rows: dict[tuple[str, int], dict[str, JsonValue]] = field(default_factory=dict)

    def upsert(self, upsert: Upsert) -> str:
        """The state and code that this item must get."""
        patient, part, sent = upsert
        given = sent.get("other", (None, None))[0]
        if isinstance(given, str) and given in UNSTORABLE:
            return f"rejected {UNSTORABLE[given]}"
        row = self.rows.setdefault((patient, part), {})
        row.update({name: after for name, (_, after) in sent.items()})
        return "done"


ALIKE: list[JsonValue] = [
    "true",
    True,
    "1",
    1,
    "null",
    None,
    "",
    [],
    {},
    "[]",
    "-5",
    -5,
    "=1",
    '"',
    "1.5",
    1.5,
]


def check_alike(write: Write) -> None:
    """JSON values that look alike as text are told apart."""
    items = [Item(f"k{at}", f"p{at}", {"part": 0, "a_json": value}) for at, value in enumerate(ALIKE)]
    assert {outcome.state for outcome in write.send(items)} == {"done"}
    assert write.present is not None
    found = write.present(items)

    stored = [(found[item.key] or {})["a_json"] for item in items]
    assert [(type(value), value) for value in stored] == [(type(value), value) for value in ALIKE]


def items_of(batch: Sequence[Upsert]) -> list[Item]:
    return [
        Item(f"k{at}", patient, {"part": part, **{name: before for name, (before, _) in sent.items()}})
        for at, (patient, part, sent) in enumerate(batch)
    ]


def check(
    write: Write,
    batches: Sequence[Sequence[Upsert]],
    reopen: Callable[[], Write] | None = None,
    model: Model | None = None,
) -> None:
    """Send the batches to an empty table: every outcome, and in the end every cell, is the model's."""
    model = model or Model()
    for batch in batches:
        outcomes = {outcome.key: outcome for outcome in write.send(items_of(batch))}
        expected = {f"k{at}": model.upsert(upsert) for at, upsert in enumerate(batch)}

        assert {key: _spoken(outcome) for key, outcome in outcomes.items()} == expected
        write = reopen() if reopen else write
    assert held(write) == {
        (key, part): {name: model.rows[key, part].get(name) for name in TABLE.plain}
        if (key, part) in model.rows
        else None
        for key in KEYS
        for part in (0, 1)
    }


def held(write: Write) -> dict[tuple[str, int], Arguments | None]:
    assert write.present is not None
    places = [(key, part) for key in KEYS for part in (0, 1)]
    every = dict.fromkeys(TABLE.plain)
    found = write.present([Item(f"{part}{key}", key, {"part": part, **every}) for key, part in places])
    rows: dict[tuple[str, int], Arguments | None] = {}
    for key, part in places:
        row = found[f"{part}{key}"]
        rows[key, part] = None if row is None else {name: row[name] for name in TABLE.plain}
    return rows


def _spoken(outcome: Outcome) -> str:
    return f"{outcome.state} {outcome.code}".strip()
