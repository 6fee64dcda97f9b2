"""Vague: words that two people would read differently, and no number says what is meant."""

import re
from collections.abc import Iterator

from agent.lint.defined import beside, definitions
from agent.lint.phrases import phrases
from agent.lint.subject import Finding, Kind, Subject
from agent.lint.words import Reading

VAGUE = {
    "write a number of days": phrases("""
        recent/recently/lately/shortly/nowadays/these_days/promptly/quickly/speedily/timely/eventually/asap/soon
        as_soon_as possible/you_can/we_can
        a quite? while
        a long time/while
        not? too? long ago
        for? some time/days/weeks/months/years
        for ages
        without undue? delay
        in/for/over the? near/foreseeable/distant future/past
        long/short history/period/absence/gap/wait/while
    """),
    "write a number": phrases("""
        often/frequent/frequently/seldom/rarely/occasionally/occasional/periodically/regularly/sporadically
        from_time_to_time/now_and_then/once_in_a_while/every_so_often
        regular <thing>/customer/attendee
        several/various/numerous/many/few/a_few/a_lot/lots_of/plenty_of/a_couple_of/a_handful_of
        last/past/next/coming/previous/first few/couple_of/several
        a small/large/great? number/amount of
        too many/much/old/young/long/high/low/late/few
        about/approximately/approx/approx./roughly/around/circa/nearly/almost/close_to/some <number>
        <number> <span> or so
        more_or_less/give_or_take
        old/very_old/elderly/young/very_young <patient>
    """),
    "write the amount": phrases("""
        large/high/low/big/huge/small/substantial/considerable/sizeable/excessive/unusual open/unpaid? <thing>
        large/high/low/big/huge/small/unusually_high risk/priority/credit/debt
        <thing>/debt/credit/age is/are/that_is/that_are too/very? large/high/low/big/huge/small/substantial
        bigger/larger/smaller/newer/older/younger/higher/longer/shorter <thing>
        significant/significantly/substantially/considerably/excessively
        enough/sufficient/sufficiently/adequate/adequately/reasonable/reasonably/acceptable
    """),
    "name which ones": phrases("""
        important/relevant/interesting/noteworthy/notable/meaningful/essential/crucial
        appropriate/appropriately/suitable/suitably/sensible/properly/nicely/correctly/neatly
        urgent/urgently/critical/serious/severe/elderly/vip/vips
        certain/special/longstanding/long-standing/long-time/longtime/usual <thing>
        key/problem <patient>
        best/better/nicer/good/bad phone/number/address/e-mail/email/name/contact/one/<patient>
    """),
    "list all of them": phrases("""
        etc/etc./and_so_on/and_so_forth/and_the_like/or_similar/and_similar/or_the_like/and_such/something_like
    """),
    "write the ZIP codes": phrases("""
        nearby/near_the/near_our/close_to_the/close_to_our clinic/practice/office?
    """),
    "write the condition itself": phrases("""
        usually/normally/typically/generally/mostly/mainly/ordinarily/sometimes/as_a_rule/in_general
        in_most_cases/most_of_the_time/as_usual/at_times/case_by_case/case-by-case
        if/where/when/whenever/wherever/as_far_as/as_much_as possible/needed/necessary/required/appropriate
        if/where/when/whenever/wherever applicable/useful/helpful/sensible/desired/in_doubt
        as needed/necessary/appropriate/required/applicable/you_see_fit
        make/makes sense
        depending on the? situation/case/circumstances/context
        at your/their/our/its discretion
        use your/good/best? judgement/judgment/common_sense/discretion
    """),
    "write what is to be done": phrases("""
        maybe/perhaps/ideally/preferably/try_to/tries_to/attempt_to/tbd
        to_be decided/determined/defined
        deal_with/take_care_of/handle/sort_out/clean_up/tidy_up
        dealt_with/taken_care_of/handled/sorted_out/cleaned_up/tidied_up
    """),
}
FINE = phrases("""
    most recent/recently
    how many/often/few/soon
    as/so many as
    as soon as
    in a? few words
    the few/bigger/larger/smaller/newer/older/younger/higher/longer/shorter <thing>
    no/or/and/<number> few/bigger/larger/smaller/newer/older/younger/higher/longer/shorter
    is/are enough
    if/when several
    handle/handled as/like
""")
"""In these nothing is vague, though a word of theirs is elsewhere."""


def vague(subject: Subject) -> Iterator[Finding]:
    """The vague words of each sentence. A sentence of judgement may have them: a question is asked there."""
    for reading in subject.readings:
        if not reading.judgement:
            yield from _of(subject, reading)


def _of(subject: Subject, reading: Reading) -> Iterator[Finding]:
    told = [found.span() for found in FINE.finditer(reading.plain)]
    for todo, pattern in VAGUE.items():
        for found in pattern.finditer(reading.plain):
            start, end = found.span()
            if any(start < before_end and before < end for before, before_end in told):
                continue
            if not _is_exact(subject, reading, start, end):
                told.append((start, end))
                what = f'"{reading.text[start:end].strip()}" can be read in more than one way'
                yield subject.says(Kind.VAGUE, reading, what, todo)


def _is_exact(subject: Subject, reading: Reading, start: int, end: int) -> bool:
    """Whether it is a name or a granted constant, or made exact beside it or by another sentence."""
    words = reading.plain[start:end].strip()
    if reading.is_name(start, end) or beside(reading, end) or _is_constant(subject, reading, words):
        return True
    return any(any(definitions(word, subject.readings)) for word in words.split()[:1])


def _is_constant(subject: Subject, reading: Reading, words: str) -> bool:
    """Whether a value that may be written for this sentence is called so."""
    constants = (
        constant.lower()
        for argument in subject.spoken_of(reading)
        for constant in argument.grant.constants
        if isinstance(constant, str)
    )
    return any(
        re.search(rf"\b{re.escape(words)}\b", constant) and constant in reading.lower
        for constant in constants
    )
