"""Any sequence of upserts leaves on every engine what it leaves in a dict."""

from collections.abc import Sequence

from hypothesis import HealthCheck, given, settings

from tests.campaign import FULL
from tests.connectors import upserts
from tests.connectors.nasty import KEYS
from tests.connectors.sql.servers import Place

EXAMPLES = 2_000 if FULL else 60
QUIET = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize=not FULL,
    suppress_health_check=list(HealthCheck),
)


def test_the_table_is_what_a_dict_would_be(place: Place) -> None:
    sql = place.sql(upserts.TABLE)
    sql.prepare()

    @QUIET
    @given(upserts.BATCHES)
    def holds(batches: Sequence[Sequence[upserts.Upsert]]) -> None:
        place.run("DELETE FROM everything")
        upserts.check(sql.writes()["upsert_everything"], batches)

    holds()
    sql.close()


def test_json_that_looks_alike_is_told_apart(place: Place) -> None:
    sql = place.sql(upserts.TABLE)

    upserts.check_alike(sql.writes()["upsert_everything"])
    sql.close()


def test_a_driver_of_its_own_reads_the_same(place: Place) -> None:
    sql = place.sql(upserts.TABLE)
    texts = list(KEYS)

    sql.writes()["upsert_everything"].send(
        upserts.items_of([(text, 0, {"a_str": (text, text), "a_int": (-7, -7)}) for text in texts])
    )
    assert sorted(place.rows("SELECT patient_id, a_str, a_int FROM everything")) == sorted(
        (text, text, -7) for text in texts
    )
    sql.close()
