"""deployments/models.yaml: the models that may be asked. No other one is, whatever an integration names."""

from pathlib import Path

from pydantic import ConfigDict, RootModel

from agent.access import Access
from agent.allowed import Allowed, objections
from flows.written import IntegrationInvalid, parsed

FILE = "models.yaml"


class Models(RootModel[dict[str, Allowed]]):
    """Models by id: `google-cloud:NAME`, `openai-responses:NAME`, `openai-compatible:NAME`."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)


def load(root: Path) -> Models:
    """The list; an empty one, if there is no such file.

    Raises:
        IntegrationInvalid: it says what is not understood.
    """
    return parsed(root / FILE, Models) if (root / FILE).exists() else Models({})


def allowed(models: Models, place: object, id_: str) -> Allowed:
    """What the list says of a model that a file names.

    Raises:
        IntegrationInvalid: it is not on the list.
    """
    found = models.root.get(id_)
    if found is None:
        raise IntegrationInvalid(f"{place}: {id_} is not in {FILE}; have it allowed there")
    return found


def confirm(label: str, id_: str, model: Allowed, access: Access, *, batch: bool, production: bool) -> None:
    """Nothing, if a model may be asked as it is reached now.

    Raises:
        IntegrationInvalid: it may not.
    """
    if batch and (model.price is None or model.price.batch is None):
        raise IntegrationInvalid(f"{label}: {id_} has no price for batches in {FILE}; remove decide.batch")
    for what in objections(id_, model, access, production=production):
        raise IntegrationInvalid(f"{label}: {id_}, as {FILE} allows it: {what}")
