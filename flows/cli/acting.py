"""Reviewing in the terminal: mark a write, decide what waits, make an example of what is wrong."""

from typing import Annotated

import typer

from flows import acts as noting
from flows.cli.app import Label, app, say
from flows.cli.asked import Person, reviewer
from flows.errors import Spoken
from flows.ledger import marks, written
from flows.ledger.marks import Verdict
from flows.ledger.store import Ledger
from flows.parameters import Mode
from flows.review import acts, examples
from flows.review.examples import Proposal, Wanted
from flows.review.opened import desk
from flows.settings import Settings
from flows.tenants import load

Live = Annotated[bool, typer.Option("--live", help="of what is live; else of its stage")]
Key = Annotated[str, typer.Argument(metavar="KEY", help="the write's, as ferry review --text names it")]
SAID = "'S3 no_consent'"
VERDICTS: dict[str, Verdict] = {"right": "right", "wrong": "wrong"}


class NotUnderstood(Spoken):
    """A command says what cannot be done. One line."""


@app.command()
def mark(
    label: Label,
    key: Key,
    verdict: Annotated[str, typer.Argument(metavar="right|wrong")],
    remark: Annotated[str, typer.Option(help="why; it is sealed")] = "",
    live: Live = False,
    person: Person = "",
) -> None:
    """Mark a planned write right or wrong."""
    if verdict not in VERDICTS:
        raise NotUnderstood(f"{label}: a write is marked right or wrong, and not {verdict}")
    settings, who = Settings(), reviewer(label, person)
    with desk(settings, label, _mode(live=live)) as made:
        _there(label, made.ledger, key)
        marks.put(made.ledger, key, VERDICTS[verdict], remark, who)
    say(f"{key}: marked {verdict}")


@app.command()
def decide(
    label: Label,
    entry: Annotated[str, typer.Argument(metavar="ENTRY", help="as ferry review --text names it")],
    word: Annotated[str, typer.Argument(metavar="leave|again|answer")],
    option: Annotated[str, typer.Option(help="the answer, where a sentence asks to choose")] = "",
    reason: Annotated[str, typer.Option(help="why; it is sealed")] = "",
    live: Live = False,
    person: Person = "",
) -> None:
    """Say what becomes of an entry that waits for a person: leave it, decide it again, or answer."""
    settings, who = Settings(), reviewer(label, person)
    with desk(settings, label, _mode(live=live)) as made:
        if word == "leave":
            acts.leave(made.ledger, entry, reason, who)
        elif word == "again":
            acts.again(made.ledger, entry, reason, who)
        elif word == "answer":
            acts.answer(load(settings.deployments, label), made.ledger, entry, option, reason, who)
        else:
            raise NotUnderstood(f"{label}: say leave, again or answer, and not {word}")
    say(f"{entry}: {'is left until it changes' if word == 'leave' else 'is decided by the next run'}")


@app.command()
def example(
    label: Label,
    key: Key,
    shows: Annotated[str, typer.Option(help="what it shows; without it, what it would be is told")] = "",
    given: Annotated[
        list[str] | None, typer.Option("--set", metavar="FIELD=VALUE", help="expected; FIELD= is not set")
    ] = None,
    skip: Annotated[str, typer.Option(metavar=SAID, help="it is to be left alone, by these sentences")] = "",
    review: Annotated[str, typer.Option(metavar=SAID, help="a person is to look at it")] = "",
    live: Live = False,
    person: Person = "",
) -> None:
    """Make a golden example, invented, out of a write that is wrong; and a question for refine."""
    settings, who = Settings(), reviewer(label, person)
    deployment = load(settings.deployments, label)
    with desk(settings, label, _mode(live=live)) as made:
        _there(label, made.ledger, key)
        with made.ledger.told_by(f"person {who}"):
            noting.note_beside(made.ledger, f"an example drawn from a write of {made.ledger.name}", key)
        proposal = examples.proposed(deployment, made.ledger, key)
    if not shows:
        _tell(proposal)
        return
    wanted = Wanted(
        shows=shows,
        kind="skip" if skip else "review" if review else "write",
        values=dict(_pair(label, one) for one in given or ()),
        because=deployment.instructions.cites(skip or review),
        reason=(skip or review).rpartition(" ")[2],
    )
    done = examples.keep(settings, deployment, proposal, wanted, who)
    say(f"{done.path}: written; {done.question} asks the practice which is meant")


def _tell(proposal: Proposal) -> None:
    say(f"an invented entry, as on {proposal.case.today}, that is decided as the real one:")
    for path, value in examples.leaves_of(proposal):
        say(f"  {path}: {value}")
    say(f"{proposal.call.op} by {' '.join(proposal.call.because)}:")
    for name, given in proposal.call.arguments.items():
        say(f"  {name}: {examples.text(given)}")
    say("say what is expected instead: --shows WORDS --set FIELD=VALUE, or --skip 'S3 no_consent'")


def _there(label: str, ledger: Ledger, key: str) -> None:
    if not written.of_keys(ledger, [key]):
        raise NotUnderstood(f"{label}: no write has the key {key}; see: ferry review {label} --text")


def _pair(label: str, said: str) -> tuple[str, str]:
    name, equals, value = said.partition("=")
    if not equals:
        raise NotUnderstood(f"{label}: write --set FIELD=VALUE, and not {name}")
    return name, value


def _mode(*, live: bool) -> Mode:
    return "live" if live else "staging"
