"""The fixtures of the common suite: each test meets every case that is not exempt from it."""

import logging
from collections.abc import Iterator

import pytest

from flows.boundary import LOUD, quiet
from tests.connectors.every import Case, Sample, World, cases
from tests.connectors.promises import troubles

EVERY = cases()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every case that is not exempt; where faults are asked for, every fault that its proxy can make."""
    test = metafunc.function.__name__
    asked = [case for case in EVERY if not case.excused(test)]
    if "fault" in metafunc.fixturenames:
        pairs = [(case, fault) for case in asked for fault in troubles(case)]
        ids = [f"{case.name}-{fault.trouble}{fault.retry_after[:3]}" for case, fault in pairs]
        metafunc.parametrize(("case", "fault"), pairs, ids=ids, indirect=["case"], scope="module")
    elif "case" in metafunc.fixturenames:
        metafunc.parametrize("case", asked, ids=[case.name for case in asked], indirect=True, scope="module")


@pytest.fixture(scope="module")
def case(request: pytest.FixtureRequest) -> Case:
    found = request.param
    assert isinstance(found, Case)
    return found


@pytest.fixture(scope="module")
def world(case: Case, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The case's world, which the tests share: each takes versions of its own."""
    with case.opened(tmp_path_factory.mktemp(case.name)) as opened:
        yield opened


@pytest.fixture
def loudest(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """Everything that is logged, but by those whom each process of ours keeps still."""
    levels = {name: logging.getLogger(name).level for name in LOUD}
    quiet()
    with caplog.at_level(logging.DEBUG):
        yield caplog
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


@pytest.fixture
def samples(case: Case, world: World) -> Iterator[list[Sample]]:
    yield list(world.samples)
    if world.proxy:
        world.proxy.faults()
