"""Two people who edit for ever, and runs in between: whatever the order, what comes of it is a model's."""

import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.sandbox.healthie import StandIn as HealthieStandIn
from connectors.sandbox.hubspot import StandIn as HubSpotStandIn
from tests.campaign import FULL
from tests.flows.twoway.world import CHART, CRM, World

FIELDS = {"email": "email", "phone": "phone_number", "mobilephone": "additional_phone_number"}
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("chart"), st.sampled_from(sorted(FIELDS))),
        st.tuples(st.just("desk"), st.sampled_from(sorted(FIELDS))),
        st.tuples(st.just("run"), st.sampled_from([CRM, CHART])),
    ),
    min_size=2,
    max_size=10,
)


@dataclass
class People:
    """One patient, and who typed what: each value is typed once."""

    world: World
    patient: str
    contact: str
    number: int = 0
    typed: dict[str, list[str]] = field(default_factory=lambda: {name: [] for name in FIELDS})

    def value(self, name: str) -> str:
        self.number += 1
        made = f"p{self.number}@example.com" if name == "email" else f"312-555-{self.number:04d}"
        self.typed[name].append(made)
        return made

    def step(self, who: str, what: str) -> None:
        self.world.healthie.advance_clock(2)
        self.world.hubspot.advance_clock(2)
        if who == "chart":
            self.world.edit_patient(self.patient, **{FIELDS[what]: self.value(what)})
        elif who == "desk":
            self.world.hubspot.edit(self.contact, **{what: self.value(what)})
        else:
            assert self.world.run(what).state == "complete"

    def both(self, name: str) -> tuple[object, object]:
        return self.world.chart(self.patient)[FIELDS[name]], self.world.contact(self.contact)[name]


@settings(
    max_examples=60 if FULL else 6,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
@given(steps=STEPS)
def test_any_edits_in_any_order_come_to_rest_with_nothing_lost(steps: list[tuple[str, str]]) -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        HealthieStandIn(0, seed=3) as healthie,
        HubSpotStandIn() as hubspot,
    ):
        world = World(healthie, hubspot, Path(folder))
        patient = world.patient(
            email="p0@example.com", phone_number="312-555-0000", additional_phone_number="312-555-0000"
        )
        world.settle(1)
        people = People(world, patient, world.contacts()[patient])
        for who, what in steps:
            people.step(who, what)
        world.settle(2)
        world.writes()
        contested = {
            line.split("contested: ")[1].split()[0] for line in world.status(CRM) if "contested: " in line
        }

        last = [world.run(name) for name in (CRM, CHART, CRM)]

        assert world.writes() == 0
        assert [one.state for one in last] == ["complete"] * 3
        assert contested <= {"email"}
        for name in FIELDS:
            chart, desk = people.both(name)
            if name in contested:
                assert {chart, desk} <= set(people.typed[name])
            elif name == "mobilephone":
                assert desk == last_typed(steps, people, name)
            else:
                assert chart == desk
        assert len(world.hubspot.records()) == 1


def last_typed(steps: list[tuple[str, str]], people: People, name: str) -> str:
    """What the front desk typed last: nobody else may change what HubSpot owns."""
    number, typed = 0, "312-555-0000"
    for who, what in steps:
        if who in ("chart", "desk"):
            number += 1
            if who == "desk" and what == name:
                typed = f"312-555-{number:04d}"
    assert number == people.number
    return typed
