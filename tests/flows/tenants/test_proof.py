"""What decides in production, and every fallback, has shown on the golden examples that it decides right."""

import shutil
from pathlib import Path

import pytest
import yaml

from agent.budget import Budgets, Meter
from flows import approval, pins, proof, versions
from flows.approval import NotApproved, Signed
from flows.check import check
from flows.connections import Connections, terms
from flows.replay import NotReplayable, check_approved
from flows.settings import Settings
from flows.tenants import load
from tests.agent.desk import Book
from tests.flows.ledgers import open_at
from tests.flows.tenants.proofs import example, proved
from tests.flows.tenants.test_approval import ROOT, TODAY

MODEL = "openai-compatible:clinic-small"
OTHER = "openai-compatible:clinic-large"


@pytest.fixture
def example_tenant(tmp_path: Path) -> Path:
    ignored = shutil.ignore_patterns("approval.yaml", "proof.yaml")
    shutil.copytree(ROOT / "deployments", tmp_path / "deployments", ignore=ignored)
    return tmp_path / "deployments" / "example"


@pytest.fixture
def folder(example_tenant: Path) -> Path:
    """An integration that a program decides."""
    shutil.rmtree(example_tenant / "warehouse" / "golden", ignore_errors=True)
    return example_tenant / "warehouse"


@pytest.fixture
def modelled(example_tenant: Path) -> Path:
    """One that a model decides, with two golden examples."""
    shutil.rmtree(example_tenant / "triage" / "golden", ignore_errors=True)
    example(example_tenant / "triage", "one")
    example(example_tenant / "triage", "two")
    return example_tenant / "triage"


def approve(folder: Path, *, production: bool = True) -> None:
    of = load(folder.parents[1], f"example/{folder.name}")
    by = Signed("Ana Author", "Ben Reader", TODAY)
    approval.approve(folder, of.integration, of.connections, by, production=production)


def with_fallback(folder: Path) -> None:
    path = folder / "integration.yaml"
    path.write_text(
        path.read_text().replace("  connection: model", f"  fallback: {OTHER}\n  connection: model")
    )


def test_production_needs_a_proof_and_others_do_not(folder: Path) -> None:
    with pytest.raises(
        NotApproved, match=r"what decides, program, was not tested .*; run: ferry test example"
    ):
        approve(folder)
    approve(folder, production=False)
    proved(folder)

    approve(folder)


def test_a_proof_of_other_files_does_not_do(folder: Path) -> None:
    proved(folder)
    example(folder, "another")

    with pytest.raises(NotApproved, match=r"was tested with other files \(golden/another\.yaml\)"):
        approve(folder)


def test_one_wrong_example_of_a_program_is_too_many(folder: Path) -> None:
    proved(folder, passed=0)

    with pytest.raises(NotApproved, match="answered 1 of 1 golden examples wrongly"):
        approve(folder)


def test_a_proof_without_examples_proves_nothing(folder: Path) -> None:
    (folder / "golden").mkdir()
    proved(folder)

    with pytest.raises(NotApproved, match="has no golden example"):
        approve(folder)


def test_an_example_that_was_not_decided_is_missed(folder: Path) -> None:
    example(folder, "one")
    example(folder, "two")
    shown = proof.made(pins.tested(folder), {}, by="program", repeats=1, right={"one": 1}, bound=0.9)
    proof.put(folder, shown)

    with pytest.raises(NotApproved, match="was not tested on every golden example"):
        approve(folder)


def test_a_proof_that_was_edited_does_not_do(folder: Path) -> None:
    proved(folder, passed=0)
    path = folder / "proof.yaml"
    path.write_text(path.read_text().replace("archived.yaml: 0", "archived.yaml: 1"))

    with pytest.raises(NotApproved, match=r"proof\.yaml: was changed by hand; test again"):
        approve(folder)


def test_a_model_is_to_be_right_eight_times_in_a_row(modelled: Path) -> None:
    proved(modelled, MODEL, repeats=7)
    with pytest.raises(NotApproved, match="was tested 7 times, and 8 are needed"):
        approve(modelled)
    proved(modelled, MODEL, repeats=8, passed=7)
    with pytest.raises(NotApproved, match=r"right 8 times in a row; 0\.9 are needed"):
        approve(modelled)
    proved(modelled, MODEL, repeats=8)

    approve(modelled)


def test_pass_hat_is_the_chance_of_so_many_in_a_row() -> None:
    shown = proof.made({}, {}, by=MODEL, repeats=4, right={"a": 4, "b": 2}, bound=0.1)

    assert shown.pass_hat(1) == 0.75
    assert shown.pass_hat(2) == pytest.approx((1 + 1 / 6) / 2)
    assert shown.pass_hat(4) == 0.5
    assert shown.pass_hat(5) == 0.0


def test_other_settings_of_a_model_are_neither_proved_nor_approved(modelled: Path) -> None:
    proved(modelled, MODEL, repeats=8)
    approve(modelled)
    tenant = modelled.parent / "tenant.yaml"
    tenant.write_text(tenant.read_text().replace('request_timeout: "60"', 'request_timeout: "61"'))

    with pytest.raises(NotApproved, match=r"was tested with other settings \(request_timeout\)"):
        approve(modelled)
    of = load(modelled.parents[1], "example/triage")
    told = rf"{MODEL} is not reached as it was approved \(request_timeout\); have it read again"
    with pytest.raises(NotApproved, match=told):
        approval.require(modelled, of.integration, of.connections, production=True, today=TODAY)


def as_another_version(folder: Path, id_: str) -> None:
    path = folder.parents[1] / "models.yaml"
    listed = yaml.safe_load(path.read_text())
    listed[id_]["version"] = "another-2027"
    path.write_text(yaml.safe_dump(listed))


@pytest.mark.parametrize("id_", [MODEL, OTHER])
def test_another_version_of_a_model_is_neither_proved_nor_approved(modelled: Path, id_: str) -> None:
    allowed_too(modelled, OTHER)
    with_fallback(modelled)
    for by in (MODEL, OTHER):
        proved(modelled, by, repeats=8)
    approve(modelled)
    as_another_version(modelled, id_)

    with pytest.raises(NotApproved, match=rf"{id_}, was tested with other settings \(version\)"):
        approve(modelled)
    of = load(modelled.parents[1], "example/triage")
    with pytest.raises(NotApproved, match=rf"{id_} is not reached as it was approved \(version\)"):
        approval.require(modelled, of.integration, of.connections, production=False, today=TODAY)
    told = [one.what for one in check(modelled.parents[1], ["example"], production=False)]
    assert f"{id_} is not reached as it was approved (version)" in told


def test_another_version_of_a_judge_was_not_approved(folder: Path) -> None:
    path = folder / "integration.yaml"
    path.write_text(
        path.read_text().replace("  by: program", f"  by: program\n  judge: {MODEL}\n  connection: model")
    )
    approve(folder, production=False)
    as_another_version(folder, MODEL)

    of = load(folder.parents[1], "example/warehouse")
    with pytest.raises(NotApproved, match=rf"{MODEL} is not reached as it was approved \(version\)"):
        approval.require(folder, of.integration, of.connections, production=False, today=TODAY)


def allowed_too(folder: Path, id_: str) -> None:
    path = folder.parents[1] / "models.yaml"
    listed = yaml.safe_load(path.read_text())
    path.write_text(yaml.safe_dump({**listed, id_: dict(listed[MODEL])}))


def test_a_secret_is_in_no_approval(modelled: Path) -> None:
    tenant = modelled.parent / "tenant.yaml"
    tenant.write_text(
        tenant.read_text().replace("request_timeout:", "api_key: $MODEL_KEY\n      request_timeout:")
    )
    of = load(modelled.parents[1], "example/triage")

    (settings,) = pins.models(of.integration, of.connections, of.models).values()

    assert "api_key" not in settings and settings["base_url"] == "https://models.example.com/v1"
    assert settings["answer_tokens"] == 4096  # also what nobody wrote


def test_a_fallback_is_proved_everywhere(modelled: Path) -> None:
    with_fallback(modelled)
    proved(modelled, MODEL, repeats=8)

    with pytest.raises(NotApproved, match=f"the fallback, {OTHER}, was not tested"):
        approve(modelled, production=False)
    proved(modelled, OTHER, repeats=8)
    approve(modelled)
    assert {one.by for one in proof.read(modelled)} == {MODEL, OTHER}
    written = yaml.safe_load((modelled / "approval.yaml").read_text())
    assert set(written["models"]) == {MODEL, OTHER}


def test_a_fallback_that_nobody_approved_does_not_step_in(modelled: Path) -> None:
    with_fallback(modelled)
    of = load(modelled.parents[1], "example/triage")

    with pytest.raises(NotApproved, match="names a fallback that nobody approved"):
        approval.require(modelled, of.integration, of.connections, production=False, today=TODAY)


def test_check_tells_what_is_not_proved(folder: Path) -> None:
    proved(folder)
    approve(folder)
    example(folder, "another")

    told = {one.what for one in check(folder.parents[1], ["example"], production=True)}

    assert "what decides, program, was tested with other files (golden/another.yaml)" in told
    assert "golden/another.yaml was not approved" in told


def test_a_program_has_no_fallback(folder: Path) -> None:
    path = folder / "integration.yaml"
    path.write_text(path.read_text().replace("  by: program", f"  by: program\n  fallback: {OTHER}"))

    told = [str(one) for one in check(folder.parents[1], ["example"], production=False)]

    assert any("decide.fallback has nothing to do: a program decides" in line for line in told), told


def test_a_shorter_test_of_the_same_ends_no_approval_unless_it_is_not_passed(modelled: Path) -> None:
    proved(modelled, MODEL, repeats=8)
    approve(modelled)
    shown = proof.read(modelled)

    proved(modelled, MODEL, repeats=1)
    assert proof.read(modelled) == shown
    proved(modelled, MODEL, repeats=9)
    assert [one.repeats for one in proof.read(modelled)] == [9]
    proved(modelled, MODEL, repeats=4, passed=3)
    assert [one.repeats for one in proof.read(modelled)] == [4]

    with pytest.raises(NotApproved, match="was tested 4 times, and 8 are needed"):
        approve(modelled)


def test_a_shorter_test_of_other_settings_or_examples_takes_the_place_of_a_longer_one(modelled: Path) -> None:
    proved(modelled, MODEL, repeats=8)
    tenant = modelled.parent / "tenant.yaml"
    tenant.write_text(tenant.read_text().replace('request_timeout: "60"', 'request_timeout: "61"'))
    proved(modelled, MODEL, repeats=7)
    assert [one.repeats for one in proof.read(modelled)] == [7]
    example(modelled, "three")
    proved(modelled, MODEL, repeats=6)

    assert [(one.repeats, len(one.passed)) for one in proof.read(modelled)] == [(6, 3)]


def test_a_short_test_that_is_right_often_enough_is_passed(modelled: Path) -> None:
    files, right = pins.tested(modelled), {"one": 2, "two": 2}
    long = proof.made(files, {}, by=MODEL, repeats=8, right={"one": 8, "two": 8}, bound=0.2)
    proof.put(modelled, long, 0.5)

    proof.put(modelled, proof.made(files, {}, by=MODEL, repeats=2, right=right | {"two": 0}, bound=0.8), 0.5)
    assert proof.read(modelled) == (long,)
    proof.put(modelled, proof.made(files, {}, by=MODEL, repeats=2, right=right | {"two": 0}, bound=0.8), 0.6)
    assert [one.repeats for one in proof.read(modelled)] == [2]


@pytest.mark.parametrize("version", ["", "next", "elsewhere"])
def test_in_production_only_what_was_approved_is_replayed_by_a_model(
    modelled: Path, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    """By the files as they are, by the version beside them, and by one in another folder."""
    root, label = modelled.parents[1], "example/triage"
    for there in (modelled / "next", modelled.parents[2] / "elsewhere"):
        shutil.copytree(modelled, there, ignore=shutil.ignore_patterns("next"))
    path = modelled / "integration.yaml"
    path.write_text(path.read_text() + "\nshadow: {version: next, runs: 2}\n")
    monkeypatch.chdir(modelled.parents[2])
    production = Settings(deployments=root, env="production")

    def look(settings: Settings) -> None:
        with versions.at(root, label, version) as there:
            check_approved(settings, there, load(there, label), version)

    look(production.model_copy(update={"env": "test"}))
    with pytest.raises(NotReplayable, match="asks a model, and was not approved; in production"):
        look(production)
    proved(modelled, MODEL, repeats=8)
    approve(modelled)

    if version == "elsewhere":
        with pytest.raises(NotReplayable, match="was not approved"):
            look(production)
    else:
        look(production)
        path = modelled / version / "integration.yaml"
        path.write_text(path.read_text() + "# one line more\n")
        with pytest.raises(NotReplayable, match=r"integration\.yaml differs from what was approved"):
            look(production)


def test_a_program_is_replayed_without_an_approval(folder: Path) -> None:
    with versions.at(folder.parents[1], "example/warehouse", "") as there:
        deployment = load(there, "example/warehouse")
        check_approved(Settings(deployments=folder.parents[1], env="production"), there, deployment, "")


def test_a_judge_is_asked_one_by_one_whatever_is_written_of_batches(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    path = folder / "integration.yaml"
    asked = f"  by: program\n  judge: {MODEL}\n  connection: model\n  batch: {{}}"
    path.write_text(path.read_text().replace("  by: program", asked))
    of = load(folder.parents[1], "example/warehouse")
    ledger = open_at(f"sqlite:///{folder / 'ledger.db'}", folder)
    own = Connections("example", of.connections, ledger.seal, environment="test")

    agreed = terms(of, MODEL, own, Meter(Budgets(), Book()))
    ledger.close()

    assert agreed.batch is None  # and no price for batches is missed
