"""Paired: what a run that has an opposite one makes of changed entries, before anything is decided.

A change that the other direction made is an echo: what it wrote is what is there, so nothing is decided. An
entry of the reader's is only decided if it is linked, and if the record still names the entry that it is
linked with.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from pydantic import JsonValue

from agent.plan import Refused
from connectors.entry import Entry, Found, canonical
from flows.ledger import entries, links
from flows.ledger.links import CLAIMED, SAID, UNLINKED, Agreed, Link
from flows.ledger.plans import Decided
from flows.other import Paired
from flows.run import Candidate, Run
from flows.weigh import folded

ECHO = "echo"
RIGHT = (["learned"], ["confirmed"])
"""The states of an entry's links, where it has one that is not for a person to look at."""


@dataclass(frozen=True, slots=True)
class Aside:
    """An entry that is not decided, and why."""

    candidate: Candidate
    state: str
    code: str


def reads(run: Run) -> tuple[str, ...]:
    """What is read of each entry."""
    paths = run.deployment.manifest.paths
    return tuple(dict.fromkeys((*paths, *run.paired.read_along))) if run.paired else paths


def nominated(run: Run) -> Iterator[str]:
    """Entries that are to be looked at although nothing changed in them.

    The other direction left a newer value of theirs to this one; or they were set aside for their link, which
    is right by now.
    """
    if run.paired:
        yield from sorted(run.paired.contested)
        waiting = [] if run.paired.pair.keeps else entries.set_aside_for(run.ledger, links.ASIDE)
        found = run.paired.links.of(dict.fromkeys(waiting, ""))
        yield from (one for one in waiting if [link.state for link in found.get(one, ())] in RIGHT)


def undecided(run: Run, decided: Sequence[tuple[Candidate, Decided]]) -> None:
    """What the other direction left to this one, and these plans say nothing of, is a person's to say."""
    if run.paired is None:
        return
    silent = [
        candidate
        for candidate, one in decided
        if candidate.known.patient in run.paired.contested and _says_nothing(run.paired, candidate, one)
    ]
    found = [link for its in _links(run.paired, silent).values() for link in its]
    asked = {link.ref: dict.fromkeys(_left_to(run.paired, link), "person") for link in found}
    run.paired.links.agree([Agreed(ref, {}, whose) for ref, whose in asked.items()])
    if asked:
        run.count("contested", sum(map(len, asked.values())))


def _says_nothing(paired: Paired, candidate: Candidate, one: Decided) -> bool:
    """Whether nothing is written there, and the entry is not decided once more by itself."""
    outcome = one.decision.outcome
    if isinstance(outcome, Refused):
        return not one.transient and candidate.known.attempts + 1 >= entries.ATTEMPTS
    return all(call.operation != paired.pair.operation for call in outcome.calls)


def _left_to(paired: Paired, link: Link) -> list[str]:
    return [key for key, who in link.contested.items() if who == paired.ours]


def sift(run: Run, candidates: Sequence[Candidate]) -> list[Candidate]:
    """Those that are to be decided, bound to their records. The others are counted and noted."""
    if run.paired is None or not candidates:
        return list(candidates)
    known = _links(run.paired, candidates)
    kept: list[Candidate] = []
    asides: list[Aside] = []
    for candidate in candidates:
        found = known.get(candidate.known.patient, [])
        aside = None if run.paired.pair.keeps else _objection(run.paired, candidate, found)
        if aside is None and found and _is_echo(run, run.paired, candidate, found[0]):
            known_as = candidate.known.state if candidate.known.version else "skipped"
            aside = Aside(candidate, known_as, ECHO)
        if aside:
            asides.append(aside)
        else:
            kept.append(_bound(run.paired, candidate, found))
    _count(run, asides)
    if not run.dry:
        _note(run, asides, known)
    return kept


def owned(paired: Paired, found: Found) -> dict[str, str]:
    """The fields of an entry that go both ways, by key, as hashes that are its own."""
    pair = paired.pair
    return {
        one.key: paired.links.value_hash(found.patient, one.key, folded(one.key, found.entry.get(one.own)))
        for one in pair.shared.values()
        if one.own
    }


def rest(run: Run, paired: Paired, entry: Entry) -> str:
    """The fingerprint of an entry without what goes both ways."""
    return run.ledger.seal.keyed_hash_of(
        canonical({name: value for name, value in entry.items() if name not in paired.pair.own})
    )


def without_read_along(run: Run, found: Found) -> tuple[Found, JsonValue]:
    """An entry as its sentences need it, and the id of the other side that it names."""
    if run.paired is None or run.paired.pair.keeps:
        return found, None
    identity = run.paired.pair.identity
    named = found.entry.get(identity)
    if identity in run.deployment.manifest.paths:
        return found, named
    rest_of_it = {name: value for name, value in found.entry.items() if name != identity}
    return replace(found, entry=rest_of_it), named


def _links(paired: Paired, candidates: Sequence[Candidate]) -> dict[str, list[Link]]:
    """The links of these entries, by our ids."""
    return paired.links.of({one.known.patient: one.known.ref for one in candidates})


def _objection(paired: Paired, candidate: Candidate, found: Sequence[Link]) -> Aside | None:
    """Why an entry of the reader's is not decided."""
    if not found:
        if candidate.named in (None, ""):
            return Aside(candidate, "skipped", UNLINKED)
        return Aside(candidate, "review", CLAIMED)
    if len(found) > 1:
        return Aside(candidate, "review", links.TWICE)
    if found[0].code in SAID:
        return Aside(candidate, "review", found[0].code)
    if str(candidate.named) != found[0].keeper:
        return Aside(candidate, "review", links.IDENTITY)
    return None


def _is_echo(run: Run, paired: Paired, candidate: Candidate, link: Link) -> bool:
    """Does the entry differ from what was handled only in what the other direction wrote into it?"""
    known, own = candidate.known, candidate.own
    if run.kind == "resync" or known.patient in paired.contested or known.is_open(run.versions.instructions):
        return False
    if known.again_on is not None and known.again_on <= run.today:
        return False
    if any(link.agreed.get(key, {}).get(paired.ours) != hashed for key, hashed in own.items()):
        return False
    if known.rest:
        return candidate.rest == known.rest
    return set(reads(run)) <= {*paired.pair.own, *paired.read_along}  # new, and there is nothing else to it


def _bound(paired: Paired, candidate: Candidate, found: Sequence[Link]) -> Candidate:
    """With the id under which the paired target knows it. The keeper's own id is what the target keys by."""
    return candidate if paired.pair.keeps else replace(candidate, record=found[0].keeper)


def _count(run: Run, asides: Iterable[Aside]) -> None:
    for one in asides:
        if one.code == ECHO:
            run.count("echoes")
        elif one.code == UNLINKED:
            run.count("unlinked")
        else:
            run.count("review", code=one.code)


def _note(run: Run, asides: Sequence[Aside], known: dict[str, list[Link]]) -> None:
    """The entries as they are now, and what this says of their links."""
    found = {one.candidate.known.patient: one.code for one in asides}
    wrong = [one for patient, code in found.items() if code == links.IDENTITY for one in known[patient]]
    if not run.paired or run.paired.pair.keeps:
        right: list[Link] = []
    else:
        right = [one for patient, its in known.items() if found.get(patient, ECHO) == ECHO for one in its]
    if run.paired:
        run.paired.links.doubt(wrong)
        run.paired.links.confirm(right)
    if asides:
        with run.ledger.writing("set aside") as connection:
            entries.set_aside(
                run.ledger,
                connection,
                [
                    entries.SetAside(
                        one.candidate.known,
                        one.state,
                        one.code,
                        one.candidate.fingerprint if one.code == ECHO else "",
                        one.candidate.rest if one.code == ECHO else one.candidate.known.rest,
                    )
                    for one in asides
                ],
            )
