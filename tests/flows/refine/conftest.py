import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from connectors.sandbox.healthie import StandIn
from flows.refine import Asked, RefineInvalid, refine
from flows.settings import Settings
from tests.agent.openai_server import Endpoint, in_turn, says, serving
from tests.agent.refine.recorded import Recording

HERE = Path(__file__).parent
LABEL = "acme/warehouse"
MODELS = """\
openai-compatible:drafter: {version: test-model, local: true, price: {input: 1, output: 2}}
openai-compatible:decider: {version: test-model, local: true, price: {input: 1, output: 2}}
"""
ANSWERS = """\
# Answers

Q1. a

Q2. Drop that, and
mark nobody.

Q3: emptied

- **Q4.** as the program does it
"""


@dataclass
class Practice:
    """A practice that refines: its folder, its Healthie with canaries, and the model that is asked."""

    folder: Path
    healthie: StandIn
    canaries: list[str]
    endpoint: Endpoint

    def refined(self, recording: str | Recording, **asked: int) -> tuple[list[str], Recording]:
        """One refining, with a recorded model; its lines."""
        recorded = Recording(HERE / "recorded" / recording) if isinstance(recording, str) else recording
        self.endpoint.model = recorded
        asking = Asked("openai-compatible:drafter", "model", **asked)
        try:
            lines = list(refine(Settings(), LABEL, asking))
        except RefineInvalid as error:
            raise AssertionError(f"{error}: {recorded.wrong}, {self.last_words()}") from error
        return lines, recorded

    def last_words(self) -> str:
        """The end of what the model was told last."""
        return str(self.endpoint.requests()[-1]["messages"][-1])[-1500:]

    def text(self, name: str) -> str:
        return (self.folder / name).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def stand_in() -> Iterator[tuple[StandIn, list[str]]]:
    """Healthie with three canary patients: one without an e-mail, one with two primary policies."""
    with StandIn(2, seed=3) as healthie:
        ids, words = healthie.canary(3)
        healthie.edit("User", ids[0], email=None)
        for _ in range(2):
            healthie.create("Policy", user_id=ids[1], priority_type="primary")
        yield healthie, sorted({word for word in words if len(word) > 5})


@pytest.fixture
def practice(
    stand_in: tuple[StandIn, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Practice]:
    healthie, words = stand_in
    shutil.copytree(HERE / "acme", tmp_path / "deployments" / "acme")
    (tmp_path / "deployments" / "models.yaml").write_text(MODELS)
    with serving(in_turn(says("nothing"))) as endpoint:
        for name, value in {
            "FERRY_HOME": str(tmp_path / "home"),
            "FERRY_DEPLOYMENTS": str(tmp_path / "deployments"),
            "TEST_HEALTHIE_URL": healthie.endpoint,
            "TEST_HEALTHIE_KEY": healthie.api_key,
            "TEST_WAREHOUSE_URL": f"sqlite:///{tmp_path / 'warehouse.db'}",
            "TEST_MODEL_URL": endpoint.url,
            "TEST_MODEL_KEY": "test-key",
        }.items():
            monkeypatch.setenv(name, value)
        monkeypatch.delenv("PREFECT_API_URL", raising=False)
        yield Practice(tmp_path / "deployments" / LABEL, healthie, words, endpoint)
