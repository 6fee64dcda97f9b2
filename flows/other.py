"""The other side of a pair, as a run reaches it: its source, read only, and what is to be agreed on."""

from collections.abc import Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path

from connectors.base import Connector
from connectors.source import Source
from flows import accounts, connections
from flows.connections import Connections
from flows.ledger import audit, entries, learning
from flows.ledger.links import Side
from flows.ledger.pair_links import PairLinks, StagedLinks
from flows.ledger.store import Ledger
from flows.pairs import Pair, pair_of
from flows.tenants import Deployment


@dataclass(frozen=True, slots=True)
class Pending:
    """What is to be noted of a delivery's fields once it is known what became of it.

    link: "" where the entry has none yet. same: agreed on already, by key: our hash and their value, folded.
    sent: the same of what is written. contested: by key, who is to say. gone: the record that the entry was
    linked with is not given any more.
    """

    entry: str
    link: str
    record: str
    same: dict[str, tuple[str, str]]
    sent: dict[str, tuple[str, str]]
    contested: dict[str, str]
    overwritten: int = 0
    gone: bool = False


@dataclass
class Paired:
    """A run's pair."""

    pair: Pair
    there: Source
    links: PairLinks
    contested: set[str] = field(
        default_factory=set[str]
    )  # our ids that are decided whatever they hold: nothing waits of them
    pending: dict[str, Pending] = field(default_factory=dict[str, Pending])  # by delivery
    told: set[tuple[str, str, str]] = field(default_factory=set[tuple[str, str, str]])  # what, entry, field

    @property
    def ours(self) -> Side:
        return self.pair.ours

    @property
    def theirs(self) -> Side:
        return "reader" if self.pair.keeps else "keeper"

    @property
    def read_along(self) -> tuple[str, ...]:
        """What is read of each entry beside the fields that its sentences need."""
        return () if self.pair.keeps else (self.pair.identity,)


def opened(
    stack: ExitStack,
    root: Path,
    deployment: Deployment,
    ledger: Ledger,
    own: Connections,
    targets: Mapping[str, Connector],
    *,
    keep: bool,
) -> Paired | None:
    """The pair that an integration belongs to, its other side open; None if it goes one way.

    keep: what its records need is made there, and what deliveries said of before is learned.

    Raises:
        IntegrationInvalid: the two do not go together. CodedFailure, ConnectorError: as accounts.confirm.
    """
    pair = pair_of(root, deployment.tenant, deployment.name, deployment.integration)
    if pair is None:
        return None
    there = connections.read_through(pair.source_there, deployment, own)
    stack.enter_context(closing(there))
    # what the keeper writes is made by it, so it may not be there yet
    accounts.admit(own, pair.source_there, there.check((pair.changed_there,) if pair.keeps else pair.there))
    paired = Paired(pair, there, _links(deployment, pair, ledger, own))
    if keep:
        if pair.keeps:
            audit.ahead(ledger, "paired target prepared", pair.target)
            targets[pair.target].prepare()
        keeper = deployment.name if pair.keeps else pair.partner
        paired.links.learn(learning.unlearned(ledger, keeper, pair.keeper_operation))
    contested = paired.links.contested()
    paired.contested |= set(contested) - entries.waiting(ledger, pair.operation, contested)
    return paired


def _links(deployment: Deployment, pair: Pair, ledger: Ledger, own: Connections) -> PairLinks:
    """A stage reads the links of what is live, under the tenant's own seal."""
    if ledger.name == deployment.name:
        return PairLinks(ledger, pair.name, pair.ours)
    live = ledger.beside(deployment.name, own.seal)
    return StagedLinks(ledger, live, pair.name, pair.ours, pair.operation, pair.identity)
