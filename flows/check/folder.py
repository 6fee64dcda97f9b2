"""What an integration's folder holds beside integration.yaml: the sentences, the program, the fields."""

import re
from collections.abc import Mapping
from pathlib import Path

from agent import manifest as manifests
from agent.compiled import signature
from agent.instructions import PROGRAM_FILE, TEXT_FILE, Instructions, InstructionsError
from agent.manifest import Manifest
from connectors.entry import EntryField
from flows.check.findings import Findings
from flows.check.marked import dotted, model, read

Fields = Mapping[str, EntryField]
PLACED = re.compile(r"(?:.*?:(?P<line>\d+)|[^:]*): (?P<what>.*)", re.DOTALL)


def read_fields(
    folder: Path, instructions: Instructions | None, known: Fields | None, findings: Findings
) -> tuple[Manifest | None, list[tuple[int, str, str]]]:
    """What is read, by sentence, and each field with its line; None if it cannot be used.

    `known`: what the source has; None if that is not to be known.
    """
    marked = read(folder / manifests.FILE, findings)
    found = model(marked, Manifest, findings) if marked else None
    if marked is None or found is None:
        return None, []
    listed: list[tuple[int, str, str]] = []
    for sentence, paths in found.root.items():
        if instructions and sentence not in instructions.numbers:
            what, line = f"{sentence} is no sentence of the instructions", marked.line((sentence,))
            findings.add(marked.path, line, what, near(sentence, set(instructions.numbers)))
        for at, path in enumerate(paths):
            line = marked.line((sentence, at))
            listed.append((line, sentence, path))
            if known is not None and path not in known:
                what = f"{dotted((sentence, at))} is {path}, which the source does not have"
                findings.add(marked.path, line, what, near(path, known))
    return found, listed


def read_instructions(folder: Path, findings: Findings) -> Instructions | None:
    """The instructions with their program, None if they cannot be used."""
    try:
        return Instructions.load(folder)
    except InstructionsError as error:
        placed = PLACED.fullmatch(str(error))
        line, words = (int(placed["line"] or 1), placed["what"]) if placed else (1, str(error))
        what, _, todo = words.partition("; ")
        of_program = str(error).startswith(str(folder / PROGRAM_FILE))
        findings.add(folder / (PROGRAM_FILE if of_program else TEXT_FILE), line, what, todo)
    if not of_program and (program := folder / PROGRAM_FILE).is_file():
        try:
            signature(program.read_text(encoding="utf-8"))
        except ValueError as error:
            add_program_line(program, str(error), findings)
    return None


def add_program_line(path: Path, problem: str, findings: Findings) -> None:
    """A problem of a program's as a finding: "line 4: …"."""
    placed = re.fullmatch(r"line (\d+): (.*)", problem, re.DOTALL)
    line, what = (int(placed[1]), placed[2]) if placed else (1, problem)
    findings.add(path, line, " ".join(what.split()), "correct the program there")


def near(name: str, there: Mapping[str, object] | set[str]) -> str:
    from difflib import get_close_matches  # noqa: PLC0415  # only where something is wrong

    found = get_close_matches(name, sorted(there), 1)
    return f"write {found[0]}" if found else f"there are: {', '.join(sorted(there)[:20]) or 'none'}"
