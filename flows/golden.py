"""The golden examples of an integration's folder: golden/*.yaml, each one example."""

import json
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from agent.golden import FOLDER, Golden
from flows.check.findings import Findings
from flows.check.marked import Marked, model, read
from flows.check.plain import PlainLoader
from flows.tenants import IntegrationInvalid

UNASKED = "is no lookup that who decides may use (decide.lookups)"
NAMED = re.compile(r"[a-z0-9][a-z0-9_-]{0,79}\.yaml")


@dataclass(frozen=True, slots=True)
class Example:
    """One example with its file, and the file's lines."""

    marked: Marked
    golden: Golden

    @property
    def path(self) -> Path:
        return self.marked.path

    @property
    def name(self) -> str:
        """What it is called: the file's name."""
        return self.path.stem


def examples(folder: Path, findings: Findings) -> list[Example]:
    """All examples of an integration's folder, by name. What cannot be used as one is a finding."""
    found: list[Example] = []
    for path in sorted((folder / FOLDER).iterdir()) if (folder / FOLDER).is_dir() else ():
        if not NAMED.fullmatch(path.name) or not path.is_file():
            findings.add(path, 1, "is no golden example", "name it as some-words.yaml, or take it away")
            continue
        marked = read(path, findings, PlainLoader)
        golden = model(marked, Golden, findings) if marked else None
        if marked and golden:
            found.append(Example(marked, golden))
    return found


def load(folder: Path) -> dict[str, Golden]:
    """The examples of an integration's folder by name; none if it has none.

    Raises:
        IntegrationInvalid: a file cannot be used as an example.
    """
    findings = Findings()
    found = examples(folder, findings)
    for finding in findings:
        raise IntegrationInvalid(str(finding))
    return {example.name: example.golden for example in found}


def unasked(golden: Golden, lookups: Collection[str]) -> list[str]:
    """What an example knows that nobody can ask for: a run has no such answer, and may decide otherwise."""
    return [name for name in golden.known if name not in lookups]


def text(golden: Golden) -> str:
    """An example as the text of its file, which `load` reads as the same example."""
    said = json.loads(golden.model_dump_json(exclude_defaults=True))
    return yaml.safe_dump(said, sort_keys=False, allow_unicode=True, width=100)


def write(folder: Path, drawn: dict[str, Golden]) -> Sequence[Path]:
    """Write examples into an integration's folder. One that is there is replaced; others are left."""
    (folder / FOLDER).mkdir(parents=True, exist_ok=True)
    paths = [folder / FOLDER / f"{name}.yaml" for name in drawn]
    for path, golden in zip(paths, drawn.values(), strict=True):
        path.write_text(text(golden), encoding="utf-8")
    return paths
