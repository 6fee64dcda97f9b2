"""Proving: an integration's golden examples, decided as a run would decide them. Only a model is reached."""

import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from zoneinfo import ZoneInfo

from agent.agent import PROGRAM, Decider, Terms
from agent.gate import Gate
from agent.golden import Golden
from agent.proving import Proven, by_examples, prove
from flows import golden, pins, proof, versions
from flows.check import offers
from flows.compiling import folder_of
from flows.declared import declared, fields
from flows.errors import Spoken
from flows.parameters import NAME
from flows.pins import INTEGRATION_FILE, Hashes
from flows.settings import Settings
from flows.tenants import Deployment, load

REPEATS = 8  # of a model's decisions: it may give another plan each time


class NotProven(Spoken):
    """The golden examples cannot be tested, or were not passed. One line."""


def proven(settings: Settings, label: str, *, repeats: int = 0, by: str = "", version: str = "") -> Proven:
    """What comes of an integration's golden examples.

    Args:
        repeats: how often each is decided; 0: as often as it takes to know, which for a program is once.
        by: who decides, if not the one that integration.yaml names: such as a model to fall back on.
        version: a folder beside the files, such as next, whose files are tested in their place.

    Raises:
        IntegrationInvalid, InstructionsError: its files cannot be used. NotProven: it has no examples, or
            other files now than those that were tested.
    """
    folder = _folder(settings.deployments, label, version)
    with versions.at(settings.deployments, label, version) as there:
        examples, deployment = golden.load(there / label), load(there, label)
        files = pins.tested(there / label)
    if not examples:
        raise NotProven(f"{label}: golden/ holds no example; write one for each branch of each sentence")
    by = by or deployment.integration.decide.by
    _check_known(label, deployment, examples, by)
    with ExitStack() as stack:
        terms = None if by == PROGRAM else _terms(stack, settings, deployment, by)
        decider = stack.enter_context(closing(decider_for(deployment, examples, by, terms)))
        made = prove(decider, by, examples, repeats or (1 if by == PROGRAM else REPEATS))
    if pins.tested(folder) != files:
        raise NotProven(f"{folder}: its files were changed while they were tested; test again")
    _write(folder, files, deployment, made)
    return made


def _check_known(label: str, deployment: Deployment, examples: Mapping[str, Golden], by: str) -> None:
    lookups = _lookups(deployment, by)
    for name, example in examples.items():
        for known in golden.unasked(example, lookups):
            raise NotProven(f"{label}: golden/{name}.yaml: known: {known} {golden.UNASKED}; remove it")


def _lookups(deployment: Deployment, by: str) -> tuple[str, ...]:
    return () if by == PROGRAM else deployment.integration.decide.lookups


def _folder(root: Path, label: str, version: str) -> Path:
    """Where the files are that are tested, and the proof will be: nowhere else is anything written."""
    folder = folder_of(root, label) / version
    if version and not (re.fullmatch(NAME, version) and (folder / INTEGRATION_FILE).is_file()):
        raise NotProven(
            f"{label}: {version} is no folder with a version's files beside its own; "
            "put them there, such as into next, and test that"
        )
    return folder


def _write(folder: Path, files: Hashes, deployment: Deployment, made: Proven) -> None:
    """What was shown, for `ferry approve`, beside the files that it was shown of."""
    reached = pins.models(deployment.integration, deployment.connections, deployment.models)
    settings = reached.get(made.by, {})
    right = {example.name: example.right for example in made.examples}
    shown = proof.made(
        files, settings, by=made.by, repeats=made.repeats, right=right, bound=made.wrong_at_most
    )
    proof.put(folder, shown, 1.0 if made.by == PROGRAM else deployment.integration.proof.at_least)


def _terms(stack: ExitStack, settings: Settings, deployment: Deployment, by: str) -> Terms:
    # Only here: Prefect, where credentials are kept, takes a second to import, and a program needs none.
    from flows import connections  # noqa: PLC0415
    from flows.ledger import spending  # noqa: PLC0415
    from flows.ledger.store import now  # noqa: PLC0415
    from flows.opening import open_ledger  # noqa: PLC0415

    decide = deployment.integration.decide
    stack.enter_context(connections.at_hand(settings, deployment.connections, [decide.connection]))
    ledger = stack.enter_context(closing(open_ledger(settings, deployment)))
    own = connections.Connections(
        deployment.tenant, deployment.connections, ledger.seal, environment=settings.env
    )
    today = now().astimezone(ZoneInfo(deployment.timezone)).date()
    return connections.terms(deployment, by, own, spending.meter(ledger, decide.budget, today))


def decider_for(
    deployment: Deployment, examples: Mapping[str, Golden], by: str, terms: Terms | None
) -> Decider:
    """Who decides, behind the real gate. What an example knows answers a lookup: no system is asked."""
    policy = deployment.policy()
    policy = policy.model_copy(update={"by": "program" if by == PROGRAM else "model"})
    writes, lookups = declared(deployment)
    category = offers.categories(fields(deployment))
    return Decider(
        gate=Gate(policy, writes, category),
        policy=policy,
        instructions=deployment.instructions,
        writes=writes,
        model=by,
        lookups=by_examples({name: lookups[name] for name in _lookups(deployment, by)}, examples),
        view=deployment.view(category),
        terms=terms,
    )


def lines(proven: Proven) -> Iterator[str]:
    """What is told of it: each example that was not right, with the names of what differed; then the sums."""
    for example in proven.examples:
        if not example.passed:
            often = "" if proven.repeats == 1 else f" right {example.right} times of {example.of};"
            differs = (f"{name}{_times(number, proven)}" for name, number in sorted(example.differs.items()))
            yield f"{example.name}:{often} {', '.join(differs)}"
    yield f"{proven.passed} of {len(proven.examples)} examples are right, decided by {proven.by}"
    if proven.by != PROGRAM:
        yield f"pass^{proven.repeats} = {proven.share:.3f}: right {proven.repeats} times of {proven.repeats}"
        yield _bound(proven)


def _times(number: int, proven: Proven) -> str:
    return "" if proven.repeats == 1 else f" ({number} times)"


def _bound(proven: Proven) -> str:
    """How wrong it may be all the same, written out."""
    rule = f"rule of three: 3/{proven.decisions}" if proven.wrong == 0 else "Clopper-Pearson"
    return (
        f"{proven.wrong} of {proven.decisions} decisions were wrong: with 95 % confidence at most "
        f"{proven.wrong_at_most:.1%} are, of entries like these ({rule})"
    )
