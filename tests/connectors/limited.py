"""The model test for a target that cannot keep every value: what it takes is exact, the rest has a code."""

from collections.abc import Callable, Sequence

from pydantic import JsonValue

from connectors.operation import Write
from tests.connectors.nasty import KEYS, UNSTORABLE
from tests.connectors.upserts import TABLE, Upsert, held, items_of

Codes = Callable[[str, JsonValue], set[str]]
"""With which codes a column's value, or a key's ("key"), may be refused; none if it must be kept."""


def check(
    write: Write,
    batches: Sequence[Sequence[Upsert]],
    codes: Codes,
    reopen: Callable[[], Write] | None = None,
) -> None:
    """Send the batches to an empty table: every outcome has its reason, and every cell is the model's.

    An empty text is an empty cell here.
    """
    rows: dict[tuple[str, int], dict[str, JsonValue]] = {}
    for batch in batches:
        outcomes = {outcome.key: outcome for outcome in write.send(items_of(batch))}
        assert len(outcomes) == len(batch)
        for at, (patient, part, sent) in enumerate(batch):
            outcome, allowed = outcomes[f"k{at}"], codes("key", patient)
            for name, (given, _) in sent.items():
                allowed |= {UNSTORABLE[given]} if given in list(UNSTORABLE) else codes(name, given)
            if outcome.state == "rejected":
                assert outcome.code in allowed, (outcome, patient, sent)
                continue
            assert outcome.state == "done", outcome
            after = {
                name: None if value == "" and name != "a_json" else value for name, (_, value) in sent.items()
            }
            rows.setdefault((patient, part), {}).update(after)
        write = reopen() if reopen else write
    assert held(write) == {
        (key, part): {name: rows[key, part].get(name) for name in TABLE.plain}
        if (key, part) in rows
        else None
        for key in KEYS
        for part in (0, 1)
    }
