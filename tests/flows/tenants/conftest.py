import shutil
from pathlib import Path

import pytest

from tests.flows.tenants.proofs import ROOT, example


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
