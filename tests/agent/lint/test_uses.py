"""Which fields a program uses is followed through its names, loops and calls."""

# ruff: noqa: E501  # a table reads better in long lines

import pytest

from agent.lint.uses import Uses

PATHS = ("active", "email", "dob", "policies.num", "policies.plan.name", "policies.type", "own", "tags.name")


def used(body: str, more: str = "") -> set[str]:
    lines = "\n".join(f"    {line}" for line in body.strip().split("\n"))
    return Uses(f"def decide(entry, today):\n{lines}\n{more}", PATHS, {"own"}).used


@pytest.mark.parametrize(
    ("body", "more", "wanted"),
    [
        ('return entry["email"]', "", {"email"}),
        ('return entry.get("email", entry["dob"])', "", {"email", "dob"}),
        ('policies = entry["policies"] or []\nreturn [one["num"] for one in policies]', "", {"policies.num"}),
        ('for one in entry["policies"]:\n    if one["type"] == "x":\n        return 1', "", {"policies.type"}),
        ('return first(entry["policies"])', 'def first(ones):\n    return ones[0]["num"]\n', {"policies.num"}),
        ('return named(entry)["name"]', 'def named(e):\n    return (e["policies"] or [{}])[-1].get("plan")\n', {"policies.plan.name"}),
        ('return sorted(entry["policies"], key=lambda one: one["num"])', "", {"policies.num"}),
        ('if any(tag["name"] == "x" for tag in entry["tags"]):\n    return entry["active"]', "", {"tags.name", "active"}),
        ('kept = []\nfor one in entry["policies"]:\n    kept.append(one)\nreturn kept[0]["num"]', "", {"policies.num"}),
        ('return len(entry["policies"])', "", set()),
        ('return [one for one in entry["policies"].values()]', "", {"policies.num", "policies.plan.name", "policies.type"}),
        ('key = "em" + "ail"\nreturn entry[key]', "", set(PATHS)),
        ('plan = max(entry["policies"])["plan"]\nreturn (plan or {}).get("name")', "", {"policies.plan.name"}),
        ('if (own := entry.get("own")) and own["x"]:\n    return 1', "", {"own"}),
        ('email = {"email": 1}["email"]\nreturn email', "", set()),
    ],
)  # fmt: skip
def test_what_a_program_gets_to_is_used(body: str, more: str, wanted: set[str]) -> None:
    assert used(body, more) == wanted


def test_a_whole_of_which_only_keys_are_taken_is_told() -> None:
    keys = Uses('def decide(entry, today):\n    return (entry["own"] or {}).get("channel")\n', PATHS, {"own"})
    whole = Uses('def decide(entry, today):\n    return write(entry["own"])\n', PATHS, {"own"})
    both = Uses(
        'def decide(entry, today):\n    own = entry["own"]\n    return write(own, own["x"])\n', PATHS, {"own"}
    )

    assert keys.keyed == {"own": {"channel"}}
    assert whole.keyed == {}
    assert both.keyed == {}
