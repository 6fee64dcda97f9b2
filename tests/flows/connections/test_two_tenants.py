"""Two tenants in one process: what is one's arrives at one's own system, with one's own key."""

import itertools
import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from connectors.healthie import Healthie
from connectors.sandbox.healthie import StandIn
from flows import connections
from flows.accounts import admit
from flows.blocks import ConnectionUnusable
from flows.connections import Connections
from flows.opening import tenant_seal
from flows.settings import Settings
from flows.tenants import load
from tests.faults.conftest import FULL
from tests.flows.connections.conftest import without_anchors
from tests.flows.connections.office import Office, elsewhere, grant_all

OPERATIONS = 10_000 if FULL else 600
TENANTS = ("acme", "borg")
USERS = {"acme": "1000001", "borg": "1000002"}  # behind the two keys
FIELDS = ("first_name", "last_name", "email")


@pytest.fixture(scope="module")
def systems() -> Iterator[dict[str, StandIn]]:
    with StandIn(4, seed=3) as ours, StandIn(4, seed=4) as theirs:
        ours.configure(refused_keys=[ours.narrow_key])
        theirs.configure(refused_keys=[theirs.api_key])
        grant_all(theirs)
        for patient in theirs.ids():
            theirs.edit("User", patient, dietitian_id=USERS["borg"])
        with elsewhere(theirs, USERS["borg"]):
            yield {"acme": ours, "borg": theirs}


@pytest.fixture(scope="module")
def both(
    systems: Mapping[str, StandIn], prefect: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Office]:
    without_anchors(prefect)
    made = Office(systems["acme"], prefect, tmp_path_factory.mktemp("both"))
    keys = {"acme": systems["acme"].api_key, "borg": systems["borg"].narrow_key}
    for tenant in TENANTS:
        made.tenant(tenant, {"url": systems[tenant].endpoint})
        made.connect(tenant, keys[tenant])
    yield made
    made.clear()


def test_no_request_crosses_between_interleaved_tenants(both: Office, systems: Mapping[str, StandIn]) -> None:
    """Connectors held and new, checks, reads and listings, in any order, from four threads."""
    done: Counter[str] = Counter()
    with both.here(), ExitStack() as stack:
        opened = {tenant: _opened(stack, both, tenant) for tenant in TENANTS}
        held = {tenant: _source(both, tenant, opened[tenant]) for tenant in TENANTS}
        for source in held.values():
            stack.callback(source.close)
        patients = {tenant: systems[tenant].ids() for tenant in TENANTS}
        for stand_in in systems.values():
            stand_in.reset()
        acts: dict[str, Callable[[str], object]] = {
            "check": lambda tenant: admit(opened[tenant], "healthie", held[tenant].check(FIELDS)),
            "read": lambda tenant: list(held[tenant].read(patients[tenant][:2], FIELDS)),
            "open": lambda tenant: _once(both, tenant, opened[tenant]),
            "everyone": lambda tenant: list(held[tenant].everyone()),
        }
        draw = random.Random(11)
        asked = [(draw.choice(TENANTS), draw.choice(list(acts))) for _ in range(OPERATIONS)]
        with ThreadPoolExecutor(4) as pool:
            for (tenant, _), _result in zip(
                asked, pool.map(lambda one: acts[one[1]](one[0]), asked), strict=True
            ):
                done[tenant] += 1
    arrived = {tenant: systems[tenant].requests()["requests"] for tenant in TENANTS}

    assert sum(done.values()) == OPERATIONS and min(done.values()) > OPERATIONS / 3
    for tenant in TENANTS:
        users = Counter((str(one["user_id"]), one["status"]) for one in arrived[tenant])
        assert set(users) == {(USERS[tenant], 200)}
        assert sum(users.values()) >= done[tenant]


def test_swapped_ciphertexts_send_nothing(both: Office, systems: Mapping[str, StandIn]) -> None:
    names = [f"ferry-{tenant}-{name}" for tenant in TENANTS for name in ("healthie", "warehouse")]
    sealed = {name: both.documents()[name]["data"]["sealed"] for name in names}
    for stand_in in systems.values():
        stand_in.reset()
    refused = 0
    for one, other in itertools.permutations(names, 2):
        both.edit(one, sealed=sealed[other])
        _, tenant, connection = one.split("-")
        with both.here(), ExitStack() as stack, pytest.raises(ConnectionUnusable):
            _opened(stack, both, tenant).values(connection)
        refused += 1
        both.edit(one, sealed=sealed[one])

    assert refused == 12
    assert [systems[tenant].requests()["count"] for tenant in TENANTS] == [0, 0]


def test_swapped_keys_are_not_connected(both: Office, systems: Mapping[str, StandIn]) -> None:
    kept = both.documents()

    mixed_up = both.ferry("connect", "acme", "healthie", given={"api_key": systems["borg"].narrow_key})

    assert mixed_up.code == 1 and "healthie: the API key is not accepted" in mixed_up.err
    assert both.documents() == kept


def test_each_tenants_run_fills_its_own_target(both: Office, systems: Mapping[str, StandIn]) -> None:
    for tenant in TENANTS:
        systems[tenant].reset()

    codes = [both.run(tenant) for tenant in TENANTS]

    assert set(codes) <= {0, 3}, both.said()  # 3: a patient without a name waits for a person
    for tenant in TENANTS:
        users = {str(one["user_id"]) for one in systems[tenant].requests()["requests"]}
        assert users == {USERS[tenant]}
        assert (both.folder / f"{tenant}.db").exists()


def _opened(stack: ExitStack, office: Office, tenant: str) -> Connections:
    settings = Settings(home=office.folder / "home", deployments=office.deployments)
    seal = stack.enter_context(tenant_seal(settings, tenant))
    described = load(office.deployments, f"{tenant}/simple").connections
    return Connections(tenant, described, seal, environment=settings.env)


def _source(office: Office, tenant: str, opened: Connections) -> Healthie:
    return connections.source(load(office.deployments, f"{tenant}/simple"), opened)


def _once(office: Office, tenant: str, opened: Connections) -> None:
    """A connector made, used and given back."""
    source = _source(office, tenant, opened)
    admit(opened, "healthie", source.check(FIELDS))
    source.close()
