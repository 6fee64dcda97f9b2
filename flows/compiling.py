"""Compiling: whether an integration's parts say the same thing, from the sentences to the golden examples.

Each mistake is one line with its file, its line, and what to do. No model is asked and no system is reached.
"""

import datetime
import re
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from pydantic import JsonValue

from agent.agent import Decider
from agent.coverage import Coverage, cover, unshown
from agent.gate import Gate
from agent.golden import FOLDER, Golden
from agent.instructions import TEXT_FILE
from agent.manifest import FILE as FIELDS
from agent.plan import Refused
from agent.reading import Reading
from agent.walk import reading
from connectors.entry import EntryField, leaves, without_positions
from flows import approval, golden
from flows.check import connections, integration
from flows.check.findings import Finding, Findings
from flows.check.job import Job
from flows.check.marked import Place
from flows.check.programs import Programs
from flows.golden import Example
from flows.tenants import IntegrationInvalid, labels

TYPES: dict[str, type | tuple[type, ...]] = {
    "str": str,
    "int": int,
    "float": (int, float),
    "bool": bool,
    "date": str,
    "datetime": str,
}
WRITTEN = {
    "date": re.compile(r"\d{4}-\d\d-\d\d|"),
    "datetime": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z|"),
}
EXAMPLES = {"date": "2026-03-02", "datetime": "2026-03-02T15:00:00Z"}


@dataclass(frozen=True, slots=True)
class Compiled:
    """What came of compiling: all that is wrong, and what the examples show of the program."""

    findings: tuple[Finding, ...]
    sentences: int = 0
    examples: int = 0
    coverage: Coverage | None = None  # None: no program decides, or it is wrong


def compiled(root: Path, label: str, memory: Path | None = None) -> Compiled:
    """Look at an integration as a whole.

    Args:
        memory: a file that remembers which programs were found right.

    Raises:
        IntegrationInvalid: there is no such integration.
    """
    folder, findings = folder_of(root, label), Findings()
    described = connections.tenant(folder.parent, findings, production=False)
    today = datetime.datetime.now(datetime.UTC).date()
    job = integration.check(folder, described, findings, production=False, today=today)
    examples = golden.examples(folder, findings)
    if job is None:
        return Compiled(_of(folder, findings))
    with Programs(findings, memory) as programs:
        programs.put(job)
    _grants(folder, job, findings)
    _examples(folder, job, examples, findings)
    coverage = None
    if job.source is not None and not any(one.path == job.path for one in findings):
        coverage = _program(folder, job, job.source, examples, findings)
    return Compiled(_of(folder, findings), len(job.policy.sentences), len(examples), coverage)


def _program(
    folder: Path, job: Job, source: str, examples: Sequence[Example], findings: Findings
) -> Coverage | None:
    """What the examples show of the program, once it was held against sentences, grants and fields."""
    read = reading(source, job.policy)
    _citations(folder, job, read, findings)
    _fields(folder, job, read, findings)
    if not examples:
        return None
    coverage = cover(source, job.policy, job.writes, [one.golden for one in examples])
    _branches(job, coverage, findings)
    _decided(job, examples, findings)
    return coverage


def folder_of(root: Path, label: str) -> Path:
    """The folder of an integration.

    Raises:
        IntegrationInvalid: there is no such integration.
    """
    if label not in labels(root):
        known = ", ".join(labels(root)) or "none"
        raise IntegrationInvalid(f"{label}: no such integration below {root}; there are: {known}")
    return root / label


def _of(folder: Path, findings: Findings) -> tuple[Finding, ...]:
    """All but what is wrong with the approval: that comes after."""
    return tuple(one for one in findings if one.path != folder / approval.FILE)


def _grants(folder: Path, job: Job, findings: Findings) -> None:
    """Each granted argument says which sentences speak of it."""
    for line, operation, argument in job.granted:
        if not job.policy.operations[operation].arguments[argument].because:
            what = f"{operation}.{argument} names no sentence that speaks of it"
            findings.add(folder / "integration.yaml", line, what, "write because: [S…]")


def _citations(folder: Path, job: Job, read: Reading, findings: Findings) -> None:
    """Each sentence is cited somewhere, and each value's call cites a sentence that speaks of it."""
    cited = read.cited(job.policy.sentences)
    for number in job.policy.sentences:
        if number not in cited:
            findings.add(
                folder / TEXT_FILE,
                line_of(folder, number),
                f"{number} is cited nowhere in {job.path.name}",
                "cite it where it is followed; if it only explains, take its number away",
            )
    for given in read.given:
        because = job.policy.operations[given.operation].arguments[given.argument].because
        if because and not given.because.intersection(because):
            what = f"{given.operation} sets {given.argument} and cites none of {', '.join(because)}"
            findings.add(job.path, given.line, what, "add the sentence to because; else the gate refuses it")


def _fields(folder: Path, job: Job, read: Reading, findings: Findings) -> None:
    """Each field that is read is used, and for the sentence that names it."""
    for line, sentence, path in job.listed:
        used, speaks = read.used(path)
        if not used:
            findings.add(
                folder / FIELDS,
                line,
                f"{sentence} names {path}, which {job.path.name} does not use",
                "remove it, or use it",
            )
        elif speaks and sentence not in speaks:
            others = ", ".join(number for number in job.policy.sentences if number in speaks)
            what = f"{sentence} names {path}, which {job.path.name} uses for {others} only"
            findings.add(folder / FIELDS, line, what, "name it at the sentence that needs it")


def _examples(folder: Path, job: Job, examples: Sequence[Example], findings: Findings) -> None:
    """Each example is about fields that are read and writes that are granted."""
    if not examples:
        findings.add(
            folder / FOLDER, 1, "holds no golden example", "write one for each branch of each sentence"
        )
    for number in unshown(job.policy.sentences, [one.golden for one in examples]) if examples else ():
        what, todo = f"{number} is shown by no golden example", f"add one to {FOLDER}/"
        findings.add(folder / TEXT_FILE, line_of(folder, number), what, todo)
    known = {field.path: field for field in job.fields}
    for example in examples:
        say = example.marked
        for path, value in leaves(example.golden.entry):
            problem = _misread(without_positions(path), value, known)
            if problem:
                place = tuple(int(part) if part.isdecimal() else part for part in path.split("."))
                findings.add(say.path, say.line(("entry", *place)), f"entry: {path} {problem}", "correct it")
        for place, what in _unfit(example.golden, job):
            findings.add(say.path, say.line(place), f"{place[0]}: {what}", "correct it")


def _unfit(example: Golden, job: Job) -> Iterator[tuple[Place, str]]:
    """What an example names that the instructions, the grants and who decides do not have."""
    for number in sorted(set(example.plan.cited).difference(job.policy.sentences)):
        yield ("plan",), f"cites {number}, which is none"
    for what in _ungranted(example, job):
        yield ("plan", "calls"), f"{what} is not granted"
    for name in golden.unasked(example, job.lookups):
        yield ("known", name), f"{name} {golden.UNASKED}"
    judging = {one.number for one in job.instructions.sentences if one.judgement}
    for label in example.judgements:
        if label.partition(".")[0] not in judging:
            yield ("judgements", label), f"{label} is no sentence that asks for judgement"


def _misread(path: str, value: JsonValue, known: dict[str, EntryField]) -> str:
    """What is wrong with a value of an example's entry, nothing if it could be read so."""
    if path not in known:
        above = any(one.startswith(f"{path}.") for one in known)
        below = any(path.startswith(f"{one}.") for one, field in known.items() if field.type == "json")
        return "" if below or (above and value in (None, [], {})) else "is not read"
    type_ = known[path].type
    if value is None or type_ == "json":
        return ""
    if type_ in WRITTEN and not (isinstance(value, str) and WRITTEN[type_].fullmatch(value)):
        return f"is no {type_} as an entry holds it: {EXAMPLES[type_]}"
    fits = isinstance(value, TYPES[type_]) and isinstance(value, bool) == (type_ == "bool")
    return "" if fits else f"is no {type_}"


def _ungranted(example: Golden, job: Job) -> list[str]:
    found: list[str] = []
    for call in example.plan.calls:
        granted = job.policy.operations.get(call.op)
        if granted is None:
            found.append(call.op)
        else:
            found += [f"{call.op}.{name}" for name in call.arguments if name not in granted.arguments]
    return found


def _branches(job: Job, coverage: Coverage, findings: Findings) -> None:
    """Each branch is taken by an example."""
    for branch in coverage.missed:
        of = f" ({', '.join(branch.sentences)})" if branch.sentences else ""
        findings.add(job.path, branch.line, f"{branch.what}{of}", "add a golden example for the other way")


def _decided(job: Job, examples: Sequence[Example], findings: Findings) -> None:
    """Each example is decided within the limits, and the gate lets its plan pass, whatever it says."""
    gate = Gate(job.policy, job.writes, job.category)
    decider = Decider(gate=gate, policy=job.policy, instructions=job.instructions, writes=job.writes)
    with closing(decider):
        decisions = decider.decide([one.golden.case(one.name) for one in examples])
    for example, decision in zip(examples, decisions, strict=True):
        if isinstance(decision.outcome, Refused):
            what = f"is refused: {decision.outcome.code} {decision.outcome.where}".rstrip()
            findings.add(example.path, 1, what, f"correct {job.path.name}, or the example")


def line_of(folder: Path, number: str) -> int:
    """The line of instructions.md at which a sentence begins."""
    begun = re.compile(rf" {{0,3}}(?:[-*] +)?(?:\*\*)?{number}(?!\d)")
    lines = (folder / TEXT_FILE).read_text(encoding="utf-8").splitlines()
    return next((at for at, line in enumerate(lines, start=1) if begun.match(line)), 1)
