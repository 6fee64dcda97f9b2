"""Lines of a program that nothing leads to."""

import ast

import pytest

from agent.lint.dead import dead


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ("return 1\nreturn 2", {2}),
        ("if a:\n    return 1\nreturn 2", set()),
        ("if a:\n    return 1\nif a:\n    return 2\nreturn 3", {4}),
        ("if a:\n    return 1\nif b:\n    return 2\nif a:\n    return 3", {6}),
        ("if a:\n    return 1\nelif b:\n    return 2\nelif a:\n    return 3", {6}),
        ("if a:\n    return 1\na = b\nif a:\n    return 2", set()),
        ("if a:\n    b = 1\nif a:\n    return 2", set()),
        ("if a:\n    if b:\n        a = 0\nif a:\n    return 2", set()),
        ("if False:\n    return 1\nreturn 2", {2}),
        ("x = 1 if True else call(2)\nreturn x", {1}),
        ("for one in ones:\n    continue\n    use(one)", {3}),
        ("while a:\n    if a:\n        break\n    return 1", set()),
    ],
)
def test_what_is_dead(body: str, wanted: set[int]) -> None:
    found = dead(
        ast.parse("def decide(entry, today):\n" + "\n".join(f"    {line}" for line in body.split("\n")))
    )

    assert {line - 1 for start, end in found for line in range(start, end + 1)} == wanted
