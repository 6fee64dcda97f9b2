"""The practices' integrations, whole, into another system: every golden example is a patient, and arrives."""

from collections.abc import Callable, Collection, Mapping
from pathlib import Path

import yaml
from pydantic import JsonValue

from agent.golden import ExpectedCall, Golden
from connectors.base import Connector
from connectors.operation import arguments_of
from connectors.sandbox.healthie import StandIn
from connectors.sandbox.probe import ProbeServer
from connectors.tabular import Rows, Table
from flows.tenants import load
from tests.faults.world import Practice
from tests.flows.examples.integrations import examples, on_this_machine
from tests.flows.examples.people import People
from tests.flows.examples.test_examples import CROWD, MOMENT

Values = Mapping[str, str]
Holds = Callable[[Table, str], Mapping[str, JsonValue]]
"""What a table's row of a patient holds, by column, read past the connector; the patient's left out."""

Options = Callable[[Collection[str]], Mapping[str, JsonValue]]
"""What a target says of its tables, by their names."""


def arrives(
    label: str, kind: type[Connector], values: Values, folder: Path, probe: ProbeServer, prefect: Values,
    holds: Holds, sent: Callable[[], object], options: Options = lambda tables: {}, shares: bool = True,
) -> None:  # fmt: skip
    """Two runs: after the first every example is there, and the second sends nothing.

    shares: may patients have one e-mail in the target? The examples' patients do, unless not.
    """
    golden = {name: one if shares else _with_own_email(name, one) for name, one in examples(label).items()}
    deployments = _into(kind, values, label.partition("/")[0], folder, options)
    targets = load(deployments, label).integration.targets
    tables = {
        f"{name}_upsert_{table.name}": table.table()
        for name, target in targets.items()
        for table in target.tables
    }
    with StandIn(CROWD, seed=5, now=MOMENT) as healthie:
        people = People(healthie)
        patients = {name: people.add(one.entry) for name, one in golden.items()}
        practice = Practice(
            healthie, probe, prefect, folder, f"sqlite:///{folder / 'ledger.db'}", label=label
        )
        practice.extra = {
            "FERRY_DEPLOYMENTS": str(deployments),
            **{f"TEST_{name.upper()}": value for name, value in values.items()},
        }
        assert practice.run(TEST_MOMENT=MOMENT.isoformat()) == 0
        once = sent()
        assert practice.run(TEST_MOMENT=MOMENT.isoformat()) == 0

    calls = [(name, call) for name, one in golden.items() if not one.judgements for call in one.plan.calls]
    assert calls
    for name, call in calls:
        table = tables[call.op]
        assert holds(table, patients[name]) == _expected(table, call.arguments), name
    assert sent() == once


def _into(kind: type[Connector], values: Values, tenant: str, folder: Path, options: Options) -> Path:
    """A copy of a tenant's deployments whose targets are all there."""
    there = on_this_machine(tenant, folder)
    path = there / tenant / "tenant.yaml"
    described = yaml.safe_load(path.read_text())
    for connection in described["connections"].values():
        if connection["connector"] in ("sql", "csv"):
            settings = {name: f"$TEST_{name.upper()}" for name in values}
            connection |= {"connector": kind.name, "settings": settings}
    path.write_text(yaml.safe_dump(described))
    for integration in (there / tenant).glob("*/integration.yaml"):
        (integration.parent / "approval.yaml").unlink(missing_ok=True)  # it is of the files as they were
        described = yaml.safe_load(integration.read_text())
        for target in described["targets"].values():
            target["options"] = dict(options([table["name"] for table in target["tables"]]))
            target["confirmed"] = dict.fromkeys(sorted(kind.holds.names), "for a test")
        integration.write_text(yaml.safe_dump(described))
    return there


def _with_own_email(name: str, one: Golden) -> Golden:
    """The same example of a patient whose e-mail nobody else has."""
    email = f"{name}.{one.entry.get('email')}"

    def named(call: ExpectedCall) -> ExpectedCall:
        has_one = call.arguments.get("email") is not None
        return call.model_copy(
            update={"arguments": call.arguments | ({"email": email.lower()} if has_one else {})}
        )

    plan = one.plan.model_copy(update={"calls": tuple(map(named, one.plan.calls))})
    entry = one.entry | ({"email": email} if one.entry.get("email") else {})
    return one.model_copy(update={"entry": entry, "plan": plan})


def _expected(table: Table, arguments: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
    given = arguments_of(Rows(table).arguments.model_validate(dict(arguments)))
    return dict.fromkeys(name for name in table.columns if name != table.patient) | given
