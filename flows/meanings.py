"""What the keys of integration.yaml mean, as an editor tells it from the schema."""

FROM = "fields of the entry that the value may come from"
CONSTANTS = "values that the instructions name"
TRANSFORMS = "declared transforms that may be applied: lower, e164, …"
BECAUSE = "sentences that speak of it: a call that sets it cites one of them"
CONFIRMED = "what the system needs before it may hold patient data, with since when and by whom: {baa: …}"
COMPUTED = "the program may make a value of its own out of `from`"
OWNER = (
    "who has the last word, where it goes both ways: the connection of one of the two sources, or newest "
    "(the entry that was changed last), or person (a person looks where both were edited)"
)

ROLLOUT = (
    "the share of the entries that goes first, such as 5%: the same ones each time; the others follow when "
    "what went first has arrived"
)
PEOPLE = (
    "who may review, release and approve, by name. viewer: sees that something changes, and no value. "
    "reviewer: sees values, and says what is right and wrong. approver: releases and approves, too"
)
