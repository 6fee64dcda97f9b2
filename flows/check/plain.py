"""YAML that says what JSON can say, and nothing that two readers of YAML read differently.

A day or a moment stays the text that it is in an entry. What YAML may take for something else than a person
means (`no`, `02134`, `+14155550101`, `12:30`, `1.10`) is refused until it stands in quotes.
"""

import re
from typing import Any, Final

import yaml

_BOOL, _NULL, _INT, _FLOAT, _STR, _DAY = (
    f"tag:yaml.org,2002:{name}" for name in ("bool", "null", "int", "float", "str", "timestamp")
)
_UNCLEAR = "!unclear"
_JSON: Final = {
    _BOOL: re.compile(r"true|false"),
    _NULL: re.compile(r"null|~|"),
    _INT: re.compile(r"-?(?:0|[1-9][0-9]*)"),
    _FLOAT: re.compile(r"-?(?:0|[1-9][0-9]*)\.[0-9]+"),
}


class Unclear(yaml.constructor.ConstructorError):
    """Something that could be meant as a text or as something else."""


class PlainLoader(yaml.CSafeLoader):
    """Reads what JSON can say."""

    def resolve(self, kind: Any, value: Any, implicit: Any) -> str:
        usual = str(super().resolve(kind, value, implicit))  # type: ignore[no-untyped-call]
        if kind is not yaml.ScalarNode or not implicit[0]:
            return usual
        if usual in (_STR, _DAY):
            return _STR
        return usual if _is_plain(usual, value) else _UNCLEAR


def _is_plain(tag: str, text: str) -> bool:
    if tag not in _JSON or not _JSON[tag].fullmatch(text):
        return False
    return tag != _FLOAT or repr(float(text)) == text  # 1.10 may be a version


def _unclear(loader: Any, node: yaml.Node) -> object:
    raise Unclear(None, None, "unclear", node.start_mark)


PlainLoader.add_constructor(_UNCLEAR, _unclear)
