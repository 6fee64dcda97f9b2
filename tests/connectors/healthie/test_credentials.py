"""Where a key may go, and how gently it is used."""

import pytest
from pydantic import SecretStr, ValidationError

from connectors.errors import Unauthorized
from connectors.healthie import Healthie, HealthieCredentials


@pytest.mark.parametrize(
    "values",
    [
        {"url": "http://api.gethealthie.com/graphql"},
        {"url": "https://user:pw@api.gethealthie.com/graphql"},
        {"url": "https://"},
        {"url": "https://api.gethealthie.com/graphql", "timezone": "Nowhere"},
        {"url": "https://api.gethealthie.com/graphql", "colour": "red"},
    ],
)
def test_credentials_that_cannot_be_right_are_refused(values: dict[str, str]) -> None:
    with pytest.raises(ValidationError) as refusal:
        HealthieCredentials.model_validate({"api_key": "gh_live_topsecret", **values})

    assert "topsecret" not in str(refusal.value)


def test_a_key_of_another_environment_never_leaves() -> None:
    for url, key in [
        ("https://staging-api.gethealthie.com/graphql", "gh_live_x"),
        ("https://api.gethealthie.com/graphql", "gh_sbox_x"),
    ]:
        connector = Healthie(HealthieCredentials(url=url, api_key=SecretStr(key)), read_only=True)
        with pytest.raises(Unauthorized, match="another environment"):
            connector.check()
        connector.close()

        assert connector.requests == 0


def test_real_hosts_are_asked_gently() -> None:
    real = HealthieCredentials(url="https://api.gethealthie.com/graphql", api_key=SecretStr("x"))

    assert (real.rate, real.pace.back_off) == (5.0, 60.0)
    assert "SecretStr" in repr(real)


@pytest.mark.parametrize(
    ("url", "trials"),
    [
        ("https://staging-api.gethealthie.com/graphql", True),
        ("https://api.gethealthie.com/graphql", False),
        ("https://gateway.example.com/graphql", False),
        ("http://127.0.0.1:8000/graphql", False),  # whatever stands behind it
    ],
)
def test_only_the_vendors_own_host_is_for_trials(url: str, *, trials: bool) -> None:
    assert HealthieCredentials(url=url, api_key=SecretStr("x")).sandbox == trials
