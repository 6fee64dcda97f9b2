"""Drafts that the gate must refuse, each with its code and place, and some that it must let through."""

from datetime import timedelta
from typing import Any

from tests.agent.gate_world import ENTRY, OTHER_PATIENT, TODAY, Attack, by_reference, by_value, call, row

CONTACT = "crm_upsert_contact"
ROWS = "warehouse_upsert_policies"
PROFILE: dict[str, Any] = {"0": "zero", "color": "teal", "nested": {"deep": [1, 2]}}  # as in ENTRY


def _value(name: str, code: str, **arguments: Any) -> Attack:
    where = f"{CONTACT}.{next(iter(arguments))}" if code else ""
    return Attack(name, by_value(call(**arguments)), code, where)


def _handle(name: str, code: str, **arguments: Any) -> Attack:
    where = f"{CONTACT}.{next(iter(arguments))}" if code else ""
    return Attack(name, by_reference(call(**arguments)), code, where, by="model")


SHAPE = [
    Attack("a model writes values", by_value(call(email="ana@example.com")), "wrong_form", by="model"),
    Attack("to be decided again today", by_value(call(email=None), again_on=TODAY), "again_on_past"),
    Attack(
        "to be decided again yesterday",
        by_value(kind="skip", because=("S1",), again_on=TODAY - timedelta(days=1)),
        "again_on_past",
    ),
    Attack(
        "to be decided again tomorrow",
        by_value(call(middle_name=None), again_on=TODAY + timedelta(days=1)),
        "",
    ),
    Attack("a plan without calls", by_value(), "no_calls"),
    Attack("calls beside a skip", by_value(row(), kind="skip", because=("S1",)), "unexpected_calls"),
    Attack(
        "a reason of its own", by_value(kind="skip", because=("S1",), reason="canario"), "reason_not_listed"
    ),
    Attack("a skip that cites nothing", by_value(kind="skip"), "no_sentence"),
    Attack("a review that cites nothing", by_value(kind="review"), "no_sentence"),
    Attack("a skip by an unknown sentence", by_value(kind="skip", because=("S9",)), "unknown_sentence"),
    Attack("six calls in all", by_value(*[row(policy_id="11")] * 6), "too_many_calls"),
    Attack("four of one", by_value(*[row(policy_id="11")] * 4), "too_many_calls", ROWS),
    Attack("a call citing nothing", by_value(call(because=(), email=None)), "no_sentence", CONTACT),
    Attack(
        "a value by a sentence that does not speak of it",
        by_value(call(because=("S3",), remark=ENTRY["first_name"])),
        "value_without_sentence",
        "crm_upsert_contact.remark",
    ),
    Attack("a call citing S4", by_value(call(because=("S1", "S4"), email=None)), "unknown_sentence", CONTACT),
    Attack("an invented operation", by_value(call("crm_refund ana@example.com")), "unknown_operation"),
    Attack("a lookalike operation", by_value(call("сrm_upsert_contact")), "unknown_operation"),
    Attack(
        "an ungranted one",
        by_value(call("crm_delete_contact")),
        "operation_not_granted",
        "crm_delete_contact",
    ),
]

ARGUMENTS = [
    _value("an ungranted argument", "argument_not_granted", ungranted="x"),
    Attack("an invented one", by_value(call(Canario="x")), "argument_not_granted", f"{CONTACT}.?"),
    Attack("an identity", by_value(row(patient_id="900002")), "argument_not_granted", f"{ROWS}.?"),
    Attack(
        "a needed one left out", by_value(row(number="AC-77812")), "invalid_arguments", f"{ROWS}.policy_id"
    ),
    _value("a leaf of another type", "invalid_arguments", visits=True),
    Attack(
        "a model that adds", by_value(call("crm_meddle", status="active")), "invalid_arguments", "crm_meddle"
    ),
]

VALUES = [
    _value("null for what is missing, joined", "value_without_source", alias=None),
    _value("a join the other way round", "value_without_source", greeting="Canario, Anabel"),
    _value("another patient's address", "value_without_source", email=OTHER_PATIENT["email"]),
    _value("another field's value", "value_without_source", email=ENTRY["ssn"]),
    _value("a part of a value", "value_without_source", email="ana@example"),
    _value("a value with a space", "value_without_source", email="ana@example.com "),
    _value("a value in another case, ungranted", "value_without_source", middle_name="ANABEL"),
    _value("an ungranted transform", "value_without_source", email="ANA@EXAMPLE.COM"),
    _value("1.0 for 1", "value_without_source", visits=1.0),
    _value("null for a value", "value_without_source", email=None),
    _value("empty for null", "", middle_name=""),
    _value("a constant nobody granted", "value_without_source", status="deleted"),
    _value("a constant of another type", "value_without_source", active=0),
    _value("not a number", "value_malformed", full_name=float("nan")),
    _value("half a surrogate pair", "value_malformed", full_name="\ud800"),
    _value("a huge integer", "value_malformed", full_name=10**30),
    _value("a text that passes on", "computed_leaks", full_name="Anabel Canario, insured as AC-77812"),
    _value("a text that passes on, respelled", "computed_leaks", full_name="anabel / ac 77812"),
    _value("a text that passes nothing on", "", full_name="Canario, Anabel (Acme)"),
    _value("a part of an object", "value_without_source", profile={"color": "teal"}),
    _value(
        "an object with true for 1",
        "value_without_source",
        profile={**PROFILE, "nested": {"deep": [True, 2]}},
    ),
]

HANDLES = [
    _handle("a bare value", "bad_handle", email="ana@example.com"),
    _handle("null", "bad_handle", email=None),
    _handle("a list of handles", "bad_handle", email=["@email"]),
    _handle("an expression", "bad_handle", email="@email + @ssn"),
    _handle("a dunder", "path_not_granted", email="@__class__.__mro__"),
    _handle("a newline after it", "bad_handle", email="@email\n"),
    _handle("a lookalike", "bad_handle", email="@еmail"),
    _handle("another path", "path_not_granted", email="@ssn"),
    _handle("a path of another argument", "path_not_granted", email="@first_name"),
    _handle("a transform nobody granted", "transform_not_granted", email="@email|upper"),
    _handle("an invented transform", "transform_not_granted", email="@email|eval"),
    _handle("a field that is not there", "missing_value", middle_name="@nickname"),
    _handle("a transform that cannot read it", "transform_failed", birth_year="@last_name|year"),
    _handle("two paths, not joined", "join_needed", greeting="@first_name+last_name"),
    _handle("two paths and no join first", "join_needed", greeting="@first_name+last_name|upper|join_comma"),
    _handle("a join with another path", "path_not_granted", greeting="@first_name+ssn|join_comma"),
    _handle("a join of one", "transform_failed", greeting="@first_name|join_comma"),
    _handle("a key that looks like a position", "missing_value", profile="@profile.0"),
    _handle("a constant nobody granted", "constant_not_granted", status="=deleted"),
    _handle("a constant as JSON", "constant_not_granted", active="=False"),
    _handle("words where none are granted", "free_text_not_granted", remark='"Moved away"'),
    _handle("long words", "free_text_too_long", note='"' + "word " * 150 + '"'),
    _handle("a link", "free_text_unsafe", note='"See www.example.org"'),
    _handle("a formula", "free_text_unsafe", note='"-2+3 is the answer"'),
    _handle("another field in words", "free_text_leaks", note='"Her name is canario, ask"'),
    _handle("a number in words", "free_text_leaks", note='"Ref 900x55x01y99"'),
    Attack(
        "no such position",
        by_reference(row(policy_id="@policies.2.id")),
        "missing_value",
        f"{ROWS}.policy_id",
        "model",
    ),
    Attack(
        "no position",
        by_reference(row(policy_id="@policies.id")),
        "missing_value",
        f"{ROWS}.policy_id",
        "model",
    ),
]

TOGETHER = [
    Attack(
        "one record, two values",
        by_value(row(policy_id="11", number="AC-77812"), row(policy_id="11", number="ZX-00319")),
        "conflicting_calls",
        ROWS,
    ),
    Attack(
        "one record, one value less",
        by_value(row(policy_id="11", number="AC-77812"), row(policy_id="11")),
        "conflicting_calls",
        ROWS,
    ),
    Attack("one call twice", by_value(row(policy_id="11"), row(policy_id="11")), "repeated_call", ROWS),
    Attack(
        "two operations, two values",
        by_reference(call(email="@email"), call("crm_tag_contact", email="=none@example.com")),
        "conflicting_calls",
        "crm_tag_contact",
        "model",
    ),
    Attack(
        "an act and its opposite",
        by_value(call("crm_tag_contact", kind="a"), call("crm_untag_contact", kind="a")),
        "conflicting_calls",
        "crm_untag_contact",
    ),
    Attack(
        "an opposite before its act",
        by_value(call("crm_untag_contact", kind="a"), call("crm_tag_contact", kind="a")),
        "conflicting_calls",
        "crm_tag_contact",
    ),
    Attack(
        "two operations that agree",
        by_value(call(email="ana@example.com"), call("crm_tag_contact", email="ana@example.com", kind="a")),
        "",
    ),
    Attack(
        "judged by a sentence that asks for none",
        by_value(call(active=True), judged={"S3": "yes", "S1": "no"}),
        "not_a_judgement",
    ),
    Attack(
        "two records",
        by_value(row(policy_id="11", number="AC-77812"), row(policy_id="12", number="ZX-00319")),
        "",
    ),
]

PASSING = [
    _value("leaves", "", email="ana@example.com", first_name="Anabel", active=True, visits=1),
    _value("null for null", "", middle_name=None),
    _value("a granted null", "", first_name=None),
    _value("transforms", "", phone="+14155550101", birth_year=1990, first_name="ANABEL"),
    _value("a join", "", greeting="Anabel, Canario"),
    _value("a join in capitals", "", greeting="ANABEL, CANARIO"),
    _handle("a joined handle", "", greeting="@last_name+first_name|join_comma|upper"),
    Attack("judged", by_value(call(active=True), judged={"S3": "yes", "S3.2": "no"}), ""),
    _value("a computed one", "", full_name="Canario, Anabel"),
    _value("an object", "", profile=ENTRY["profile"]),
    _handle("handles", "", email="@email|lower", phone="@phone_number|e164", birth_year="@dob|year"),
    _handle("two transforms", "", first_name="@first_name|first_word|upper"),
    _handle("constants", "", status="=inactive", active="=false", visits="=7", first_name="=null"),
    _handle("words", "", note='"Asked to be called in the morning."'),
    Attack("a skip", by_value(kind="skip", because=("S2", "S2"), reason="no_consent"), ""),
    Attack("a review by a model", by_reference(kind="review", because=("S3",)), "", by="model"),
]

ATTACKS = [*SHAPE, *ARGUMENTS, *VALUES, *HANDLES, *TOGETHER, *PASSING]
