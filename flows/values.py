"""Where a setting's value comes from: tenant.yaml itself, the environment, or Google Secret Manager.

`$NAME` names an environment variable, for one machine; production refuses it. `secret-manager:BLOCK` names
a GcpSecret block of Prefect's, which says where the secret is and with which credentials it is read.
"""

import os
from typing import Protocol, cast

import httpx

from flows.errors import Spoken
from flows.settings import PRODUCTION

ENVIRONMENT = "$"
SECRET_MANAGER = "secret-manager:"  # noqa: S105  # a prefix


class _Secret(Protocol):
    """What of a GcpSecret is used: its package has no types."""

    def read_secret(self) -> bytes: ...


class ValueMissing(Spoken):
    """A connection's value is not where its settings say. One line."""


def is_reference(value: str) -> bool:
    """Whether the value is elsewhere, so that the text may stand in a file."""
    return value.startswith((ENVIRONMENT, SECRET_MANAGER))


def value(where: str, text: str, *, environment: str) -> str:
    """What a setting's text stands for.

    Raises:
        ValueMissing: it is not there, cannot be read, or may not come from there.
    """
    if text.startswith(SECRET_MANAGER):
        return _from_secret_manager(where, text.removeprefix(SECRET_MANAGER))
    if text.startswith(ENVIRONMENT):
        return _from_environment(where, text.removeprefix(ENVIRONMENT), environment)
    return text


def _from_environment(where: str, name: str, environment: str) -> str:
    if environment == PRODUCTION:
        raise ValueMissing(
            f"{where} takes {name} from the environment, which production refuses; "
            "take it out of tenant.yaml and run: ferry connect"
        )
    found = os.environ.get(name)
    if not found:
        raise ValueMissing(f"{where} needs {name} in the environment; set it")
    return found


def _from_secret_manager(where: str, block: str) -> str:
    # Only here: Google's libraries take seconds to import, and most connections need none of them.
    from google.api_core.exceptions import GoogleAPIError  # noqa: PLC0415
    from google.auth.exceptions import GoogleAuthError  # noqa: PLC0415
    from prefect_gcp import GcpSecret  # type: ignore[import-untyped]  # pyright: ignore[reportMissingTypeStubs]  # noqa: PLC0415

    try:
        secret = cast(_Secret, GcpSecret.load(block)).read_secret()
        return secret.decode().removesuffix("\n")
    except (GoogleAPIError, GoogleAuthError) as error:
        problem = f"cannot be read ({type(error).__name__}); check its name and who may read it"
    except UnicodeDecodeError:
        problem = "is no text; store the secret as UTF-8"
    except (httpx.HTTPError, RuntimeError):
        problem = "cannot be loaded from Prefect; is the server there?"
    except ValueError:
        problem = "is no GcpSecret block of this Prefect server; make it, or correct the name"
    raise ValueMissing(f"{where}: {SECRET_MANAGER}{block} {problem}")
