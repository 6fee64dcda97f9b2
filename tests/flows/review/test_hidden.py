"""What of an entry is not shown: to a viewer neither values nor names that the entry gave itself."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.ledger.store import Ledger
from flows.review.door import Role
from tests.flows.review.filled import stage
from tests.flows.review.pages import seen_by

RUN = "r20261128120000aaaaaa"
PAGES = ("/", "/writes", "/entries", "/sample", "/waiting")
OWN = ("Silva", "4711")  # names that entries gave themselves


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with stage(tmp_path, 3) as made:
        yield made


def ferry(folder: Path, *arguments: str) -> str:
    environment = {**os.environ, "FERRY_HOME": str(folder), "FERRY_ENV": "local"}
    command = [sys.executable, "-m", "flows", *arguments]
    said = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stderr
    return said.stdout


def test_a_viewer_sees_no_name_that_an_entry_gave_itself(ledger: Ledger) -> None:
    with seen_by(Role.VIEWER, ledger) as viewer:
        pages = {path: viewer.see(path) for path in PAGES}
    with seen_by(Role.REVIEWER, ledger) as reviewer:
        waiting = reviewer.see("/waiting")

    assert all(name in waiting for name in OWN)
    for page in pages.values():
        assert not [name for name in OWN if name in page]
    assert "<td>@metadata.&lt;name&gt;</td>" in pages["/writes"]
    assert ">policies.num<" in pages["/waiting"] and ">metadata.&lt;name&gt;<" in pages["/waiting"]


def test_nor_does_a_terminal_without_values(ledger: Ledger, tmp_path: Path) -> None:
    for said in (
        ferry(tmp_path, "review", "demo/warehouse", "--text", "--as", "viewer"),
        ferry(tmp_path, "diff", RUN),
        ferry(tmp_path, "explain", "demo/warehouse", "100001", "--staging"),
    ):
        assert "metadata.<name>" in said
        assert not [name for name in OWN if name in said]
    assert "@metadata.Silva family" in ferry(tmp_path, "diff", RUN, "--values")
