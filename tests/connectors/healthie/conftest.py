"""A stand-in for all tests of this package, reset after each, and the official schema where it is."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from graphql import GraphQLSchema, build_schema
from pydantic import SecretStr

from connectors.healthie import Healthie, HealthieCredentials
from connectors.http import Patience
from connectors.sandbox.healthie.stand_in import StandIn

PATIENCE = Patience(first_wait=0.01, back_off=0.05, longest_wait=1.0, answer=15.0, connect=5.0)

DEFAULTS = {
    "page_cap": 100,
    "restricted_shown": False,
    "archived_in_ids": True,
    "rate_limit": None,
    "published_versions": ["2026-01-01"],
}


def specs() -> Path:
    """The folder of Healthie's published material; the test is skipped without it."""
    default = Path(__file__).resolve().parents[4] / "shared"
    found = Path(os.environ.get("FERRY_SPECS", default)) / "specs" / "healthie"
    if not found.is_dir():
        pytest.skip("needs the shared specs: set FERRY_SPECS")
    return found


@pytest.fixture(scope="session")
def official() -> GraphQLSchema:
    return build_schema((specs() / "schema.graphql").read_text())


@pytest.fixture(scope="session")
def shared_stand_in() -> Iterator[StandIn]:
    with StandIn(patients=60, seed=7) as running:
        yield running


@pytest.fixture
def stand_in(shared_stand_in: StandIn) -> Iterator[StandIn]:
    shared_stand_in.reset()
    yield shared_stand_in
    shared_stand_in.faults()
    shared_stand_in.configure(**DEFAULTS)


def credentials(stand_in: StandIn, **other: object) -> HealthieCredentials:
    values = {"url": stand_in.endpoint, "api_key": SecretStr(stand_in.api_key), "patience": PATIENCE}
    return HealthieCredentials.model_validate({**values, **other})


@pytest.fixture
def healthie(stand_in: StandIn) -> Iterator[Healthie]:
    """Read-only, as in staging."""
    connector = Healthie(credentials(stand_in), read_only=True)
    yield connector
    connector.close()


@pytest.fixture
def writer(stand_in: StandIn) -> Iterator[Healthie]:
    connector = Healthie(credentials(stand_in), read_only=False)
    yield connector
    connector.close()


@pytest.fixture
def patient(stand_in: StandIn) -> Iterator[str]:
    """A patient of its own for each test."""
    home = stand_in.row("User", stand_in.ids()[0])
    yield stand_in.create(
        "User",
        is_patient=True,
        active=True,
        first_name="Ana",
        last_name="Lima",
        email=None,
        organization_id=home["organization_id"],
        dietitian_id=home["dietitian_id"],
    )


REALISTIC = frozenset(
    {
        *("active", "created_at", "updated_at", "first_name", "last_name", "legal_name", "email"),
        *("phone_number", "dob", "gender", "sex", "timezone", "record_identifier", "metadata.mrn"),
        *("user_group.name", "dietitian.full_name", "active_tags.name"),
        *("locations.line1", "locations.city", "locations.state", "locations.zip"),
        *("policies.num", "policies.group_num", "policies.priority_type", "policies.effective_start"),
        "policies.insurance_plan.payer_name",
        *("appointments.date", "appointments.length", "appointments.pm_status", "appointments.updated_at"),
        "appointments.appointment_type.name",
        *("requested_payments.price_minor", "requested_payments.currency", "requested_payments.status"),
        "requested_payments.balance_due_minor",
    }
)
