"""Any sequence of upserts leaves in a sheet what it leaves in a dict, whatever the values are."""

from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings

from connectors.operation import Write
from connectors.sandbox.sheets import SheetsServer
from connectors.sheets import SheetsOptions
from tests.campaign import FULL
from tests.connectors import upserts
from tests.connectors.sheets.rows import write_to

QUIET = settings(
    max_examples=1_000 if FULL else 40,
    deadline=None,
    database=None,
    derandomize=not FULL,
    suppress_health_check=list(HealthCheck),
)
TEXTS = ("other", "a_str")


@dataclass
class Refusing(upserts.Model):
    """A cell has no empty text: it is refused."""

    def upsert(self, upsert: upserts.Upsert) -> str:
        given, _ = upsert[2].get("other", (None, None))
        if given not in upserts.UNSTORABLE and any(upsert[2].get(name) == ("", "") for name in TEXTS):
            return "rejected empty_text"
        return super().upsert(upsert)


@dataclass
class Clearing(upserts.Model):
    """The same, where the options let an empty text clear the cell."""

    def upsert(self, upsert: upserts.Upsert) -> str:
        patient, part, sent = upsert
        cleared = {
            name: ("", None) if name in TEXTS and pair == ("", "") else pair for name, pair in sent.items()
        }
        return super().upsert((patient, part, cleared))


@pytest.mark.parametrize(
    ("options", "model"), [(SheetsOptions(), Refusing), (SheetsOptions(empty="clear"), Clearing)]
)
def test_the_sheet_is_what_a_dict_would_be(
    server: SheetsServer, options: SheetsOptions, model: type[upserts.Model]
) -> None:
    @QUIET
    @given(upserts.BATCHES)
    def holds(batches: Sequence[Sequence[upserts.Upsert]]) -> None:
        server.book.sheets.clear()
        upserts.check(write_to(server, upserts.TABLE, options), batches, model=model())

    holds()


def test_sorted_in_between_it_still_is(server: SheetsServer) -> None:
    @QUIET
    @given(upserts.BATCHES)
    def holds(batches: Sequence[Sequence[upserts.Upsert]]) -> None:
        server.book.sheets.clear()
        server.people.tags_follow = not server.people.tags_follow

        def reopen() -> Write:
            titles = [sheet.title for sheet in server.book.sheets]
            if "everything" in titles:
                server.people.sort("everything", "a_str", down=len(batches) % 2 == 0)
            return write_to(server, upserts.TABLE)

        upserts.check(reopen(), batches, reopen, Refusing())

    holds()


def test_json_that_looks_alike_is_told_apart(server: SheetsServer) -> None:
    upserts.check_alike(write_to(server, upserts.TABLE))
