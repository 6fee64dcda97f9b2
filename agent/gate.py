"""Gate: the code that says what may be done. Default deny; no prompt, no clock, no network.

A draft passes as a whole or not at all. What passes is a plan in which every operation and argument is
granted, every call cites a sentence, and every value has a source. A value is carried as the argument's
own type writes it (a moment in UTC, a decimal without trailing zeros), and as nothing else.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from pydantic import JsonValue, ValidationError

from agent.grants import GrantedArgument, GrantedOperation, granted_operations
from agent.plan import Argument, Call, Draft, DraftCall, Plan, Refused, Sentences
from agent.policy import Policy
from agent.provenance import Sourced, Values, by_reference, by_value
from agent.refusals import Code, PolicyError, RefusalError
from agent.transforms import When
from connectors.entry import Category, Entry
from connectors.operation import Write, arguments_of

__all__ = ["Code", "Gate", "PolicyError", "plan_hash"]


class Gate:
    """Checks the drafts of one integration. It keeps nothing between checks: any thread may call it."""

    def __init__(
        self, policy: Policy, writes: Mapping[str, Write], category: Callable[[str], Category | None]
    ) -> None:
        """Looks at every grant once.

        Args:
            writes: by full name, `<target>_<write>`.
            category: of a declared path of the entry; None if the source has no such field.

        Raises:
            PolicyError: the policy grants what does not exist or is not approved.
        """
        self._operations = granted_operations(policy, writes, category)
        self._known = frozenset(writes)
        self._sentences = frozenset(policy.sentences)
        self._reasons = frozenset(policy.reasons)
        self._judgement = frozenset(policy.judgement)
        self._timezone = policy.timezone
        self._values_allowed = policy.by == "program"
        self._calls_at_most = policy.calls_at_most

    def check(self, draft: Draft, entry: Entry, today: date) -> Plan | Refused:
        """The plan that may be journalled, or the code of the first check that failed.

        Args:
            today: the run's day.
        """
        try:
            self._check_shape(draft, today)
            self._check_cited(draft.because, "", needed=draft.kind != "write")
            self._check_judged(draft.judged)
            values = Values(entry, When(today, self._timezone))
            calls = tuple(self._call(call, draft.by, values) for call in draft.calls)
            self._check_records(calls)
        except RefusalError as refusal:
            return Refused(code=refusal.code.value, where=refusal.where)
        return Plan(
            kind=draft.kind,
            calls=calls,
            because=_once(draft.because),
            reason=draft.reason,
            again_on=draft.again_on,
            judged=draft.judged,
        )

    def _check_shape(self, draft: Draft, today: date) -> None:
        if draft.by == "value" and not self._values_allowed:
            raise RefusalError(Code.WRONG_FORM)
        if draft.kind == "write" and not draft.calls:
            raise RefusalError(Code.NO_CALLS)
        if draft.kind != "write" and draft.calls:
            raise RefusalError(Code.UNEXPECTED_CALLS)
        if draft.reason and draft.reason not in self._reasons:
            raise RefusalError(Code.REASON_NOT_LISTED)
        if draft.again_on is not None and draft.again_on <= today:
            raise RefusalError(Code.AGAIN_ON_PAST)
        if len(draft.calls) > self._calls_at_most:
            raise RefusalError(Code.TOO_MANY_CALLS)
        for name, count in Counter(call.operation for call in draft.calls).items():
            if name in self._operations and count > self._operations[name].at_most:
                raise RefusalError(Code.TOO_MANY_CALLS, name)

    def _check_cited(self, because: Sentences, where: str, *, needed: bool) -> None:
        if needed and not because:
            raise RefusalError(Code.NO_SENTENCE, where)
        if not self._sentences.issuperset(because):
            raise RefusalError(Code.UNKNOWN_SENTENCE, where)

    def _check_judged(self, judged: Mapping[str, str]) -> None:
        if any(label.partition(".")[0] not in self._judgement for label in judged):
            raise RefusalError(Code.NOT_A_JUDGEMENT)

    def _call(self, call: DraftCall, by: str, values: Values) -> Call:
        operation = self._operations.get(call.operation)
        if operation is None:
            known = call.operation in self._known  # else it is a model's word: it may be anything
            code = Code.OPERATION_NOT_GRANTED if known else Code.UNKNOWN_OPERATION
            raise RefusalError(code, call.operation if known else "")
        self._check_cited(call.because, operation.name, needed=True)
        _check_arguments_granted(call, operation)
        because = _once(call.because)
        sourced: dict[str, Sourced] = {}
        for name, value in call.arguments.items():
            granted = operation.arguments[name]
            if by == "value":
                sourced[name] = by_value(value, granted, values)
            else:
                sourced[name] = by_reference(value, granted, values)
        return Call(
            operation=operation.name, arguments=_validated(sourced, operation, because), because=because
        )

    def _check_records(self, calls: tuple[Call, ...]) -> None:
        """Each record is written once, or by operations that agree on what they both set."""
        if len(calls) < 2:
            return
        seen: dict[tuple[str, str], list[_Written]] = {}
        for call in calls:
            operation = self._operations[call.operation]
            # One plan is about one patient, so any name stands for it.
            record = operation.write.record("", call.values())
            others = seen.setdefault((operation.target, record), [])
            written = _Written(operation.write, call.operation, call.values())
            for other in others:
                _check_pair(written, other)
            others.append(written)


def plan_hash(plan: Plan) -> str:
    """SHA-256 of the plan as canonical JSON: equal hashes mean equal plans, byte for byte."""
    canonical = json.dumps(
        plan.model_dump(mode="json"), sort_keys=True, separators=(",", ":"), allow_nan=False
    )
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()


def _once(sentences: Sentences) -> Sentences:
    return tuple(dict.fromkeys(sentences))


def _check_arguments_granted(call: DraftCall, operation: GrantedOperation) -> None:
    for name in call.arguments:
        if name not in operation.arguments:
            raise RefusalError(Code.ARGUMENT_NOT_GRANTED, _where(operation, name))


def _where(operation: GrantedOperation, argument: object) -> str:
    """The argument's name if the write has it: any other name is a model's word and may be a value."""
    return f"{operation.name}.{argument if argument in operation.names else '?'}"


def _cited(granted: GrantedArgument, because: Sentences) -> Sentences:
    """The sentences of a call that speak of one of its arguments."""
    cited = tuple(sentence for sentence in because if not granted.because or sentence in granted.because)
    if not cited:
        raise RefusalError(Code.VALUE_WITHOUT_SENTENCE, granted.where)
    return cited


def _validated(
    sourced: Mapping[str, Sourced], operation: GrantedOperation, because: Sentences
) -> dict[str, Argument]:
    """The arguments as their types write them; what was not set stays unset."""
    given: dict[str, JsonValue] = {name: value for name, (value, _) in sourced.items()}
    try:
        values = arguments_of(operation.write.arguments.model_validate(given))
    except ValidationError as error:
        place = error.errors(include_url=False, include_context=False, include_input=False)[0]["loc"]
        raise RefusalError(Code.INVALID_ARGUMENTS, _where(operation, place[0] if place else "")) from None
    if values.keys() != given.keys():
        raise RefusalError(Code.INVALID_ARGUMENTS, operation.name)
    return {
        name: Argument(
            value=value, source=sourced[name][1], because=_cited(operation.arguments[name], because)
        )
        for name, value in values.items()
    }


@dataclass(frozen=True, slots=True)
class _Written:
    """What one call writes to a record."""

    write: Write
    operation: str
    values: Mapping[str, JsonValue]


def _check_pair(call: _Written, other: _Written) -> None:
    mine, theirs = call.values, other.values
    if call.write.opposite == other.write.name or other.write.opposite == call.write.name:
        raise RefusalError(Code.CONFLICTING_CALLS, call.operation)
    if call.operation == other.operation:
        code = Code.REPEATED_CALL if _canonical(mine) == _canonical(theirs) else Code.CONFLICTING_CALLS
        raise RefusalError(code, call.operation)
    shared = mine.keys() & theirs.keys()
    if _canonical({n: mine[n] for n in shared}) != _canonical({n: theirs[n] for n in shared}):
        raise RefusalError(Code.CONFLICTING_CALLS, call.operation)


def _canonical(values: Mapping[str, JsonValue]) -> str:
    return json.dumps(values, sort_keys=True)
