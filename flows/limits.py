"""What one run may do by itself; what is more waits for a person."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from connectors.base import Settings


def _share(said: object) -> object:
    """`5%` is 0.05, and `2.5%` is 0.025."""
    number, sign, rest = str(said).strip().partition("%")
    is_share = sign and not rest and number.strip().replace(".", "", 1).isdecimal()
    return float(number) / 100 if is_share else said


Percentage = Annotated[float, BeforeValidator(_share, json_schema_input_type=str | float), Field(gt=0, lt=1)]
"""A part of everything: 5%, or 0.05."""

Asked = Literal["creates", "blanks", "money"]


class Limits(Settings):
    """The breaker: what is more than this in one run waits for a person."""

    share: float = 0.5  # of the known entries, written in one run
    at_least: int = 200  # writes, and among them new records, that are always allowed
    usual: float = 0.05  # share of the known entries that is never unusual, whatever earlier runs did
    creates: float = 0.2  # of the known entries: records made in one run that the target did not have
    blanks: int = 100  # values of the target that become empty in one run
    blanked: float = 0.2  # share of a batch's rows in which a value would become empty
    refused: float = 0.05  # share of a run's deliveries: with more refused its state is Refusals
    ask_first: tuple[Asked, ...] = ()  # what waits for a person each time: new records, emptied values, money
    decide_within: timedelta = timedelta(days=7)  # a run waits so long for a person's word in the dashboard
