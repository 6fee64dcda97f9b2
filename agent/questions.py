"""The questions that a program puts to `judge`, read from its source before it ever runs.

    judge("S5", "Is the reason urgent?", ["urgent", "routine"], about={"reason": entry["reason"]})

Sentence, question and options are written out in the program, so they are approved with it: nothing in an
entry can make a question of its own. Only `about` is made while the program runs, and it is data.
"""

import ast
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from pydantic import JsonValue

from agent.plan import Frozen, Sentences

JUDGE = "judge"
PARAMETERS = ("sentence", "question", "options", "about")
OPTIONS_AT_MOST = 20
TEXT_AT_MOST = 500  # characters of a question, and of an option


class Question(Frozen):
    """One call of `judge` as it is written."""

    sentence: str
    question: str
    options: tuple[str, ...]


def questions(tree: ast.Module, judgement: Sentences) -> tuple[Question, ...]:
    """Every question of a program, in the order of its lines.

    Raises ValueError, "line 4: …", if one is not written out, or its sentence asks for no judgement.
    """
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id == JUDGE]
    calls = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == JUDGE
    ]
    called = {id(call.func) for call in calls}
    for line in sorted([node.lineno for node in names if id(node) not in called] + list(_defined(tree))):
        raise ValueError(f"line {line}: judge can only be called; give what you mean another name")
    constants = _constants(tree)
    calls.sort(key=lambda call: (call.lineno, call.col_offset))
    return tuple(_question(call, constants, judgement) for call in calls)


def _defined(tree: ast.Module) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef) and node.name == JUDGE:
            yield node.lineno
        if isinstance(node, ast.alias) and JUDGE in (node.name, node.asname):
            yield node.lineno
        if isinstance(node, ast.arg) and node.arg == JUDGE:
            yield node.lineno


def _constants(tree: ast.Module) -> dict[str, ast.expr]:
    """What is given a name once, outside of all functions."""
    given = Counter(
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    )
    return {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name) and given[target.id] == 1
    }


def _question(call: ast.Call, constants: Mapping[str, ast.expr], judgement: Sentences) -> Question:
    where = f"line {call.lineno}: judge"
    given = dict(zip(PARAMETERS, call.args, strict=False))
    given |= {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}
    if len(call.args) + len(call.keywords) != len(PARAMETERS) or set(given) != set(PARAMETERS):
        raise ValueError(f"{where}: write it as judge(sentence, question, options, about)")
    sentence, question, options = (_written(given[name], constants) for name in PARAMETERS[:3])
    if sentence not in judgement:
        raise ValueError(
            f"{where}: the sentence is none that asks for judgement; write its number, and there "
            f"`S5. Judgement: …`; there are: {', '.join(judgement) or 'none'}"
        )
    if not _is_text(question):
        raise ValueError(f"{where}: the question is not written out; write it as a text of its own")
    if not _are_options(options):
        raise ValueError(f"{where}: the options are not written out; write 2 to {OPTIONS_AT_MOST} texts")
    return Question(sentence=str(sentence), question=str(question), options=tuple(map(str, _listed(options))))


def _written(node: ast.expr, constants: Mapping[str, ast.expr]) -> JsonValue:
    """What a literal says, or a name that is given to one; None for anything else."""
    if isinstance(node, ast.Name):
        node = constants.get(node.id, node)
    try:
        found: JsonValue | tuple[str, ...] = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None
    return list(found) if isinstance(found, tuple) else found


def _is_text(value: JsonValue) -> bool:
    return isinstance(value, str) and 0 < len(value.strip()) <= len(value) <= TEXT_AT_MOST


def _listed(value: JsonValue) -> Sequence[JsonValue]:
    return value if isinstance(value, list) else []


def _are_options(value: JsonValue) -> bool:
    listed = _listed(value)
    distinct = len(listed) == len({str(one) for one in listed})
    return 2 <= len(listed) <= OPTIONS_AT_MOST and distinct and all(map(_is_text, listed))
