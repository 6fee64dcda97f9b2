"""Any sequence of upserts leaves in the table what it leaves in a dict."""

from collections.abc import Sequence

from hypothesis import HealthCheck, given, settings

from tests.campaign import FULL
from tests.connectors import upserts
from tests.connectors.bigquery.place import Place

EXAMPLES = 300 if FULL else 15
QUIET = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize=not FULL,
    suppress_health_check=list(HealthCheck),
)


def test_the_table_is_what_a_dict_would_be(place: Place) -> None:
    connector = place.connect(upserts.TABLE, everything={"partition_by": "a_date", "cluster_by": ["part"]})
    connector.prepare()

    @QUIET
    @given(upserts.BATCHES)
    def holds(batches: Sequence[Sequence[upserts.Upsert]]) -> None:
        place.state.load(place.state.table("everything"), [], keep=False)
        upserts.check(connector.writes()["upsert_everything"], batches)

    holds()
    connector.close()


def test_json_that_looks_alike_is_told_apart(place: Place) -> None:
    connector = place.connect(upserts.TABLE)

    upserts.check_alike(connector.writes()["upsert_everything"])
    connector.close()
