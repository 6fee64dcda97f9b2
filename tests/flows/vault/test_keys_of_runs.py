"""Keys at the command line, while real runs on a real Prefect server come and go."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import httpx
import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows import anchor
from flows.ledger import audit
from flows.ledger.audit import EMPTY, Head, person
from flows.ledger.database import connect
from flows.vault import KeyFile
from tests.faults.test_kill_at_every_point import rename
from tests.faults.test_two_runs import stopped_at, wake
from tests.faults.world import Practice, Tally, tally
from tests.flows.vault.ledgers import files_with, opened, stored
from tests.prefect_api import ask, asking

Make = Callable[[str], Practice]
LABEL = "acme/everything"


def ferry(
    practice: Practice, *arguments: str, typed: str = "", **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "flows", *arguments],
        env=os.environ | practice.environment() | environment,
        input=typed,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def url(practice: Practice) -> str:
    return f"sqlite:///{practice.folder / 'ledger.db'}"


def key(practice: Practice) -> Path:
    return practice.folder / "keys" / "ferry.key"


def renewed(practice: Practice) -> dict[str, str]:
    """Settings in which a new key file wraps and the one so far is retired."""
    return {
        "FERRY_KEY_FILE": str(practice.folder / "keys" / "present.key"),
        "FERRY_KEK_RETIRED": str(key(practice)),
    }


def test_rotation_while_a_run_goes_on_disturbs_nobody(practice: Make) -> None:
    here = practice("rotation")
    expected = rename(here, "Rotated")
    running = stopped_at(here, "send")  # its seal is open, plans are journalled, deliveries are on their way

    shown, rotated = ferry(here, "keys", **renewed(here)), ferry(here, "keys", "rotate", **renewed(here))

    assert "a retired key; run: ferry keys rotate" in shown.stdout, shown.stderr
    assert "1 wrapped again, 0 as they were" in rotated.stdout, rotated.stderr
    assert [anchored(here, tenant) for tenant in ("", "acme")] == [head(here, ""), head(here, "acme")]
    wake(running)
    assert running.wait() == 0
    assert tally(here, expected) == Tally([], [], [])

    key(here).unlink()
    present = {"FERRY_KEY_FILE": renewed(here)["FERRY_KEY_FILE"]}
    for name, last in rename(here, "Afterwards").items():
        expected[name] += last
    assert here.run(**present) == 0
    assert tally(here, expected) == Tally([], [], [])
    assert "0 wrapped again, 1 as they were" in ferry(here, "keys", "rotate", **present).stdout


def test_a_rotation_that_is_killed_does_not_stop_runs(practice: Make) -> None:
    here = practice("killed")
    expected = rename(here, "Killed")
    assert here.run() == 0

    killed = ferry(here, "keys", "rotate", FERRY_CRASH_AT="2", **renewed(here))
    assert killed.returncode == -9
    assert here.run(**renewed(here)) == 0

    assert ferry(here, "keys", "rotate", **renewed(here)).returncode == 0
    assert tally(here, expected) == Tally([], [], [])


def test_a_run_without_the_key_says_which_setting_and_does_nothing(practice: Make) -> None:
    here = practice("without")
    rename(here, "Without")
    assert here.run() == 0
    rows = here.rows()

    said = ferry(here, "run", LABEL, FERRY_KEY_FILE=str(here.folder / "another.key"))

    assert said.returncode == 1
    assert "neither FERRY_KEK (or FERRY_KEY_FILE) nor in FERRY_KEK_RETIRED" in said.stderr
    assert len(said.stderr.strip().splitlines()) == 1
    assert here.rows() == rows


def test_a_protected_key_file_needs_its_passphrase_and_then_runs(practice: Make) -> None:
    here = practice("protected")
    rename(here, "Protected")
    assert here.run() == 0
    words = here.folder / "words"
    words.touch(mode=0o600)
    words.write_text("correct horse battery staple\n")
    given = {"FERRY_KEY_PASSPHRASE_FILE": str(words)}

    protected = ferry(here, "keys", "protect", **given)
    refused, allowed = ferry(here, "status"), ferry(here, "status", **given)

    assert protected.returncode == 0, protected.stderr
    noted = here.ledger("SELECT actor, act FROM audit WHERE tenant = ''")
    assert noted == [(person(), "key file protected")]
    assert anchored(here, "") == head(here, "")
    assert "set FERRY_KEY_PASSPHRASE_FILE" in refused.stderr and len(refused.stderr.splitlines()) == 1
    assert allowed.returncode == 0 and "audit: whole" in allowed.stdout
    assert here.run(**given) == 0
    for said in (protected, refused, allowed):
        assert "correct horse" not in said.stdout + said.stderr


def anchored(here: Practice, tenant: str) -> Head:
    """How far the anchor of a tenant's own chain is."""
    with temporary_settings({PREFECT_API_URL: here.prefect["PREFECT_API_URL"]}):
        found = anchor.read(here.env, tenant, "")
    return EMPTY if found is None else Head(found.tenant_seq, found.tenant_head)


def head(here: Practice, tenant: str) -> Head:
    engine = connect(url(here))
    with engine.connect() as connection:
        found = audit.head(connection, tenant)
    engine.dispose()
    assert found.seq
    return found


def test_who_looks_at_an_entry_moves_the_anchor(practice: Make) -> None:
    here = practice("looked")
    rename(here, "Looked")
    assert here.run() == 0

    assert ferry(here, "explain", LABEL, here.healthie.ids()[0]).returncode == 0

    assert anchored(here, "acme") == head(here, "acme")


def test_a_backup_from_before_a_tenant_was_forgotten_is_told_and_forgotten_again(two: Practice) -> None:
    old = two.folder / "old"
    old.mkdir()
    for file in two.folder.glob("ledger.db*"):
        shutil.copy(file, old)
    assert ferry(two, "forget", "acme", "--yes").returncode == 0
    for file in two.folder.glob("ledger.db*"):
        file.unlink()
    for file in old.iterdir():
        shutil.copy(file, two.folder)
    two.healthie.reset()
    patient = two.healthie.ids()[0]

    for arguments in (("run", LABEL), ("run", LABEL, "--dry-run"), ("explain", LABEL, patient, "--values")):
        said = ferry(two, *arguments)
        assert said.returncode == 1, arguments
        assert (
            "a backup from before: it has the tenant's key again; destroy it: ferry forget acme"
            in said.stderr
        )
        assert patient not in said.stdout
    assert two.healthie.requests()["count"] == 0
    assert "ferry forget acme" in ferry(two, "status", LABEL).stdout
    assert ferry(two, "forget", "acme", "--yes").returncode == 0
    assert stored(url(two))["acme"].content == b""
    assert "acme: forgotten on 20" in ferry(two, "run", LABEL).stderr


@pytest.fixture
def two(practice: Make) -> Practice:
    """A practice that was carried, and another tenant in the same ledger."""
    here = practice("forget")
    rename(here, "Forgotten")
    assert here.run() == 0
    engine = connect(url(here))
    opened(engine, KeyFile(key(here)), "acme-west", here.env).close()
    return here


def block(api: str, tenant: str, connection: str) -> str:
    """A connection's block, as it is stored: its type and schema are made where they are not there."""
    with asking(api) as client:
        kind = {"name": "Sealed connection", "slug": "sealed-connection"}
        post(client, "/block_types/", kind)
        made = client.get("/block_types/slug/sealed-connection").raise_for_status().json()["id"]
        fields = {"type": "object", "properties": {"tenant": {"type": "string"}}, "title": "T"}
        schema = {"block_type_id": made, "fields": fields, "capabilities": []}
        answer = post(client, "/block_schemas/", schema)
        document = {
            "name": f"ferry-{tenant}-{connection}",
            "data": {"tenant": tenant},
            "block_type_id": made,
            "block_schema_id": answer["id"],
        }
        return str(post(client, "/block_documents/", document)["id"])


def post(client: httpx.Client, path: str, body: Mapping[str, object]) -> dict[str, object]:
    """Asked again while the server's database is busy."""
    for _ in range(30):
        answer = client.post(path, json=body)
        if answer.status_code != 503:
            return dict(answer.json())
        time.sleep(0.5)
    raise AssertionError(f"{path}: the server stayed busy")


def is_there(api: str, document: str) -> bool:
    return ask("GET", f"{api}/block_documents/{document}").status_code == 200


def test_forgetting_takes_one_tenant_and_its_blocks_and_nothing_of_another(two: Practice) -> None:
    api = two.prefect["PREFECT_API_URL"]
    mine, theirs = block(api, "acme", "warehouse"), block(api, "acme-west", "warehouse")
    old = stored(url(two))
    assert files_with(two.folder, old["acme"].content) != []

    said = ferry(two, "forget", "acme", typed="acme\n")

    assert said.returncode == 0, said.stderr
    assert anchored(two, "acme") == head(two, "acme")
    assert "1 sealed connections removed" in said.stdout and "backups of the ledger" in said.stdout
    assert not is_there(api, mine) and is_there(api, theirs)
    assert files_with(two.folder, old["acme"].content) == []
    assert stored(url(two))["acme-west"] == old["acme-west"]
    assert two.ledger("SELECT count(*) FROM audit WHERE act = 'run ends'") == [(1,)]


def test_afterwards_every_command_says_since_when(two: Practice) -> None:
    patient, rows = two.healthie.ids()[0], two.rows()
    assert ferry(two, "forget", "acme", "--yes").returncode == 0

    for arguments in (("run", LABEL), ("explain", LABEL, patient, "--values")):
        said = ferry(two, *arguments)
        assert said.returncode == 1
        assert "acme: forgotten on 20" in said.stderr and len(said.stderr.strip().splitlines()) == 1
        assert said.stdout.strip() == ""
    shown = ferry(two, "keys").stdout
    assert "acme: forgotten on 20" in shown and "acme-west: wrapped by file:" in shown
    assert two.rows() == rows


def test_without_the_name_typed_nothing_is_forgotten(two: Practice) -> None:
    before = stored(url(two))

    for typed in ("yes\n", ""):
        assert ferry(two, "forget", "acme", typed=typed).returncode == 1

    assert stored(url(two)) == before
    wrong = ferry(two, "forget", "nobody", "--yes")
    assert "nobody: the ledger knows no such tenant; there are: acme, acme-west" in wrong.stderr


def test_without_prefect_the_key_is_destroyed_and_the_rest_is_said(two: Practice) -> None:
    for address in ("", "http://127.0.0.1:9/api"):
        said = ferry(two, "forget", "acme", "--yes", PREFECT_API_URL=address, PREFECT_CLIENT_MAX_RETRIES="0")

        assert said.returncode == 0, said.stderr
        assert "Prefect did not answer" in said.stdout
    assert stored(url(two))["acme"].content == b""
