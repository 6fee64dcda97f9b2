"""A model, a judge and a fallback decide as they were approved, version and settings, and in no other way."""

import shutil
from pathlib import Path

import pytest
import yaml

from agent.budget import Budgets, Meter
from flows import approval, pins, proof, versions
from flows.approval import NotApproved
from flows.check import check
from flows.connections import Connections, terms
from flows.replay import NotReplayable, check_approved
from flows.settings import Settings
from flows.tenants import load
from tests.agent.desk import Book
from tests.flows.ledgers import open_at
from tests.flows.tenants.proofs import (
    MODEL,
    OTHER,
    TODAY,
    allowed_too,
    approve,
    as_another_version,
    proved,
    with_fallback,
)


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


def test_a_program_has_no_fallback(folder: Path) -> None:
    path = folder / "integration.yaml"
    path.write_text(path.read_text().replace("  by: program", f"  by: program\n  fallback: {OTHER}"))

    told = [str(one) for one in check(folder.parents[1], ["example"], production=False)]

    assert any("decide.fallback has nothing to do: a program decides" in line for line in told), told


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
