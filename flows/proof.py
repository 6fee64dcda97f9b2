"""Proofs: that the golden examples were answered right, by whom, and by exactly which files.

proof.yaml is written where the examples are run, and `ferry approve` asks for it. Its hash tells a slip of
the hand from what was written; that nobody made it up is for those who read and approve it.
"""

import datetime
import hashlib
import json
from collections.abc import Iterator, Mapping
from math import comb
from pathlib import Path

import yaml
from pydantic import Field, JsonValue, ValidationError, model_validator

from agent import golden
from agent.access import PROGRAM
from connectors.base import Settings
from flows import pins
from flows.errors import Spoken
from flows.pins import PROOF_FILE, Hashes
from flows.rehearsal import Proving
from flows.tenants import Integration
from flows.written import content_of

HEADER = """\
# What the golden examples showed, by whom they were decided, with the files that they were run with.
# passed: in how many of the repeats each was answered right. bound: of the share of wrong answers, 95 %.
"""


class ProofUnreadable(Spoken):
    """proof.yaml is not as it was written. One line."""


class Proof(Settings):
    """One test: the golden examples, each decided `repeats` times."""

    by: str = Field(description="program, or a model's id")
    settings: dict[str, JsonValue] = Field(default_factory=dict[str, JsonValue])
    date: datetime.date
    repeats: int = Field(ge=1)
    passed: dict[str, int] = Field(description="by the example's file, as in golden/archived.yaml")
    bound: float = Field(ge=0, le=1, description="upper bound of the share of wrong answers, 95 %")
    files: Hashes = Field(description="those that were tested")

    @model_validator(mode="after")
    def _counts_are_possible(self) -> "Proof":
        if any(not 0 <= number <= self.repeats for number in self.passed.values()):
            raise ValueError("an example cannot pass more often than it was decided")
        return self

    def pass_hat(self, k: int) -> float:
        """The share of the examples that k decisions in a row answer right, as the repeats show it."""
        if not self.passed or k > self.repeats:
            return 0.0
        ways = [comb(number, k) / comb(self.repeats, k) for number in self.passed.values()]
        return sum(ways) / len(ways)


class Proofs(Settings):
    """The file: a proof for each who may decide, and a hash over them."""

    proofs: tuple[Proof, ...]
    hash: str

    @classmethod
    def of(cls, proofs: tuple[Proof, ...]) -> "Proofs":
        return cls(proofs=proofs, hash=_hash(proofs))


def read(folder: Path) -> tuple[Proof, ...]:
    """The proofs of an integration's folder; none if there is no file.

    Raises:
        ProofUnreadable: it is not as it was written.
    """
    path = folder / PROOF_FILE
    if not path.exists():
        return ()
    try:
        found = Proofs.model_validate(content_of(path))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValidationError):
        found = None
    if found is None or found.hash != _hash(found.proofs):
        raise ProofUnreadable(f"{path}: was changed by hand; test again: {command(folder)}")
    return found.proofs


def made(
    files: Hashes,
    settings: dict[str, JsonValue],
    *,
    by: str,
    repeats: int,
    right: Mapping[str, int],
    bound: float,
) -> Proof:
    """What a test of these files' examples showed.

    settings: of the model that decided, as `pins.models` has them. right: by the example's name, in how many
        of the repeats it was answered right. bound: of the share of wrong answers, 95 %.
    """
    return Proof(
        by=by,
        settings=settings,
        date=datetime.datetime.now(datetime.UTC).date(),
        repeats=repeats,
        passed={f"{golden.FOLDER}/{name}.yaml": number for name, number in right.items()},
        bound=bound,
        files=files,
    )


def put(folder: Path, proof: Proof, at_least: float = 1.0) -> Path:
    """Write a proof beside those of others that were made with the same files, if it says anything new.

    A shorter test of the same is no news, so that it ends no approval, unless it is not passed: less than
    `at_least` of the examples were right each time.
    """
    there = _there(folder)
    if any(one == proof.model_copy(update={"date": one.date}) for one in there):
        return folder / PROOF_FILE
    passed = proof.pass_hat(proof.repeats) >= at_least
    if passed and any(_is_longer(one, proof) for one in there):
        return folder / PROOF_FILE
    others = [one for one in there if one.by != proof.by and one.files == proof.files]
    kept = Proofs.of(tuple(sorted((*others, proof), key=lambda one: (one.by != PROGRAM, one.by))))
    text = yaml.safe_dump(kept.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
    (folder / PROOF_FILE).write_text(HEADER + text, encoding="utf-8")
    return folder / PROOF_FILE


def missing(
    folder: Path, integration: Integration, models: pins.Models, *, production: bool
) -> Iterator[tuple[str, str]]:
    """What is not proved and has to be: what, and what to do.

    In production all who may decide; a fallback everywhere, since nobody looks when it steps in.
    """
    fallback = integration.decide.fallback
    needed = [integration.decide.by] if production else []
    if fallback and fallback not in needed:
        needed.append(fallback)
    try:
        found = {one.by: one for one in read(folder)} if needed else {}
    except ProofUnreadable as unreadable:
        what, _, todo = str(unreadable).partition("; ")
        yield what.removeprefix(f"{folder}/"), todo
        return
    for by in needed:
        proof, who = found.get(by), "the fallback" if by == fallback else "what decides"
        problem = _problem(folder, proof, models.get(by, {}), integration.proof)
        if problem:
            yield f"{who}, {by}, {problem}", f"run: {command(folder)}"


def command(folder: Path) -> str:
    return f"ferry test {folder.parent.name}/{folder.name}"


def _problem(folder: Path, proof: Proof | None, settings: dict[str, JsonValue], proving: Proving) -> str:
    """Why a proof does not do, "" if it does."""
    if proof is None:
        return "was not tested on the golden examples"
    present = pins.tested(folder)
    examples = {name for name in present if name.startswith(f"{golden.FOLDER}/")}
    if changed := [name for name in {**proof.files, **present} if proof.files.get(name) != present.get(name)]:
        return f"was tested with other files ({', '.join(sorted(changed)[:3])})"
    if not examples:
        return "has no golden example"
    if examples != set(proof.passed):
        return "was not tested on every golden example"
    return _weakness(proof, settings, proving)


def _weakness(proof: Proof, settings: dict[str, JsonValue], proving: Proving) -> str:
    if proof.by == PROGRAM:
        wrong = sum(number < proof.repeats for number in proof.passed.values())
        return f"answered {wrong} of {len(proof.passed)} golden examples wrongly" if wrong else ""
    if proof.settings != settings:
        return f"was tested with other settings ({pins.differing(settings, proof.settings)})"
    if proof.repeats < proving.repeats:
        return f"was tested {proof.repeats} times, and {proving.repeats} are needed"
    reached = proof.pass_hat(proving.repeats)
    word = f"answers {reached:.2f} of the golden examples right {proving.repeats} times in a row"
    return "" if reached >= proving.at_least else f"{word}; {proving.at_least} are needed"


def _is_longer(one: Proof, other: Proof) -> bool:
    """Did it test the same, and more often?"""
    same = (one.by, one.settings, one.files) == (other.by, other.settings, other.files)
    return same and one.passed.keys() == other.passed.keys() and one.repeats > other.repeats


def _there(folder: Path) -> tuple[Proof, ...]:
    """What may be kept of the file; a broken one is written anew."""
    try:
        return read(folder)
    except ProofUnreadable:
        return ()


def _hash(proofs: tuple[Proof, ...]) -> str:
    content = [one.model_dump(mode="json") for one in proofs]
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
