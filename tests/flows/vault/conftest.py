from collections.abc import Iterator

import pytest

from tests.flows.vault.kms import KmsServer, kms_server


@pytest.fixture
def kms() -> Iterator[KmsServer]:
    with kms_server() as server:
        yield server
