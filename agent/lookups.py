"""Lookups as an agent's tools: reads that help to decide, about the patient of the case and no other.

The patient is bound by the engine. A model's other arguments are handles of the record too, except where
the type is a closed list: what it asks about can come from nowhere else.
"""

import asyncio
from collections.abc import Callable, Mapping
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import Field, JsonValue, ValidationError, create_model
from pydantic_ai import ModelRetry, RunContext, Tool

from agent.case import Case, Deciding
from agent.references import Reference, parse, resolve
from agent.tools import SubmittedArguments
from agent.transforms import Failure, When, apply
from connectors.entry import Entry
from connectors.operation import Lookup, arguments_of

Shown = Callable[[Lookup, JsonValue, Entry], str]


def lookup_tools(lookups: Mapping[str, Lookup], shown: Shown, timezone: str) -> list[Tool[Deciding]]:
    """A tool for each lookup, by full name and always in the same order.

    Args:
        shown: how an answer is put to the model. timezone: the practice's.
    """
    return [_tool(name, lookups[name], shown, timezone) for name in sorted(lookups)]


def _tool(name: str, lookup: Lookup, shown: Shown, timezone: str) -> Tool[Deciding]:
    declared = {field.alias or name: field for name, field in lookup.arguments.model_fields.items()}
    closed = {argument for argument, field in declared.items() if _is_closed(field.annotation)}
    fields = {
        f"f{at}": _argument(argument, field.annotation if argument in closed else str, field.is_required())
        for at, (argument, field) in enumerate(declared.items())
    }

    async def look(ctx: RunContext[Deciding], arguments: SubmittedArguments) -> str:
        case = ctx.deps.case
        values = {
            argument: given
            if given is None or argument in closed
            else _referred(argument, given, case, timezone)
            for argument, given in arguments.given().items()
        }
        try:
            asked = arguments_of(lookup.arguments.model_validate(values))
        except ValidationError as error:
            raise ModelRetry(f"invalid_arguments: {error.errors(include_input=False)[0]['loc']}") from None
        # A connector is synchronous and has its own time-outs; reads may go on unattended.
        answer = await asyncio.to_thread(lookup.answer, case.patient, asked)
        return shown(lookup, answer, case.entry)

    look.__annotations__["arguments"] = create_model(f"{name}_asked", __base__=SubmittedArguments, **fields)
    return Tool(look, takes_ctx=True, name=name, description=lookup.summary)


def _argument(name: str, type_: Any, required: bool) -> Any:
    told = "a handle of the record: @path or @path|transform" if type_ is str else None
    if required:
        return type_, Field(alias=name, description=told)
    return type_ | None, Field(default=None, alias=name, description=told)


def _is_closed(type_: object) -> bool:
    """Whether a type is a list of possible values, so that nothing can be smuggled in it."""
    origin = get_origin(type_)
    if origin is Annotated:
        return _is_closed(get_args(type_)[0])
    if origin in (Union, UnionType):
        return all(_is_closed(member) for member in get_args(type_))
    if isinstance(type_, type):
        return issubclass(type_, bool | NoneType | Enum)
    return origin is Literal


def _referred(argument: str, given: JsonValue, case: Case, timezone: str) -> JsonValue:
    handle = parse(given)
    if not isinstance(handle, Reference) or len(handle.paths) != 1:
        raise ModelRetry(f"bad_handle: {argument}")
    value = apply(handle.transforms, resolve(case.entry, handle.paths[0]), When(case.today, timezone))
    if isinstance(value, Failure):
        raise ModelRetry(f"{value.value}: {argument}")
    return value
