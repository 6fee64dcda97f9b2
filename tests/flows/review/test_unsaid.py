"""An example says nothing of the patient, wherever and however it is spelt; what is not theirs may be."""

import json
import re
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from random import Random

import pytest
from pydantic import JsonValue

from agent.case import Case
from agent.golden import ExpectedPlan
from agent.plan import Plan, Refused
from agent.synthetic import synthetic
from connectors.entry import leaves
from connectors.sandbox.healthie.words import AREAS, FIRST, LAST, PAYERS, PLACES, STREETS
from flows import proving
from flows.ledger.kept import Again
from flows.ledger.store import Ledger
from flows.ledger.written import Written
from flows.review import examples, unsaid
from flows.review.examples import NotAnExample, Proposal, Wanted
from flows.settings import Settings
from flows.tenants import Deployment, load
from tests.campaign import FULL
from tests.flows.review.decided import LABEL, OPERATION, SHIPPED, key_of, stage

PATIENTS = 60 if FULL else 12
TODAY = date(2026, 3, 2)
SHOWS = "who has a secondary policy"
WHY = "a word of the patient's own entry|what you wrote holds"
BIRTHDAY = re.compile(r"\d\d [A-Z][a-z]{2}|[A-Z][a-z]+ \d\dth")  # without a year
SHORT = ("Ng", "Li", "Wu", "Bo", "Jo")
Drawn = tuple[Deployment, list[tuple[Case, Proposal]]]
Stage = tuple[Settings, Deployment, Ledger]


@pytest.fixture
def there(tmp_path: Path) -> Iterator[Stage]:
    with stage(tmp_path) as made:
        yield made


def person(draw: Random) -> dict[str, JsonValue]:
    """An entry of the demonstration's, with names of two letters, accents and apostrophes among them."""
    area, line = draw.choice(AREAS), f"01{draw.randrange(42):02}"  # the invented number is 0142
    city, state, code = draw.choice(PLACES)
    first, last = draw.choice(FIRST), draw.choice((*LAST, *SHORT))
    visits: list[JsonValue] = [
        {
            "date": f"{TODAY - timedelta(days=draw.randrange(9, 700))}T1{draw.randrange(9)}:12:34Z",
            "pm_status": "Occurred",
        }
        for _ in range(draw.randrange(3))
    ]
    return {
        "active": True,
        "active_tags": [{"name": draw.choice(STREETS)}],
        "first_name": first,
        "last_name": last,
        "email": f"{unaccented(first)}.{draw.randrange(99)}@{unaccented(draw.choice(LAST))}.test",
        "phone_number": draw.choice((f"({area}) 555-{line}", f"{area}-555-{line}", f"+1{area}555{line}")),
        "location": {"city": city, "state": state, "zip": code},
        "policies": [
            {
                "priority_type": "primary",
                "num": f"M-{draw.randrange(99)}",
                "insurance_plan": {"payer_name": draw.choice(PAYERS)[1]},
            }
        ],
        "appointments": visits,
        "dob": str(date(1935, 1, 1) + timedelta(days=draw.randrange(30_000))),
        "requested_payments": [{"balance_due_minor": draw.randrange(10_000, 99_999)}],
        "metadata": {f"{first} of {last}": "x"},
    }


def unaccented(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).casefold()
    return "".join(c for c in plain if c.isascii() and c.isalnum())


@pytest.fixture(scope="module")
def drawn() -> Drawn:
    deployment = load(SHIPPED, LABEL)
    approved, made = examples.approved_of(deployment), list[tuple[Case, Proposal]]()
    with closing(proving.decider_for(deployment, {}, "program", None)) as decider:

        def decide(cases: Sequence[Case]) -> list[Plan | Refused]:
            return [one.outcome for one in decider.decide(cases)]

        for seed in range(PATIENTS):
            real = Case(
                f"{400_000 + seed}", person(Random(seed)), {"crm_contact": {"owner": "Quimby"}}, TODAY
            )
            invented = synthetic(real, approved, decide, str(seed))
            assert invented is not None
            outcome, plan = decide([replace(real, known={}), invented])
            assert isinstance(outcome, Plan) and isinstance(plan, Plan)
            found, expected = Again("r", 1, real.patient, outcome, real), ExpectedPlan.of(plan)
            naming = unsaid.naming(
                deployment, approved, written(real, outcome), found, invented.entry, expected
            )
            granted = tuple(deployment.policy().operations[OPERATION].arguments)
            made.append((real, Proposal("k", invented, expected, 0, granted, naming)))
    return deployment, made


def written(real: Case, outcome: Plan) -> Written:
    """The delivery of what was decided. The target held another name, and knows the patient by its own id."""
    return Written(
        key="k", operation=OPERATION, record="r", entry="e", patient=real.patient, bound="778899", version=1,
        upsert=True, newest=True, state="done", code="", because=("S1",), by="program", left_out=(),
        read=True, arguments=outcome.calls[0].arguments,
        before={"full_name": "Ah Whitlock", "city": "Dunwich"}, settled=None, first_sent=None,
    )  # fmt: skip


def spellings(path: str, value: str) -> set[str]:
    """How a person may write down a value of the entry."""
    found = {value, value.upper(), value.replace(" ", "_"), f"{value}'s"}
    found.add("".join(c for c in unicodedata.normalize("NFD", value) if unicodedata.category(c) != "Mn"))
    if path in ("phone_number", "phone"):
        digits = "".join(c for c in value if c.isdecimal())[-10:]
        found |= {
            f"+1{digits}",
            digits,
            f"{digits[:3]}.{digits[3:6]}.{digits[6:]}",
            f"{digits[3:6]} {digits[6:]}",
        }
    if path == "dob":
        day = date.fromisoformat(value)
        found |= {
            day.strftime(form) for form in ("%m/%d/%Y", "%d.%m.%y", "%Y%m%d", "%B %d, %Y", "%d %b", "%B %dth")
        }
    return found


def places(said: str) -> Iterator[Wanted]:
    """Each place of what a reviewer writes; the reason where it may be one."""
    yield Wanted(f"{said} is left alone", values={"status": "new"})
    yield Wanted(f"who ({said}) moved", "review", because=("S3",), reason="elsewhere")
    reason = "".join(c if c.isalnum() else "_" for c in said.casefold()).strip("_")
    if examples.CODE_WORD.fullmatch(reason):
        yield Wanted(SHOWS, "skip", because=("S3",), reason=reason)
        yield Wanted(SHOWS, "skip", because=("S3",), reason=f"is_{reason}")
    for value in (said, f"x {said}, y", json.dumps(said), json.dumps([said]), json.dumps({said: 1})):
        yield Wanted(SHOWS, values={"status": value})


def refused(proposal: Proposal, wanted: Wanted) -> bool:
    try:
        examples.expected(proposal, wanted)
    except NotAnExample as error:
        assert str(error).startswith(tuple(WHY.split("|"))), error
        return True
    return False


def test_no_leaf_of_an_entry_passes_in_any_place_or_spelling(drawn: Drawn) -> None:
    named = (
        "first_name",
        "last_name",
        "email",
        "phone_number",
        "city",
        "zip",
        "num",
        "payer_name",
        "dob",
        "date",
    )
    for real, proposal in drawn[1]:
        known = [(path.rpartition(".")[2], str(value)) for path, value in leaves(real.entry)]
        whole = f"{real.entry['first_name']} {real.entry['last_name']}"
        said = {one for path, value in known if path in named for one in spellings(path, value)}
        if any(str(value)[4:10] == str(real.entry["dob"])[4:] for _, value in leaves(proposal.case.entry)):
            said = {one for one in said if not BIRTHDAY.fullmatch(one)}  # the invented one's, too
        said |= {whole, whole.replace(" ", ""), real.patient, "778899", "Whitlock", "ah", "Dunwich", "Quimby"}
        for one in said:
            passed = [wanted for wanted in places(one) if not refused(proposal, wanted)]
            assert not passed, one


def test_what_is_not_the_patients_passes(drawn: Drawn) -> None:
    deployment, made = drawn
    grants = deployment.policy().operations[OPERATION].arguments
    constants = [(name, one) for name, grant in grants.items() for one in grant.constants]
    shows = [SHOWS, "the row is left as it is", "the new status is wrong", *deployment.instructions.reasons]
    shows += [sentence.text for sentence in deployment.instructions.sentences]
    for _, proposal in made:
        invented = [(name, value) for name in grants for _, value in leaves(proposal.case.entry)]
        for name, value in [*constants, *invented, *proposal.call.arguments.items()]:
            assert not told(proposal, Wanted(SHOWS, values={name: examples.text(value)})), value
        for one in shows:
            assert not told(proposal, Wanted(one, values={"status": "x"})), one
        for reason in (*deployment.instructions.reasons, "is_archived", "secondary_payer", "too_young"):
            assert not told(proposal, Wanted(SHOWS, "skip", because=("S3",), reason=reason)), reason


def told(proposal: Proposal, wanted: Wanted) -> str:
    try:
        examples.expected(proposal, wanted)
    except NotAnExample as error:
        return "" if "decided already" in str(error) else str(error)
    return ""


@pytest.mark.parametrize(
    "wanted",
    [
        Wanted(SHOWS, values={"phone": "+12125550104"}),
        Wanted(SHOWS, values={"age_group": "1990-04-17"}),
        Wanted(SHOWS, values={"full_name": "\\u0044ana".join('""')}),
        Wanted(SHOWS, values={"open_balance_cents": "2125550104.0"}),
        Wanted(SHOWS, values={"full_name": "Miller"}),
        Wanted(SHOWS, "skip", because=("S3",), reason="albany_resident"),
        Wanted(SHOWS, "skip", because=("S3",), reason="dana_reyes_moved"),
        Wanted(SHOWS, "skip", because=("S3",), reason="danareyes"),
        Wanted("dana_reyes moved", values={"status": "vip"}),
        Wanted("DANA\u00ad REYES", values={"status": "vip"}),
        Wanted("member S-77", values={"status": "vip"}),
        Wanted("call her at 555 0104", values={"status": "vip"}),
    ],
)
def test_what_names_the_patient_is_written_nowhere(
    there: Stage, wanted: Wanted, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, deployment, ledger = there
    of_keys = examples.written.of_keys
    held = {"full_name": "Dana Miller", "status": "active"}

    def before(ledger: Ledger, keys: Sequence[str]) -> list[Written]:
        return [replace(one, before=held) for one in of_keys(ledger, keys)]

    monkeypatch.setattr(examples.written, "of_keys", before)
    proposal = examples.proposed(deployment, ledger, key_of(ledger, "whole-row"))
    files = {path: path.read_bytes() for path in settings.deployments.rglob("*") if path.is_file()}

    with pytest.raises(NotAnExample, match=WHY):
        examples.keep(settings, deployment, proposal, wanted, "Ana")

    assert {path: path.read_bytes() for path in settings.deployments.rglob("*") if path.is_file()} == files


def test_only_what_the_operation_is_granted_is_set(there: Stage) -> None:
    settings, deployment, ledger = there
    proposal = examples.proposed(deployment, ledger, key_of(ledger, "whole-row"))

    for name in ("dana_reyes", "nosuch", ""):
        with pytest.raises(
            NotAnExample, match="no field of warehouse_upsert_patients; it has full_name"
        ) as error:
            examples.keep(settings, deployment, proposal, Wanted(SHOWS, values={name: "1"}), "Ana")
        assert "reyes" not in str(error.value) and "nosuch" not in str(error.value)
