"""On which terms a model drafts: allowed by models.yaml, and within the integration's budgets."""

from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from agent.access import PROGRAM, Access
from agent.metered import Terms
from flows import models, systems
from flows.connections import Connections, at_hand, made
from flows.ledger import spending
from flows.ledger.database import connect
from flows.ledger.store import Ledger
from flows.refine.scene import Scene
from flows.refine.words import RefineInvalid
from flows.settings import PRODUCTION, Settings
from flows.vault.configured import key_encryption_key


@contextmanager
def terms(settings: Settings, start: Scene, by: str, connection: str) -> Generator[Terms]:
    """How the model is asked, and what counts what that costs.

    Raises:
        IntegrationInvalid, RefineInvalid: it is not allowed, or not reached so.
    """
    if by in ("", PROGRAM):
        raise RefineInvalid(f"{start.label}: a program cannot draft; name a model with --model")
    allowed = models.allowed(models.load(settings.deployments), start.folder, by)
    tenant, name = start.folder.parent.name, start.folder.name
    kek, engine = key_encryption_key(settings), connect(settings.ledger())
    ledger = Ledger(engine, kek, environment=settings.env, tenant=tenant, name=name)
    with ExitStack() as stack:
        stack.callback(ledger.close)
        kept = (connection, start.integration.source)  # the model's, and the one that drafts are tried on
        stack.enter_context(at_hand(settings, start.tenant.connections, kept))
        own = Connections(tenant, start.tenant.connections, ledger.seal, environment=settings.env)
        access = _access(start, own, connection)
        production = settings.env == PRODUCTION
        models.confirm(start.label, by, allowed, access, batch=False, production=production)
        today = datetime.now(UTC).astimezone(ZoneInfo(start.tenant.timezone)).date()
        meter = spending.meter(ledger, start.integration.decide.budget, today)
        yield Terms(access, allowed, meter)


def _access(start: Scene, own: Connections, name: str) -> Access:
    if not name:
        return Access()
    kind = start.tenant.connections[name].connector
    if kind != "model":
        raise RefineInvalid(f"{start.label}: connection {name} is {kind}, not model")
    return made(own.tenant, name, lambda: systems.access(own.values(name)))
