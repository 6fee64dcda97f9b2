"""Replay: what another version would have decided in a past run. Nothing is read anew, nothing is sent."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from zoneinfo import ZoneInfo

from agent.agent import Decider, is_transient
from agent.difference import Difference, differences
from connectors.entry import projected
from flows import acts, approval, connections, differing, pins, unsent, versions
from flows.approval import NotApproved
from flows.asking import Asking
from flows.connections import Connections
from flows.errors import Spoken
from flows.ledger import kept
from flows.ledger.database import connect
from flows.ledger.kept import Again, PastRun
from flows.ledger.store import Ledger, now
from flows.naming import told
from flows.opening import open_ledger, tenant_seal
from flows.run import version_of
from flows.settings import PRODUCTION, Settings
from flows.tenants import Deployment, load

LISTED = 20  # entries, unless all are asked for


class NotReplayable(Spoken):
    """A version cannot decide a past run's entries. One line."""


@dataclass
class Replayed:
    """What came of it, entry by entry."""

    same: int = 0
    gone: int = 0  # what they were decided on is not kept any more
    undecided: int = 0  # the version's model did not answer
    found: dict[str, tuple[Difference, ...]] = field(default_factory=dict[str, tuple[Difference, ...]])

    def add(self, one: Again, differing: tuple[Difference, ...], *, show: bool) -> None:
        entry = f"entry {one.ref} version {one.version}{f', patient {one.patient}' if show else ''}"
        if differing:
            self.found[entry] = differing
        else:
            self.same += 1


def replay(settings: Settings, run: str, version: str, *, show: bool) -> Iterator[str]:
    """Lines: counts, then the differences by sentence, then entry by entry. Values only with `show`.

    Raises:
        RunUnknown, VersionUnknown, NotReplayable, IntegrationInvalid, PolicyError, InstructionsError.
    """
    engine = connect(settings.ledger())
    try:
        past = kept.find(engine, run)
    finally:
        engine.dispose()
    with versions.at(settings.deployments, past.label, version) as there:
        deployment = load(there, past.label)
        _check_fields(past, deployment)
        check_approved(settings, there, deployment, version)
        ledger = open_ledger(settings, deployment, past.mode)
        try:
            decide = deployment.integration.decide
            asked = [decide.connection] if decide.models() else []  # a program alone reaches nobody
            with (
                connections.at_hand(settings, deployment.connections, asked),
                tenant_seal(settings, deployment.tenant) as seal,
            ):
                own = Connections(deployment.tenant, deployment.connections, seal, environment=settings.env)
                made = _decided(ledger, past, deployment, own, show=show)
        finally:
            ledger.close()
    yield from _lines(past, deployment, made, version, show=show)


def _check_fields(past: PastRun, deployment: Deployment) -> None:
    """What that run did not read cannot be decided on now: whoever is asked would think it was not there."""
    for path in deployment.manifest.paths:
        if not any(path == read or path.startswith(f"{read}.") for read in past.fields):
            sentences = " ".join(deployment.manifest.sentences(path))
            raise NotReplayable(
                f"{past.label}: {sentences} needs {path}, which run {past.id} did not read; "
                "let the version decide beside the live one instead (shadow in integration.yaml)"
            )


def check_approved(settings: Settings, there: Path, deployment: Deployment, version: str) -> None:
    """In production a model sees entries only in a way that somebody approved, also if nothing comes of it.

    The version that decides beside the live one was approved with that.
    """
    if settings.env != PRODUCTION or not deployment.integration.decide.models():
        return
    label, root, of = deployment.label, there, deployment
    live = load(settings.deployments, label)
    is_shadow = live.integration.shadow is not None and live.integration.shadow.version == version
    if is_shadow:
        root, of = settings.deployments, live
    try:
        approval.require(root / label, of.integration, of.connections, production=True, today=now().date())
        if is_shadow:
            approval.require_beside(root / label, version, pins.tested(there / label))
    except NotApproved as error:
        what = str(error).removeprefix(f"{label}: ").partition("; ")[0]
        raise NotReplayable(
            f"{label}: asks a model, and {what}; in production a model is shown entries only by what was "
            "approved: replay with such a version, or approve this one"
        ) from None


def _decided(
    ledger: Ledger, past: PastRun, deployment: Deployment, own: Connections, *, show: bool
) -> Replayed:
    today = now().astimezone(ZoneInfo(deployment.timezone)).date()
    asking = Asking.booked(ledger, deployment.integration.decide.budget, today, keeps=False)
    decider, made = unsent.decider(deployment, own, asking), Replayed()
    act = f"entries of {ledger.name} replayed{' with their values' if show else ''}"
    acts.note_beside(ledger, act, past.id)
    try:
        for page in kept.of_run(ledger, past.id):
            _page(decider, page, past, deployment, made, show=show)
    finally:
        decider.close()
    return made


def _page(
    decider: Decider,
    page: Sequence[Again],
    past: PastRun,
    deployment: Deployment,
    made: Replayed,
    *,
    show: bool,
) -> None:
    """Decide a page again, each entry with the version's own fields.

    What was judged answers the questions of its own version; another one's may be others.
    """
    fields = deployment.manifest.paths
    there = [(one, one.case) for one in page if one.case]
    made.gone += len(page) - len(there)
    same_fields = set(fields) == set(past.fields)
    same_questions = version_of(deployment) == past.instructions
    cases = [
        replace(
            case,
            entry=case.entry if same_fields else projected(case.entry, fields),
            judged=case.judged if same_questions else {},
        )
        for _, case in there
    ]
    for (one, _), decision in zip(there, decider.decide(cases), strict=True):
        if is_transient(decision.outcome):
            made.undecided += 1
        else:
            made.add(one, differences(one.outcome, decision.outcome), show=show)


def _lines(
    past: PastRun, deployment: Deployment, made: Replayed, version: str, *, show: bool
) -> Iterator[str]:
    own = version_of(deployment)
    which = "the instructions it had" if own == past.instructions else f"instructions {own}"
    whose = told(past.label, past.mode)
    yield f"{whose}, run {past.id} with {version or 'the files as they are'} ({which}); nothing is sent"
    yield f"{made.same:>8}  decided as they were, byte for byte"
    yield f"{len(made.found):>8}  decided otherwise"
    if made.undecided:
        yield f"{made.undecided:>8}  not decided: the model did not answer"
    if made.gone:
        yield f"{made.gone:>8}  not decided: what they were decided on is not kept (keep_entries)"
    yield from differing.counts(made.found, deployment.instructions.sentences)
    yield from differing.each(made.found, show=show, at_most=None if show else LISTED)
