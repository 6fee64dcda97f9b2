"""docs/versions.md says what is there: its commands, its keys, its numbers."""

import re
from pathlib import Path

import yaml

from flows.cli import application
from flows.promote import Reasons
from flows.rehearsal import KEPT_FOR
from flows.tenants import Integration

PAGE = (Path(__file__).parents[3] / "docs" / "versions.md").read_text()
BLOCKS = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)]
TARGETS = {"targets": {"t": {"connection": "t", "categories": []}}}


def test_its_commands_are_there() -> None:
    there = {one.name or one.callback.__name__ for one in application().registered_commands if one.callback}

    assert set(re.findall(r"\bferry ([a-z]+)", PAGE)) <= there


def test_its_examples_are_what_the_files_take() -> None:
    *of_integration, reasons = BLOCKS

    assert len(of_integration) == 4
    for block in of_integration:
        assert Integration.model_validate(TARGETS | block)
    assert Reasons.model_validate(reasons).root["S9"]


def test_its_numbers_are_those_without_a_word() -> None:
    plain = Integration.model_validate(TARGETS)
    for block in BLOCKS:
        for name in {"proof", "keep_entries"} & block.keys():
            assert getattr(Integration.model_validate(TARGETS | block), name) == getattr(plain, name)

    assert KEPT_FOR.days == 30 and "after thirty days" in PAGE
