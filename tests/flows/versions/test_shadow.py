"""Shadow: a version beside the live one decides and writes nothing, until every difference has its reason."""

import json
from pathlib import Path

import yaml

from connectors.sandbox.healthie.edits import Edit
from tests.agent.openai_server import serving
from tests.faults.scenes import rename as shared_rename
from tests.faults.terminal import Said, ferry
from tests.faults.test_judged import judging
from tests.faults.test_model_terms import behaving, by_model
from tests.faults.world import Practice, Tally, tally
from tests.flows.tenants.test_versions import commit, git
from tests.flows.versions.conftest import LABEL, OTHERWISE, Make, beside

NAMES = ("--author", "Ana Author", "--approver", "Ben Reader")


def shadowed(folder: Path, runs: int, **files: str) -> None:
    beside(folder, **files)
    path = folder / "integration.yaml"
    path.write_text(path.read_text() + f"shadow: {{runs: {runs}}}\n")


def counts(practice: Practice) -> dict[str, int]:
    ((text,),) = practice.ledger("SELECT counts FROM run ORDER BY started DESC LIMIT 1")
    return dict(json.loads(str(text)))


def rename(practice: Practice, at: int, name: str) -> None:
    practice.healthie.apply([Edit(id=practice.healthie.ids()[at], values={"last_name": name})])


def promote(practice: Practice, *arguments: str) -> Said:
    return ferry(practice, "promote", LABEL, *arguments)


def test_the_version_beside_writes_nothing_and_is_promoted_with_reasons(here: Practice, folder: Path) -> None:
    shadowed(folder, 2, program_py=OTHERWISE)
    git(folder.parents[1], "init", "-q")
    commit(folder.parents[1], "with a version beside")

    assert here.run() == 0
    assert here.rows()[here.healthie.ids()[2]] == "Ana Start2"
    assert (counts(here)["shadow_compared"], counts(here)["shadow_differing"]) == (6, 6)
    early = promote(here)
    assert early.code == 1 and "1 of 2 runs were seen; let it run on" in early.err
    rename(here, 2, "Renamed")
    assert here.run() == 0
    raw = b"".join(bytes(sealed) for (sealed,) in here.ledger("SELECT sealed FROM shadow"))  # type: ignore[call-overload]
    assert raw and b"Start" not in raw and b"Renamed" not in raw

    unexplained = promote(here, *NAMES)
    assert unexplained.code == 1
    assert "next decided beside the live version in 2 of 2 runs: 7 decisions, 7 otherwise" in unexplained.out
    assert "S1: 7 entries differ; " in unexplained.out
    assert unexplained.out.count("full_name: <text> → <text> by S1") == 7  # every one of them
    assert "Renamed" not in unexplained.out and "Ana Renamed → Renamed Ana" in promote(here, "--show").out
    assert "7 entries differ without a reason; " in unexplained.err and (folder / "next").is_dir()

    (folder / "reasons.yaml").write_text("S1: the front desk sorts by last name\n")
    assert "every difference has its reason: ferry promote" in promote(here).out
    done = promote(here, *NAMES)

    assert done.code == 0, done.err
    assert (folder / "program.py").read_text() == OTHERWISE
    assert not (folder / "next").exists() and not (folder / "reasons.yaml").exists()
    approved = yaml.safe_load((folder / "approval.yaml").read_text())
    assert approved["reasons"] == {"S1": "the front desk sorts by last name"}
    rename(here, 2, "Again")
    assert here.run() == 0
    assert here.rows()[here.healthie.ids()[2]] == "Again Ana"
    assert "shadow_compared" not in counts(here)


def test_after_its_runs_a_version_decides_no_more(here: Practice, folder: Path) -> None:
    shadowed(folder, 1, program_py=OTHERWISE)
    assert here.run() == 0
    assert here.run() == 0  # nothing changed: no run that it has seen
    rename(here, 1, "Changed")

    said = ferry(here, "run", LABEL)

    assert said.code == 0 and f"shadow_ended       look at: ferry promote {LABEL}" in said.out
    assert here.ledger("SELECT count(*) FROM shadow") == [(6,)]
    assert here.rows()[here.healthie.ids()[1]] == "Ana Changed"


def test_another_version_starts_from_nothing(here: Practice, folder: Path) -> None:
    shadowed(folder, 1, program_py=OTHERWISE)
    assert here.run() == 0
    (folder / "next" / "program.py").write_text((folder / "program.py").read_text())
    rename(here, 1, "Changed")
    assert here.run() == 0

    told = promote(here).out

    assert "in 1 of 1 runs: 1 decisions, 0 otherwise" in told


def test_a_version_that_cannot_decide_is_told_and_is_in_nobodys_way(here: Practice, folder: Path) -> None:
    shadowed(folder, 1, program_py="def decide(entry, today):\n    return nothing\n")

    said = ferry(here, "run", LABEL)

    assert said.code == 0 and "6  done" in said.out
    assert "shadow_unusable    IntegrationInvalid" in said.out
    assert "acme/simple/next/program.py:2: " in ferry(here, "check", "acme").out


def test_files_of_a_version_that_cannot_be_read_are_in_nobodys_way(here: Practice, folder: Path) -> None:
    shadowed(folder, 1)
    (folder / "next" / "golden").mkdir()
    (folder / "next" / "golden" / "one.yaml").symlink_to("/proc/self/mem")  # a file, and reading it fails

    said = ferry(here, "run", LABEL)

    assert said.code == 0 and "6  done" in said.out, said.err
    assert "shadow_unusable    OSError" in said.out


def test_a_version_reads_its_own_fields_and_the_live_one_only_its_own(here: Practice, folder: Path) -> None:
    reads = "S1: [first_name, last_name, email, metadata.channel]\nS2: [active, last_name, dob]\n"
    program = (folder / "program.py").read_text()
    here.healthie.apply([Edit(id=here.healthie.ids()[0], values={"dob": "1990-01-01"})])
    shadowed(folder, 1, fields_yaml=reads, program_py=program.replace('"email", M', '"dob", M'))
    alone = "SELECT fingerprint FROM entry ORDER BY ref"

    assert here.run() == 0
    fingerprints = here.ledger(alone)
    here.healthie.apply([Edit(id=here.healthie.ids()[0], values={"dob": "1991-01-01"})])
    assert here.run() == 0

    assert counts(here).get("planned", 0) == 0 and here.ledger(alone) == fingerprints
    told = promote(here).out
    assert "refused: 6 entries differ; by one of the versions" in told  # no grant for where e-mail comes from
    assert "decision: write → refused (value_without_source:warehouse_upsert_patients.email)" in told


def test_a_source_that_does_not_answer_the_version_beside_is_no_failure(here: Practice, folder: Path) -> None:
    shadowed(folder, 1, program_py="def decide(entry, today):\n    return skip('S2', 'no_name')\n")
    path = folder / "next" / "fields.yaml"
    path.write_text("S1: [first_name, last_name, email]\nS2: [active, no_such_field]\n")

    assert here.run() == 0
    assert "shadow_compared" not in counts(here) and counts(here)["delivery_done"] == 6


def test_a_commit_may_decide_beside_the_live_version(here: Practice, folder: Path) -> None:
    root, live = folder.parents[1], (folder / "program.py").read_text()
    git(root, "init", "-q")
    (folder / "program.py").write_text(OTHERWISE)
    other = commit(root, "another version")
    (folder / "program.py").write_text(live)
    path = folder / "integration.yaml"
    path.write_text(path.read_text() + f"shadow: {{version: '{other}', runs: 1}}\n")

    assert here.run() == 0

    assert counts(here)["shadow_differing"] == 6
    assert here.rows()[here.healthie.ids()[2]] == "Ana Start2"


def test_without_a_version_beside_there_is_nothing_to_promote(here: Practice) -> None:
    said = promote(here)

    assert said.code == 1 and "integration.yaml names no shadow" in said.err


def test_a_run_that_is_killed_beside_its_shadow_loses_nothing_of_the_live_version(
    here: Practice, folder: Path
) -> None:
    shadowed(folder, 3, program_py=OTHERWISE)

    assert here.run(FERRY_CRASH_AT="before shadow") == -9
    assert here.ledger("SELECT count(*) FROM plan") == [(6,)]  # they were journalled first
    assert here.run() == 0

    assert sorted(here.rows().values()) == [f"Ana Start{at}" for at in range(6)]
    assert "in 0 of 3 runs: 0 decisions, 0 otherwise" in promote(here).out


def test_a_version_beside_takes_nothing_of_the_runs_budget(practice: Make, tmp_path: Path) -> None:
    with serving(behaving) as endpoint:
        here = by_model(practice, tmp_path, endpoint.url, budget={"run": {"requests": 6}}, lookups=[])
        shadowed(tmp_path / "deployments" / "acme" / "modelled", 2)
        expected = shared_rename(here, "Frugal")

        assert here.run() == 0

    assert tally(here, expected) == Tally([], [], [])
    told = counts(here)
    assert (told["model_requests"], told["shadow_requests"], told["shadow_compared"]) == (6, 6, 6)
    assert told["model_tokens"] == 6 * 960  # of the run's own
    assert here.ledger("SELECT requests FROM spending") == [(12,)]


def test_what_a_version_beside_judges_is_not_kept(here: Practice, folder: Path) -> None:
    judged = folder.parent / "judged"
    here.label = "acme/judged"
    shadowed(judged, 1, program_py=(judged / "program.py").read_text() + "# new\n")
    with serving(judging) as endpoint:
        here.extra |= {"TEST_MODEL_URL": endpoint.url, "TEST_MODEL_KEY": "test-key"}

        assert here.run() == 0

        assert len(endpoint.bodies) >= 2
    assert counts(here)["shadow_compared"] == 6
    assert here.ledger("SELECT count(*) FROM judgement") == [(1,)]
