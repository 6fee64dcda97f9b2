"""After a stage's end nothing of it can be read, with every file and the key-encryption key at hand."""

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
import sqlalchemy as sa

from agent.difference import UNSET, Difference, Side
from connectors.operation import Outcome
from connectors.sandbox.healthie.edits import Edit
from flows.ledger import deliveries, entries, learning, lease, marks, shadows, stages, words
from flows.ledger.database import connect
from flows.ledger.judgements import Judgements
from flows.ledger.learning import Learnt
from flows.ledger.store import Ledger
from flows.ledger.tables import AUDIT_KEY, DATA_KEY, DELIVERY, METADATA
from flows.ledger.words import Word
from flows.vault import KeyFile, Seal, SealBroken, Wrapped, open_data_key
from flows.vault.seal import WRAPPED
from tests.faults.leaks import Scanner, columns
from tests.faults.terminal import ferry
from tests.faults.world import Practice
from tests.flows.ledgers import open_at
from tests.flows.staging.test_killed import Make, tried
from tests.flows.staging.test_stage import staged
from tests.flows.test_sync import LABEL

KEYS = ("acme/simple.staging.1", "acme")  # by which a thief may hope to open something
PURPOSES = (
    *("plan", "kept", "before", "staged", "patient", "reference"),
    *("remark", "word", "judgement", "shadow", "linked"),
)
SEALED = {
    f"{table.name}.{column.name}"
    for table in METADATA.tables.values()
    for column in table.columns
    if isinstance(column.type, sa.LargeBinary) and table not in (DATA_KEY, AUDIT_KEY)
}
WORD = "Canarywordxq"


def lived(make: Make) -> Practice:
    """A stage of patients who are called by the word, in two versions, with all else that one may hold."""
    here = tried(make, "lived")
    for one in here.healthie.ids():
        here.healthie.apply([Edit(id=one, values={"last_name": WORD, "email": f"{WORD}@example.com"})])
    assert staged(here) == 0
    here.healthie.apply([Edit(id=here.healthie.ids()[0], values={"last_name": f"{WORD}again"})])
    assert staged(here) == 0
    ledger = open_at(
        here.url, here.folder / "keys", stages.named("simple"), environment=here.env, key=KEYS[0]
    )
    reviewed(ledger)
    ledger.close()
    return here


def reviewed(ledger: Ledger) -> None:
    """What people, a model, a version beside it and a paired target say in the word."""
    with ledger.reading() as connection:
        write = connection.execute(sa.select(DELIVERY).limit(1)).one()
    said = Difference(
        what="warehouse_upsert_patients.email", because=("S1",), before=Side(value=WORD), after=UNSET
    )
    lease.take(ledger, "rreviewed")
    marks.put(ledger, write.key, "wrong", WORD, "Ana")
    Judgements(ledger, keeps=True).keep("asked", "S1", WORD)
    shadows.journal(ledger, "v", 1, {write.plan: (said,)})
    deliveries.settle(ledger, [Outcome(write.key, "done", reference=WORD)])
    learning.learn(ledger, "pair", [Learnt(write.entry, WORD)])
    unread = entries.known(ledger, [WORD])[WORD]
    with ledger.writing("test") as connection:
        words.put(ledger, connection, write.entry, Word("leave", WORD, by="Ana"))
        entries.absent(ledger, connection, unread, "not_given")
    lease.give_back(ledger)


def files(practice: Practice) -> dict[Path, bytes]:
    """All that the practice left on the disk, but the key-encryption key."""
    found = (one for one in practice.folder.rglob("*") if one.is_file() and one.parent.name != "keys")
    return {one: one.read_bytes() for one in found}


def data_keys(practice: Practice, name: str) -> list[Seal]:
    """Every data key of that name that any 60 bytes of any file are."""
    kek, opened = KeyFile(practice.folder / "keys" / "ferry.key", make=False), list[Seal]()
    for content in files(practice).values():
        for at in range(len(content) - WRAPPED + 1):
            if content.count(0, at, at + WRAPPED) > WRAPPED // 4:
                continue  # a nonce, a key and a tag are random
            try:
                wrapped = Wrapped(kek.kid, content[at : at + WRAPPED])
                opened.append(open_data_key(kek, wrapped, practice.env, name))
            except SealBroken:
                continue
    return opened


def readable(practice: Practice, ledger: Path) -> set[str]:
    """Where the word is read, of every value of the ledger and by every data key that is anywhere."""
    seals = [seal for name in KEYS for seal in data_keys(practice, name)]
    found = {place for place, content in files(practice).items() if WORD.encode() in content}
    return {str(place) for place in found} | {
        column
        for column, values in columns(ledger)
        for value in values
        for plain in _opened(seals, value)
        if WORD.encode() in plain
    }


def _opened(seals: list[Seal], value: bytes) -> Iterator[bytes]:
    for seal in seals:
        for purpose in PURPOSES:
            try:
                plain = seal.open(value, purpose)
            except SealBroken:
                continue
            yield zlib.decompress(plain) if purpose == "kept" else plain


def test_no_byte_of_sqlites_files_says_anything(practice: Make) -> None:
    here = lived(practice)
    ledger = here.folder / "ledger.db"
    reader = connect(here.url)
    with reader.connect():  # somebody has it open, so that its write-ahead log stays
        assert readable(here, ledger) == SEALED  # positive control: a thief reads all of it until then
        assert ferry(here, "stage", LABEL, "--end").code == 0

        assert data_keys(here, KEYS[0]) == []
        assert readable(here, ledger) == set()
        assert Scanner([WORD]).in_folder(here.folder) == set()
    reader.dispose()


@pytest.mark.parametrize("ledger", ["postgresql"], indirect=True)
def test_no_file_of_postgresql_has_the_key_that_would_open_it(practice: Make) -> None:
    here = lived(practice)
    ((wrapped,),) = here.ledger(f"SELECT wrapped FROM data_key WHERE tenant = '{KEYS[0]}'")
    ((folder,),) = here.ledger("SHOW data_directory")

    def holding() -> list[str]:
        found = (one for one in Path(str(folder)).rglob("*") if one.is_file())
        return [
            str(one.relative_to(str(folder))) for one in found if cast(bytes, wrapped) in one.read_bytes()
        ]

    assert any(one.startswith("pg_wal") for one in holding())  # positive control

    assert ferry(here, "stage", LABEL, "--end").code == 0

    assert holding() == []
    assert Scanner([WORD]).in_folder(here.folder) == set()
