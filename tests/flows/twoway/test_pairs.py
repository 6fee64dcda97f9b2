"""Two integrations that are to be a pair, and do not say the same: each mistake at its line."""

import re
from pathlib import Path

import pytest

from flows.check import check
from flows.pairs import pair_of
from flows.tenants import load_integration
from flows.written import IntegrationInvalid
from tests.flows.twoway.world import deployments

MISTAKES = {
    "no such one": ("crm", "with: chart", "with: back", r"pair\.with is back, which cannot be used"),
    "not back": (
        "chart",
        "with: crm",
        "with: chart",
        r"pair\.with names chart, which does not name this",
    ),
    "no target": (
        "crm",
        "target: hubspot",
        "target: books",
        r"pair\.target is no target; there are: hub",
    ),
    "other owner": (
        "chart",
        "from: [phone], owner: newest",
        "from: [phone], owner: person",
        r"phone_number\.owner is person, and crm says newest; let both say the same",
    ),
    "no owner there": (
        "chart",
        ", owner: person",
        "",
        r"columns\.email\.owner is person, and chart writes nothing from email",
    ),
    "no owner at all": (
        "chart",
        "from: [email], owner: person",
        "from: [email]",
        r"arguments\.email goes both ways, since crm carries it back, and says no owner",
    ),
    "unknown owner": ("crm", "owner: newest", "owner: nobody", r"phone\.owner is nobody; write one of: "),
    "other field": (
        "chart",
        "from: [phone], owner",
        "from: [mobilephone], owner",
        r"comes from|writes nothing from phone",
    ),
    "no identity": (
        "chart",
        "  identity: healthie_id\n",
        "",
        r"pair\.identity is missing, and crm writes",
    ),
    "identity twice": (
        "crm",
        "  changed: updated_at\n",
        "  changed: updated_at\n  identity: id\n",
        r"remove it",
    ),
    "no moment": (
        "crm",
        "changed: updated_at",
        "changed: last_name",
        r"changed is last_name, which is no moment",
    ),
    "no field": ("chart", "lastmodifieddate", "Last-Modified", r"which the source does not have"),
    "not said": (
        "crm",
        "because: [S5], from: [phone_number]",
        "because: [S3], from: [phone_number]",
        r"has the owner newest, which none of S3 says",
    ),
    "one way": (
        "crm",
        "pair:\n  with: chart\n  target: hubspot\n  changed: updated_at\n",
        "",
        r"firstname\.owner is said of what goes one way",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_at_its_line(tmp_path: Path, mistake: str) -> None:
    name, old, new, told = MISTAKES[mistake]
    root = deployments(tmp_path)
    path = root / "meadow" / name / "integration.yaml"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))

    found = [str(one) for one in check(root, ["meadow"], production=False)]

    placed = [one for one in found if re.search(told, one)]
    assert placed, found
    assert all(re.match(rf"{re.escape(str(root))}/meadow/\w+/integration\.yaml:\d+: ", one) for one in placed)


def test_a_run_refuses_what_the_check_refuses(tmp_path: Path) -> None:
    root = deployments(tmp_path)
    path = root / "meadow" / "chart" / "integration.yaml"
    path.write_text(path.read_text().replace("owner: newest", "owner: person"))
    _, crm = load_integration(root, "meadow/crm")

    with pytest.raises(IntegrationInvalid, match=r"owner is newest, and chart says person"):
        pair_of(root, "meadow", "crm", crm)


def test_the_example_is_a_pair(tmp_path: Path) -> None:
    root = deployments(tmp_path)
    _, crm = load_integration(root, "meadow/crm")
    _, chart = load_integration(root, "meadow/chart")

    there, back = pair_of(root, "meadow", "crm", crm), pair_of(root, "meadow", "chart", chart)

    assert there is not None and back is not None
    assert (there.name, there.keeps, back.keeps) == (back.name, True, False)
    assert there.keeper_operation == back.keeper_operation == there.operation
    assert {one.key: one.owner for one in there.shared.values() if one.own} == {
        "firstname": "ours",
        "lastname": "ours",
        "email": "person",
        "phone": "newest",
        "mobilephone": "theirs",
    }
    assert {one.key: one.owner for one in back.shared.values()} == {
        "email": "person",
        "phone": "newest",
        "mobilephone": "ours",
    }
