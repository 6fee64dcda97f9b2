"""No value leaves in a document's text, and no default of Healthie's that bites is left standing."""

from collections.abc import Mapping

import pytest

from connectors.healthie.guard import DEFAULTS
from tests.connectors.healthie.test_guard import code

USERS = "users(include_suborg_patients: true, order_by: CREATED_AT_ASC"
APPOINTMENTS = (
    'appointments(filter: "all", is_org: true, with_all_statuses: true, include_blockers: false, '
    "include_suborganizations: true, order_by: CREATED_AT_ASC"
)
HARMLESS = [
    f"query ($k: String) {{ {USERS}, first: 50, keywords: $k) {{ nodes {{ id }} }} }}",
    f"query ($p: ID) {{ {APPOINTMENTS}, user_id: $p) {{ nodes {{ id }} }} }}",
    "query ($p: ID, $s: Boolean!) { user(id: $p, clear_notifs: false) { id @include(if: $s) } }",
    "query ($c: ID) { tasks(client_id: $c, show_hidden: true, order_by: CREATED_ASC) { nodes { id } } }",
    "query { billingItems(order_by: UPDATED_AT_DESC, first: 5) { nodes { id } } }",
    "mutation ($i: updateClientInput!) { updateClient(input: $i) { user { id } messages { field } } }",
]


@pytest.mark.parametrize("text", HARMLESS)
def test_values_in_variables_and_defaults_spelled_out_may_leave(text: str) -> None:
    assert code(text) == ""


@pytest.mark.parametrize(
    "text",
    [
        "mutation { updateClient(input: {id: 1, resend_welcome: true, _destroy: true}) { user { id } } }",
        "mutation ($p: [ClientPolicyInput]) { updateClient(input: {policies: $p}) { user { id } } }",
        "mutation ($i: X! = {id: 1, quick_notes: true}) { updateClient(input: $i) { user { id } } }",
        f'query ($k: String = "Jane Doe") {{ {USERS}, keywords: $k) {{ nodes {{ id }} }} }}',
        f"query ($n: Int = 5) {{ {USERS}, first: $n) {{ nodes {{ id }} }} }}",
        f"query {{ {USERS}, ids: [4101]) {{ nodes {{ id }} }} }}",
        "query { user(id: 4101, clear_notifs: false) { id } }",
        f'query {{ {USERS}) {{ nodes {{ id @include(if: "Jane Doe") }} }} }}',
        f"query {{ {USERS}) {{ nodes {{ ... @include(if: {{a: 1}}) {{ id }} }} }} }}",
    ],
)
def test_a_value_in_the_text_is_refused(text: str) -> None:
    assert code(text) == "spliced"


@pytest.mark.parametrize(
    ("root", "left"),
    [
        ("appointments", ""),
        *(("appointments", name) for name in sorted(DEFAULTS["appointments"])),
        ("users", "order_by"),
        ("users", "include_suborg_patients"),
        ("user", "clear_notifs"),
        ("tasks", "show_hidden"),
        ("appliedTags", "order_by"),
        ("billingItems", "order_by"),
        ("requestedPayments", "order_by"),
        ("cms1500s", "order_by"),
        ("recurringPayments", "active_status"),
    ],
)
def test_a_default_that_bites_is_not_left_standing(root: str, left: str) -> None:
    def call(given: Mapping[str, str]) -> str:
        inner = "id" if root == "user" else "nodes { id }"
        arguments = ", ".join(f"{name}: {value}" for name, value in given.items())
        return f"query ($v: X) {{ x: {root}{f'({arguments})' if given else ''} {{ {inner} }} }}"

    whole = {name: _written(value) for name, value in DEFAULTS[root].items()}
    rest = {} if left == "" else {name: value for name, value in whole.items() if name != left}

    assert code(call(whole)) == ""
    assert code(call(rest)) == "default_left"
    for other in ("null", "$v", "false" if whole.get(left) == "true" else "true"):
        assert left == "" or code(call({**rest, left: other})) == "default_left"


def test_a_bad_id_is_never_answered_with_the_keys_own_account() -> None:
    call = "query ($p: ID) { user(id: $p, clear_notifs: false, or_current_user: %s) { id } }"

    assert [code(call % value) for value in ("true", "$p", "false")] == ["default_left", "default_left", ""]


def _written(value: bool | str | None) -> str:
    return "SOME_ORDER" if value is None else f'"{value}"' if isinstance(value, str) else str(value).lower()
