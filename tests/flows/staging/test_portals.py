"""A stage over a HubSpot portal in which people work, too: what is sent ends as it would end there."""

import random
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest
from pydantic import JsonValue

from connectors.hubspot import HubSpotOptions
from connectors.operation import Item
from connectors.sandbox.hubspot import StandIn
from flows.ledger.store import Ledger
from flows.staging import Stage
from tests.campaign import FULL
from tests.connectors.hubspot.portals import COMPANIES, CONTACTS, hubspot, settle, told
from tests.flows.ledgers import held
from tests.flows.staging.alike import Step, ends_alike

SEEDS = range(300 if FULL else 6)
STEPS = 24
STATIC, OTHER, DYNAMIC, NONE = "7", "8", "9", "99"
VALUES: dict[str, Sequence[JsonValue]] = {
    "email": ("a@x.org", "b@x.org", "d@x.org", "no address", None),
    "firstname": ("Ana", "Ben", None),
    "lifecyclestage": ("lead", "none of these"),
    "visits": (1, "many"),
}
OPTIONS = HubSpotOptions(objects={"contacts": "contacts", "companies": "companies"}, adopt=False)
ADOPTS = HubSpotOptions(objects={"contacts": "contacts", "companies": "companies"})


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Ledger]:
    with closing(held(f"sqlite:///{tmp_path / 'ledger.db'}", tmp_path)) as opened:
        yield opened


@pytest.fixture(scope="module")
def running() -> Iterator[StandIn]:
    with StandIn() as stand_in:
        yield stand_in


@pytest.fixture
def portal(running: StandIn) -> StandIn:
    """Two patients are there, and somebody whom nobody made a patient."""
    running.clear()
    with closing(hubspot(running, CONTACTS, COMPANIES, options=OPTIONS)) as own:
        own.prepare()
    members = [running.create(healthie_id=f"p{at}", email=f"{name}@x.org") for at, name in enumerate("ab")]
    running.create(email="c@x.org", firstname="Theirs")
    for id_, kind in ((STATIC, "MANUAL"), (OTHER, "MANUAL"), (DYNAMIC, "DYNAMIC")):
        running.make_list(id_, f"list {id_}", processing_type=kind)
    with closing(hubspot(running)) as own:
        own.writes()["add_to_list"].send([Item("m", "p0", {"list_id": OTHER})])
    assert running.members(OTHER) == members[:1]
    return running


def step(chance: random.Random, at: int) -> Step:
    patient = f"p{chance.randrange(5)}"
    kind = chance.random()
    if kind < 0.15:
        return "upsert_companies", Item(f"k{at}", patient, {"payer_id": chance.choice("xy"), "name": "Payer"})
    if kind < 0.3:
        return "add_to_list", Item(f"k{at}", patient, {"list_id": chance.choice((STATIC, DYNAMIC, NONE))})
    if kind < 0.4:
        # of a contact that the stage made it is not known that it cannot be taken out
        lists = (OTHER, DYNAMIC, NONE) if patient in ("p0", "p1") else (OTHER,)
        return "remove_from_list", Item(f"k{at}", patient, {"list_id": chance.choice(lists)})
    names = sorted({"firstname", *chance.sample(sorted(VALUES), chance.randrange(3))})
    return "upsert_contacts", Item(f"k{at}", patient, {name: chance.choice(VALUES[name]) for name in names})


def alike(
    portal: StandIn, book: Ledger, steps: Sequence[Step], options: HubSpotOptions = OPTIONS
) -> set[str]:
    def shown() -> object:
        lists = [portal.members(each) for each in (STATIC, OTHER)]
        return portal.records(), portal.records(kind="companies"), portal.links(), lists

    return ends_alike(
        lambda: hubspot(portal, CONTACTS, COMPANIES, options=options, read_only=True),
        lambda: hubspot(portal, CONTACTS, COMPANIES, options=options),
        book,
        steps,
        shown,
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_is_sent_ends_in_a_stage_as_it_ends_there(portal: StandIn, book: Ledger, seed: int) -> None:
    chance = random.Random(seed)

    alike(portal, book, [step(chance, at) for at in range(STEPS)])


def test_every_rule_is_met(portal: StandIn, book: Ledger) -> None:
    contacts = [
        Item("first", "p7", {"firstname": "Ana", "email": "f@x.org"}),
        Item("second", "p8", {"firstname": "Ben", "email": "f@x.org"}),
        Item("theirs", "p8", {"firstname": "Ben", "email": "c@x.org"}),
        Item("double", "p8", {"firstname": "Ben", "email": "a@x.org"}),
        Item("moved", "p0", {"email": "g@x.org"}),
        Item("free", "p8", {"firstname": "Ben", "email": "a@x.org"}),
        Item("back", "p0", {"email": "a@x.org"}),
        Item("none", "p8", {"email": "no address"}),
    ]
    steps: list[Step] = [
        ("add_to_list", Item("early", "p7", {"list_id": STATIC})),
        ("upsert_companies", Item("alone", "p7", {"payer_id": "x", "name": "Payer"})),
        *(("upsert_contacts", one) for one in contacts),
        ("add_to_list", Item("in", "p7", {"list_id": STATIC})),
        ("add_to_list", Item("unknown", "p7", {"list_id": NONE})),
        ("add_to_list", Item("neither", "p9", {"list_id": NONE})),
        ("add_to_list", Item("by rule", "p0", {"list_id": DYNAMIC})),
        ("remove_from_list", Item("out", "p0", {"list_id": OTHER})),
        ("remove_from_list", Item("never in", "p9", {"list_id": NONE})),
        ("remove_from_list", Item("from none", "p1", {"list_id": NONE})),
        ("upsert_companies", Item("with", "p7", {"payer_id": "x", "name": "Payer"})),
    ]

    ended = alike(portal, book, steps, ADOPTS)

    codes = ("email_taken", "other_first_name", "invalid_email", "no_contact", "no_record", "invalid_value")
    assert ended == {"done", *(f"rejected {code}" for code in codes)}


def test_who_adopted_a_contact_has_its_email(portal: StandIn, book: Ledger) -> None:
    portal.create(email="e@x.org")
    items = [Item(f"k{each}", each, {"email": "e@x.org"}) for each in ("p7", "p8")]
    with closing(Stage("t", hubspot(portal, CONTACTS, read_only=True), book)) as stage:
        staged = [told(stage.writes()["upsert_contacts"].send([one])) for one in items]
    ended: list[dict[str, str]] = []
    for one in items:  # a run each
        with closing(hubspot(portal, CONTACTS)) as live:
            ended.append(settle(live.writes()["upsert_contacts"], one))

    assert staged == [{"kp7": "done"}, {"kp8": "rejected email_taken"}]
    assert ended == [{"kp7": "done adopted"}, staged[1]]
