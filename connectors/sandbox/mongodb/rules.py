"""A collection's validator: the part of $jsonSchema that practices write."""

from connectors.sandbox.mongodb.matching import TYPES
from connectors.sandbox.mongodb.wire import Document


def breaks(document: Document, validator: Document) -> bool:
    """Does the document break the rule?"""
    schema: Document = validator.get("$jsonSchema", {})
    if any(name not in document for name in schema.get("required", ())):
        return True
    properties: Document = schema.get("properties", {})
    if schema.get("additionalProperties") is False and set(document) - {"_id"} - set(properties):
        return True
    return any(_is_wrong(document[name], rule) for name, rule in properties.items() if name in document)


def _is_wrong(value: object, rule: Document) -> bool:
    kinds = rule.get("bsonType", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if kinds and not any(TYPES[kind](value) for kind in kinds):
        return True
    if isinstance(value, str) and len(value) > rule.get("maxLength", len(value)):
        return True
    if isinstance(value, int) and value > rule.get("maximum", value):
        return True
    return "enum" in rule and value not in rule["enum"]
