"""How values compare, and which documents a filter means: what the connector asks, in the server's rules.

Numbers compare by value whatever their type; other values only within one type; a field that is missing
is like null. https://www.mongodb.com/docs/manual/reference/bson-type-comparison-order/
"""

from collections.abc import Callable, Hashable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from bson.decimal128 import Decimal128
from bson.objectid import ObjectId

from connectors.sandbox.mongodb.refusals import Refusal
from connectors.sandbox.mongodb.wire import Document, has_operators, is_document, is_list

TYPES: Mapping[str, Callable[[object], bool]] = {
    "objectId": lambda value: isinstance(value, ObjectId),
    "binData": lambda value: isinstance(value, bytes),
    "string": lambda value: isinstance(value, str),
    "bool": lambda value: isinstance(value, bool),
    "int": lambda value: type(value) is int,
    "long": lambda value: type(value).__name__ == "Int64",
    "double": lambda value: isinstance(value, float),
    "decimal": lambda value: isinstance(value, Decimal128),
    "number": lambda value: _bracket(value) == "number",
    "date": lambda value: isinstance(value, datetime),
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "null": lambda value: value is None,
}


def identity(value: Any, *, fold: bool = False) -> Hashable:  # any BSON value
    """What two values have in common that a unique index takes for the same. fold: without regard to case."""
    if is_document(value):
        return ("object", tuple((name, identity(each, fold=fold)) for name, each in value.items()))
    if is_list(value):
        return ("array", tuple(identity(each, fold=fold) for each in value))
    if isinstance(value, str) and fold:
        return ("string", value.casefold())
    return (_bracket(value), _number(value) if _bracket(value) == "number" else value)


def matches(document: Document, wanted: Document) -> bool:
    """Is this one of the documents that the filter means? Raises Refusal for what is not known here."""
    for name, condition in wanted.items():
        if name in ("$or", "$and"):
            each = [matches(document, one) for one in condition]
            if not (any(each) if name == "$or" else all(each)):
                return False
        elif not _field(document, name, condition):
            return False
    return True


def _field(document: Document, name: str, condition: Any) -> bool:  # any BSON value
    if has_operators(condition):
        return all(_operator(document, name, operator, value) for operator, value in condition.items())
    return identity(document.get(name)) == identity(condition)


def _operator(document: Document, name: str, operator: str, value: Any) -> bool:  # any BSON value
    found = document.get(name)
    if operator == "$not":
        return not _field(document, name, value)
    if operator == "$exists":
        return (name in document) == bool(value)
    if operator == "$type":
        kinds = value if is_list(value) else [value]
        return name in document and any(TYPES[kind](found) for kind in kinds)
    if operator == "$in":
        return identity(found) in {identity(each) for each in value}
    if operator in ("$eq", "$ne"):
        return (identity(found) == identity(value)) == (operator == "$eq")
    if operator in ("$gt", "$gte", "$lt", "$lte"):
        return _ordered(found, value, operator)
    raise Refusal(2, f"unknown operator: {operator}")


def _ordered(found: Any, value: Any, operator: str) -> bool:  # any BSON value
    if _bracket(found) != _bracket(value) or found is None:
        return False
    one, other = _sorting(found), _sorting(value)
    if operator in ("$gte", "$lte") and one == other:
        return True
    return bool(one > other) if operator in ("$gt", "$gte") else bool(one < other)


def _sorting(value: Any) -> Any:  # whatever sorts as the server does
    if isinstance(value, str):
        return value.encode()
    if _bracket(value) != "number":
        return value
    number = _number(value)
    return Decimal("-Infinity") if number.is_nan() else number  # less than every number


def _bracket(value: object) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, (int, float, Decimal128)):
        return "number"
    return type(value).__name__


def _number(value: Any) -> Decimal:
    return value.to_decimal() if isinstance(value, Decimal128) else Decimal(value)
