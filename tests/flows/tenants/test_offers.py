"""What a connector offers is told without reaching it, and what does not go together in one line."""

import pytest

from flows.check.offers import offered
from flows.tenants import Connectors, Target

TABLES = [{"name": "people", "patient": "id", "columns": {"name": {"type": "str", "from": ["last_name"]}}}]


@pytest.mark.parametrize(
    ("connector", "options", "said"),
    [
        ("airtable", {"tables": {"others": {}}}, "options name a table that is not declared: others"),
        ("excel", {"sheets": {"people": {"headers": {"name": "id"}}}},
         "two columns of people have the same header, or one has none"),
    ],
)  # fmt: skip
def test_options_that_do_not_fit_the_tables(
    connector: Connectors, options: dict[str, object], said: str
) -> None:
    target = Target.model_validate(
        {"connection": "there", "categories": ["identity"], "tables": TABLES, "options": options}
    )

    with pytest.raises(ValueError, match=said) as error:
        offered(connector, target)
    assert str(error.value) == said


@pytest.mark.parametrize("connector", ["airtable", "excel"])
def test_writes_are_known_without_a_system(connector: Connectors) -> None:
    target = Target.model_validate({"connection": "there", "categories": ["identity"], "tables": TABLES})

    assert list(offered(connector, target).writes) == ["upsert_people"]
