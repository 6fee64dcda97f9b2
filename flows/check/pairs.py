"""An integration that goes both ways: held against the one that carries the same records back."""

import re
from collections.abc import Callable, Mapping

from agent.instructions import Instructions
from connectors.entry import EntryField
from connectors.operation import Delivery, Write
from flows import pairs
from flows.check import offers
from flows.check.findings import Findings
from flows.check.marked import Marked, Place, dotted
from flows.check.offers import Reached
from flows.pairing import NEWEST, PERSON
from flows.tenants import Integration
from flows.written import IntegrationInvalid, parsed

WORDS: Mapping[str, str] = {
    NEWEST: r"newest|newer|latest|most recent",
    PERSON: r"person|somebody|someone|review",
}


Say = Callable[[Place, str, str], None]


def check(
    marked: Marked,
    integration: Integration,
    connections: Reached,
    writes: Mapping[str, Write],
    instructions: Instructions | None,
    findings: Findings,
) -> None:
    """Everything that keeps the two from being a pair. `writes` by full name."""

    def say(place: Place, what: str, todo: str) -> None:
        findings.add(marked.path, marked.line(place), f"{dotted(place)} {what}", todo)

    _unpaired(integration, say)
    if integration.pair is None:
        return
    path = marked.path.parent.parent / integration.pair.with_ / "integration.yaml"
    try:
        other = parsed(path, Integration)
    except IntegrationInvalid:
        say(("pair", "with"), f"is {integration.pair.with_}, which cannot be used", f"look at {path}")
        return
    for objection in pairs.objections(marked.path.parent.name, integration, other):
        say(*objection)
    _written(integration, writes, say)
    _fields(integration, other, connections, say)
    if instructions:
        _sentences(integration, instructions, connections, say)


def _unpaired(integration: Integration, say: Say) -> None:
    """An owner is only said of what goes both ways."""
    paired = integration.pair.target if integration.pair else ""
    for target, _, place, argument, grant in pairs.granted(integration):
        if grant.owner and target != paired:
            say((*place, argument, "owner"), "is said of what goes one way", "remove it, or write pair:")


def _written(integration: Integration, writes: Mapping[str, Write], say: Say) -> None:
    write = writes.get(pairs.paired_write(integration)[0])
    if write and (write.delivery is not Delivery.UPSERT or write.present is None):
        todo = "pair a write that may be repeated, and whose record can be read"
        say(("pair", "target"), f"is written by {write.name}, which is none of those", todo)


def _fields(integration: Integration, other: Integration, connections: Reached, say: Say) -> None:
    """What is read of the two sources is there, once in each entry."""
    pairing = integration.pair
    assert pairing is not None
    ours, theirs = _known(integration, connections), _known(other, connections)
    for key, path in (("changed", pairing.changed), ("identity", pairing.identity)):
        if path and ours is not None and path not in ours:
            say(("pair", key), f"is {path}, which the source does not have", "name a field of the source")
    if ours is not None and pairing.changed in ours and ours[pairing.changed].type != "datetime":
        say(("pair", "changed"), f"is {pairing.changed}, which is no moment", "name one that is")
    for _, _, place, argument, grant in pairs.granted(integration):
        if not grant.owner:
            continue
        for path in grant.from_:
            if ours is not None and path in ours and ours[path].many:
                what = f"is {path}, of which an entry has several"
                say((*place, argument, "from"), what, "name a field that there is once")
        if theirs is not None and argument not in theirs:
            what = f"is written, and {other.source} does not show it"
            say((*place, argument), what, "let what goes both ways be called alike there")


def _known(integration: Integration, connections: Reached) -> Mapping[str, EntryField] | None:
    try:
        return offers.fields(integration, connections)
    except ValueError:
        return None  # told where it is the integration's own


def _sentences(integration: Integration, instructions: Instructions, connections: Reached, say: Say) -> None:
    """A sentence says who owns each field: an approval of the words is one of that, too."""
    texts = {sentence.number: sentence.text for sentence in instructions.sentences}
    for _, _, place, argument, grant in pairs.granted(integration):
        if not grant.owner:
            continue
        said = " ".join(texts.get(number, "") for number in grant.because)
        if not re.search(_words(grant.owner, connections), said, re.IGNORECASE):
            cited = ", ".join(grant.because) or "its sentences"
            what = f"has the owner {grant.owner}, which none of {cited} says"
            say((*place, argument, "because"), what, "name the sentence that says who has the last word")


def _words(owner: str, connections: Reached) -> str:
    """What a sentence says that names this owner."""
    connection = connections.get(owner)
    named = {owner, connection.connector} if connection else {owner}
    return rf"\b(?:{WORDS.get(owner) or '|'.join(map(re.escape, sorted(named)))})\b"
