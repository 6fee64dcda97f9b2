"""Why the gate says no, and why a policy cannot be used."""

from enum import StrEnum


class Code(StrEnum):
    """Why a draft was refused. Closed: the ledger and the reports show these words.

    In the order in which the gate looks.
    """

    WRONG_FORM = "wrong_form"  # a model wrote values where it must write handles
    NO_CALLS = "no_calls"  # a plan to write that writes nothing
    UNEXPECTED_CALLS = "unexpected_calls"  # calls beside a skip or a review
    REASON_NOT_LISTED = "reason_not_listed"
    AGAIN_ON_PAST = "again_on_past"  # it would be decided again at every run
    TOO_MANY_CALLS = "too_many_calls"  # in the plan, or of one operation
    NO_SENTENCE = "no_sentence"  # nothing is cited
    UNKNOWN_SENTENCE = "unknown_sentence"
    NOT_A_JUDGEMENT = "not_a_judgement"  # judged by a sentence that does not ask for judgement
    UNKNOWN_OPERATION = "unknown_operation"  # no connected target has it
    OPERATION_NOT_GRANTED = "operation_not_granted"
    ARGUMENT_NOT_GRANTED = "argument_not_granted"
    BAD_HANDLE = "bad_handle"  # not in the handle language
    PATH_NOT_GRANTED = "path_not_granted"
    TRANSFORM_NOT_GRANTED = "transform_not_granted"
    JOIN_NEEDED = "join_needed"  # several values, and no transform that joins them comes first
    MISSING_VALUE = "missing_value"  # the entry has nothing at that path
    TRANSFORM_FAILED = "transform_failed"  # the value is not in the form that the transform reads
    CONSTANT_NOT_GRANTED = "constant_not_granted"
    FREE_TEXT_NOT_GRANTED = "free_text_not_granted"
    FREE_TEXT_TOO_LONG = "free_text_too_long"
    FREE_TEXT_UNSAFE = "free_text_unsafe"  # a link, markup, a formula, a character that hides
    FREE_TEXT_LEAKS = "free_text_leaks"  # it says what other fields of the entry say
    COMPUTED_LEAKS = "computed_leaks"  # a program's own text says what the target may not receive
    VALUE_WITHOUT_SENTENCE = "value_without_sentence"  # no sentence that the call cites speaks of it
    VALUE_MALFORMED = "value_malformed"  # too large or deep, NaN, half a surrogate pair
    VALUE_WITHOUT_SOURCE = "value_without_source"
    INVALID_ARGUMENTS = "invalid_arguments"  # the operation's own types refuse them
    CATEGORY_NOT_APPROVED = "category_not_approved"  # found when the policy is loaded
    CATEGORY_WITHHELD = "category_withheld"  # likewise: the target's system may not hold it
    CONFLICTING_CALLS = "conflicting_calls"  # two calls write one record differently, or undo each other
    REPEATED_CALL = "repeated_call"  # one call, twice


class RefusalError(Exception):
    """Ends a check. Carries a code and names, never a value; the gate turns it into `Refused`."""

    def __init__(self, code: Code, where: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.where = where


class PolicyError(ValueError):
    """A policy grants what cannot be granted. One line: what, where, what next."""

    def __init__(self, message: str, code: Code | None = None) -> None:
        super().__init__(message)
        self.code = code
