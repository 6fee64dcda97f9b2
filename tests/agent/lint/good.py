"""Sentences with nothing wrong, near misses among them: all of them are to be left alone."""

# ruff: noqa: E501  # a table reads better in long lines

from tests.agent.lint.world import Case

B, P, T = "bullets", "prose", "table"
ALL = "email phone city state zip payer status age_group priority follow_up open_balance_cents referral_channel next_visit reminders"
SENTENCES = """\
Each row has the name, made of first and last name with one space between them.
An archived patient's row gets the status "archived"; nothing else of the row is changed.
A patient with the tag "No data sharing" is left alone; the reason is `no_consent`.
A patient without a last name is for a person to review; the reason is `no_name`.
The e-mail is written in small letters. If the patient has none, it is emptied.
The phone number is written as +1 and ten digits. If it cannot be, or there is none, it is left as it is.
City, state and ZIP are those of the primary location. Without one they are left as they are.
The payer is that of the primary policy; without one it is emptied. Two primary policies are for a person to review; the reason is `two_primaries`.
The status is "new" if no visit occurred, "active" if the last one is at most 182 days ago or one is coming up, else "lapsed". It is decided again on the day on which it may change.
The age group is "minor" below 18 years, "senior" from 65, else "adult", and "unknown" without a birth date.
The priority is "high" for a patient with a visit in the next 7 days whose intake forms are not complete, "low" without any visit, else "normal".
The open balance is the sum of the balance due of all invoices, in cents.
The referral channel is the custom attribute `referral_channel`. If it was never filled in, the row is left as it is; if it was emptied, the row is emptied.
The next visit is the day of the next appointment; without one it is emptied.
Reminders are on for a patient with an e-mail or a phone number, else off.
"""
BULLETS = """\
Name: first and last name.
Archived → status "archived", all else unchanged.
Tag "No data sharing" → skip (`no_consent`).
Test patients, by the tag "TEST" → skip (`test`).
E-mail: small letters; none → empty.
Phone: +1 and ten digits; otherwise → empty.
City / state / ZIP: primary location; none → unchanged.
Payer: primary policy; none → empty; two primaries → to a person (`two_primaries`).
Status: no visit → "new"; last visit ≤ 182 days ago → "active"; else "lapsed".
Age group: < 18 → "minor"; ≥ 65 → "senior"; else "adult"; no birth date → "unknown".
Balance: sum of what is due on invoices, in cents.
Next visit: date of the next appointment; none → empty.
"""
ROWS = """\
full name | first name, last name | one space between
status | "archived" | archived in Healthie
status | "new" | no visit occurred
status | "active" | last visit at most 182 days ago, or a visit coming up
status | "lapsed" | everyone else
age group | "minor" | below 18 years
age group | "adult" | 18 to 64 years
age group | "senior" | 65 years and older
age group | "unknown" | no birth date
email | small letters | empty without one
phone | +1 and ten digits | empty without one
open balance cents | sum of the balance due of the invoices | 0 without any
payer | payer of the primary policy | empty without one
"""
PROSE = """\
We keep one row for every patient, active or archived.
Patients who told us they don't want their data shared carry the tag "Do not share", and for them nothing is written; the reason is `no_consent`.
If somebody is under 18, the e-mail is the one of the first emergency contact, provided there is one; otherwise the column is emptied.
For everybody else the e-mail is the patient's own, in lower case.
A balance above $200 that is more than 60 days old makes the priority "high", unless the patient has the tag "Payment plan".
The others have the priority "normal".
We count a visit when the appointment's status is "Occurred" and its type is not "Phone check-in".
Someone with no visit in the last 12 months and none scheduled has the status "lapsed".
Patients from other states (anything but "TX" and "OK") are looked at by a person; the reason is `other_state`.
When two addresses are marked as primary, a person decides which one counts; the reason is `two_addresses`.
The referral channel is copied as the patient chose it, including "Other".
"""

# fmt: off
GOOD = [
    # words that are vague elsewhere
    Case(B, 'Follow-up: "recently seen" if the last visit is at most 30 days ago, else "none".', 'follow_up'),
    Case(B, 'Follow-up: `coming soon` if a visit is booked within the next 14 days, else `none`.', 'follow_up'),
    Case(B, 'Follow-up is coming soon when a visit is within the next 14 days, else none.', 'follow_up'),
    Case(P, 'A patient with the tag "Important" gets the priority "high"; every other one gets "low".', 'priority', 'active_tags.name'),
    Case(P, 'The most recent visit decides: the status is "active" if it is at most 182 days ago, else "lapsed".', 'status'),
    Case(P, 'The e-mail is written in small letters, and the state in capital letters.', 'email state'),
    Case(P, 'A recent visit is one at most 90 days ago.\nThe status is "active" with a recent visit, else "lapsed".', 'status'),
    Case(P, 'The status is "active" with a recent visit (at most 90 days ago), else "lapsed".', 'status'),
    Case(P, 'A patient counts as a regular patient from three visits on.\nA regular patient\'s status is "active".', 'status'),
    Case(P, 'How often the patient came does not matter; how many invoices there are does not, either.', ''),
    Case(P, "Information about the patient's insurance is the payer of the primary policy.", 'payer'),
    Case(T, 'priority | "high" | the tag \'Urgent\'', 'priority', 'active_tags.name'),
    Case(T, 'priority | "high" | group Important Clients', 'priority', 'user_group.name'),
    Case(T, 'phone | +1 and ten digits | as soon as there is one', 'phone'),
    Case(T, 'status | "active" | as many as 3 visits in the last 90 days', 'status'),
    Case(P, 'Judgement: is the reason for the referral urgent or not so urgent?', '', 'referrals.metadata'),
    # numbers with and without units
    Case(B, 'Age group: "minor" below 18 years, "senior" from 65, else "adult", and "unknown" without a birth date.', 'age_group'),
    Case(B, 'Age group: "minor" below 18, "adult" below 65, else "senior".', 'age_group'),
    Case(B, 'Age group: "minor" under 18, "adult" from 18 to 64, "senior" from 65.', 'age_group'),
    Case(P, 'If the open balance is more than 100 dollars, the priority is "high", else "low".', 'priority open_balance_cents'),
    Case(P, 'With more than 3 invoices the priority is "high", else "low".', 'priority', 'requested_payments.status'),
    Case(P, 'The status is "new" if no visit occurred, "active" if the last one is at most 182 days ago or one is coming up, else "lapsed". It is decided again on the day on which it may change.', 'status'),
    Case(T, 'status | "lapsed" | last visit more than 90 days ago', 'status'),
    Case(T, 'priority | "high" | balance over $250', 'priority', 'requested_payments.balance_due_minor'),
    Case(P, 'The status is "active" if a visit occurred within half a year, else "lapsed".', 'status'),
    Case(P, 'The status is "lapsed" without a visit in the last two years.', 'status'),
    # two sentences that go together
    Case(B, 'Archived patients: skip; reason `archived`.\nActive patients: one row.', '', 'active'),
    Case(B, 'Archived patients: status "archived".\nActive patients: status "active".', 'status'),
    Case(P, 'Without an e-mail the column is emptied.\nWithout a phone number the column is left as it is.', 'email phone'),
    Case(P, 'A patient with the tag "No data sharing" is left alone; the reason is `no_consent`.\nA patient with the tag "Staff" is for a person to review; the reason is `staff`.', '', 'active_tags.name'),
    Case(P, 'Two primary policies are for a person to review; the reason is `two_primaries`.\nThe payer is that of the primary policy; without one it is emptied.', 'payer'),
    Case(P, 'Archived patients are skipped, unless they owe money.\nAn archived patient who owes money gets the status "archived".', 'status', 'requested_payments.balance_due_minor'),
    Case(P, 'Rows are never deleted.\nAn archived patient\'s row gets the status "archived"; nothing else of the row is changed.', 'status'),
    Case(P, 'If the channel was never filled in, the column is left as it is; if it was emptied, the column is emptied.', 'referral_channel'),
    Case(T, 'no phone number → the phone is emptied\nno e-mail → the e-mail is left as it is', 'phone email'),
    Case(T, 'state | in capital letters\ncity | as it is', 'state city'),
    Case(T, 'archived | status | "archived"\nnot archived | status | "active"', 'status'),
    Case(P, 'An active patient with an insurance, or an archived one who owes money, gets the priority "high".', 'priority', 'active policies.num requested_payments.balance_due_minor'),
    Case(P, 'Active and archived patients are both listed.', '', 'active'),
    # what the target can do, and what is only spoken of
    Case(B, 'Rows are never deleted, and no patient is sent a message.', ''),
    Case(B, 'Next visit: the day of the next appointment; without one, empty.', 'next_visit'),
    Case(P, 'One row for each patient, archived ones included.', '', 'active'),
    Case(P, 'A patient whose appointment was cancelled is not thereby lapsed.', 'status'),
    Case(P, 'A patient who asked not to be called is left alone; the reason is `do_not_call`.', '', 'active_tags.name'),
    Case(P, 'A patient in the group "Paused" gets the status "lapsed".', 'status', 'user_group.name'),
    Case(P, 'A policy of the type "secondary" does not count for the payer.', 'payer'),
    Case(T, '`next_visit` | the day of the next appointment', 'next_visit'),
    Case(T, 'reason `no_name` | no last name | for a person to review', '', 'last_name'),
    # all of something, which is not everything
    Case(B, 'Open balance: the sum of the balance due of all invoices, in cents.', 'open_balance_cents'),
    Case(B, 'All patients, active and archived, are rows.', '', 'active'),
    Case(P, 'Every appointment counts, whatever its type.', '', 'appointments.date'),
    Case(P, 'All other columns stay as they are.', ''),
    Case(P, 'Nothing else of the record is sent.', ''),
    Case(T, 'city, state and ZIP | of the primary location', 'city state zip'),
    # notes that are none of the session's
    Case(B, 'Session notes are never read.', ''),
    Case(P, 'Please note that the phone number is written as +1 and ten digits.', 'phone'),
    Case(P, 'A patient with the tag "Chart notes missing" is left alone; the reason is `chart`.', '', 'active_tags.name'),
    Case(P, 'The row holds nothing of the progress notes.', ''),
    Case(T, 'payer | of the primary policy, without the visit notes', 'payer'),
    Case(T, 'tag "Diabetes group" → priority "high"', 'priority', 'active_tags.name'),
    # the same tried for all that comes to mind
    Case(P, 'The name is the preferred first name and the last name, with one space between them.', 'full_name'),
    Case(P, 'A patient under 13 years is left alone; the reason is `under_13`.', '', 'dob'),
    Case(P, 'If the patient has more than one location, the first in alphabetical order of the city counts.', 'city'),
    Case(P, 'The payer is emptied if the policy ended before today.', 'payer', 'policies.effective_end'),
    Case(B, 'Reminders: on, unless the patient has the tag "No reminders".', 'reminders', 'active_tags.name'),
    Case(B, 'ZIP: the first five digits.', 'zip'),
    Case(B, 'Full name in the order last name, first name, with a comma between them.', 'full_name'),
    Case(B, 'Skip test patients (tag "TEST"); reason `test_patient`.', '', 'active_tags.name'),
    Case(P, 'Patients of the group "Soon to be discharged" get the priority "low".', 'priority', 'user_group.name'),
    Case(P, 'A no-show does not count as a visit.\nThe status is "new" until the first visit occurred.', 'status'),
    Case(P, 'The next visit is the day of the earliest appointment that is neither cancelled nor in the past.', 'next_visit'),
    Case(P, 'If several appointments are on the same day, the day is written once.', 'next_visit'),
    Case(P, 'Two patients with the same e-mail are both rows of their own.', 'email'),
    Case(P, 'The phone is the mobile number; without one it is the home number, and without either it is emptied.', 'phone'),
    Case(P, 'The priority is "high" if the intake forms are not complete and the next visit is less than 7 days away, else "normal".', 'priority'),
    Case(P, 'The referral channel is copied as it is, and never changed by hand.', 'referral_channel'),
    Case(P, 'A patient with a credit balance of more than $500 is for a person to review; the reason is `large_credit`.', '', 'credit_balance_minor'),
    Case(P, 'The open balance is 0 if there are no invoices.', 'open_balance_cents'),
    Case(P, 'Only invoices with the status "Not Yet Paid" or "Partially Paid" count.', 'open_balance_cents', 'requested_payments.status'),
    Case(T, 'age group | "minor" | under 18 years\nage group | "adult" | 18 to 64 years\nage group | "senior" | 65 years and over', 'age_group'),
    Case(T, '`email` | in small letters | if there is one', 'email'),
    Case(T, 'tag "Do not contact" | skip | reason `do_not_contact`', '', 'active_tags.name'),
    Case(T, 'status | "archived" | archived in Healthie', 'status'),
    Case(T, 'phone | +1 and ten digits | otherwise empty', 'phone'),
    Case(P, 'Patients who have been archived for more than 365 days are left alone; the reason is `long_archived`.', '', 'active archived_at'),
    Case(P, 'The state is written as its two letters, such as TX.', 'state'),
    Case(P, 'A patient who moved keeps the row; only city, state and ZIP change.', 'city state zip'),
    Case(P, 'The name is written as in Healthie, accents included.', 'full_name'),
    Case(P, 'If the birth date is in the future, a person has to look at it; the reason is `birth_date`.', '', 'dob'),
    Case(P, 'Nothing is written for a patient who was created today; the reason is `too_new`.', '', 'created_at'),
    Case(P, 'The e-mail of a minor is that of the guardian; if there is none, it is emptied.', 'email', 'dob notification_contacts.email'),
    Case(P, 'Patients in the group "High Risk" get the priority "high", those in "Regular" get "normal".', 'priority', 'user_group.name'),
    Case(P, 'A row that the target does not have yet is made; one that is there is changed.', ''),
    Case(P, 'When the phone number has an extension, the extension is dropped.', 'phone'),
    Case(P, 'The follow-up is "recently seen" for 30 days after a visit and "coming soon" for 14 days before one; if both hold, "coming soon" counts.', 'follow_up'),
    Case(P, 'Everyone is listed, whether archived or not.', '', 'active'),
    Case(B, 'Names: no titles, no degrees.', 'full_name'),
    Case(B, 'Payer: primary policy only.', 'payer'),
    Case(B, 'Emptied in Healthie: emptied here. Never filled in: left as it is.', 'referral_channel'),
    Case(P, 'Appointments of the type "Intake" with the status "Occurred" count as visits.', 'status', 'appointments.appointment_type.name'),
    Case(P, 'The visit that counts is the last one before today.', 'status'),
    Case(P, 'A patient whose primary policy is with "Evergreen Health" gets the priority "high", and every other one "normal".', 'priority', 'policies.insurance_plan.payer_name'),
    Case(P, 'The ZIP is kept as text, so that its leading zeros stay.', 'zip'),
    Case(P, 'Patients with the tag "Confidential" are written without phone and e-mail: both stay as they are.', 'phone email', 'active_tags.name'),
    Case(P, 'The date is written as year, month and day.', 'next_visit'),
    Case(P, 'The name is shown in full, never shortened.', 'full_name'),
    Case(P, 'If the state is missing but the ZIP is there, the state stays as it is.', 'state zip'),
    Case(P, 'The e-mail is written even if it was not confirmed.', 'email'),
    Case(P, 'A visit is an appointment whose status is "Occurred".', 'status'),
    Case(P, 'A patient with exactly one policy has that one as primary.', 'payer'),
    Case(P, 'The balance may be negative.', 'open_balance_cents'),
    Case(P, 'Patients who deleted their account are archived patients.', 'status'),
    Case(P, 'A cancelled visit is treated as if it had never been booked.', 'next_visit'),
    Case(P, 'If the practice removed the tag "Hold", the priority is "normal" again.', 'priority', 'active_tags.name'),
    Case(P, 'The payer "Self pay" is written as it is.', 'payer'),
    Case(P, 'Whoever has an appointment today has the priority "high".', 'priority'),
    Case(P, 'The status is not changed on weekends: it depends on the date alone.', 'status'),
    Case(P, 'A patient is a senior from the day of the 65th birthday on, and gets "senior" as age group.', 'age_group'),
    Case(P, 'Phone numbers from abroad start with + and the country code.', 'phone'),
    Case(P, 'The first name alone is enough if there is no last name.', 'full_name'),
    Case(B, 'Priority: "high" over $200, "normal" from $150, else "low".', 'priority', 'requested_payments.balance_due_minor'),
    Case(P, 'The city is that of the location marked as home, or of the first one.', 'city'),
    Case(P, 'A balance of exactly 0 is written as 0, not left empty.', 'open_balance_cents'),
    Case(P, 'If the visit was cancelled less than 24 hours before it, it still counts as a visit.', 'status'),
    Case(P, 'The payer is written as it is, even if it is long.', 'payer'),
    Case(P, 'The status is "archived" for archived patients, whatever their visits.', 'status'),
    Case(P, 'For patients under 18 the phone is that of the first emergency contact.', 'phone', 'dob notification_contacts.phone_number'),
    Case(P, 'A patient without any policy has the payer emptied.', 'payer'),
    Case(P, 'A patient with the tag "VIP" gets the priority "high".', 'priority', 'active_tags.name'),
    Case(P, 'The next visit of an archived patient is emptied.', 'next_visit', 'active'),
    Case(P, 'Visits of the type "Quick check" do not count.', 'status', 'appointments.appointment_type.name'),
    Case(P, 'The first name is the preferred one, not the legal one.', 'full_name'),
    Case(P, 'If the e-mail has a space in it, it is for a person to review; the reason is `email`.', 'email'),
    Case(P, 'A visit that took place today counts.', 'status'),
    Case(P, 'Patients who were merged into another record are archived.', 'status'),
    Case(P, 'The age is that on the day of the run.', 'age_group'),
    Case(P, 'The priority is "low" while a patient is archived.', 'priority', 'active'),
    Case(B, 'Minors: age group "minor".', 'age_group'),
    Case(B, 'No birth date: age group "unknown".', 'age_group'),
    Case(B, 'State: two letters.', 'state'),
    Case(B, 'Skip: group "Test accounts" (`test`).', '', 'user_group.name'),
    Case(B, 'Balance: cents, never negative.', 'open_balance_cents'),
    Case(B, 'Next visit > 90 days away: priority "low".', 'priority'),
    Case(T, 'phone | mobile, else home | +1 and ten digits', 'phone'),
    Case(T, 'email | lower case | emptied without one', 'email'),
    Case(T, 'group "Large employer" | priority | "normal"', 'priority', 'user_group.name'),
    Case(T, 'priority | "low" | no visit within the next 30 days', 'priority'),
    Case(P, 'Patients with two or more open invoices have the priority "high".', 'priority', 'requested_payments.status'),
    Case(P, 'The e-mail is not written for patients who skipped it in Healthie.', 'email', 'skipped_email'),
    Case(P, 'A patient gets "new" as status until the first visit has occurred.', 'status'),
    Case(P, 'Emergency contacts are never written.', ''),
    Case(P, 'If the ZIP has nine digits, the first five are written.', 'zip'),
    Case(P, 'The referral channel stays empty if the patient chose "Prefer not to say".', 'referral_channel'),
    Case(P, 'No other information about the patient is written.', ''),
    Case(P, 'The channel is not just copied with all data of the patient: the value alone is.', 'referral_channel'),
    Case(P, 'A patient for whom that cannot be said is left alone; the reason is `unsaid`.', ''),
    Case(P, 'If it is the same for both, only one of them counts.', ''),
    # whole integrations
    Case(P, SENTENCES, ALL, 'last_name active_tags.name'),
    Case(B, BULLETS, ALL, 'active_tags.name'),
    Case(T, ROWS, ALL),
    Case(P, PROSE, ALL, 'active_tags.name dob notification_contacts.email requested_payments.created_at'),
]
# fmt: on
