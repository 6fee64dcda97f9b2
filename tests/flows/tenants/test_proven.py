"""Golden examples hold a program to its rules, and tell how far a model can be relied on."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from flows import compiling, pins, proof, proving
from flows.ledger.tables import SPENDING
from flows.opening import open_ledger
from flows.settings import Settings
from flows.tenants import load
from tests.agent.openai_server import Body, Reply, serving, submits

ROOT = Path(__file__).parents[3]
LABEL = "example/warehouse"


ALLOWED = """\
openai-compatible:clinic-small:
  {version: test-model, local: true, price: {input: 0, output: 0}}
"""


@pytest.fixture
def deployments(tmp_path: Path) -> Path:
    """A copy of the example tenant."""
    shutil.copytree(ROOT / "deployments" / "example", tmp_path / "example")
    (tmp_path / "models.yaml").write_text(ALLOWED)
    return tmp_path


MUTANTS: list[tuple[str, str, str]] = [
    ('not entry["active"]', 'entry["active"]', "calls instead of|warehouse_upsert_patients"),
    ('"No data sharing"', '"No data"', "write instead of skip"),
    ("len(primary) > 1", "len(primary) > 2", "write instead of review"),
    ('== "primary"', '!= "primary"', "payer"),
    ('== "secondary"', '!= "secondary"', "secondary_payer"),
    ("secondary_payer=payer(secondary)", "secondary_payer=payer(primary)", "secondary_payer"),
    ("text.lower()", "text", "email"),
    ("text.lower() if text else None", "text.lower() if text else MISSING", "email is not set"),
    ('"+1" + digits', '"1" + digits', "phone"),
    ('digits[0] == "1"', 'digits[0] == "2"', "phone"),
    ("timedelta(days=182)", "timedelta(days=183)", "status|again_on"),
    ("timedelta(days=182)", "timedelta(days=181)", "status|again_on"),
    ("day >= today", "day > today", "status"),
    ("ends >= today", "ends > today", "status"),
    ("max(coming) + timedelta(days=1)", "max(coming)", "again_on|refused"),
    ("ends + timedelta(days=1)", "ends + timedelta(days=2)", "again_on"),
    ('what == "Occurred"', "what is not None", "again_on|status"),
    ("what is None", "what is not None", "status|again_on"),
    ("age < 18", "age <= 18", "age_group"),
    ("age >= 65", "age > 65", "age_group"),
    ("< (born.month, born.day)", "<= (born.month, born.day)", "age_group"),
    ('return "unknown"', 'return "adult"', "age_group"),
    ("or 0 for invoice", "or 1 for invoice", "open_balance_cents"),
    ('location.get("zip", MISSING)', 'location.get("zip")', "value_without_source .*zip"),
    (
        'get("referral_channel", MISSING)',
        'get("referral_channel")',
        "value_without_source .*referral_channel",
    ),
    ("again_on=again_on", "again_on=None", "again_on"),
]


@pytest.fixture
def demo(tmp_path: Path) -> Callable[[str, str], Settings]:
    """The demo's deployments with something replaced in the program."""

    def made(old: str, new: str) -> Settings:
        shutil.copytree(ROOT / "deployments" / "demo", tmp_path / "demo")
        program = tmp_path / "demo" / "warehouse" / "program.py"
        assert old in program.read_text()
        program.write_text(program.read_text().replace(old, new))
        return Settings(deployments=tmp_path, home=tmp_path / "home")

    return made


@pytest.mark.parametrize(("old", "new", "told"), MUTANTS)
def test_a_changed_rule_does_not_pass_the_demos_examples(
    old: str, new: str, told: str, demo: Callable[[str, str], Settings]
) -> None:
    proven = proving.proven(demo(old, new), "demo/warehouse")
    differs = [name for one in proven.examples for name in one.differs]

    assert not proven.good(0.9)
    assert any(re.search(told, name) for name in differs), differs


def test_what_was_proven_is_told_with_its_bound(deployments: Path) -> None:
    tried = proving.proven(Settings(deployments=deployments), LABEL, repeats=2)
    model = tried.model_copy(update={"by": "google-cloud:some-model"})
    unsure = replace_first(model)

    assert list(proving.lines(tried)) == ["5 of 5 examples are right, decided by program"]
    assert list(proving.lines(model))[1:] == [
        "pass^2 = 1.000: right 2 times of 2",
        "0 of 10 decisions were wrong: with 95 % confidence at most 25.9% are, of entries like these "
        "(rule of three: 3/10)",
    ]
    assert list(proving.lines(unsure)) == [
        "archived: right 1 times of 2; warehouse_upsert_patients.email (1 times)",
        "4 of 5 examples are right, decided by google-cloud:some-model",
        "pass^2 = 0.800: right 2 times of 2",
        "1 of 10 decisions were wrong: with 95 % confidence at most 39.4% are, of entries like these "
        "(Clopper-Pearson)",
    ]


def replace_first(model: proving.Proven) -> proving.Proven:
    first = model.examples[0].model_copy(
        update={"right": 1, "differs": {"warehouse_upsert_patients.email": 1}}
    )
    return model.model_copy(update={"examples": (first, *model.examples[1:])})


def by_the_sentences(body: Body) -> Reply:
    """A model that follows the example's triage, from what it is shown."""
    told = body["messages"][-1]["content"]
    if "@active: false" in told:
        return submits({"kind": "skip", "because": ["S3"], "reason": "archived"})
    calls = "@next_appt_date: null" not in told and "@has_completed_intake_forms: false" in told
    arguments = {"next_visit": "@next_appt_date|iso_date", "priority": "=high" if calls else "=low"}
    call = {"op": "warehouse_upsert_triage", "because": ["S1", "S2"], "arguments": arguments}
    return submits({"kind": "write", "calls": [call]})


def test_a_model_is_reached_as_the_tenant_says_and_decides_each_example_eight_times(
    deployments: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIAGE_KEY", "none")
    tenant = deployments / "example" / "tenant.yaml"
    with serving(by_the_sentences) as endpoint:
        reached = f"base_url: {endpoint.url}\n      api_key: $TRIAGE_KEY"
        tenant.write_text(tenant.read_text().replace("base_url: https://models.example.com/v1", reached))
        settings = Settings(deployments=deployments, home=deployments)
        proven = proving.proven(settings, "example/triage")

    ledger = open_ledger(settings, load(deployments, "example/triage"))
    with ledger.reading() as connection:
        booked = connection.execute(sa.select(SPENDING.c.requests, SPENDING.c.tokens)).all()
    ledger.close()
    assert [tuple(row) for row in booked] == [(32, 32 * 960)]
    assert (proven.by, proven.repeats) == ("openai-compatible:clinic-small", 8)
    assert [(one.name, one.right) for one in proven.examples] == [
        ("archived", 8),
        ("call", 8),
        ("forms-complete", 8),
        ("no-appointment", 8),
    ]
    assert len(endpoint.bodies) == 32 and proven.good(1.0)


def test_the_files_that_were_tested_are_those_that_the_proof_names(
    deployments: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody saves another program while the examples are decided."""
    folder, real = deployments / LABEL, proving.prove
    (folder / "proof.yaml").unlink()

    def prove(*given: Any) -> proving.Proven:
        made = real(*given)
        (folder / "program.py").write_text((folder / "program.py").read_text() + "\n# never tested\n")
        return made

    monkeypatch.setattr(proving, "prove", prove)
    with pytest.raises(proving.NotProven, match="its files were changed while they were tested; test again"):
        proving.proven(Settings(deployments=deployments), LABEL)
    assert not (folder / "proof.yaml").exists()
    monkeypatch.setattr(proving, "prove", real)
    proving.proven(Settings(deployments=deployments), LABEL)
    assert proof.read(folder)[0].files == pins.tested(folder)


def test_a_proof_is_written_beside_the_files_of_the_integration_alone(
    deployments: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, settings = deployments / LABEL, Settings(deployments=deployments)
    ignored = shutil.ignore_patterns("proof.yaml", "approval.yaml")
    for there in (deployments / "elsewhere", folder / "next"):
        shutil.copytree(folder, there, ignore=ignored)
    monkeypatch.chdir(deployments)

    for version in (str(deployments / "elsewhere"), "elsewhere", "../warehouse", "golden", "."):
        with pytest.raises(proving.NotProven, match="is no folder with a version's files beside its own"):
            proving.proven(settings, LABEL, version=version)
    assert not (deployments / "elsewhere" / "proof.yaml").exists()
    proving.proven(settings, LABEL, version="next")
    assert proof.read(folder / "next")[0].files == pins.tested(folder / "next")


def test_an_example_may_know_nothing_that_a_run_does_not(deployments: Path) -> None:
    folder = deployments / LABEL
    path = folder / "golden" / "archived.yaml"
    path.write_text(path.read_text() + "known: {crm_find_owner: {owner: Dr. Ray}}\n")
    told = "known: crm_find_owner is no lookup that who decides may use (decide.lookups)"

    with pytest.raises(proving.NotProven, match=re.escape(f"golden/archived.yaml: {told}; remove it")):
        proving.proven(Settings(deployments=deployments), LABEL)
    found = [str(one) for one in compiling.compiled(deployments, LABEL).findings]
    line = path.read_text().splitlines().index("known: {crm_find_owner: {owner: Dr. Ray}}") + 1
    assert found == [f"{path}:{line}: {told}; correct it"]


def test_a_server_is_there_where_the_models_key_may_be_sealed(
    deployments: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    (deployments / "prefect").write_text("a server of this machine cannot be started")
    tenant = deployments / "example" / "tenant.yaml"
    with serving(by_the_sentences) as endpoint:
        tenant.write_text(tenant.read_text().replace("https://models.example.com/v1", endpoint.url))

        with pytest.raises(FileExistsError):
            proving.proven(Settings(deployments=deployments, home=deployments), "example/triage")

    assert endpoint.bodies == []
