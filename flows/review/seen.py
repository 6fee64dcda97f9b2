"""What was seen of the instructions in real entries: which branches were taken, and which changes judged."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping

from agent.access import PROGRAM
from agent.branches import Branch
from agent.coverage import cover
from agent.golden import ExpectedPlan, Golden
from agent.plan import Plan
from flows.declared import declared
from flows.ledger import kept, runs
from flows.ledger.kept import Again
from flows.ledger.store import Ledger
from flows.review.desk import RUNS, Desk, Line
from flows.review.figures import several
from flows.run import version_of
from flows.tenants import Deployment

LOOKED_AT = 5000  # entries of the newest runs
UNSAID = "program"  # what a branch is explained by that no sentence speaks of
NOTHING_NEW = "as it is"  # the kind of a write that changes nothing
Reasons = Mapping[str, str]


def untaken(deployment: Deployment, ledger: Ledger, reasons: Reasons) -> Iterator[str]:
    """Branches of the program that no real entry took; where a model decides, sentences never followed."""
    if deployment.integration.decide.by != PROGRAM:
        yield from _unfollowed(deployment, ledger, reasons)
        return
    looked, missed = _missed(deployment, ledger)
    for branch in missed:
        speak = branch.sentences or (UNSAID,)
        if not any(one in reasons for one in speak):
            yield (
                f"program.py:{branch.line}: {branch.what} in {looked} entries ({' '.join(speak)}); find one, "
                f"or say why in reasons.yaml, as {speak[0]}: no such patient yet"
            )


def unexplained(deployment: Deployment, desk: Desk, reasons: Reasons) -> Iterator[str]:
    """Kinds of change under the present instructions of which nobody found a write right; what is wrong."""
    here, said = version_of(deployment), desk.verdicts()
    present = {row.id for row in runs.latest(desk.ledger, RUNS) if row.instructions == here}
    lines = [one for one in desk.lines() if one.run in present]
    if not present:
        yield (
            "nothing was decided by the instructions as they are now; run: "
            f"ferry resync {deployment.label} --staging"
        )
    groups: dict[tuple[str, tuple[str, ...], str], list[Line]] = defaultdict(list)
    for one in lines:
        groups[one.operation, one.because, one.kind].append(one)
    for (operation, because, kind), ones in groups.items():
        verdicts = Counter(said[one.key] for one in ones if one.key in said)
        what = f"{operation} by {' '.join(because)}, {kind}"
        if verdicts["wrong"]:
            yield f"{what}: {verdicts['wrong']} marked wrong; make an example of each, correct the sentence"
        elif not verdicts["right"] and kind != NOTHING_NEW and not any(one in reasons for one in because):
            writes = several(len(ones), "write", "writes")
            yield f"{what}: {writes}, and nobody found one right; look at one: {ones[0].key}"


def _missed(deployment: Deployment, ledger: Ledger) -> tuple[int, list[Branch]]:
    """How many entries were looked at, and the branches that none of them takes."""
    source, policy = deployment.instructions.program or "", deployment.policy()
    writes, looked = declared(deployment)[0], 0
    missed = {(one.at, one.way): one for one in cover(source, policy, writes, ()).branches}
    for page in _pages(deployment, ledger):
        cases = [_as_example(one) for one in page if one.case]
        left = {(one.at, one.way) for one in cover(source, policy, writes, cases).missed}
        missed = {at: branch for at, branch in missed.items() if at in left}
        looked += len(cases)
        if not missed or looked >= LOOKED_AT:
            break
    return looked, list(missed.values())


def _pages(deployment: Deployment, ledger: Ledger) -> Iterator[list[Again]]:
    """What was decided in runs that read every field that is read now, newest run first."""
    needed = set(deployment.manifest.paths)
    for row in runs.latest(ledger, RUNS):
        if needed <= set(row.fields):
            yield from kept.of_run(ledger, row.id)


def _as_example(one: Again) -> Golden:
    assert one.case is not None
    return Golden(
        shows=one.ref,
        today=one.case.today,
        entry=dict(one.case.entry),
        judgements=dict(one.case.judged),
        plan=ExpectedPlan(),
    )


def _unfollowed(deployment: Deployment, ledger: Ledger, reasons: Reasons) -> Iterator[str]:
    cited: set[str] = set()
    for page in _pages(deployment, ledger):
        for one in page:
            if isinstance(one.outcome, Plan):
                cited.update(ExpectedPlan.of(one.outcome).cited)
    for number in deployment.instructions.numbers:
        if number not in cited and number not in reasons:
            yield f"{number} was followed for no entry; find one, or say why in reasons.yaml"
