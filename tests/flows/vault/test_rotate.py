"""Rotation: every tenant's data key wrapped again, whatever comes in between."""

import multiprocessing
import os
import signal
import sqlite3
from pathlib import Path

import pytest

from flows.ledger import keys
from flows.ledger.database import connect
from flows.vault import KeyFile, KeyUnavailable, SealBroken
from flows.vault.configured import Keychain
from tests.flows.vault.kms import KmsServer
from tests.flows.vault.ledgers import ENVIRONMENT, TENANTS, expected, files_with, stored, tenants, words

SPAWN = multiprocessing.get_context("spawn")


def former(folder: Path) -> KeyFile:
    return KeyFile(folder / "former.key")


def keychain(folder: Path) -> Keychain:
    return Keychain(KeyFile(folder / "present.key"), [former(folder)])


def rotate(url: str, folder: Path) -> list[bool]:
    engine = connect(url)
    done = [one for _, one in keys.rotate(engine, keychain(folder), ENVIRONMENT)]
    keys.scrub(engine)
    engine.dispose()
    return done


def rotate_until_killed(url: str, folder: Path, at: int) -> None:
    os.environ["FERRY_CRASH_AT"] = str(at)
    rotate(url, folder)


def killed(url: str, folder: Path, at: int) -> bool:
    child = SPAWN.Process(target=rotate_until_killed, args=(url, folder, at))
    child.start()
    child.join(120)
    code = child.exitcode
    child.close()
    assert code in (0, -signal.SIGKILL)
    return code == -signal.SIGKILL


def test_every_tenant_is_wrapped_by_the_present_key_and_opens_without_the_former(
    ledger_url: str, tmp_path: Path
) -> None:
    sealed = tenants(ledger_url, former(tmp_path))

    assert rotate(ledger_url, tmp_path) == [True] * 3

    assert {one.kid for one in stored(ledger_url).values()} == {KeyFile(tmp_path / "present.key").kid}
    assert words(ledger_url, KeyFile(tmp_path / "present.key"), sealed) == expected()
    with pytest.raises(SealBroken):
        words(ledger_url, former(tmp_path), sealed)


def test_a_second_rotation_changes_nothing(ledger_url: str, tmp_path: Path) -> None:
    tenants(ledger_url, former(tmp_path))
    rotate(ledger_url, tmp_path)
    before = stored(ledger_url)

    assert rotate(ledger_url, tmp_path) == [False] * 3
    assert stored(ledger_url) == before


@pytest.mark.timeout(600)
def test_killed_at_every_point_it_leaves_every_tenant_open_and_is_finished_by_the_next(
    tmp_path: Path,
) -> None:
    kills = 0
    for at in range(1, 14):
        folder = tmp_path / str(at)
        folder.mkdir()
        url = f"sqlite:///{folder / 'ledger.db'}"
        sealed = tenants(url, former(folder))
        keychain(folder)  # the present key's file is there before
        if not killed(url, folder, at):
            break
        kills += 1

        assert words(url, keychain(folder), sealed) == expected()
        rotate(url, folder)
        assert words(url, KeyFile(folder / "present.key"), sealed) == expected()

    assert kills == 3 * len(TENANTS) + 2  # before, inside and after each, after the audit's, before the scrub


def test_killed_on_postgresql_it_is_finished_by_the_next(ledger_url: str, tmp_path: Path) -> None:
    sealed = tenants(ledger_url, former(tmp_path))
    keychain(tmp_path)

    assert killed(ledger_url, tmp_path, 5)  # inside the second tenant's transaction

    assert words(ledger_url, keychain(tmp_path), sealed) == expected()
    assert sorted(rotate(ledger_url, tmp_path)) == [False, True, True]


def test_who_opens_in_between_opens_either_form(ledger_url: str, tmp_path: Path) -> None:
    sealed = tenants(ledger_url, former(tmp_path))
    engine = connect(ledger_url)

    for _ in keys.rotate(engine, keychain(tmp_path), ENVIRONMENT):
        assert words(ledger_url, keychain(tmp_path), sealed) == expected()
    engine.dispose()


def test_a_tenant_that_is_forgotten_meanwhile_stays_forgotten(
    ledger_url: str, tmp_path: Path, kms: KmsServer
) -> None:
    """Cloud KMS is just wrapping the key again when it is destroyed: it must not be written back."""
    tenants(ledger_url, former(tmp_path))
    engine = connect(ledger_url)
    chain = Keychain(kms.kek(), [former(tmp_path)])
    kms.meanwhile[b'"birch"'] = lambda: keys.destroy(engine, chain, ENVIRONMENT, "birch")

    done = {key.tenant: one for key, one in keys.rotate(engine, chain, ENVIRONMENT)}
    engine.dispose()

    assert done == {"acme": True, "acme-west": True, "birch": False}
    assert stored(ledger_url)["birch"].content == b""


def test_the_former_form_is_in_no_file_of_sqlite_afterwards(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    tenants(url, former(tmp_path))
    old = stored(url)
    assert all(files_with(tmp_path, one.content) for one in old.values())  # positive control

    rotate(url, tmp_path)

    assert [files_with(tmp_path, one.content) for one in old.values()] == [[], [], []]


def test_a_ledger_in_use_says_that_its_log_could_not_be_emptied(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    tenants(url, former(tmp_path))
    engine = connect(url)
    reader = sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM data_key").fetchall()
    for _ in keys.rotate(engine, keychain(tmp_path), ENVIRONMENT):
        pass
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout=100")  # this pooled connection is the one that asks

    assert keys.scrub(engine) is False
    reader.execute("COMMIT")
    assert keys.scrub(engine) is True
    reader.close()
    engine.dispose()


def test_rows_of_an_older_version_of_a_cloud_kms_key_are_wrapped_again(
    ledger_url: str, tmp_path: Path, kms: KmsServer
) -> None:
    sealed = tenants(ledger_url, kms.kek())
    kms.rotate()
    engine = connect(ledger_url)

    assert [one for _, one in keys.rotate(engine, kms.kek(), ENVIRONMENT)] == [True] * 3
    assert [one for _, one in keys.rotate(engine, kms.kek(), ENVIRONMENT)] == [False] * 3
    engine.dispose()

    assert {one.kid[-2:] for one in stored(ledger_url).values()} == {"/2"}
    next(iter(kms.keys.values()))[0].state = "DESTROYED"
    assert words(ledger_url, kms.kek(), sealed) == expected()


def test_from_a_key_file_to_cloud_kms_and_the_former_form_is_gone(tmp_path: Path, kms: KmsServer) -> None:
    """The new form is longer and finds another place in the file: the old place is zeroed."""
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    sealed = tenants(url, former(tmp_path))
    old = stored(url)
    engine = connect(url)

    assert [one for _, one in keys.rotate(engine, Keychain(kms.kek(), [former(tmp_path)]), ENVIRONMENT)]
    assert keys.scrub(engine)

    assert [files_with(tmp_path, one.content) for one in old.values()] == [[], [], []]
    engine.dispose()
    assert words(url, kms.kek(), sealed) == expected()


def test_of_two_rotations_at_once_the_first_to_write_stands(
    ledger_url: str, tmp_path: Path, kms: KmsServer
) -> None:
    sealed = tenants(ledger_url, former(tmp_path), ["acme"])
    engine = connect(ledger_url)
    present = KeyFile(tmp_path / "present.key")
    chain = Keychain(kms.kek(), [former(tmp_path), present])
    others = Keychain(present, [former(tmp_path), kms.kek()])
    kms.meanwhile[b'"acme"'] = lambda: list(keys.rotate(engine, others, ENVIRONMENT))

    assert [one for _, one in keys.rotate(engine, chain, ENVIRONMENT)] == [False]
    engine.dispose()

    assert stored(ledger_url)["acme"].kid == present.kid
    assert words(ledger_url, chain, sealed) == expected(["acme"])


def test_a_rotation_that_cloud_kms_interrupts_goes_on_where_it_was(tmp_path: Path, kms: KmsServer) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    sealed = tenants(url, former(tmp_path))
    engine, chain = connect(url), Keychain(kms.kek(), [former(tmp_path)])
    rotation = keys.rotate(engine, chain, ENVIRONMENT)
    next(rotation)
    kms.faults = ["denied"]

    with pytest.raises(KeyUnavailable, match="may not encrypt"):
        next(rotation)

    assert words(url, chain, sealed) == expected()
    assert [one for _, one in keys.rotate(engine, chain, ENVIRONMENT)] == [False, True, True]
    engine.dispose()
