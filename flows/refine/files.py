"""The drafts as files. What a person wrote or changed is not overwritten: then the drafts go to draft/.

drafted.yaml says, by hash, which files are as they were drafted.
"""

import hashlib
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml
from pydantic import Field, ValidationError

from agent import golden as goldens
from agent import manifest as manifests
from agent.golden import Golden
from agent.instructions import PROGRAM_FILE, TEXT_FILE, Instructions
from agent.manifest import Manifest
from agent.refine import questions as asking
from agent.refine.examples import name as example_name
from agent.refine.questions import Question
from connectors.base import Settings
from flows import golden as golden_file
from flows import scaffold
from flows.written import content_of

RECORD = "drafted.yaml"
BESIDE = "draft"  # the folder of drafts that would overwrite a person's work
FIELDS_HEAD = """\
# yaml-language-server: $schema=../../schema/fields.json
# What is read of a patient, by the sentence that needs it, and nothing else.
"""
RECORD_HEAD = """\
# Written by: ferry refine. By these hashes it knows which files are as it drafted them; others it leaves.
"""


class Drafted(Settings):
    """Which model drafted, how it is reached, and what: SHA-256 by file."""

    by: str
    connection: str = ""
    files: dict[str, str] = Field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Draft:
    """Everything that is to be written."""

    by: str
    connection: str
    instructions: Instructions
    manifest: Manifest
    questions: tuple[Question, ...]
    program: str | None
    golden: tuple[Golden, ...]

    def texts(self) -> dict[str, str]:
        """Each file's text, by its name in the folder."""
        texts = {
            TEXT_FILE: self.instructions.text,
            manifests.FILE: fields_text(self.manifest),
            asking.QUESTIONS_FILE: asking.written(self.questions),
        }
        if self.program is not None:
            texts[PROGRAM_FILE] = self.program
        return texts | {
            f"{goldens.FOLDER}/{example_name(golden)}": golden_file.text(golden) for golden in self.golden
        }


def write(folder: Path, draft: Draft) -> Iterator[str]:
    """Put the drafts where they belong, and say where each is.

    An example that a person changed stays as it is; one that is drafted no longer, and is as it was drafted,
    goes. answers.md is begun if it is not there, and never touched again.
    """
    before, texts, told = record(folder).files, draft.texts(), f"{folder.parent.name}/{folder.name}"
    a_persons = {name for name, text in texts.items() if _is_a_persons(folder, name, text, before)}
    changed = [name for name in texts if name in a_persons and not name.startswith(f"{goldens.FOLDER}/")]
    into = folder
    if changed:
        yield (
            f"{told}: {', '.join(changed)} changed since the last draft, so nothing is overwritten: look at "
            f"{told}/{BESIDE}, and copy over what you want"
        )
        into, told = folder / BESIDE, f"{told}/{BESIDE}"
        shutil.rmtree(into, ignore_errors=True)
    written: dict[str, str] = {}
    for name, text in texts.items():
        if not changed and name in a_persons:
            yield f"{told}/{name}: was changed by a person, left as it is"
            continue
        yield f"{told}/{name}: {_put(into / name, text)}"
        written[name] = _hash(text)
    if not changed:
        yield from (
            f"{told}/{name}: removed, drafted no longer" for name in _remove_old(folder, before, texts)
        )
    _record(into, Drafted(by=draft.by, connection=draft.connection, files=dict(sorted(written.items()))))
    if _begin_answers(folder / asking.ANSWERS_FILE, draft.questions):
        yield f"{folder.parent.name}/{folder.name}/{asking.ANSWERS_FILE}: begun; the practice writes there"


def ask(folder: Path, question: Question) -> str:
    """Put one question more into questions.md, and give its number. What was drafted stays a draft."""
    path, name = folder / asking.QUESTIONS_FILE, asking.QUESTIONS_FILE
    before = path.read_text(encoding="utf-8") if path.is_file() else ""
    text, number = asking.added(before, question)
    last = record(folder)
    _put(path, text)
    if last.files.get(name) == _hash(before):
        _record(folder, last.model_copy(update={"files": last.files | {name: _hash(text)}}))
    return number


def record(folder: Path) -> Drafted:
    """What was drafted last. A record that cannot be read says nothing: then everything is a person's."""
    try:
        return Drafted.model_validate(content_of(folder / RECORD))
    except (OSError, ValidationError, yaml.YAMLError, UnicodeDecodeError):
        return Drafted(by="")


def _record(folder: Path, made: Drafted) -> None:
    _put(folder / RECORD, RECORD_HEAD + yaml.safe_dump(made.model_dump(), sort_keys=False))


def fields_text(manifest: Manifest) -> str:
    """fields.yaml: a line for each sentence."""
    lines = [f"{number}: [{', '.join(paths)}]\n" for number, paths in manifest.root.items()]
    return FIELDS_HEAD + "".join(lines)


def _is_a_persons(folder: Path, name: str, text: str, before: Mapping[str, str]) -> bool:
    """Whether a file says something else than the draft, and not what was drafted or made by `ferry new`."""
    try:
        present = (folder / name).read_text(encoding="utf-8")
    except FileNotFoundError:
        return False
    except UnicodeDecodeError:
        return True
    return present != text and before.get(name) != _hash(present) and present not in _made(folder)


def _made(folder: Path) -> Sequence[str]:
    """What `ferry new` writes."""
    names = {"tenant": folder.parent.name, "integration": folder.name}
    return (scaffold.INSTRUCTIONS.format(**names), scaffold.FIELDS, scaffold.PROGRAM)


def _remove_old(folder: Path, before: Mapping[str, str], texts: Mapping[str, str]) -> Iterator[str]:
    """Remove the examples that are drafted no longer, and give their names."""
    for path in sorted((folder / goldens.FOLDER).glob("*.yaml")):
        name = f"{goldens.FOLDER}/{path.name}"
        if name not in texts and before.get(name) == _hash(path.read_text(encoding="utf-8")):
            path.unlink()
            yield name


def _put(path: Path, text: str) -> str:
    """Write a file if it says something else. What was done, in words."""
    path.parent.mkdir(parents=True, exist_ok=True)
    before = path.read_text(encoding="utf-8") if path.is_file() else None
    if before == text:
        return "as it was"
    path.write_text(text, encoding="utf-8")
    return "drafted" if before is None else "drafted anew"


def _begin_answers(path: Path, questions: Sequence[Question]) -> bool:
    """Begin answers.md if there is something to answer and it is not there. Whether it was begun."""
    asked = [question.number for question in questions if question.state == "open"]
    if not asked or path.exists():
        return False
    path.write_text(asking.ANSWERS_HEAD + "".join(f"\n{number}.\n" for number in asked), encoding="utf-8")
    return True


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
