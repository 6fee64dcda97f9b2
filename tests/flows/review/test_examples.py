"""A write that was found wrong becomes an example and a question, with nothing of the patient in them."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from agent.refine import questions as asking
from connectors.entry import leaves
from flows import golden, proving
from flows.ledger.store import Ledger
from flows.refine import files
from flows.review import examples, questions
from flows.review.examples import NotAnExample, Wanted
from flows.settings import Settings
from flows.tenants import Deployment
from tests.flows.review.decided import LABEL, key_of, stage

PATIENT = "whole-row"
SHOWS = "the payer is left as it is for who has a secondary policy"
Stage = tuple[Settings, Deployment, Ledger]


@pytest.fixture
def there(tmp_path: Path) -> Iterator[Stage]:
    with stage(tmp_path) as made:
        yield made


def folder(there: Stage) -> Path:
    return there[0].deployments / LABEL


def test_a_wrong_write_becomes_an_example_that_is_not_met_and_a_question(there: Stage) -> None:
    settings, deployment, ledger = there
    proposal = examples.proposed(deployment, ledger, key_of(ledger, PATIENT))
    values = {name: examples.text(value) for name, value in proposal.call.arguments.items()}
    wanted = Wanted(SHOWS, values=values | {"payer": ""})

    made = examples.keep(settings, deployment, proposal, wanted, "Ana")

    kept = golden.load(folder(there))[made.path.stem]
    assert kept.shows == SHOWS and kept.entry == proposal.case.entry
    assert "payer" not in kept.plan.calls[0].arguments and "email" in kept.plan.calls[0].arguments
    real = {
        str(value) for _, value in leaves(golden.load(folder(there))[PATIENT].entry) if len(str(value)) > 5
    }
    assert not [
        value for value in real - {"secondary", "primary", "Occurred"} if value in made.path.read_text()
    ]
    proven = proving.proven(settings, LABEL)
    assert {one.name: dict(one.differs) for one in proven.examples if not one.passed} == {
        made.path.stem: {"warehouse_upsert_patients.payer is set": 1}
    }
    (asked,) = questions.still_open(folder(there))
    assert asked.number == made.question == "Q1" and SHOWS in asked.asks and asked.options == examples.MEANT
    assert asked.about == kept.plan.calls[0].because


def test_a_patient_may_be_left_alone_or_looked_at_instead(there: Stage) -> None:
    settings, deployment, ledger = there
    proposal = examples.proposed(deployment, ledger, key_of(ledger, PATIENT))
    wanted = Wanted("who is in Albany is left alone", "skip", because=("S3",), reason="elsewhere")

    with pytest.raises(NotAnExample, match="a word of the patient's own entry"):  # Albany is the real city
        examples.keep(settings, deployment, proposal, wanted, "Ana")
    made = examples.keep(settings, deployment, proposal, replace(wanted, shows="who lives far away"), "Ana")

    plan = golden.load(folder(there))[made.path.stem].plan
    assert (plan.kind, plan.because, plan.reason, plan.calls) == ("skip", ("S3",), "elsewhere", ())


@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        (Wanted(SHOWS, values={"full_name": "Dana Reyes"}), "a word of the patient's own entry"),
        (Wanted("call 617-555-0101", values={"status": "new"}), "holds a telephone number"),
        (Wanted(SHOWS, "skip", because=("S3",), reason="No Consent"), "one code word"),
        (Wanted(SHOWS, "skip", because=("S99",), reason="no_consent"), "S99 is no sentence"),
        (Wanted("", values={"status": "new"}), "say in a few words"),
    ],
)
def test_what_is_no_example_is_one_line_and_writes_nothing(there: Stage, wanted: Wanted, why: str) -> None:
    settings, deployment, ledger = there
    proposal = examples.proposed(deployment, ledger, key_of(ledger, PATIENT))
    before = sorted(folder(there).rglob("*"))

    with pytest.raises(NotAnExample, match=why) as refused:
        examples.keep(settings, deployment, proposal, wanted, "Ana")

    assert "Reyes" not in str(refused.value)
    assert sorted(folder(there).rglob("*")) == before


def test_what_is_decided_already_is_no_example(there: Stage) -> None:
    settings, deployment, ledger = there
    proposal = examples.proposed(deployment, ledger, key_of(ledger, PATIENT))
    same = {name: examples.text(value) for name, value in proposal.call.arguments.items()}

    with pytest.raises(NotAnExample, match="decided already"):
        examples.keep(settings, deployment, proposal, Wanted(SHOWS, values=same), "Ana")


def test_an_example_never_ends_an_approval(there: Stage) -> None:
    settings, deployment, ledger = there
    (folder(there) / "approval.yaml").write_text("author: Ana\n")
    proposal = examples.proposed(deployment, ledger, key_of(ledger, PATIENT))

    with pytest.raises(NotAnExample, match="one example more would end that"):
        examples.keep(settings, deployment, proposal, Wanted(SHOWS, values={"status": "new"}), "Ana")


@pytest.mark.parametrize("value", ["Ana", "null", "12", "true", "", None, 12, 1.5, True, '"quoted"', "a b"])
def test_a_value_is_read_as_it_was_written(value: object) -> None:
    written = examples.text(value)  # type: ignore[arg-type]

    assert written and examples.read(written) == value and type(examples.read(written)) is type(value)


@pytest.mark.parametrize("said", ['"\\ud800"', "NaN", "-Infinity", "[" * 2000])
def test_what_no_file_can_hold_is_text(said: str) -> None:
    assert examples.read(said) == said and examples.read(examples.text(said)) == said


def test_a_reviewers_question_stays_a_draft_and_is_withdrawn_by_nobody(tmp_path: Path) -> None:
    first = asking.Question(asks="Which?", about=("S1",), count="37 of the 500 patients that were looked at.")
    text = asking.written([first.model_copy(update={"number": "Q1"})])
    (tmp_path / "questions.md").write_text(text)
    hashed = {"questions.md": files._hash(text)}
    files._record(tmp_path, files.Drafted(by="model", files=hashed))
    mine = asking.Question(asks="Which is meant?", about=("S2",), kind=asking.REVIEW, options=("a", "b"))

    assert files.ask(tmp_path, mine) == "Q2"
    assert files.ask(tmp_path, mine) == "Q2"  # asked once

    now = (tmp_path / "questions.md").read_text()
    assert now.startswith(text.rstrip())
    assert asking.counts(now) == {"Q1": "37 of the 500 patients that were looked at."}
    assert files.record(tmp_path).files == {"questions.md": files._hash(now)}
    before = asking.parsed(now)
    assert [one.state for one in asking.merged(before, (), {})] == ["withdrawn", "open"]
    assert [one.state for one in asking.merged(before, (), {"Q2": "b"})] == ["withdrawn", "answered"]
