"""docs/hubspot.md says what is so."""

import re
from pathlib import Path

import yaml

from connectors.hubspot import adoption, cells, companies, contacts, failures, schema, sending
from flows.check import offers
from flows.tenants import ConnectionSettings, Target

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "hubspot.md").read_text()
EXAMPLES = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


def test_its_examples_are_understood() -> None:
    connection, target = (yaml.safe_load(text) for text in EXAMPLES)
    ConnectionSettings.model_validate(connection["connections"]["hubspot"])
    declared = Target.model_validate(target["targets"]["crm"])

    offered = offers.offered("hubspot", declared)
    assert set(offered.writes) == {"upsert_contacts", "add_to_list", "remove_from_list"}
    assert all(offered.holds.lack(category, declared.confirmed) is None for category in declared.categories)


def test_its_codes_are_the_codes() -> None:
    modules = (adoption, cells, companies, contacts, failures, schema, sending)
    source = "\n".join(Path(str(module.__file__)).read_text() for module in modules)
    told = re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)
    told += [
        "upper_case_email",
        "unknown_option",
        "required_property",
        "no_contact",
        "not_kept",
        "schema_drift",
        "adoption_waits",
        "contact_waits",
    ]

    assert len(told) > 10
    assert [code for code in told if f'"{code}"' not in source] == []
    review = {value for name, value in vars(adoption).items() if name.isupper() and isinstance(value, str)}
    assert review - {adoption.EMAIL, adoption.FIRST_NAME, adoption.MORE_EMAILS} <= set(told)
