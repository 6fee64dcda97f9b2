"""Promote: the version beside the live one becomes the live one, once every difference has its reason."""

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import ConfigDict, RootModel

from agent.difference import Difference
from agent.instructions import Instructions
from flows import acts, differing, pins, versions
from flows.differing import NO_SENTENCE
from flows.errors import Spoken
from flows.ledger import shadows
from flows.ledger.shadows import Seen
from flows.ledger.store import Ledger
from flows.opening import open_ledger
from flows.rehearsal import Shadow
from flows.settings import Settings
from flows.tenants import load
from flows.written import parsed

REASONS = "reasons.yaml"


class NotPromoted(Spoken):
    """A version is not ready to become the live one. One line."""


class Reasons(RootModel[dict[str, str]]):
    """Why the new version decides otherwise, by sentence: {"S9": "a year counts now, not half a year"}."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of a version beside the live one."""

    label: str
    asked: Shadow
    version: str
    seen: Seen
    reasons: Mapping[str, str]
    instructions: Instructions

    @property
    def unexplained(self) -> dict[str, tuple[Difference, ...]]:
        """By entry, the differences for none of whose sentences a reason was named."""
        left = {
            entry: tuple(one for one in found if not self._is_explained(one))
            for entry, found in self.seen.found.items()
        }
        return {entry: found for entry, found in left.items() if found}

    def _is_explained(self, one: Difference) -> bool:
        return any(sentence in self.reasons for sentence in one.because or (NO_SENTENCE,))

    def lines(self, *, show: bool) -> Iterator[str]:
        """Counts first, then every unexplained difference; values only if asked for."""
        seen = self.seen
        yield (
            f"{self.label}: {self.asked.version} decided beside the live version in {seen.runs} of "
            f"{self.asked.runs} runs: {seen.compared} decisions, {len(seen.found)} otherwise"
        )
        yield from differing.counts(seen.found, self.instructions.sentences)
        for sentence, reason in self.reasons.items():
            yield f"reason for {sentence}: {reason}"
        yield from differing.each(self.unexplained, show=show)

    def check(self, folder: Path) -> None:
        """Raises NotPromoted if the runs are not over, or a difference has no reason."""
        if self.seen.runs < self.asked.runs:
            raise NotPromoted(
                f"{self.label}: {self.seen.runs} of {self.asked.runs} runs were seen; "
                "let it run on, or ask for fewer in integration.yaml (shadow.runs)"
            )
        if self.unexplained:
            raise NotPromoted(
                f"{self.label}: {len(self.unexplained)} entries differ without a reason; correct the "
                f"version, or write why into {folder / REASONS}, by sentence, as S9: a year counts now"
            )


def standing(settings: Settings, label: str, *, show: bool) -> Standing:
    """How the version beside an integration's live one stands. Looking is noted in the audit.

    Raises:
        NotPromoted: there is none. VersionUnknown, IntegrationInvalid.
    """
    deployment = load(settings.deployments, label)
    asked, path = deployment.integration.shadow, settings.deployments / label / REASONS
    if asked is None:
        raise NotPromoted(f"{label}: integration.yaml names no shadow, so no version decides beside it")
    reasons = parsed(path, Reasons).root if path.is_file() else {}
    with versions.beside(settings.deployments, label, asked) as there:
        version, instructions = pins.version(there / label), Instructions.load(there / label)
    ledger = open_ledger(settings, deployment)
    try:
        return Standing(label, asked, version, _looked_at(ledger, version, show=show), reasons, instructions)
    finally:
        ledger.close()


def take_away(folder: Path, asked: Shadow) -> None:
    """Remove what promotion leaves behind: the version's folder, and the reasons, which the approval has."""
    (folder / REASONS).unlink(missing_ok=True)
    beside = folder / asked.version
    if beside.is_dir():
        shutil.rmtree(beside)


def _looked_at(ledger: Ledger, version: str, *, show: bool) -> Seen:
    act = f"what a version of {ledger.name} decides otherwise was looked at{' with values' if show else ''}"
    acts.note_beside(ledger, act, version)
    return shadows.seen(ledger, version)
