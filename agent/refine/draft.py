"""What the refining model answers: one type for each thing it is asked for."""

from typing import Literal

from pydantic import Field

from agent.plan import Frozen

Kind = Literal["contradiction", "gap", "vague"]


class Counting(Frozen):
    """How patients that a question is about are counted: the fields it reads, and what holds for them."""

    fields: tuple[str, ...] = Field(description="paths of the fields that the expression reads")
    holds: str = Field(
        description="one Python expression over entry (a dict) and today (a date), true for such a patient"
    )


class DraftedSentence(Frozen):
    """One rule."""

    rule: str = Field(description="the rule, without a number: one rule, settled, measurable")
    quote: str = Field(description="the words it comes from, copied exactly from the practice's words")
    keeps: str | None = Field(
        default=None, description="the number of the present sentence that this one is, or replaces: S4"
    )
    judgement: bool = Field(default=False, description="whether it asks for judgement that no rule settles")
    fields: tuple[str, ...] = Field(default=(), description="paths of the fields that it needs, no others")


class DraftedQuestion(Frozen):
    """What the practice's words leave open."""

    asks: str = Field(description="the question, in the practice's language")
    sentence: int = Field(description="which sentence of your list it is about, counted from 1")
    kind: Kind
    quote: str = Field(description="the words that leave it open, copied exactly")
    options: tuple[str, ...] = Field(description="two or more answers that are possible")
    keeps: str | None = Field(default=None, description="the number of the present question that it is: Q2")
    counting: Counting | None = Field(
        default=None, description="where the fields can tell, how to count the patients that it is about"
    )


class DraftedSentences(Frozen):
    """The rules, and what is to be asked."""

    sentences: tuple[DraftedSentence, ...]
    questions: tuple[DraftedQuestion, ...] = ()


class DraftedProgram(Frozen):
    """The sentences as a program."""

    source: str = Field(description="Python: def decide(entry, today): … and what it calls")


class DraftedJudgement(Frozen):
    """What the judgement of a sentence is, in an example."""

    sentence: str
    answer: str = Field(description="one of the options that the sentence names")


class DraftedExample(Frozen):
    """One invented entry and the plan that the sentences make of it. Objects are given as JSON text."""

    shows: str = Field(description="what it shows, in a few words: two policies are both primary")
    today: str = Field(description="the day of the run: 2026-03-02")
    entry: str = Field(description="JSON: the invented entry, with the declared fields and no others")
    judgements: tuple[DraftedJudgement, ...] = Field(
        default=(), description="for each judgement sentence that it reaches, what the judgement is"
    )
    plan: str = Field(description="JSON: the plan that the sentences make of it")


class DraftedExamples(Frozen):
    """Examples that together reach every sentence."""

    examples: tuple[DraftedExample, ...]
