"""Sentences with nothing wrong, near misses among them: all of them are to be left alone."""

# ruff: noqa: E501  # a table reads better in long lines

from tests.agent.lint.world import Case

B, P, T = "bullets", "prose", "table"

GOOD = [
    # words that are vague elsewhere
    Case(B, 'Follow-up: "recently seen" if the last visit is at most 30 days ago, else "none".', "follow_up"),
    Case(
        B, "Follow-up: `coming soon` if a visit is booked within the next 14 days, else `none`.", "follow_up"
    ),
    Case(B, "Follow-up is coming soon when a visit is within the next 14 days, else none.", "follow_up"),
    Case(
        P,
        'A patient with the tag "Important" gets the priority "high"; every other one gets "low".',
        "priority",
        "active_tags.name",
    ),
    Case(
        P,
        'The most recent visit decides: the status is "active" if it is at most 182 days ago, else "lapsed".',
        "status",
    ),
    Case(P, "The e-mail is written in small letters, and the state in capital letters.", "email state"),
    Case(
        P,
        'A recent visit is one at most 90 days ago.\nThe status is "active" with a recent visit, else "lapsed".',
        "status",
    ),
    Case(P, 'The status is "active" with a recent visit (at most 90 days ago), else "lapsed".', "status"),
    Case(
        P,
        'A patient counts as a regular patient from three visits on.\nA regular patient\'s status is "active".',
        "status",
    ),
    Case(P, "How often the patient came does not matter; how many invoices there are does not, either.", ""),
    Case(P, "Information about the patient's insurance is the payer of the primary policy.", "payer"),
    Case(T, "priority | \"high\" | the tag 'Urgent'", "priority", "active_tags.name"),
    Case(T, 'priority | "high" | group Important Clients', "priority", "user_group.name"),
    Case(T, "phone | +1 and ten digits | as soon as there is one", "phone"),
    Case(T, 'status | "active" | as many as 3 visits in the last 90 days', "status"),
    Case(P, "Judgement: is the reason for the referral urgent or not so urgent?", "", "referrals.metadata"),
    # numbers with and without units
    Case(
        B,
        'Age group: "minor" below 18 years, "senior" from 65, else "adult", and "unknown" without a birth date.',
        "age_group",
    ),
    Case(B, 'Age group: "minor" below 18, "adult" below 65, else "senior".', "age_group"),
    Case(B, 'Age group: "minor" under 18, "adult" from 18 to 64, "senior" from 65.', "age_group"),
    Case(
        P,
        'If the open balance is more than 100 dollars, the priority is "high", else "low".',
        "priority open_balance_cents",
    ),
    Case(
        P,
        'With more than 3 invoices the priority is "high", else "low".',
        "priority",
        "requested_payments.status",
    ),
    Case(
        P,
        'The status is "new" if no visit occurred, "active" if the last one is at most 182 days ago or one is coming up, else "lapsed". It is decided again on the day on which it may change.',
        "status",
    ),
    Case(T, 'status | "lapsed" | last visit more than 90 days ago', "status"),
    Case(T, 'priority | "high" | balance over $250', "priority", "requested_payments.balance_due_minor"),
    Case(P, 'The status is "active" if a visit occurred within half a year, else "lapsed".', "status"),
    Case(P, 'The status is "lapsed" without a visit in the last two years.', "status"),
    # two sentences that go together
    Case(B, "Archived patients: skip; reason `archived`.\nActive patients: one row.", "", "active"),
    Case(B, 'Archived patients: status "archived".\nActive patients: status "active".', "status"),
    Case(
        P,
        "Without an e-mail the column is emptied.\nWithout a phone number the column is left as it is.",
        "email phone",
    ),
    Case(
        P,
        'A patient with the tag "No data sharing" is left alone; the reason is `no_consent`.\nA patient with the tag "Staff" is for a person to review; the reason is `staff`.',
        "",
        "active_tags.name",
    ),
    Case(
        P,
        "Two primary policies are for a person to review; the reason is `two_primaries`.\nThe payer is that of the primary policy; without one it is emptied.",
        "payer",
    ),
    Case(
        P,
        'Archived patients are skipped, unless they owe money.\nAn archived patient who owes money gets the status "archived".',
        "status",
        "requested_payments.balance_due_minor",
    ),
    Case(
        P,
        'Rows are never deleted.\nAn archived patient\'s row gets the status "archived"; nothing else of the row is changed.',
        "status",
    ),
    Case(
        P,
        "If the channel was never filled in, the column is left as it is; if it was emptied, the column is emptied.",
        "referral_channel",
    ),
    Case(T, "no phone number → the phone is emptied\nno e-mail → the e-mail is left as it is", "phone email"),
    Case(T, "state | in capital letters\ncity | as it is", "state city"),
    Case(T, 'archived | status | "archived"\nnot archived | status | "active"', "status"),
    Case(
        P,
        'An active patient with an insurance, or an archived one who owes money, gets the priority "high".',
        "priority",
        "active policies.num requested_payments.balance_due_minor",
    ),
    Case(P, "Active and archived patients are both listed.", "", "active"),
    # what the target can do, and what is only spoken of
    Case(B, "Rows are never deleted, and no patient is sent a message.", ""),
    Case(B, "Next visit: the day of the next appointment; without one, empty.", "next_visit"),
    Case(P, "One row for each patient, archived ones included.", "", "active"),
    Case(P, "A patient whose appointment was cancelled is not thereby lapsed.", "status"),
    Case(
        P,
        "A patient who asked not to be called is left alone; the reason is `do_not_call`.",
        "",
        "active_tags.name",
    ),
    Case(P, 'A patient in the group "Paused" gets the status "lapsed".', "status", "user_group.name"),
    Case(P, 'A policy of the type "secondary" does not count for the payer.', "payer"),
    Case(T, "`next_visit` | the day of the next appointment", "next_visit"),
    Case(T, "reason `no_name` | no last name | for a person to review", "", "last_name"),
    # all of something, which is not everything
    Case(B, "Open balance: the sum of the balance due of all invoices, in cents.", "open_balance_cents"),
    Case(B, "All patients, active and archived, are rows.", "", "active"),
    Case(P, "Every appointment counts, whatever its type.", "", "appointments.date"),
    Case(P, "All other columns stay as they are.", ""),
    Case(P, "Nothing else of the record is sent.", ""),
    Case(T, "city, state and ZIP | of the primary location", "city state zip"),
    # notes that are none of the session's
    Case(B, "Session notes are never read.", ""),
    Case(P, "Please note that the phone number is written as +1 and ten digits.", "phone"),
    Case(
        P,
        'A patient with the tag "Chart notes missing" is left alone; the reason is `chart`.',
        "",
        "active_tags.name",
    ),
    Case(P, "The row holds nothing of the progress notes.", ""),
    Case(T, "payer | of the primary policy, without the visit notes", "payer"),
    Case(T, 'tag "Diabetes group" → priority "high"', "priority", "active_tags.name"),
]
