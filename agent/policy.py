"""Policy: what an integration was approved to do, argument by argument. Default deny."""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field, JsonValue

from agent.plan import Frozen, Sentences
from connectors.entry import Category


class Grant(Frozen):
    """Where one argument's value may come from.

    sources: entry paths without positions. constants: values that the instructions name.
    transforms: names of declared transforms (agent/transforms.py). computed: an approved program may
    make a value of its own out of `sources`. because: sentences that speak of this argument, of which a call
    that sets it cites one (none named: any will do). free_text: a model may write words of its own.
    """

    sources: tuple[str, ...] = ()
    constants: tuple[JsonValue, ...] = ()
    transforms: tuple[str, ...] = ()
    computed: bool = False
    because: Sentences = ()
    free_text: bool = False


class OperationGrant(Frozen):
    """One granted write: `arguments` that are not named here may not be set."""

    arguments: dict[str, Grant]
    at_most: int = 1  # calls of it in one plan


class Policy(Frozen):
    """All that an integration may do. `operations` by full name: "warehouse_upsert_patients".

    withheld: by target, what its system may not hold, or not before something is confirmed.
    """

    operations: dict[str, OperationGrant]
    sentences: tuple[str, ...]  # what a call may cite
    categories: dict[str, tuple[Category, ...]]  # target -> categories approved for it
    by: Literal["program", "model"]
    withheld: Mapping[str, tuple[Category, ...]] = Field(default_factory=dict[str, tuple[Category, ...]])
    judgement: Sentences = ()  # of these sentences, those that a program leaves to `judge`
    timezone: str = "UTC"  # the practice's: an IANA name
    calls_at_most: int = 20  # calls in one plan
    reasons: tuple[str, ...] = ()  # the code words a plan may give as its reason; "" needs none
