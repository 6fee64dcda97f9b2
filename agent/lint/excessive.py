"""Excessive: a field that is read and never used, and sentences that ask for more than they name."""

import re
from collections.abc import Iterator

from agent import manifest
from agent.lint.phrases import phrases
from agent.lint.subject import Finding, Kind, Subject
from agent.lint.topics import of_path, speaks_of
from agent.lint.uses import Uses
from agent.lint.words import Reading

ALL = phrases("""
    <all> of? <word>? <word>? data/details/information/fields/field/columns/attributes/properties/metadata
    <all> of? <det>? record/chart/profile/file/history/entry
    everything/anything/whatever/all else? that? we/healthie/the_practice/the_clinic have/has/know/knows
    everything/anything/whatever/all else? that? is/there_is known/there/on_file/available
    everything/anything/whatever/all about <det>? <patient>/them
    whatever else healthie/we/is_known/there_is
    anything else that? could/might? <word>? useful/of_interest
    anything else
    all <det>? details there are
    as much data/information/detail as
    just in case
""")
_NOT = re.compile(r"\b(?:no|not|never|nothing|without|except|instead of|neither)\b[^,;]{0,40}$")
_KEEPS = re.compile(
    r"\b(?:stay|stays|left|keep|keeps|unchanged|remain|remains|deleted|emptied|changed|empty|missing"
    r"|filled)\b"
)


def excessive(subject: Subject) -> Iterator[Finding]:
    """What is asked for and read beyond what is used."""
    for reading in subject.readings:
        yield from _asks_for_all(subject, reading)
    if subject.policy.by == "model":
        yield from _of_the_text(subject)
    elif subject.instructions.program is not None:
        yield from _of_the_program(subject, subject.instructions.program)


def _asks_for_all(subject: Subject, reading: Reading) -> Iterator[Finding]:
    for found in ALL.finditer(reading.plain):
        before, after = reading.plain[: found.start()], reading.plain[found.end() :].split(".")[0]
        if not _NOT.search(before) and not _KEEPS.search(after.split(",")[0]):
            what = f'asks for "{reading.text[found.start() : found.end()].strip()}"'
            yield subject.says(Kind.EXCESSIVE, reading, what, "name the fields that are needed, and no other")


def _of_the_program(subject: Subject, source: str) -> Iterator[Finding]:
    paths = subject.manifest.paths
    whole = {path for path in paths if path in subject.fields and subject.fields[path].type == "json"}
    uses = Uses(source, paths, whole)
    for path in paths:
        if path not in uses.used:
            yield from _unused(
                subject, path, f"{path} is read, and the program never uses it", "remove it there"
            )
        elif keys := uses.keyed.get(path):
            only = ", ".join(f"{path}.{key}" for key in sorted(keys))
            yield from _unused(
                subject, path, f"{path} is read as a whole, and only {only} is used", f"write {only}"
            )


def _of_the_text(subject: Subject) -> Iterator[Finding]:
    """Where a model decides: a field that no argument comes from, and that its sentence does not speak of."""
    granted = {path for one in subject.arguments for path in one.grant.sources}
    readings = {reading.number: reading for reading in subject.readings}
    for path in subject.manifest.paths:
        if path in granted:
            continue
        needing = [readings[number] for number in subject.manifest.sentences(path) if number in readings]
        if not any(speaks_of(reading.lower, of_path(path)) for reading in needing):
            what = f"{path} is read, and neither a sentence nor a grant has a use for it"
            yield from _unused(subject, path, what, "remove it there")


def _unused(subject: Subject, path: str, what: str, todo: str) -> Iterator[Finding]:
    for number in subject.manifest.sentences(path):
        place = (number, subject.manifest.root[number].index(path))
        yield Finding(Kind.EXCESSIVE, number, what, todo, manifest.FILE, 0, place)
